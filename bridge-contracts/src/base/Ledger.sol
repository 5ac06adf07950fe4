// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Headers} from "../libraries/Headers.sol";
import {Header} from "../types/Header.sol";
import {Batch} from "../types/State.sol";
import {Pauses} from "./Pauses.sol";

/// @title The chain of batches: head, confirmed, slot
/// @dev A batch above the head is gone, though its words stay until another takes its number. Confirmed ≤ head.
abstract contract Ledger is Pauses {
    using Headers for Header;

    mapping(uint64 number => Batch) internal _batches;
    uint64 internal _headNumber;
    uint64 internal _confirmedNumber;
    uint64 internal _nextSlot;

    constructor() {
        Header memory genesis;
        genesis.postRoot = GENESIS_ROOT;
        Batch storage first = _batches[0];
        first.contentHash = genesis.contentHash();
        first.time = uint48(block.timestamp);
    }

    /// @dev Puts a batch that was checked at the head.
    function _append(Header calldata header) internal {
        bytes32 contentHash = header.contentHash();
        _batches[header.number] = Batch({
            contentHash: contentHash,
            poster: msg.sender,
            time: uint48(block.timestamp),
            clock: header.clock,
            nextSequence: header.nextSequence,
            cursor: header.cursor,
            epoch: header.epoch,
            pausedBefore: _pausedSeconds()
        });
        _headNumber = header.number;
        _nextSlot = header.slot + 1;
        emit BatchPosted(header.number, contentHash, msg.sender, header);
    }

    function _confirm(uint64 number) internal whenRunning {
        require(number > _confirmedNumber, AlreadyConfirmed(number));
        require(number <= _headNumber, NoBatch(number));
        uint256 closes = _closesAt(number);
        require(block.timestamp >= closes, WindowOpen(number, closes));
        _confirmedNumber = number;
        emit BatchConfirmed(number, _batches[number].contentHash);
    }

    /// @dev Takes back a batch inside its window, and its descendants: a pointer moves, nothing loops. Those confirmed
    /// stand: their windows are over, and windows close in order.
    function _dropFrom(uint64 number) internal {
        require(number > 0 && number <= _headNumber, NoBatch(number));
        require(block.timestamp < _closesAt(number), WindowOver(number));
        _headNumber = number - 1;
    }

    function _head() internal view returns (Batch storage) {
        return _batches[_headNumber];
    }

    /// @dev When a batch at or below the head can no longer be convicted, if no pause comes.
    function _closesAt(uint64 number) internal view returns (uint256) {
        Batch storage batch = _batches[number];
        return _due(batch.time, batch.pausedBefore, WINDOW);
    }

    function _isFinal(uint64 number) internal view returns (bool) {
        if (number <= _confirmedNumber) return true;
        return number <= _headNumber && block.timestamp >= _closesAt(number);
    }
}
