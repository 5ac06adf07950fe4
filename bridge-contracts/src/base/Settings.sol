// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../interfaces/IRollupEvents.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title What is set once
/// @dev Immutable, in the code: read at no cost, changed by nobody. There are no upgrades in place.
abstract contract Settings is IRollupErrors, IRollupEvents {
    /// @dev Bounds every time, so that no sum of them leaves 48 bits.
    uint48 private constant SECONDS_MAX = 10 * 365 days;

    bytes32 internal immutable GENESIS_ROOT;
    address internal immutable FIRST_OWNER;
    address internal immutable KEY_OFFICER;
    bool internal immutable MASKED;
    uint48 internal immutable WINDOW;
    uint48 internal immutable EXIT_DELAY;
    uint48 internal immutable OVERDUE_AGE;
    uint48 internal immutable CLOCK_PAST;
    uint48 internal immutable CLOCK_FUTURE;
    uint48 internal immutable DEPOSE_OVERDUE;
    uint48 internal immutable DEPOSE_IDLE;
    uint48 internal immutable PAUSE_MAX;
    uint48 internal immutable PERIOD_OBJECTION;
    uint16 internal immutable BATCH_ITEMS_MIN;
    uint128 internal immutable BOND;
    uint128 internal immutable FORCED_FEE;
    address internal immutable EXECUTOR;
    address internal immutable COURT;

    constructor(Parameters memory given) {
        require(_isSound(given), WrongParameters());
        GENESIS_ROOT = given.genesisRoot;
        FIRST_OWNER = given.owner;
        KEY_OFFICER = given.keyOfficer;
        MASKED = given.masked;
        WINDOW = given.window;
        EXIT_DELAY = given.exitDelay;
        OVERDUE_AGE = given.overdueAge;
        CLOCK_PAST = given.clockPast;
        CLOCK_FUTURE = given.clockFuture;
        DEPOSE_OVERDUE = given.deposeOverdue;
        DEPOSE_IDLE = given.deposeIdle;
        PAUSE_MAX = given.pauseMax;
        PERIOD_OBJECTION = given.periodObjection;
        BATCH_ITEMS_MIN = given.batchItemsMin;
        BOND = given.bond;
        FORCED_FEE = given.forcedFee;
        EXECUTOR = given.executor;
        COURT = given.court;
    }

    function _parameters() internal view returns (Parameters memory) {
        return Parameters({
            genesisRoot: GENESIS_ROOT,
            owner: FIRST_OWNER,
            keyOfficer: KEY_OFFICER,
            masked: MASKED,
            window: WINDOW,
            exitDelay: EXIT_DELAY,
            overdueAge: OVERDUE_AGE,
            clockPast: CLOCK_PAST,
            clockFuture: CLOCK_FUTURE,
            deposeOverdue: DEPOSE_OVERDUE,
            deposeIdle: DEPOSE_IDLE,
            pauseMax: PAUSE_MAX,
            periodObjection: PERIOD_OBJECTION,
            batchItemsMin: BATCH_ITEMS_MIN,
            bond: BOND,
            forcedFee: FORCED_FEE,
            executor: EXECUTOR,
            court: COURT
        });
    }

    /// @dev A bond outlives the windows of its batches. A clock within bounds is younger than a window, so that what
    /// `Pauses` keeps of the pauses before is enough. A batch may always take an item. The judges are there already.
    function _isSound(Parameters memory given) private view returns (bool) {
        return given.genesisRoot != 0 && given.owner != address(0) && (!given.masked || given.keyOfficer != address(0))
            && given.window > 0 && given.exitDelay >= given.window && given.clockPast <= given.window
            && given.batchItemsMin > 0 && given.bond > 0 && given.deposeOverdue > 0 && given.deposeIdle > 0
            && given.exitDelay <= SECONDS_MAX && given.overdueAge <= SECONDS_MAX && given.clockFuture <= SECONDS_MAX
            && given.deposeOverdue <= SECONDS_MAX && given.deposeIdle <= SECONDS_MAX && given.pauseMax <= SECONDS_MAX
            && given.periodObjection <= SECONDS_MAX && given.bond <= type(uint96).max && given.executor.code.length > 0
            && given.court.code.length > 0;
    }
}
