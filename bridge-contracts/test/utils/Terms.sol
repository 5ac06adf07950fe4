// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../../src/types/Parameters.sol";

/// @title The terms of a Rollup, as in production
library Terms {
    /// @notice Owned by nobody, judged by nobody, without a genesis: those the caller sets.
    function production() internal pure returns (Parameters memory given) {
        given.window = 7 days;
        given.exitDelay = 14 days;
        given.overdueAge = 24 hours;
        given.clockPast = 24 hours;
        given.clockFuture = 60;
        given.deposeOverdue = 24 hours;
        given.deposeIdle = 72 hours;
        given.pauseMax = 7 days;
        given.periodObjection = 48 hours;
        given.batchItemsMin = 64;
        given.bond = 32 ether;
        given.forcedFee = 0.001 ether;
    }
}
