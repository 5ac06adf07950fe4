// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Framing} from "./Framing.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title Log entries, their leaves, the frontier, and the patients' heads
/// @dev Source: docs/spec.md §8.
library Log {
    uint256 private constant FRONTIER = 1;

    // An entry's fields, and an access's in it.
    uint256 private constant PAYLOADS_AT = 24;
    uint256 private constant K_AT = 56;
    uint256 private constant EVENT_AT = 74;
    uint256 private constant ACCESS_BYTES = 16;
    /// @dev The longest is a principal-add with a P-256 key: 143 bytes; behind the tag.
    uint256 private constant ENTRY_ROOM = 288;
    /// @dev 0x05 ‖ signature ‖ k, the tag at the end of a word.
    uint256 private constant BLIND_ROOM = 128;
    uint256 private constant BLIND_BYTES = 66;
    /// @dev 0x02 ‖ head ‖ leaf, the tag at the end of a word; and room for a count.
    uint256 private constant PAIR_ROOM = 96;

    /// @dev Appends the events of all admitted envelopes, and moves heads.
    function append(Run memory run) internal pure {
        unchecked {
            uint256 row = Witnesses.find(run, Codes.META, FRONTIER);
            uint256 size = Rows.nextSequence(run.meta);
            require(Witnesses.lengthOf(row) == 32 * Rows.bitsOf(size), IPageExecutor.WrongFrontier());
            uint256 end = row + Witnesses.lengthOf(row);
            uint256 pair = Memory.allocate(2 * PAIR_ROOM + BLIND_ROOM + ENTRY_ROOM);
            Memory.putWord(pair, 0x02);
            for (uint256 ptr = run.envelopes; ptr < run.envelopesEnd; ptr += 32) {
                (size, end) = _appendAll(run, Memory.word(ptr), pair, size, end);
            }
            Witnesses.setLength(row, end - row);
            Memory.put64(run.meta, size & type(uint64).max);
            Memory.putWord(run.meta + Rows.META_LOG_ROOT, _root(row, end));
        }
    }

    /// @dev Appends the events of one envelope. While the patient is the same, its head stays in the pair.
    function _appendAll(Run memory run, uint256 envelope, uint256 pair, uint256 size, uint256 end)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            uint256 buffer = pair + 2 * PAIR_ROOM;
            uint256 common = _begin(run, buffer, envelope & Witnesses.POINTER);
            uint256 last = 0;
            uint256 row = 0;
            uint256 to = envelope >> 96 & Witnesses.POINTER;
            uint256 k = 0;
            for (uint256 ptr = envelope >> 64 & Witnesses.POINTER; ptr < to; ptr += 32) {
                uint256 e = Memory.word(ptr);
                uint256 leaf = _leaf(buffer, common | size << 192, e, k++);
                uint256 patient = Events.patientOf(e);
                if (patient != last) {
                    _leave(row, pair);
                    last = patient;
                    row = patient == 0 ? 0 : _enter(run, patient, pair);
                }
                if (row != 0) {
                    assembly ("memory-safe") {
                        mstore(add(pair, 64), leaf)
                        mstore(add(pair, 32), keccak256(add(pair, 31), 65))
                        mstore(add(pair, 96), add(mload(add(pair, 96)), 1))
                    }
                }
                // As many peaks join the leaf as its number, from 1, has low zero bits; the smallest peak is the last.
                for (uint256 bits = ++size; bits & 1 == 0; bits >>= 1) {
                    end -= 32;
                    leaf = _hashNode(Memory.word(end), leaf);
                }
                Memory.putWord(end, leaf);
                end += 32;
            }
            _leave(row, pair);
            return (size, end);
        }
    }

    /// @dev Puts a patient's head into the pair, and nothing into the count behind it.
    function _enter(Run memory run, uint256 patient, uint256 pair) private pure returns (uint256 row) {
        unchecked {
            row = Witnesses.get(run, Codes.PATIENTS, patient);
            Memory.putWord(pair + 32, Memory.word(row + Rows.PATIENT_HEAD));
            Memory.putWord(pair + PAIR_ROOM, 0);
        }
    }

    /// @dev Writes a patient's head and count, as the pair and the word behind it have them.
    function _leave(uint256 row, uint256 pair) private pure {
        unchecked {
            if (row == 0) return;
            Memory.putWord(row + Rows.PATIENT_HEAD, Memory.word(pair + 32));
            uint256 events = row + Rows.PATIENT_EVENTS;
            Memory.put64(events, (Memory.u64(events) + Memory.word(pair + PAIR_ROOM)) & type(uint64).max);
        }
    }

    /// @dev What all entries of an envelope share: the signature, for blinds, and the payloads root. Returns the first
    /// word, in which sequence and time are still to come.
    function _begin(Run memory run, uint256 buffer, uint256 envelope) private pure returns (uint256) {
        unchecked {
            Memory.putWord(buffer, 0x05);
            Memory.copy(buffer + 32, envelope + Framing.SIGNATURE_AT, 64);
            uint256 entry = buffer + BLIND_ROOM;
            Memory.put8(entry - 1, 0);
            uint256 payloads = Memory.word(envelope + Framing.PAYLOADS_AT);
            Memory.putWord(entry + PAYLOADS_AT, payloads);
            return run.clock << 144 | Memory.u32(envelope) << 64 | payloads >> 192;
        }
    }

    /// @dev Leaf of one entry. Sequence ‖ clock ‖ time ‖ signer ‖ payloads root ‖ k ‖ blind ‖ verdict ‖ event.
    function _leaf(uint256 buffer, uint256 first, uint256 e, uint256 k) private pure returns (uint256) {
        unchecked {
            Memory.put8(buffer + 96, k);
            uint256 blind = Memory.hash(buffer + 31, BLIND_BYTES) >> 128;
            uint256 entry = buffer + BLIND_ROOM;
            Memory.putWord(entry, first | Events.timeOf(e) << 96);
            Memory.putWord(entry + K_AT, k << 248 | blind << 120 | Events.verdictOf(e) << 112);
            uint256 head = Events.headOf(e);
            if (head >= Codes.ACCESS) {
                // Patient, actor, consent and codes stand in the word as in the entry.
                uint256 fields = e >> Events.CODES_AT & ((1 << 120) - 1);
                Memory.putWord(entry + EVENT_AT, Codes.ACCESS << 248 | fields << 128);
                return Memory.hash(entry - 1, 1 + EVENT_AT + ACCESS_BYTES);
            }
            uint256 ptr = Events.fieldsOf(e);
            uint256 length = Framing.lengthOf(head, ptr);
            Memory.put8(entry + EVENT_AT, head);
            Memory.copy(entry + EVENT_AT + 1, ptr, length);
            return Memory.hash(entry - 1, 2 + EVENT_AT + length);
        }
    }

    /// @dev The peaks folded from the right; keccak of nothing while there are none.
    function _root(uint256 start, uint256 end) private pure returns (uint256 root) {
        unchecked {
            if (end == start) return uint256(keccak256(""));
            root = Memory.word(end -= 32);
            while (end > start) {
                root = _hashNode(Memory.word(end -= 32), root);
            }
        }
    }

    /// @dev keccak(0x01 ‖ left ‖ right), at 0x1f; the pointer to free memory, which lies there, is put back.
    function _hashNode(uint256 left, uint256 right) private pure returns (uint256 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0, 1)
            mstore(0x20, left)
            mstore(0x40, right)
            hash := keccak256(0x1f, 65)
            mstore(0x40, free)
        }
    }
}
