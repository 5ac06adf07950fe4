// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataReference} from "../libraries/DataReference.sol";
import {Headers} from "../libraries/Headers.sol";
import {Header} from "../types/Header.sol";
import {Batch} from "../types/State.sol";
import {Office} from "./Office.sol";
import {Periods} from "./Periods.sol";

/// @title What a batch must be to be taken
/// @dev Everything that needs no page to be looked at. Whether the pages lead where the header says is the verifiers'
/// to find out, and theirs to convict.
abstract contract Posting is Office, Periods {
    function _postBlobs(Header calldata header) internal whenRunning {
        _checkSender();
        _checkHeader(header, Headers.MODE_BLOBS);
        _checkReference(header, DataReference.ofBlobs(header.pages));
        _take(header);
    }

    function _postCalldata(Header calldata header, bytes calldata pages) internal whenRunning {
        _checkSender();
        _checkHeader(header, 0);
        uint256 length = uint256(header.pages) * DataReference.PAGE_BYTES;
        require(pages.length == length, WrongLength(pages.length, length));
        _checkReference(header, DataReference.ofPages(pages));
        _take(header);
    }

    function _take(Header calldata header) private {
        _append(header);
        _noteActivity();
    }

    /// @dev Whoever reads the chain finds header and pages in the transaction itself; no contract, and no account that
    /// delegates to code (EIP-7702), stands between.
    function _checkSender() private view {
        require(msg.sender == _inOffice, NotInOffice(msg.sender));
        require(msg.sender == tx.origin && msg.sender.code.length == 0, NotDirect(msg.sender));
    }

    function _checkHeader(Header calldata header, uint8 mode) private view {
        Batch storage parent = _head();
        uint64 number = _headNumber + 1;
        require(
            header.parent == parent.contentHash && header.number == number && header.epoch == _epoch
                && header.slot == _nextSlot,
            NotNext(parent.contentHash, number, _epoch, _nextSlot)
        );
        if (_isRipe(Headers.periodOf(header.slot))) mode |= Headers.MODE_MASKED;
        require(header.mode == mode, WrongMode(header.mode, mode));
        require(header.pages > 0 && header.pages <= Headers.PAGES_MAX, WrongPages(header.pages));
        require(header.nextSequence >= parent.nextSequence, WrongSequence(header.nextSequence, parent.nextSequence));
        _checkClock(header.clock, parent.clock);
        _checkCursor(header.cursor, parent.cursor, header.clock);
    }

    function _checkReference(Header calldata header, bytes32 expected) private pure {
        require(header.dataReference == expected, WrongReference(header.dataReference, expected));
    }

    /// @dev Not before the parent's; at most `CLOCK_PAST`, pauses not counted, before this block; `CLOCK_FUTURE` after.
    function _checkClock(uint48 clock, uint48 parents) private view {
        uint256 slack = CLOCK_PAST + _pausedSince(clock / 1000);
        uint256 earliest = block.timestamp > slack ? (block.timestamp - slack) * 1000 : 0;
        if (earliest < parents) earliest = parents;
        uint256 latest = (block.timestamp + CLOCK_FUTURE) * 1000;
        require(clock >= earliest && clock <= latest, WrongClock(clock, earliest, latest));
    }

    /// @dev Items overdue at the batch's clock are taken, all of them or at least `BATCH_ITEMS_MIN`.
    function _checkCursor(uint64 cursor, uint64 parents, uint48 clock) private view {
        require(cursor >= parents && cursor <= _queueLength, WrongCursor(cursor, parents, _queueLength));
        if (cursor == _queueLength || cursor - parents >= BATCH_ITEMS_MIN) return;
        require(!_isOverdue(cursor, clock), ItemLeft(cursor));
    }
}
