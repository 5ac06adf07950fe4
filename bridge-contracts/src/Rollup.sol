// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Justice} from "./base/Justice.sol";
import {Posting} from "./base/Posting.sol";
import {Settings} from "./base/Settings.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {Precompiles} from "./libraries/Precompiles.sol";
import {Conviction} from "./types/Convictions.sol";
import {Header} from "./types/Header.sol";
import {Parameters} from "./types/Parameters.sol";
import {Batch, Epoch, Item, Period, Sequencer, Snapshot} from "./types/State.sol";

/// @title Chartroll's L1 side
/// @dev The entry points; each noun behind them has a file in base/. What they do is told in `IRollup`.
///
///     Settings ◀ Ownership ◀ Pauses ◀ Ledger ◀ Queue ◀ Orgs ◀ Periods ─┐
///                                     Money ◀─┘         └◀ Office ─────┴◀ Posting ◀┬ Rollup
///                                                             └◀ Justice ◀─────────┘
contract Rollup is Posting, Justice, IRollup {
    constructor(Parameters memory given) Settings(given) {
        Precompiles.check();
    }

    // Batches.

    /// @inheritdoc IRollup
    function postBlobs(Header calldata header) external {
        _postBlobs(header);
    }

    /// @inheritdoc IRollup
    function postCalldata(Header calldata header, bytes calldata pages) external {
        _postCalldata(header, pages);
    }

    /// @inheritdoc IRollup
    function confirm(uint64 number) external {
        _confirm(number);
    }

    // Convictions.

    /// @inheritdoc IRollup
    function commit(bytes32 commitment) external {
        _commit(commitment);
    }

    /// @inheritdoc IRollup
    function convictBatch(uint64 number, bytes32 accusation, address challenger, bytes32 salt) external onlyJudge {
        _convictBatch(number, accusation, challenger, salt);
    }

    /// @inheritdoc IRollup
    function convictSequencer(address account, bytes32 accusation, address challenger, bytes32 salt)
        external
        onlyJudge
    {
        _convictSequencer(account, accusation, challenger, salt);
    }

    /// @inheritdoc IRollup
    function claim(bytes32 accusation, bytes32 salt) external {
        _claim(accusation, salt);
    }

    /// @inheritdoc IRollup
    function settle(bytes32 accusation) external {
        _settle(accusation);
    }

    /// @inheritdoc IRollup
    function burnRest(address account) external {
        _burnRest(account);
    }

    // The forced queue.

    /// @inheritdoc IRollup
    function enqueue(bytes calldata envelope) external payable {
        _enqueueEnvelope(envelope);
    }

    /// @inheritdoc IRollup
    function registerOrg(
        address account,
        uint8 policy,
        bytes32 name,
        bytes32 pseudonymKey,
        uint8 keyKind,
        bytes calldata key,
        bytes32 sealingKey,
        bytes32 tag
    ) external onlyOwner {
        _registerOrg(account, policy, name, pseudonymKey, keyKind, key, sealingKey, tag);
    }

    /// @inheritdoc IRollup
    function setOrgStatus(uint32 org, uint8 status, uint8 policy) external onlyOwner {
        _setOrgStatus(org, status, policy);
    }

    /// @inheritdoc IRollup
    function replaceAdmin(uint32 org, uint8 keyKind, bytes calldata key, bytes32 sealingKey, bytes32 tag)
        external
        payable
    {
        _replaceAdmin(org, keyKind, key, sealingKey, tag);
    }

    // Masked periods.

    /// @inheritdoc IRollup
    function registerPeriod(uint64 number, bytes32 root) external {
        _registerPeriod(number, root);
    }

    /// @inheritdoc IRollup
    function voidPeriod(uint64 number) external {
        _voidPeriod(number);
    }

    // Sequencers.

    /// @inheritdoc IRollup
    function bond(address receiptKey) external payable {
        _leaveBond(receiptKey);
    }

    /// @inheritdoc IRollup
    function exit() external {
        _exit();
    }

    /// @inheritdoc IRollup
    function withdraw() external {
        _withdraw();
    }

    /// @inheritdoc IRollup
    function depose() external {
        _depose();
    }

    /// @inheritdoc IRollup
    function collect() external {
        _collect();
    }

    // The owner.

    /// @inheritdoc IRollup
    function pause() external onlyOwner {
        _pause();
    }

    /// @inheritdoc IRollup
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc IRollup
    function transferOwnership(address to) external onlyOwner {
        _offerOwnership(to);
    }

    /// @inheritdoc IRollup
    function acceptOwnership() external {
        _takeOwnership();
    }

    // Views: the chain of batches.

    /// @inheritdoc IRollup
    function head() external view returns (uint64 number, bytes32 contentHash) {
        return (_headNumber, _head().contentHash);
    }

    /// @inheritdoc IRollup
    function batches(uint64 number) external view returns (bytes32 contentHash, address poster, uint64 time) {
        Batch memory batch = batchAt(number);
        return (batch.contentHash, batch.poster, batch.time);
    }

    /// @inheritdoc IRollup
    function batchAt(uint64 number) public view returns (Batch memory batch) {
        if (number <= _headNumber) batch = _batches[number];
    }

    /// @inheritdoc IRollup
    function confirmed() external view returns (uint64) {
        return _confirmedNumber;
    }

    /// @inheritdoc IRollup
    function isFinal(uint64 number) external view returns (bool) {
        return _isFinal(number);
    }

    /// @inheritdoc IRollup
    function slot() external view returns (uint64) {
        return _nextSlot;
    }

    /// @inheritdoc IRollup
    function snapshot() external view returns (Snapshot memory) {
        Batch storage last = _head();
        return Snapshot({
            number: _headNumber,
            contentHash: last.contentHash,
            time: last.time,
            clock: last.clock,
            nextSequence: last.nextSequence,
            cursor: last.cursor,
            confirmed: _confirmedNumber,
            epoch: _epoch,
            slot: _nextSlot,
            sequencer: _inOffice,
            queueLength: _queueLength,
            isPaused: _isPaused()
        });
    }

    // Views: sequencers.

    /// @inheritdoc IRollup
    function epoch() external view returns (uint64) {
        return _epoch;
    }

    /// @inheritdoc IRollup
    function sequencer() external view returns (address) {
        return _inOffice;
    }

    /// @inheritdoc IRollup
    function epochs(uint64 number) external view returns (Epoch memory) {
        return _epochs[number];
    }

    /// @inheritdoc IRollup
    function sequencers(address account) external view returns (Sequencer memory) {
        return _sequencers[account];
    }

    /// @inheritdoc IRollup
    function deposableAt() external view returns (uint256) {
        require(_inOffice != address(0), OfficeEmpty());
        return _deposableAt();
    }

    /// @inheritdoc IRollup
    function owed(address account) external view returns (uint256) {
        return _owed[account];
    }

    /// @inheritdoc IRollup
    function burnt() external view returns (uint256) {
        return _burnt;
    }

    // Views: convictions.

    /// @inheritdoc IRollup
    function commitments(bytes32 commitment) external view returns (uint64) {
        return _commitments[commitment];
    }

    /// @inheritdoc IRollup
    function convictions(bytes32 accusation) external view returns (Conviction memory) {
        return _convictions[accusation];
    }

    /// @inheritdoc IRollup
    function isSettled(uint64 number) external view returns (bool) {
        return _isSettled(number);
    }

    // Views: queue, orgs, periods.

    /// @inheritdoc IRollup
    function forcedFee() external view returns (uint256) {
        return _forcedFee();
    }

    /// @inheritdoc IRollup
    function queueLength() external view returns (uint64) {
        return _queueLength;
    }

    /// @inheritdoc IRollup
    function items(uint64 index) external view returns (bytes32 hash, uint64 time) {
        Item storage item = _items[index];
        return (item.hash, item.time);
    }

    /// @inheritdoc IRollup
    function orgCount() external view returns (uint32) {
        return _orgCount;
    }

    /// @inheritdoc IRollup
    function orgAccount(uint32 org) external view returns (address) {
        return _orgAccounts[org];
    }

    /// @inheritdoc IRollup
    function orgOf(address account) external view returns (uint32) {
        return _orgOf[account];
    }

    /// @inheritdoc IRollup
    function period(uint64 number) external view returns (bytes32 root, uint64 ripeAt, bool isVoided) {
        Period storage standing = _periods[number];
        return (standing.root, standing.ripeAt, standing.isVoided);
    }

    /// @inheritdoc IRollup
    function isRipe(uint64 number) external view returns (bool) {
        return _isRipe(number);
    }

    // Views: the rest.

    /// @inheritdoc IRollup
    function parameters() external view returns (Parameters memory) {
        return _parameters();
    }

    /// @inheritdoc IRollup
    function owner() external view returns (address) {
        return _owner;
    }

    /// @inheritdoc IRollup
    function pendingOwner() external view returns (address) {
        return _pendingOwner;
    }

    /// @inheritdoc IRollup
    function isPaused() external view returns (bool) {
        return _isPaused();
    }

    /// @inheritdoc IRollup
    function pausedSeconds() external view returns (uint256) {
        return _pausedSeconds();
    }

    /// @inheritdoc IRollup
    function pausedSince(uint256 time) external view returns (uint256) {
        return _pausedSince(time);
    }
}
