// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Conviction} from "../types/Convictions.sol";
import {Header} from "../types/Header.sol";
import {Parameters} from "../types/Parameters.sol";
import {Batch, Epoch, Sequencer, Snapshot} from "../types/State.sol";
import {IRollupErrors} from "./IRollupErrors.sol";
import {IRollupEvents} from "./IRollupEvents.sol";

/// @title Chartroll on L1
/// @notice Bonds, the chain of batches, the challenge window, the epoch, the forced queue, org registration and the
/// roots of masked periods. All delays count without pauses, but for the day in which a reward is claimed.
/// @dev Errors: `IRollupErrors`. Events: `IRollupEvents`. Bytes: docs/spec.md §4.3, §11.2, §12.
interface IRollup is IRollupErrors, IRollupEvents {
    // Batches.

    /// @notice Post the next batch, its pages in this transaction's blobs.
    /// @dev Sent by the sequencer in office, from an account without code, straight to this contract: whoever reads the
    /// chain needs nothing but the transaction.
    function postBlobs(Header calldata header) external;

    /// @notice Post the next batch, its pages in this call.
    /// @param pages 992 bytes each, as they are read (masked if the header says so).
    function postCalldata(Header calldata header, bytes calldata pages) external;

    /// @notice Move the confirmed pointer to a batch whose window is over. Anyone may.
    function confirm(uint64 number) external;

    // Convictions.

    /// @notice Note that somebody knows something: a commitment counts for accusations made in later blocks.
    /// Anyone may send it; it is the challenger's that is named in it, which is who will accuse.
    /// @param commitment keccak256(abi.encode(challenger, accusation, salt)).
    function commit(bytes32 commitment) external;

    /// @notice Convict the poster of a batch: the batch and its descendants go, the epoch rises. The page executor and
    /// the court may, when the accusation has been made good before them.
    /// @param number Of the batch, inside its window and at or below the head.
    /// @param accusation keccak256(abi.encode(predicate, subject, place, right)): `Accusations`. It convicts once.
    /// @param challenger Who made it good, and is rewarded.
    /// @param salt Of its commitment; anything if there is none.
    function convictBatch(uint64 number, bytes32 accusation, address challenger, bytes32 salt) external;

    /// @notice Convict a sequencer of a broken receipt: it is turned out, valid batches stay. The page executor and the
    /// court may.
    /// @param account Whose receipt it is; it must have something left to lose.
    function convictSequencer(address account, bytes32 accusation, address challenger, bytes32 salt) external;

    /// @notice Take the reward of an accusation that another made good without a commitment, by opening one of the
    /// sender's own that is older than the conviction; within a day of it, the first to do so.
    function claim(bytes32 accusation, bytes32 salt) external;

    /// @notice Let who convicted without a commitment have the reward that nobody claimed within the day.
    function settle(bytes32 accusation) external;

    /// @notice Burn what is left of a convicted sequencer's bond, `exitDelay` after its last conviction. Anyone may.
    function burnRest(address account) external;

    // The forced queue.

    /// @notice Enqueue an envelope past the sequencer. Anyone may, for a fee; what is paid above it is owed back.
    /// @param envelope 120 to 953 bytes; whether it is admitted is decided on the rollup. It is public.
    function enqueue(bytes calldata envelope) external payable;

    /// @notice Register an org and its admin. The owner may.
    /// @param account Speaks for the org on L1.
    /// @param policy 1 implied, 2 explicit consent.
    /// @param name Digest of its name.
    /// @param pseudonymKey Commitment to its pseudonym key.
    /// @param keyKind Of its admin: 1 secp256k1 (`key` an address), 2 P-256 (`key` x ‖ y).
    /// @param sealingKey Of its admin, X25519.
    /// @param tag Of its admin.
    function registerOrg(
        address account,
        uint8 policy,
        bytes32 name,
        bytes32 pseudonymKey,
        uint8 keyKind,
        bytes calldata key,
        bytes32 sealingKey,
        bytes32 tag
    ) external;

    /// @notice Set an org's status (1 active, 2 suspended) and policy. The owner may.
    function setOrgStatus(uint32 org, uint8 status, uint8 policy) external;

    /// @notice Replace an org's admin. Its L1 account may, for the fee of a forced item.
    function replaceAdmin(uint32 org, uint8 keyKind, bytes calldata key, bytes32 sealingKey, bytes32 tag)
        external
        payable;

    // Masked periods.

    /// @notice Register the root of a period's page keys. The key officer may; again if the last one was voided.
    function registerPeriod(uint64 period, bytes32 root) external;

    /// @notice Object to a period's root before it is ripe. Any org's L1 account may.
    function voidPeriod(uint64 period) external;

    // Sequencers.

