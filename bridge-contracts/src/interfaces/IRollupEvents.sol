// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";

/// @title What the Rollup tells those who watch it
/// @notice State can be rebuilt from these and the transactions that post.
interface IRollupEvents {
    /// @notice A batch stands at the head. Its pages are in this transaction: in its blobs, or in its input.
    event BatchPosted(uint64 indexed number, bytes32 indexed contentHash, address indexed poster, Header header);
    /// @notice This batch and all before it can no longer be convicted.
    event BatchConfirmed(uint64 indexed number, bytes32 contentHash);

    /// @notice Somebody knows something.
    event Committed(bytes32 indexed commitment, address indexed challenger);
    /// @notice A sequencer was convicted. The reward is owed to the challenger, or held for a day if it had not
    /// committed.
    event Convicted(
        bytes32 indexed accusation,
        address indexed account,
        address indexed challenger,
        uint256 reward,
        bool isCommitted
    );
    /// @notice A rollback: the batches from `first` to `last`, the head until now, are gone.
    /// @param contentHash Of the first, the one that was convicted.
    event BatchesDropped(uint64 indexed first, uint64 last, bytes32 contentHash);
    /// @notice A reward that was held is owed to this account.
    event RewardClaimed(bytes32 indexed accusation, address indexed account, uint256 reward);
    /// @notice What was left of a convicted sequencer's bond is burnt.
    event RestBurnt(address indexed account, uint256 amount);

    /// @notice Something waits for the sequencer.
    /// @param kind 2 a forced envelope, 3 an org item.
    /// @param time Of the block, milliseconds.
    /// @param body Without the zeros that pad it to 953 bytes.
    event ItemEnqueued(uint64 indexed index, uint8 kind, uint48 time, bytes body);
    /// @notice An org has an account, and the number that its item will give it on the rollup.
    event OrgRegistered(uint32 indexed org, address indexed account);

    /// @notice A period's root is open to objections until `ripeAt` (seconds).
    event PeriodRegistered(uint64 indexed period, bytes32 root, uint64 ripeAt);
    /// @notice An org objected.
    event PeriodVoided(uint64 indexed period, bytes32 root, address by);

    /// @notice A sequencer is in office from here on.
    event EpochStarted(uint64 indexed epoch, address indexed sequencer, address receiptKey, uint64 firstSequence);
    /// @notice An epoch is over; receipts at or beyond `endSequence` were left behind.
    event EpochEnded(uint64 indexed epoch, uint64 endSequence);
    /// @notice A sequencer stands in line.
    event Bonded(address indexed sequencer, address receiptKey, uint256 amount);
    /// @notice A sequencer has left; what is left of its bond is locked until `withdrawableAt` (seconds; pauses add).
    event ExitRequested(address indexed sequencer, uint64 withdrawableAt);
    /// @notice A bond was paid back.
    event Withdrawn(address indexed sequencer, uint256 amount);
    /// @notice A sequencer that posted nothing lost its place and `amount`, burnt.
    event Deposed(address indexed sequencer, address indexed by, uint256 amount);
    /// @notice Money owed was paid out.
    event Collected(address indexed account, uint256 amount);

    /// @notice Posting and confirming stand still until `until` (seconds) at the latest.
    event Paused(address by, uint64 until);
    /// @notice They go on.
    event Unpaused(address by);
    /// @notice The owner offers its place.
    event OwnershipTransferStarted(address indexed from, address indexed to);
    /// @notice The offer was taken.
    event OwnershipTransferred(address indexed from, address indexed to);
}
