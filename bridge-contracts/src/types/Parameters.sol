// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Everything that is set once, in the constructor. Times in seconds, amounts in wei.
struct Parameters {
    /// State root of an empty state.
    bytes32 genesisRoot;
    /// Registers orgs, sets their status, pauses. Hands over in two steps.
    address owner;
    /// Registers the roots of periods.
    address keyOfficer;
    /// A masked chain: periods may be registered, and only an org's account may bond.
    bool masked;
    /// How long a batch can be convicted.
    uint48 window;
    /// How long a bond stays after its sequencer has left; at least `window`.
    uint48 exitDelay;
    /// Age from which an item of the queue is overdue.
    uint48 overdueAge;
    /// How far a batch's clock may lie before the block that posts it; at most `window`.
    uint48 clockPast;
    /// How far a batch's clock may lie after the block that posts it.
    uint48 clockFuture;
    /// Time without a batch after which a sequencer can be deposed, if an item is overdue.
    uint48 deposeOverdue;
    /// Time without a batch after which a sequencer can be deposed in any case.
    uint48 deposeIdle;
    /// Most that pauses add to a batch's window.
    uint48 pauseMax;
    /// How long orgs may void a period's root; then it is ripe.
    uint48 periodObjection;
    /// Items a batch must take at least while more are overdue.
    uint16 batchItemsMin;
    /// What a sequencer leaves as a pledge; below 2^96.
    uint128 bond;
    /// Fee for a forced item while fewer than 64 wait; doubles with every 64.
    uint128 forcedFee;
    /// The page executor, where convictions that run a page enter.
    address executor;
    /// The court, where the other convictions enter.
    address court;
}