    /// @notice Leave the bond and stand in line; take office at once if nobody is in it. On a masked chain orgs only.
    /// @param receiptKey Signs the receipts (secp256k1 address).
    function bond(address receiptKey) external payable;

    /// @notice Leave line or office. What is not posted by now is left behind.
    function exit() external;

    /// @notice Get the bond back, `exitDelay` after leaving.
    function withdraw() external;

    /// @notice Turn out a sequencer that does not post; it loses a tenth of its bond. Anyone may.
    function depose() external;

    /// @notice Be paid what is owed to the sender.
    function collect() external;

    // The owner.

    /// @notice Stop posting and confirming, for `pauseMax` in all until the chain has run for a whole window.
    function pause() external;

    /// @notice Let them go on.
    function unpause() external;

    /// @notice Offer ownership; zero takes the offer back.
    function transferOwnership(address to) external;

    /// @notice Take it.
    function acceptOwnership() external;

    // Views: the chain of batches.

    /// @notice Last batch.
    function head() external view returns (uint64 number, bytes32 contentHash);

    /// @notice A batch at or below the head; zeros if there is none.
    function batches(uint64 number) external view returns (bytes32 contentHash, address poster, uint64 time);

    /// @notice The same with all that is kept of it.
    function batchAt(uint64 number) external view returns (Batch memory);

    /// @notice Last batch that was confirmed.
    function confirmed() external view returns (uint64);

    /// @notice Whether a batch stands and can no longer be convicted, confirmed or not.
    function isFinal(uint64 number) external view returns (bool);

    /// @notice Slot of the next batch: how many were ever posted.
    function slot() external view returns (uint64);

    /// @notice Everything that changes, in one call.
    function snapshot() external view returns (Snapshot memory);

    // Views: sequencers.

    /// @notice Epoch now; 0 until somebody takes office.
    function epoch() external view returns (uint64);

    /// @notice Who is in office; zero if nobody.
    function sequencer() external view returns (address);

    /// @notice An epoch; zeros if it has not begun.
    function epochs(uint64 number) external view returns (Epoch memory);

    /// @notice A sequencer; zeros if it never bonded.
    function sequencers(address account) external view returns (Sequencer memory);

    /// @notice From when anyone may depose the sequencer in office (seconds), if nothing is posted and no pause comes.
    function deposableAt() external view returns (uint256);

    /// @notice What `collect` would pay.
    function owed(address account) external view returns (uint256);

    /// @notice Wei that nobody will get: forced fees and slashed bonds.
    function burnt() external view returns (uint256);

    // Views: convictions.

    /// @notice The block that a commitment was made in; 0 if it was not.
    function commitments(bytes32 commitment) external view returns (uint64 blockNumber);

    /// @notice The conviction on an accusation; zeros if there is none.
    function convictions(bytes32 accusation) external view returns (Conviction memory);

    /// @notice Whether a rollback settled what is late or left behind among an epoch's receipts: a batch of this epoch
    /// or an earlier one was taken back in this epoch or a later one. Costs a look at each epoch from it on.
    function isSettled(uint64 epoch) external view returns (bool);

    // Views: queue, orgs, periods.

    /// @notice Fee of the next forced item.
    function forcedFee() external view returns (uint256);

    /// @notice Items ever enqueued.
    function queueLength() external view returns (uint64);

    /// @notice An item's hash and the time of its block, seconds; zeros if there is none.
    function items(uint64 index) external view returns (bytes32 hash, uint64 time);

    /// @notice Number of orgs; they are numbered from 1.
    function orgCount() external view returns (uint32);

    /// @notice An org's L1 account; zero if there is none.
    function orgAccount(uint32 org) external view returns (address);

    /// @notice The org an account stands for; 0 if none.
    function orgOf(address account) external view returns (uint32);

    /// @notice A period's root; zeros if there is none.
    function period(uint64 number) external view returns (bytes32 root, uint64 ripeAt, bool isVoided);

    /// @notice Whether batches of a period are masked from this block on.
    function isRipe(uint64 number) external view returns (bool);

    // Views: the rest.

    /// @notice What the constructor was given.
    function parameters() external view returns (Parameters memory);

    /// @notice Owner.
    function owner() external view returns (address);

    /// @notice To whom ownership is offered; zero if to nobody.
    function pendingOwner() external view returns (address);

    /// @notice Whether posting and confirming stand still.
    function isPaused() external view returns (bool);

    /// @notice Seconds that the chain has stood paused, in all.
    function pausedSeconds() external view returns (uint256);

    /// @notice Seconds paused since `time` (seconds), as the clock of a batch is allowed them: what lies more than a
    /// window of running back may be left out, and too many may be counted between two pauses.
    function pausedSince(uint256 time) external view returns (uint256);
}
