// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Codes} from "./Codes.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";

/// @title Witnesses: the rows a page touches, where they lie in memory, and the hints
/// @dev Source: docs/spec.md §9.4, §9.5. Decoding is strict: what encoding cannot have written reverts.
///
/// A place is one word: index 40 bits (lowest), flags 40, pointer to the row 32, where it stands in calldata 32, its
/// length there 16. Before a row stand its leaf as it came (at −64) and its length · 256 (at −32): the low byte of that
/// word is the tag 0x00 of its leaf. Length 0 = absent.
library Witnesses {
    uint256 internal constant INDEX = 0xFFFFFFFFFF;
    uint256 internal constant FLAGS_AT = 40;
    uint256 internal constant ROW_AT = 80;
    uint256 internal constant POINTER = 0xFFFFFFFF;
    uint256 private constant SOURCE_AT = 112;
    uint256 private constant LENGTH_AT = 144;
    /// @dev Table 1, row 4, flags 5, length 2.
    uint256 private constant HEAD_BYTES = 12;
    uint256 private constant TABLES_MAX = 4;
    uint256 private constant FRONTIER = 1;

    /// @dev Rows, hints and siblings exactly fill the bytes.
    function decode(Run memory run, bytes calldata witness) internal pure {
        unchecked {
            uint256 ptr;
            assembly ("memory-safe") {
                ptr := witness.offset
            }
            uint256 end = ptr + witness.length;
            ptr = _decodeRows(run, ptr, end);
            require(ptr < end, IPageExecutor.MalformedWitness());
            run.hints = _read(ptr) >> 248;
            run.hintsAt = ptr + 1;
            ptr += 1 + 4 * run.hints;
            require(ptr + 2 <= end, IPageExecutor.MalformedWitness());
            run.siblingsAt = ptr + 2;
            run.siblingsEnd = run.siblingsAt + (_read(ptr) >> 240) * 32;
            require(run.siblingsEnd == end, IPageExecutor.MalformedWitness());
        }
    }

    function _decodeRows(Run memory run, uint256 ptr, uint256 end) private pure returns (uint256) {
        unchecked {
            require(ptr < end, IPageExecutor.MalformedWitness());
            uint256 count = _read(ptr++) >> 248;
            require(count > 0, IPageExecutor.MalformedWitness());
            uint256 place = Memory.allocate((count + 1) * 32);
            run.count = count;
            run.places = place;
            uint256 least = 0;
            for (; count > 0; count--) {
                require(ptr + HEAD_BYTES <= end, IPageExecutor.MalformedWitness());
                uint256 head = _read(ptr) >> (256 - 8 * HEAD_BYTES);
                uint256 index = head >> 56;
                uint256 length = head & 0xFFFF;
                ptr += HEAD_BYTES;
                require(
                    index >= least && index >> 32 <= TABLES_MAX && ptr + length <= end, IPageExecutor.MalformedWitness()
                );
                least = index + 1;
                uint256 row = _take(run, index, ptr, length);
                // The flags stand between index and length in the head.
                uint256 flags = head >> 16 & INDEX;
                Memory.putWord(
                    place, index | flags << FLAGS_AT | row << ROW_AT | ptr << SOURCE_AT | length << LENGTH_AT
                );
                place += 32;
                ptr += length;
            }
            Memory.putWord(place, type(uint256).max);
            _startNear(run);
            return ptr;
        }
    }

    function _startNear(Run memory run) private pure {
        unchecked {
            run.near = Memory.allocate((TABLES_MAX + 1) * 32);
            for (uint256 table = 0; table <= TABLES_MAX; table++) {
                Memory.putWord(run.near + table * 32, run.places);
            }
        }
    }

    /// @dev Copies a row, hashes its leaf, checks it.
    function _take(Run memory run, uint256 index, uint256 source, uint256 length) private pure returns (uint256 row) {
        unchecked {
            uint256 room = index == FRONTIER ? Rows.FRONTIER_ROOM : Rows.ROOM;
            require(length <= room, IPageExecutor.MalformedWitness());
            row = Memory.allocate(64 + room) + 64;
            _copy(row, source, length);
            Memory.putWord(row - 64, leaf(row));
            if (length == 0) return row;
            bool isRow;
            if (index == 0) {
                run.meta = row;
                isRow = length == Rows.META_BYTES;
            } else if (index == FRONTIER) {
                isRow = run.meta != 0 && length == 32 * Rows.bitsOf(Rows.nextSequence(run.meta));
            } else {
                isRow = Rows.isValid(index >> 32, row, length);
            }
            require(isRow, IPageExecutor.MalformedWitness());
        }
    }

    function _copy(uint256 row, uint256 source, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(sub(row, 32), shl(8, length))
            calldatacopy(row, source, length)
        }
    }

    /// @dev keccak(0x00 ‖ row), zero for an absent one.
    function leaf(uint256 row) internal pure returns (uint256 hash) {
        assembly ("memory-safe") {
            let length := shr(8, mload(sub(row, 32)))
            if length { hash := keccak256(sub(row, 1), add(length, 1)) }
        }
    }

    /// @dev Every row as it came.
    function restore(Run memory run) internal pure {
        unchecked {
            uint256 end = run.places + run.count * 32;
            for (uint256 ptr = run.places; ptr < end; ptr += 32) {
                uint256 place = Memory.word(ptr);
                _copy(place >> ROW_AT & POINTER, place >> SOURCE_AT & POINTER, place >> LENGTH_AT & 0xFFFF);
            }
        }
    }

    /// @dev A row's place in memory, absent ones included.
    function find(Run memory run, uint256 table, uint256 number) internal pure returns (uint256) {
        unchecked {
            uint256 index = table << 32 | number;
            uint256 near = run.near + table * 32;
            uint256 ptr = Memory.word(near);
            // Often it is the one found last, or the next: patients ascend within an envelope.
            uint256 place = Memory.word(ptr);
            if (place & INDEX == index) return place >> ROW_AT & POINTER;
            ptr += 32;
            place = Memory.word(ptr);
            if (place & INDEX != index) {
                ptr = _search(run, index);
                place = Memory.word(ptr);
                require(place & INDEX == index, IPageExecutor.MissingRow(index));
            }
            Memory.putWord(near, ptr);
            return place >> ROW_AT & POINTER;
        }
    }

    /// @dev Pointer to the first place whose index is not below.
    function _search(Run memory run, uint256 index) private pure returns (uint256) {
        unchecked {
            uint256 places = run.places;
            uint256 low = 0;
            uint256 high = run.count;
            while (low < high) {
                uint256 middle = (low + high) >> 1;
                if (Memory.word(places + middle * 32) & INDEX < index) low = middle + 1;
                else high = middle;
            }
            return places + low * 32;
        }
    }

    /// @dev A row that must be there.
    function get(Run memory run, uint256 table, uint256 number) internal pure returns (uint256 row) {
        row = find(run, table, number);
        require(lengthOf(row) != 0, IPageExecutor.MissingRow(table << 32 | number));
    }

    function lengthOf(uint256 row) internal pure returns (uint256) {
        unchecked {
            return Memory.word(row - 32) >> 8;
        }
    }

    function setLength(uint256 row, uint256 length) internal pure {
        unchecked {
            Memory.putWord(row - 32, length << 8);
        }
    }

    /// @dev The next hint: row number of a new patient's predecessor.
    function nextHint(Run memory run) internal pure returns (uint256) {
        unchecked {
            require(run.asked < run.hints, IPageExecutor.WrongHint());
            return _read(run.hintsAt + 4 * run.asked++) >> 224;
        }
    }

    function _read(uint256 ptr) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(ptr)
        }
    }
}
