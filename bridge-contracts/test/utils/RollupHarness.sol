// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rollup} from "../../src/Rollup.sol";
import {Parameters} from "../../src/types/Parameters.sol";
import {Standing} from "../../src/types/State.sol";

/// @title The Rollup with the seams that convictions will use laid open
contract RollupHarness is Rollup {
    constructor(Parameters memory given) Rollup(given) {}

    /// @dev As a page or header conviction does: the batch and its descendants go, the poster loses its bond and its
    /// place, the epoch rises.
    function convict(uint64 number) external {
        address poster = _batches[number].poster;
        _dropFrom(number);
        Standing standing = _sequencers[poster].standing;
        _burn(_slash(poster, _sequencers[poster].bond));
        if (standing == Standing.InOffice) {
            _turnOut(poster, Standing.Convicted);
        } else {
            _turnOut(poster, Standing.Convicted);
            _renewEpoch();
        }
    }

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
