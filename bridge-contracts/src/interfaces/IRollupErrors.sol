// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standing} from "../types/State.sol";

/// @title Why the Rollup refuses
interface IRollupErrors {
    // Who may.

    /// @notice Only the owner may.
    error NotOwner(address sender);
    /// @notice Only the account that was offered ownership may.
    error NotPendingOwner(address sender);
    /// @notice Only the key officer may.
    error NotKeyOfficer(address sender);
    /// @notice Only an org's L1 account may.
    error NotOrg(address sender);
    /// @notice Only this org's L1 account may.
    error NotItsAccount(uint32 org, address sender);
    /// @notice Only the sequencer in office may.
    error NotInOffice(address sender);
    /// @notice The pages must be readable from the transaction: its sender must call directly, and have no code.
    error NotDirect(address sender);

    // Posting.

    /// @notice The header names another parent, number, epoch or slot than the next batch has.
    error NotNext(bytes32 parent, uint64 number, uint64 epoch, uint64 slot);
    /// @notice The header's mode is not the one it must have in this block.
    error WrongMode(uint8 actual, uint8 expected);
    /// @notice A batch has 1 to 768 pages.
    error WrongPages(uint16 pages);
    /// @notice Not `expected` blobs travel with the transaction.
    error WrongBlobs(uint256 expected);
    /// @notice The pages are not 992 bytes each.
    error WrongLength(uint256 actual, uint256 expected);
    /// @notice The header's data reference is not that of the pages.
    error WrongReference(bytes32 actual, bytes32 expected);
    /// @notice The clock (milliseconds) is out of bounds, or before the parent's.
    error WrongClock(uint48 clock, uint256 earliest, uint256 latest);
    /// @notice The next sequence number runs back.
    error WrongSequence(uint64 nextSequence, uint64 parents);
    /// @notice The cursor runs back or past the queue.
    error WrongCursor(uint64 cursor, uint64 parents, uint64 queueLength);
    /// @notice The batch leaves this item, which is overdue.
    error ItemLeft(uint64 index);

    // Confirming.

    /// @notice No such batch is at or below the head.
    error NoBatch(uint64 number);
    /// @notice This batch has been confirmed before.
    error AlreadyConfirmed(uint64 number);
    /// @notice The batch can still be convicted.
    error WindowOpen(uint64 number, uint256 closesAt);
    /// @notice The batch can no longer be convicted.
    error WindowOver(uint64 number);

    // Convicting.

    /// @notice Only the page executor and the court may.
    error NotJudge(address sender);
    /// @notice The commitment was made before.
    error AlreadyCommitted(bytes32 commitment);
    /// @notice The accusation has convicted before.
    error AlreadyConvicted(bytes32 accusation);
    /// @notice The sequencer has no bond here, or nothing left of it.
    error NothingToLose(address account);
    /// @notice No reward is held for this accusation.
    error NothingHeld(bytes32 accusation);
    /// @notice No such commitment was made in a block before the conviction.
    error NotCommitted(bytes32 commitment);
    /// @notice The reward could be claimed until then (seconds).
    error ClaimOver(uint256 until);
    /// @notice The reward can still be claimed, until then (seconds).
    error ClaimOpen(uint256 until);

    // Queue and orgs.

    /// @notice An envelope has 120 to 953 bytes.
    error WrongEnvelope(uint256 length);
    /// @notice The fee is higher.
    error FeeTooLow(uint256 paid, uint256 fee);
    /// @notice No such item.
    error NoItem(uint64 index);
    /// @notice Policy and status are 1 or 2.
    error WrongCode(uint8 code);
    /// @notice Key kind 1 with a non-zero address of 20 bytes, or 2 with a point of P-256 of 64.
    error WrongKey(uint8 kind, bytes key);
    /// @notice An org's account is not zero.
    error NoAccount();
    /// @notice One account stands for one org.
    error AccountTaken(address account);
    /// @notice No such org.
    error NoOrg(uint32 org);

    // Periods.

    /// @notice This chain is not masked.
    error Unmasked();
    /// @notice A root is not zero.
    error NoRoot();
    /// @notice The period has a root that nobody voided.
    error AlreadyRegistered(uint64 period);
    /// @notice The period has no root to void.
    error NoPeriod(uint64 period);
    /// @notice Too late to object.
    error AlreadyRipe(uint64 period);

    // Bonds and office.

    /// @notice Exactly the bond must come along.
    error WrongBond(uint256 paid, uint256 bond);
    /// @notice A receipt key is not zero.
    error NoReceiptKey();
    /// @notice Not where this can be done.
    error WrongStanding(Standing standing);
    /// @notice Nobody is in office.
    error OfficeEmpty();
    /// @notice The bond is locked until then (seconds; later if the chain is paused).
    error Locked(uint256 until);
    /// @notice The sequencer in office still has time, until then (seconds; later if the chain is paused).
    error StillInTime(uint256 until);
    /// @notice Nothing is owed to this account.
    error NothingOwed(address account);
    /// @notice The account did not take the money.
    error PaymentFailed(address account);

    // Pauses.

    /// @notice The chain is paused.
    error IsPaused();
    /// @notice The chain is not paused.
    error IsNotPaused();
    /// @notice Pauses are used up until the chain has run for a whole window.
    error PauseSpent(uint256 until);

    // Construction.

    /// @notice A precompile does not answer as it must.
    error PrecompileFails(address precompile);
    /// @notice Parameters that contradict one another.
    error WrongParameters();
}
