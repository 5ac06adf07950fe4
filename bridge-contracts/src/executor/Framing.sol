// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Keys} from "../libraries/Keys.sol";
import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";

/// @title Envelopes and events out of a page's bytes
/// @dev Source: docs/spec.md §3. Reads left to right; the first fault met is the refusal.
library Framing {
    uint256 internal constant PAGE_BYTES = 992;
    uint256 internal constant BODY_AT = 39;
    uint256 internal constant ENVELOPE_HEAD_BYTES = 115;
    uint256 internal constant NONCE_AT = 4;
    uint256 internal constant BASE_TIME_AT = 12;
    uint256 internal constant PAYLOADS_AT = 18;
    uint256 internal constant SIGNATURE_AT = 50;
    uint256 private constant COUNT_AT = 114;
    /// @dev As many as a body can hold: an envelope of 115 bytes and 255 events of one byte, twice and a part.
    uint256 private constant EVENTS_PER_PAGE_MAX = 608;
    uint256 private constant ENVELOPES_PER_PAGE_MAX = 8;

    /// @dev Last numbers of the codes of an access, docs/spec.md §2.
    uint256 private constant ACTION_LAST = 5;
    uint256 private constant OUTCOME_LAST = 4;
    uint256 private constant PURPOSE_LAST = 60;
    uint256 private constant CATEGORY_LAST = 29;
    /// @dev Revocation reasons 0, 1, 3, 4, 5, 9.
    uint256 private constant REASONS = 0x23B;
    uint256 private constant RELATION_LAST = 4;
    uint256 private constant ANNOTATION_LAST = 5;

    /// @dev Room for what a page can hold.
    function begin(Run memory run) internal pure {
        run.events = Memory.allocate(EVENTS_PER_PAGE_MAX * 32);
        run.namingsEnd = Memory.allocate(EVENTS_PER_PAGE_MAX * 32);
        run.envelopes = Memory.allocate(ENVELOPES_PER_PAGE_MAX * 32);
        run.names = Memory.allocate(5 * 32);
        (run.eventsEnd, run.envelopesEnd) = (run.events, run.envelopes);
    }

    /// @dev Decodes the envelope at `ptr`, bounded by the page's end. `next` is where it ends.
    function envelope(Run memory run, uint256 ptr) internal pure returns (uint256 next, uint256 refusal) {
        unchecked {
            uint256 end = run.page + PAGE_BYTES;
            if (ptr + ENVELOPE_HEAD_BYTES > end) return (ptr, Codes.TRUNCATED);
            if (Memory.u32(ptr) == 0) return (ptr, Codes.SIGNER);
            uint256 count = Memory.u8(ptr + COUNT_AT);
            if (count == 0) return (ptr, Codes.COUNT);
            uint256 first = run.eventsEnd;
            uint256 namings = run.namingsEnd;
            (next, run.namingsEnd, refusal) = _events(first, ptr, count, end, namings);
            run.eventsEnd = first + count * 32;
            Memory.putWord(
                run.envelopesEnd,
                ptr | next << 32 | first << 64 | run.eventsEnd << 96 | namings << 128 | run.namingsEnd << 160
            );
            run.envelopesEnd += 32;
        }
    }

    /// @dev Writes each event's word to `to` and on; to `namings` and on, pointers to those that name rows.
    function _events(uint256 to, uint256 start, uint256 count, uint256 end, uint256 namings)
        private
        pure
        returns (uint256 ptr, uint256, uint256 refusal)
    {
        unchecked {
            uint256 base = Memory.u48(start + BASE_TIME_AT);
            ptr = start + ENVELOPE_HEAD_BYTES;
            // The access before, with the time of the event before.
            uint256 last = base;
            for (uint256 i = 0; i < count; i++) {
                if (ptr >= end) return (ptr, namings, Codes.inEvent(Codes.TRUNCATED, i));
                uint256 head = Memory.u8(ptr);
                uint256 word;
                if (head & ~Events.OFFSET_BYTES == Codes.ACCESS) {
                    // No more than an offset is written.
                    (ptr, last, refusal) = _later(ptr + 1, end, head, last);
                    word = last | head << Events.HEAD_AT;
                } else if (head > Codes.ACCESS) {
                    (ptr, last, refusal) = _access(ptr + 1, end, head, last, base);
                    word = last | head << Events.HEAD_AT;
                } else {
                    word = Events.timeOf(last) | head << Events.HEAD_AT | (ptr + 1) << Events.FIELDS_AT;
                    (ptr, refusal) = _other(ptr + 1, end, head);
                }
                if (refusal != 0) return (ptr, namings, Codes.inEvent(refusal, i));
                Memory.putWord(to, word);
                if (Events.isNaming(word)) {
                    Memory.putWord(namings, to);
                    namings += 32;
                }
                to += 32;
            }
            return (ptr, namings, 0);
        }
    }

    /// @dev An access by difference, docs/spec.md §3.4, §3.5.
    function _access(uint256 ptr, uint256 end, uint256 head, uint256 last, uint256 base)
        private
        pure
        returns (uint256, uint256, uint256 refusal)
    {
        unchecked {
            if (head & Events.OFFSET_BYTES > Events.OFFSET_BYTES_MAX) return (ptr, 0, Codes.UNKNOWN_BITS);
            uint256 time = Events.timeOf(last);
            if (head & Events.PATIENT_WRITTEN != 0) {
                if (ptr + 4 > end) return (ptr, 0, Codes.TRUNCATED);
                uint256 patient = Memory.u32(ptr);
                if (patient <= Events.patientOf(last)) return (ptr, 0, Codes.ORDER);
                // forge-lint: disable-next-line(incorrect-shift): a mask.
                last = last & ((1 << Events.PATIENT_AT) - 1) | patient << Events.PATIENT_AT;
                time = base;
                ptr += 4;
            }
            if (head & Events.ACTOR_WRITTEN != 0) {
                (last, refusal) = _differing(last, ptr, end, Events.ACTOR_AT, 4);
                if (refusal != 0) return (ptr, 0, refusal);
                ptr += 4;
            }
            if (head & Events.CONSENT_WRITTEN != 0) {
                (last, refusal) = _differing(last, ptr, end, Events.CONSENT_AT, 4);
                if (refusal != 0) return (ptr, 0, refusal);
                ptr += 4;
            }
            if (head & Events.CODES_WRITTEN != 0) {
                if (ptr + 3 <= end && !_areCodes(Memory.word(ptr))) return (ptr, 0, Codes.UNKNOWN_CODE);
                (last, refusal) = _differing(last, ptr, end, Events.CODES_AT, 3);
                if (refusal != 0) return (ptr, 0, refusal);
                ptr += 3;
            }
            return _later(ptr, end, head, last & ~Codes.TIME_MAX | time);
        }
    }

    /// @dev An access whose offset, of the length that its head says, is still to be added to its time.
    function _later(uint256 ptr, uint256 end, uint256 head, uint256 last)
        private
        pure
        returns (uint256, uint256, uint256)
    {
        unchecked {
            uint256 length = head & Events.OFFSET_BYTES;
            if (length == 0) return (ptr, last, 0);
            if (length > Events.OFFSET_BYTES_MAX) return (ptr, 0, Codes.UNKNOWN_BITS);
            if (ptr + length > end) return (ptr, 0, Codes.TRUNCATED);
            if (Memory.u8(ptr) == 0) return (ptr, 0, Codes.LEADING_ZERO);
            uint256 offset = Memory.word(ptr) >> (256 - 8 * length);
            if (Events.timeOf(last) + offset > Codes.TIME_MAX) return (ptr, 0, Codes.TIME);
            // The time is lowest in the word.
            return (ptr + length, last + offset, 0);
        }
    }

    /// @dev `last` with the field of `length` bytes at bit `place` replaced by what stands at `ptr`, which must differ.
    function _differing(uint256 last, uint256 ptr, uint256 end, uint256 place, uint256 length)
        private
        pure
        returns (uint256, uint256)
    {
        unchecked {
            if (ptr + length > end) return (last, Codes.TRUNCATED);
            // forge-lint: disable-next-line(incorrect-shift): a mask.
            uint256 difference = (last >> place ^ Memory.word(ptr) >> (256 - 8 * length)) & ((1 << 8 * length) - 1);
            return (last ^ difference << place, difference == 0 ? Codes.SAME : 0);
        }
    }

    /// @dev The first three bytes of a word are codes of an access.
    function _areCodes(uint256 word) private pure returns (bool) {
        return word >> 252 <= ACTION_LAST && (word >> 248 & 0xF) <= OUTCOME_LAST && (word >> 240 & 0xFF) <= PURPOSE_LAST
            && (word >> 232 & 0xFF) <= CATEGORY_LAST;
    }

    /// @dev The fields of another kind, docs/spec.md §3.3: where they end, and the fault that stands leftmost.
    function _other(uint256 ptr, uint256 end, uint256 head) private pure returns (uint256, uint256) {
        unchecked {
            if (head == Codes.PATIENT_OPEN) return _fixed(ptr, end, 36, true);
            if (head == Codes.PATIENT_BIND) return _fixed(ptr, end, 12, true);
            if (head == Codes.PATIENT_LINK) return _fixed(ptr, end, 9, Rows.isCode(ptr + 8, RELATION_LAST));
            if (head == Codes.CONSENT_REVOKE) return _fixed(ptr, end, 4, true);
            if (head == Codes.PRINCIPAL_ADD) return _principalAdd(ptr, end);
            if (head == Codes.PATIENT_POLICY) return _patientPolicy(ptr, end);
            if (head == Codes.CONSENT_GRANT) return _consentGrant(ptr, end);
            uint256 refusal;
            if (head == Codes.PRINCIPAL_ROTATE) {
                (ptr, refusal) = _key(ptr + 4, end);
                return refusal != 0 ? (ptr, refusal) : _fixed(ptr, end, 32, true);
            }
            if (head == Codes.PRINCIPAL_REVOKE) {
                (ptr, refusal) = _fixed(ptr, end, 5, REASONS >> Memory.u8(ptr + 4) & 1 == 1);
                return refusal != 0 ? (ptr, refusal) : _fixed(ptr, end, 6, true);
            }
            if (head == Codes.ANNOTATE) {
                (ptr, refusal) = _fixed(ptr, end, 13, Rows.isCode(ptr + 12, ANNOTATION_LAST));
                return refusal != 0 ? (ptr, refusal) : _fixed(ptr, end, 32, true);
            }
            return (ptr, Codes.UNKNOWN_KIND);
        }
    }

    /// @dev Bytes that must be there, the last of them a known code.
    function _fixed(uint256 ptr, uint256 end, uint256 length, bool isKnown) private pure returns (uint256, uint256) {
        unchecked {
            if (ptr + length > end) return (ptr, Codes.TRUNCATED);
            return (ptr + length, isKnown ? 0 : Codes.UNKNOWN_CODE);
        }
    }

    function _patientPolicy(uint256 ptr, uint256 end) private pure returns (uint256, uint256) {
        unchecked {
            if (ptr + 5 > end) return (ptr, Codes.TRUNCATED);
            if (Memory.u8(ptr + 4) > 3) return (ptr, Codes.UNKNOWN_BITS);
            if (ptr + 21 > end) return (ptr, Codes.TRUNCATED);
            // Ascending strictly, zeros last.
            uint256 before = Memory.u32(ptr + 5);
            for (uint256 i = 9; i < 21; i += 4) {
                uint256 org = Memory.u32(ptr + i);
                if (org != 0 && (before == 0 || org <= before)) return (ptr, Codes.ORDER);
                before = org;
            }
            return (ptr + 21, 0);
        }
    }

    function _principalAdd(uint256 ptr, uint256 end) private pure returns (uint256, uint256 refusal) {
        unchecked {
            (ptr, refusal) = _fixed(ptr, end, 1, Rows.isCode(ptr, Codes.OFFICER));
            if (refusal == 0) (ptr, refusal) = _key(ptr, end);
            return refusal != 0 ? (ptr, refusal) : _interval(ptr + 64, end);
        }
    }

    function _consentGrant(uint256 ptr, uint256 end) private pure returns (uint256, uint256 refusal) {
        unchecked {
            (ptr, refusal) = _fixed(ptr, end, 5, Rows.isCode(ptr + 4, 2));
            if (refusal != 0) return (ptr, refusal);
            if (ptr + 12 > end) return (ptr, Codes.TRUNCATED);
            if (Memory.u64(ptr + 4) >> Rows.PURPOSE_BITS != 0) return (ptr, Codes.UNKNOWN_BITS);
            if (ptr + 13 > end) return (ptr, Codes.TRUNCATED);
            if (Memory.u8(ptr + 12) >> Rows.ACTION_BITS != 0) return (ptr, Codes.UNKNOWN_BITS);
            if (ptr + 21 > end) return (ptr, Codes.TRUNCATED);
            if (Memory.u64(ptr + 13) >> Rows.CATEGORY_BITS != 0) return (ptr, Codes.UNKNOWN_BITS);
            return _interval(ptr + 21, end);
        }
    }

    /// @dev Valid from and until.
    function _interval(uint256 ptr, uint256 end) private pure returns (uint256, uint256) {
        unchecked {
            if (ptr + 12 > end) return (ptr, Codes.TRUNCATED);
            uint256 until = Memory.u48(ptr + 6);
            return (ptr + 12, until != 0 && until <= Memory.u48(ptr) ? Codes.INTERVAL : 0);
        }
    }

    /// @dev The kind of a key and the key; `ptr` may lie past the end.
    function _key(uint256 ptr, uint256 end) private pure returns (uint256, uint256) {
        unchecked {
            if (ptr >= end) return (ptr, Codes.TRUNCATED);
            uint256 kind = Memory.u8(ptr++);
            if (kind > Codes.P256) return (ptr, Codes.UNKNOWN_CODE);
            uint256 next = ptr + Rows.keyBytes(kind);
            if (next > end) return (ptr, Codes.TRUNCATED);
            return (next, isKey(kind, ptr) ? 0 : Codes.KEY);
        }
    }

    /// @dev Whether somebody can hold the key at `ptr`; no key is one too.
    function isKey(uint256 kind, uint256 ptr) internal pure returns (bool) {
        unchecked {
            if (kind == Codes.SECP256K1) return Memory.word(ptr) >> 96 != 0;
            return kind == 0 || Keys.isPoint(Memory.word(ptr), Memory.word(ptr + 32));
        }
    }

    /// @dev Bytes of the fields of a kind other than access, which has been decoded.
    function lengthOf(uint256 head, uint256 ptr) internal pure returns (uint256) {
        unchecked {
            if (head == Codes.PATIENT_OPEN) return 36;
            if (head == Codes.PATIENT_BIND) return 12;
            if (head == Codes.PATIENT_POLICY) return 21;
            if (head == Codes.PATIENT_LINK) return 9;
            if (head == Codes.PRINCIPAL_ADD) return 78 + Rows.keyBytes(Memory.u8(ptr + 1));
            if (head == Codes.PRINCIPAL_ROTATE) return 37 + Rows.keyBytes(Memory.u8(ptr + 4));
            if (head == Codes.PRINCIPAL_REVOKE) return 11;
            if (head == Codes.CONSENT_GRANT) return 38;
            if (head == Codes.CONSENT_REVOKE) return 4;
            return 45;
        }
    }
}
