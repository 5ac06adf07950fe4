// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rollup} from "../../src/Rollup.sol";
import {Parameters} from "../../src/types/Parameters.sol";

/// @title The Rollup with what has no view laid open
contract RollupHarness is Rollup {
    constructor(Parameters memory given) Rollup(given) {}

    function bondsHeld() external view returns (uint256) {
        return _bonds;
    }

    function owedInAll() external view returns (uint256) {
        return _owedInAll;
    }

    function firstInLine() external view returns (address) {
        return _firstInLine();
    }

    function closesAt(uint64 number) external view returns (uint256) {
        return _closesAt(number);
    }
}
