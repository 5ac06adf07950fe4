// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Epoch, Sequencer, Standing} from "../types/State.sol";
import {Line} from "./Line.sol";
import {Orgs} from "./Orgs.sol";

/// @title Sequencers, their bonds, and who of them is in office
/// @dev One is in office or nobody; the others wait in line. The epoch rises when somebody takes office, and when a
/// conviction takes batches back though the sequencer stays (`_renewEpoch`).
abstract contract Office is Orgs, Line {
    /// @dev What the deposed loses, as a part of its bond.
    uint128 private constant DEPOSED_PART = 10;

    mapping(address account => Sequencer) internal _sequencers;
    mapping(uint64 number => Epoch) internal _epochs;
    uint64 internal _epoch;
    address internal _inOffice;
    /// @dev Last batch, or taking office, or a rollback: from here the time runs in which the next batch must come.
    uint48 private _activeAt;
    uint48 private _activePausedBefore;
    /// @dev All bonds that are held.
    uint256 internal _bonds;

    function _leaveBond(address receiptKey) internal {
        require(!MASKED || _orgOf[msg.sender] != 0, NotOrg(msg.sender));
        require(msg.value == BOND, WrongBond(msg.value, BOND));
        require(receiptKey != address(0), NoReceiptKey());
        Sequencer storage joining = _sequencers[msg.sender];
        require(joining.standing == Standing.None, WrongStanding(joining.standing));
        joining.receiptKey = receiptKey;
        joining.bond = BOND;
        joining.standing = Standing.InLine;
        _bonds += BOND;
        _join(msg.sender);
        emit Bonded(msg.sender, receiptKey, BOND);
        if (_inOffice == address(0)) _nextTakesOffice();
    }

    function _exit() internal {
        Standing standing = _sequencers[msg.sender].standing;
        require(standing == Standing.InLine || standing == Standing.InOffice, WrongStanding(standing));
        _turnOut(msg.sender, Standing.Leaving);
    }

    function _withdraw() internal {
        Sequencer memory leaving = _sequencers[msg.sender];
        require(leaving.standing == Standing.Leaving, WrongStanding(leaving.standing));
        uint256 until = _due(leaving.leftAt, leaving.pausedBefore, EXIT_DELAY);
        require(block.timestamp >= until, Locked(until));
        delete _sequencers[msg.sender];
        _bonds -= leaving.bond;
        emit Withdrawn(msg.sender, leaving.bond);
        _pay(msg.sender, leaving.bond);
    }

    function _depose() internal {
        address deposed = _inOffice;
        require(deposed != address(0), OfficeEmpty());
        uint256 until = _deposableAt();
        require(block.timestamp >= until, StillInTime(until));
        uint128 lost = _sequencers[deposed].bond / DEPOSED_PART;
        _burn(_slash(deposed, lost));
        emit Deposed(deposed, msg.sender, lost);
        _turnOut(deposed, Standing.Leaving);
    }

    /// @dev Takes `amount` of a bond, for the caller to burn or to owe somebody.
    function _slash(address account, uint128 amount) internal returns (uint128) {
        _sequencers[account].bond -= amount;
        _bonds -= amount;
        return amount;
    }

    /// @dev Out of line or office, for good or until the bond is paid back; the next in line takes office. From now the
    /// delay runs until the bond is paid back or its rest burnt.
    function _turnOut(address account, Standing standing) internal {
        Sequencer storage leaving = _sequencers[account];
        Standing was = leaving.standing;
        leaving.standing = standing;
        leaving.leftAt = uint48(block.timestamp);
        leaving.pausedBefore = _pausedSeconds();
        if (standing == Standing.Leaving) emit ExitRequested(account, uint64(block.timestamp) + EXIT_DELAY);
        if (was == Standing.InLine) _stepOut(account);
        if (was != Standing.InOffice) return;
        _endEpoch();
        delete _inOffice;
        _nextTakesOffice();
    }

    /// @dev After a rollback: what the epoch promised is settled, the sequencer in office stays and begins anew.
    function _renewEpoch() internal {
        if (_inOffice == address(0)) return;
        _endEpoch();
        _startEpoch(_inOffice);
    }

    /// @dev A batch of `epoch` was taken back, before the epoch rises. While nobody is in office it does not rise; then
    /// nothing is posted either, and each rollback reaches further back than the one before.
    function _noteRollback(uint64 epoch) internal {
        _epochs[_epoch].rolledBackTo = epoch;
    }

    function _isSettled(uint64 epoch) internal view returns (bool) {
        for (uint64 later = epoch; later <= _epoch; later++) {
            uint64 to = _epochs[later].rolledBackTo;
            if (to != 0 && to <= epoch) return true;
        }
        return false;
    }

    /// @dev A batch was posted.
    function _noteActivity() internal {
        _activeAt = uint48(block.timestamp);
        _activePausedBefore = _pausedSeconds();
    }

    /// @dev Time enough for a batch at all, or for one with the overdue item at the head's cursor.
    function _deposableAt() internal view returns (uint256) {
        uint256 idle = _due(_activeAt, _activePausedBefore, DEPOSE_IDLE);
        uint64 cursor = _head().cursor;
        if (cursor == _queueLength) return idle;
        uint256 late = _max(_due(_activeAt, _activePausedBefore, DEPOSE_OVERDUE), _overdueAt(cursor));
        return late < idle ? late : idle;
    }

    function _nextTakesOffice() private {
        address next = _firstInLine();
        if (next == address(0)) return;
        _stepOut(next);
        _sequencers[next].standing = Standing.InOffice;
        _inOffice = next;
        _startEpoch(next);
    }

    function _startEpoch(address account) private {
        address receiptKey = _sequencers[account].receiptKey;
        uint64 sequence = _head().nextSequence;
        _epochs[++_epoch] = Epoch(account, uint48(block.timestamp), 0, receiptKey, sequence, 0, 0);
        _noteActivity();
        emit EpochStarted(_epoch, account, receiptKey, sequence);
    }

    function _endEpoch() private {
        Epoch storage ending = _epochs[_epoch];
        ending.endedAt = uint48(block.timestamp);
        ending.endSequence = _head().nextSequence;
        emit EpochEnded(_epoch, ending.endSequence);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
