// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Queue} from "../../src/base/Queue.sol";
import {Settings} from "../../src/base/Settings.sol";
import {Parameters} from "../../src/types/Parameters.sol";

/// @title A queue that holds as many items as nobody could pay for
contract CrowdedQueue is Queue {
    constructor(Parameters memory given) Settings(given) {}

    /// @dev The fee while this many items wait.
    function feeBehind(uint64 waiting) external returns (uint256) {
        _queueLength = waiting;
        return _forcedFee();
    }
}
