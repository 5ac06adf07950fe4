// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title Row numbers that stand in envelopes: what budgets count, what must exist, what signatures bind
/// @dev Source: docs/spec.md §6.1, §6.2, §7.2. A name is row 32 bits (lowest), table 8, 1 bit: 0 may stand for none.
library Names {
    uint256 private constant OPTIONAL = 1 << 40;
    uint256 private constant INDEX = OPTIONAL - 1;
    /// @dev A table of distinct names, five times as large as what it may come to hold.
    uint256 private constant SET_BITS = 9;

    // The budget.

    /// @dev The refusal, if these envelopes pass a budget.
    function checkBudget(Run memory run, uint256 from, uint256 to) internal view returns (uint256) {
        unchecked {
            for (uint256 ptr = from; ptr < to; ptr += 32) {
                uint256 envelope = Memory.word(ptr);
                uint256 count = ((envelope >> 96 & Witnesses.POINTER) - (envelope >> 64 & Witnesses.POINTER)) >> 5;
                if (count > Codes.EVENTS_MAX) return Codes.TOO_MANY_EVENTS;
            }
            uint256 set = _newSet();
            // The two rows of meta.
            uint256 rows = 2;
            for (uint256 ptr = from; ptr < to && rows <= Codes.PAGE_ROWS_MAX; ptr += 32) {
                uint256 envelope = Memory.word(ptr);
                // The signer's org.
                rows += 1 + _add(set, Codes.PRINCIPALS << 32 | Memory.u32(envelope & Witnesses.POINTER));
                rows = _count(run, set, envelope, rows);
            }
            return rows > Codes.PAGE_ROWS_MAX ? Codes.TOO_MANY_ROWS : 0;
        }
    }

    /// @dev Adds up the distinct rows of an envelope's events, and stops where there are too many.
    function _count(Run memory run, uint256 set, uint256 envelope, uint256 rows) private pure returns (uint256) {
        unchecked {
            uint256 end = envelope >> 160;
            uint256 naming = envelope >> 128 & Witnesses.POINTER;
            for (; naming < end && rows <= Codes.PAGE_ROWS_MAX; naming += 32) {
                uint256 e = Memory.word(Memory.word(naming));
                if (Events.isAccess(e)) {
                    uint256 head = Events.headOf(e);
                    if (head & Events.PATIENT_WRITTEN != 0) {
                        rows += _add(set, Codes.PATIENTS << 32 | Events.patientOf(e));
                    }
                    if (head & Events.ACTOR_WRITTEN != 0) {
                        rows += _add(set, Codes.PRINCIPALS << 32 | Events.actorOf(e));
                    }
                    if (head & Events.CONSENT_WRITTEN != 0) {
                        rows += _add(set, Codes.CONSENTS << 32 | Events.consentOf(e));
                    }
                } else {
                    uint256 end_ = _list(run, e);
                    for (uint256 name = run.names; name < end_; name += 32) {
                        rows += _add(set, Memory.word(name) & INDEX);
                    }
                    rows += _extras(Events.headOf(e));
                }
            }
            return rows;
        }
    }

    /// @dev Rows besides those that are named: the new row and its predecessor; the new row; the consent's patient.
    function _extras(uint256 head) private pure returns (uint256) {
        if (head == Codes.PATIENT_OPEN) return 2;
        bool isOne = head == Codes.PRINCIPAL_ADD || head == Codes.CONSENT_GRANT || head == Codes.CONSENT_REVOKE;
        return isOne ? 1 : 0;
    }

    /// @dev 1 if the name is new and not row 0.
    function _add(uint256 set, uint256 name) private pure returns (uint256) {
        unchecked {
            if (name & Codes.ROWS_MAX == 0) return 0;
            uint256 slot = (name * Memory.word(set - 32)) >> (256 - SET_BITS);
            // forge-lint: disable-next-line(incorrect-shift): a mask.
            for (;; slot = (slot + 1) & ((1 << SET_BITS) - 1)) {
                uint256 held = Memory.word(set + slot * 32);
                if (held == name) return 0;
                if (held == 0) {
                    Memory.putWord(set + slot * 32, name);
                    return 1;
                }
            }
            return 0;
        }
    }

    /// @dev Empty, behind the number that spreads its names: one that nobody knows who makes up a page, so that nobody
    /// can choose names that collide and make the page dear. The count does not depend on it.
    function _newSet() private view returns (uint256 set) {
        unchecked {
            // forge-lint: disable-next-line(incorrect-shift): words of 32 bytes.
            set = Memory.allocate(32 + (32 << SET_BITS)) + 32;
            Memory.putWord(set - 32, uint256(keccak256(abi.encode(block.prevrandao))) | 1);
        }
        assembly ("memory-safe") {
            calldatacopy(set, calldatasize(), shl(SET_BITS, 32))
        }
    }

    // Stage 6.

    /// @dev Every number stands for a row, and every new row has a number.
    function check(Run memory run, uint256 envelope) internal pure returns (uint256) {
        unchecked {
            uint256 meta = run.meta;
            uint256 from = envelope >> 64 & Witnesses.POINTER;
            uint256 count = ((envelope >> 96 & Witnesses.POINTER) - from) >> 5;
            if (Rows.nextSequence(meta) + count > type(uint64).max) return Codes.inEvent(Codes.FULL, 0);
            uint256 patients = Rows.countOf(meta, Codes.PATIENTS);
            uint256 principals = Rows.countOf(meta, Codes.PRINCIPALS);
            uint256 consents = Rows.countOf(meta, Codes.CONSENTS);
            // Principals and consents that the envelope makes cannot be named in it, but they need a number.
            uint256 moreConsents = consents;
            uint256 morePrincipals = principals;
            for (uint256 naming = envelope >> 128 & Witnesses.POINTER; naming < envelope >> 160; naming += 32) {
                uint256 ptr = Memory.word(naming);
                uint256 e = Memory.word(ptr);
                uint256 code;
                if (Events.isAccess(e)) {
                    code = _checkAccess(e, patients, principals, consents);
                } else {
                    code = _checkNames(run, e, patients);
                    uint256 head = Events.headOf(e);
                    if (code != 0) return Codes.inEvent(code, (ptr - from) >> 5);
                    if (head == Codes.PATIENT_OPEN) code = patients++ == Codes.ROWS_MAX ? Codes.FULL : 0;
                    if (head == Codes.PRINCIPAL_ADD) code = morePrincipals++ == Codes.ROWS_MAX ? Codes.FULL : 0;
                    if (head == Codes.CONSENT_GRANT) code = moreConsents++ == Codes.ROWS_MAX ? Codes.FULL : 0;
                }
                if (code != 0) return Codes.inEvent(code, (ptr - from) >> 5);
            }
            return 0;
        }
    }

    function _checkAccess(uint256 e, uint256 patients, uint256 principals, uint256 consents)
        private
        pure
        returns (uint256)
    {
        uint256 row = Events.patientOf(e);
        if (row == 0) return Codes.RESERVED;
        if (row >= patients) return Codes.NO_ROW;
        row = Events.actorOf(e);
        if (row == 0) return Codes.RESERVED;
        if (row >= principals) return Codes.NO_ROW;
        row = Events.consentOf(e);
        return row != 0 && row >= consents ? Codes.NO_ROW : 0;
    }

    function _checkNames(Run memory run, uint256 e, uint256 patients) private pure returns (uint256) {
        unchecked {
            uint256 end = _list(run, e);
            for (uint256 ptr = run.names; ptr < end; ptr += 32) {
                uint256 name = Memory.word(ptr);
                uint256 row = name & Codes.ROWS_MAX;
                if (row == 0) {
                    if (name & OPTIONAL == 0) return Codes.RESERVED;
                    continue;
                }
                uint256 table = name >> 32 & 0xFF;
                uint256 count = table == Codes.PATIENTS ? patients : Rows.countOf(run.meta, table);
                if (row >= count) return Codes.NO_ROW;
            }
            return 0;
        }
    }

    // Identities.

    /// @dev Keccak over the identities of the row numbers that events write, in order.
    function identities(Run memory run, uint256 envelope) internal pure returns (bytes32) {
        unchecked {
            uint256 start;
            assembly ("memory-safe") {
                start := mload(0x40)
            }
            uint256 end = start;
            // Pseudonyms of the patients that the envelope opens, by number.
            uint256 opened = Rows.countOf(run.meta, Codes.PATIENTS);
            uint256 from = envelope >> 64 & Witnesses.POINTER;
            for (uint256 naming = envelope >> 128 & Witnesses.POINTER; naming < envelope >> 160; naming += 32) {
                uint256 e = Memory.word(Memory.word(naming));
                if (Events.isAccess(e)) {
                    uint256 head = Events.headOf(e);
                    if (head & Events.PATIENT_WRITTEN != 0) {
                        end = _put(run, from, end, opened, Codes.PATIENTS << 32 | Events.patientOf(e));
                    }
                    if (head & Events.ACTOR_WRITTEN != 0) {
                        end = _put(run, from, end, opened, Codes.PRINCIPALS << 32 | Events.actorOf(e));
                    }
                    if (head & Events.CONSENT_WRITTEN != 0) {
                        end = _put(run, from, end, opened, Codes.CONSENTS << 32 | Events.consentOf(e));
                    }
                } else {
                    uint256 names = _list(run, e);
                    for (uint256 name = run.names; name < names; name += 32) {
                        end = _put(run, from, end, opened, Memory.word(name) & INDEX);
                    }
                }
            }
            return bytes32(Memory.hash(start, end - start));
        }
    }

    /// @dev Appends the identity of one row. Nothing else takes memory meanwhile.
    function _put(Run memory run, uint256 events, uint256 to, uint256 opened, uint256 name)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 row = name & Codes.ROWS_MAX;
            uint256 table = name >> 32;
            uint256 identity = 0;
            if (table == Codes.PATIENTS && row >= opened) {
                identity = Rows.patientKey(run.org, _pseudonym(events, row - opened));
            } else if (row != 0) {
                identity = Rows.identityOf(table, Witnesses.get(run, table, row));
            }
            Memory.putWord(to, identity);
            return to + 32;
        }
    }

    /// @dev Pseudonym of the n-th patient, from 0, that these events open. There is one: stage 6 has counted.
    function _pseudonym(uint256 ptr, uint256 n) private pure returns (uint256) {
        unchecked {
            for (;; ptr += 32) {
                uint256 e = Memory.word(ptr);
                if (Events.headOf(e) != Codes.PATIENT_OPEN) continue;
                if (n == 0) return Memory.word(Events.fieldsOf(e));
                n--;
            }
            return 0;
        }
    }

    // Names of one event other than an access.

    /// @dev Writes them to `run.names` in the order of its fields; pointer past the last.
    function _list(Run memory run, uint256 e) private pure returns (uint256 to) {
        unchecked {
            uint256 head = Events.headOf(e);
            uint256 ptr = Events.fieldsOf(e);
            to = run.names;
            if (head == Codes.PRINCIPAL_ADD) return to;
            if (head == Codes.PATIENT_OPEN) return _name(to, OPTIONAL | Codes.PRINCIPALS << 32, ptr + 32);
            if (head == Codes.CONSENT_REVOKE) return _name(to, Codes.CONSENTS << 32, ptr);
            if (head == Codes.PRINCIPAL_ROTATE || head == Codes.PRINCIPAL_REVOKE) {
                return _name(to, Codes.PRINCIPALS << 32, ptr);
            }
            to = _name(to, Codes.PATIENTS << 32, ptr);
            if (head == Codes.PATIENT_BIND) {
                to = _name(to, OPTIONAL | Codes.PRINCIPALS << 32, ptr + 4);
                return _name(to, OPTIONAL | Codes.PRINCIPALS << 32, ptr + 8);
            }
            if (head == Codes.PATIENT_LINK) return _name(to, Codes.PATIENTS << 32, ptr + 4);
            // Kinds of grantees: 1 an org, 2 a principal, as the tables are numbered.
            if (head == Codes.CONSENT_GRANT) return _name(to, Memory.u8(ptr + 4) << 32, ptr + 5);
            if (head == Codes.PATIENT_POLICY) {
                for (uint256 i = 5; i < 21; i += 4) {
                    to = _name(to, OPTIONAL | Codes.ORGS << 32, ptr + i);
                }
            }
        }
    }

    function _name(uint256 to, uint256 kind, uint256 ptr) private pure returns (uint256) {
        unchecked {
            Memory.putWord(to, kind | Memory.u32(ptr));
            return to + 32;
        }
    }
}
