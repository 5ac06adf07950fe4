// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What L1 keeps of a batch.
struct Batch {
    /// keccak256(abi.encode(header)).
    bytes32 contentHash;
    /// Who posted it, and pays for it.
    address poster;
    /// Time of the block that posted it, seconds.
    uint48 time;
    /// Clock of its last page, milliseconds.
    uint48 clock;
    /// Next sequence number after it.
    uint64 nextSequence;
    /// Items of the queue taken after it.
    uint64 cursor;
    /// Epoch in which it was posted.
    uint64 epoch;
    /// Seconds that the chain had stood paused, in all, when it was posted.
    uint48 pausedBefore;
}

/// @notice Time in office of one sequencer, uninterrupted by a conviction.
struct Epoch {
    /// Who is in office.
    address sequencer;
    /// When the epoch began, seconds.
    uint48 startedAt;
    /// When it ended, seconds; 0 while it lasts.
    uint48 endedAt;
    /// Whose signature is on its receipts.
    address receiptKey;
    /// Next sequence number as it began.
    uint64 firstSequence;
    /// Next sequence number as it ended: receipts at or beyond it were left behind. 0 while it lasts.
    uint64 endSequence;
    /// Epoch of the batch that was taken back while this one was the last to have begun, the earliest if there were
    /// several; 0 if there was none.
    uint64 rolledBackTo;
}

/// @notice Where a sequencer stands.
enum Standing {
    /// Never bonded, or all paid back.
    None,
    /// Bonded, waiting for its turn.
    InLine,
    /// May post.
    InOffice,
    /// Out of line and office, its bond locked until `exitDelay` is over.
    Leaving,
    /// Convicted; what rewards leave of its bond is locked, then burnt. For ever.
    Convicted
}

/// @notice One bonded sequencer.
struct Sequencer {
    /// Signs its receipts (secp256k1 address).
    address receiptKey;
    /// Where it stands.
    Standing standing;
    /// When it left or was last convicted, seconds.
    uint48 leftAt;
    /// Seconds that the chain had stood paused, in all, at that time.
    uint48 pausedBefore;
    /// What is left of its bond, wei.
    uint128 bond;
    /// Rewards that were taken out of it.
    uint8 rewards;
}

/// @notice One item of the forced queue.
struct Item {
    /// keccak256(0x09 ‖ type ‖ time ‖ body of 953 bytes); docs/spec.md §4.3.
    bytes32 hash;
    /// Time of the block that enqueued it, seconds.
    uint48 time;
    /// Seconds that the chain had stood paused, in all, when it was enqueued.
    uint48 pausedBefore;
}

/// @notice The root of a period's page keys.
struct Period {
    /// Root of the tree of depth 20; docs/spec.md §11.2.
    bytes32 root;
    /// From when batches of this period are masked, seconds.
    uint48 ripeAt;
    /// An org objected; another root may be registered.
    bool isVoided;
}

/// @notice The whole of the chain in one call, for those who watch it.
struct Snapshot {
    uint64 number;
    bytes32 contentHash;
    uint48 time;
    uint48 clock;
    uint64 nextSequence;
    uint64 cursor;
    uint64 confirmed;
    uint64 epoch;
    uint64 slot;
    address sequencer;
    uint64 queueLength;
    bool isPaused;
}
