// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "./Codes.sol";
import {Memory} from "./Memory.sol";

/// @title Rows of the state, as bytes in memory
/// @dev Source: docs/spec.md §5.2; each constant is a field's place in its row.
library Rows {
    uint256 internal constant META_BYTES = 70;
    uint256 internal constant ORG_BYTES = 90;
    /// @dev Without the key.
    uint256 internal constant PRINCIPAL_BYTES = 103;
    uint256 internal constant PATIENT_BYTES = 153;
    uint256 internal constant CONSENT_BYTES = 76;
    /// @dev Of the longest row, and of the frontier of any log, one peak more while it grows.
    uint256 internal constant ROOM = 192;
    uint256 internal constant FRONTIER_ROOM = 65 * 32;

    // Meta row 0.
    uint256 internal constant META_CLOCK = 8;
    uint256 internal constant META_CURSOR = 14;
    uint256 private constant META_COUNTS = 22;
    uint256 internal constant META_LOG_ROOT = 38;

    // Orgs.
    uint256 internal constant ORG_ADMIN = 20;
    uint256 internal constant ORG_POLICY = 24;
    uint256 internal constant ORG_STATUS = 25;
    uint256 internal constant ORG_NAME = 26;
    uint256 internal constant ORG_PSEUDONYM_KEY = 58;

    // Principals; valid from, valid until and revoked at stand together, as in consents.
    uint256 internal constant PRINCIPAL_ROLE = 4;
    uint256 internal constant PRINCIPAL_SEALING_KEY = 5;
    uint256 internal constant PRINCIPAL_TAG = 37;
    uint256 internal constant PRINCIPAL_STATUS = 69;
    uint256 internal constant PRINCIPAL_NONCE = 70;
    uint256 internal constant PRINCIPAL_VALIDITY = 78;
    uint256 internal constant PRINCIPAL_REVOKED_AT = 90;
    uint256 internal constant PRINCIPAL_COMPROMISED = 96;
    uint256 internal constant PRINCIPAL_KEY_KIND = 102;
    uint256 internal constant PRINCIPAL_KEY = 103;

    // Patients.
    uint256 internal constant PATIENT_PSEUDONYM = 4;
    uint256 internal constant PATIENT_NEXT = 36;
    uint256 internal constant PATIENT_CONTROLLER = 68;
    uint256 internal constant PATIENT_PENDING = 72;
    uint256 internal constant PATIENT_PENDING_AT = 76;
    uint256 internal constant PATIENT_BARRED = 82;
    uint256 internal constant PATIENT_PROXY = 88;
    uint256 internal constant PATIENT_FLAGS = 92;
    uint256 internal constant PATIENT_BLOCKED = 93;
    uint256 internal constant PATIENT_CONTINUED = 109;
    uint256 internal constant PATIENT_EVENTS = 113;
    uint256 internal constant PATIENT_HEAD = 121;
    uint256 internal constant EMERGENCY_ALLOWED = 1;
    uint256 internal constant EXPLICIT_CONSENT = 2;

    // Consents.
    uint256 internal constant CONSENT_KIND = 4;
    uint256 internal constant CONSENT_GRANTEE = 5;
    uint256 internal constant CONSENT_PURPOSES = 9;
    uint256 internal constant CONSENT_ACTIONS = 17;
    uint256 internal constant CONSENT_CATEGORIES = 18;
    uint256 internal constant CONSENT_VALIDITY = 26;
    uint256 internal constant CONSENT_REVOKED_AT = 38;
    uint256 internal constant CONSENT_DIGEST = 44;

    // Known bits, docs/spec.md §2.8.
    uint256 internal constant PURPOSE_BITS = 61;
    uint256 internal constant ACTION_BITS = 6;
    uint256 internal constant CATEGORY_BITS = 30;

    /// @dev Length, codes, bits, and a key as long as its kind. Meta has no rows of this form.
    function isValid(uint256 table, uint256 row, uint256 length) internal pure returns (bool) {
        unchecked {
            if (table == Codes.PATIENTS) return length == PATIENT_BYTES && Memory.u8(row + PATIENT_FLAGS) < 4;
            if (table == Codes.PRINCIPALS) {
                if (length < PRINCIPAL_BYTES) return false;
                uint256 kind = Memory.u8(row + PRINCIPAL_KEY_KIND);
                return kind <= Codes.P256 && length == PRINCIPAL_BYTES + keyBytes(kind)
                    && isCode(row + PRINCIPAL_ROLE, Codes.OFFICER) && isCode(row + PRINCIPAL_STATUS, Codes.REVOKED);
            }
            if (table == Codes.ORGS) {
                return length == ORG_BYTES && isCode(row + ORG_POLICY, 2) && isCode(row + ORG_STATUS, 2);
            }
            if (table == Codes.CONSENTS) {
                return length == CONSENT_BYTES && isCode(row + CONSENT_KIND, 2)
                    && Memory.u64(row + CONSENT_PURPOSES) >> PURPOSE_BITS == 0
                    && Memory.u8(row + CONSENT_ACTIONS) >> ACTION_BITS == 0
                    && Memory.u64(row + CONSENT_CATEGORIES) >> CATEGORY_BITS == 0;
            }
            return false;
        }
    }

    /// @dev Whether the byte is 1 to `last`.
    function isCode(uint256 ptr, uint256 last) internal pure returns (bool) {
        unchecked {
            return Memory.u8(ptr) - 1 < last;
        }
    }

    function keyBytes(uint256 kind) internal pure returns (uint256) {
        return kind == Codes.P256 ? 64 : kind == Codes.SECP256K1 ? 20 : 0;
    }

    function nextSequence(uint256 meta) internal pure returns (uint256) {
        return Memory.u64(meta);
    }

    /// @dev Place of the next free row number of a table.
    function countAt(uint256 meta, uint256 table) internal pure returns (uint256) {
        unchecked {
            return meta + META_COUNTS + 4 * (table - 1);
        }
    }

    function countOf(uint256 meta, uint256 table) internal pure returns (uint256) {
        return Memory.u32(countAt(meta, table));
    }

    /// @dev The next row number of a table, which has one left.
    function takeNumber(uint256 meta, uint256 table) internal pure returns (uint256 number) {
        unchecked {
            number = countOf(meta, table);
            Memory.put32(countAt(meta, table), number + 1);
        }
    }

    /// @dev Valid and not revoked at a time; `ptr` is the place of valid from.
    function isActive(uint256 ptr, uint256 time) internal pure returns (bool) {
        uint256 interval = Memory.word(ptr);
        uint256 until = interval >> 160 & Codes.TIME_MAX;
        uint256 revokedAt = interval >> 112 & Codes.TIME_MAX;
        return time >= interval >> 208 && (until == 0 || time < until) && (revokedAt == 0 || time < revokedAt);
    }

    /// @dev keccak(0x04 ‖ home org ‖ pseudonym): a patient's key, from a row or from the same bytes elsewhere.
    function patientKey(uint256 home, uint256 pseudonym) internal pure returns (uint256 key) {
        assembly ("memory-safe") {
            mstore(0, or(shl(248, 0x04), shl(216, home)))
            mstore(5, pseudonym)
            key := keccak256(0, 37)
        }
    }

    /// @dev The key that a row stands for; row 0 stands for zero.
    function keyOfPatient(uint256 row) internal pure returns (uint256) {
        unchecked {
            return patientKey(Memory.u32(row), Memory.word(row + PATIENT_PSEUDONYM));
        }
    }

    /// @dev The identity of a row that is not row 0, docs/spec.md §5.5.
    function identityOf(uint256 table, uint256 row) internal pure returns (uint256 identity) {
        unchecked {
            if (table == Codes.PATIENTS) return keyOfPatient(row);
            if (table == Codes.ORGS) return Memory.word(row + ORG_NAME);
            if (table == Codes.CONSENTS) return Memory.word(row + CONSENT_DIGEST);
            assembly ("memory-safe") {
                mstore(0, mload(row))
                mstore(4, mload(add(row, PRINCIPAL_TAG)))
                identity := keccak256(0, 36)
            }
        }
    }

    /// @dev Ones of a number of 64 bits.
    function bitsOf(uint256 number) internal pure returns (uint256 bits) {
        unchecked {
            for (; number != 0; number &= number - 1) {
                bits++;
            }
        }
    }
}
