// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Numbers of the rules
/// @dev Source: docs/spec.md §1.6, §1.7, §2, §3.3, §6.
library Codes {
    // Tables.
    uint256 internal constant META = 0;
    uint256 internal constant ORGS = 1;
    uint256 internal constant PRINCIPALS = 2;
    uint256 internal constant PATIENTS = 3;
    uint256 internal constant CONSENTS = 4;
    uint256 internal constant ROWS_MAX = 0xFFFFFFFF;

    // Heads of events.
    uint256 internal constant PATIENT_OPEN = 0x10;
    uint256 internal constant PATIENT_BIND = 0x11;
    uint256 internal constant PATIENT_POLICY = 0x12;
    uint256 internal constant PATIENT_LINK = 0x13;
    uint256 internal constant PRINCIPAL_ADD = 0x20;
    uint256 internal constant PRINCIPAL_ROTATE = 0x21;
    uint256 internal constant PRINCIPAL_REVOKE = 0x22;
    uint256 internal constant CONSENT_GRANT = 0x30;
    uint256 internal constant CONSENT_REVOKE = 0x31;
    uint256 internal constant ANNOTATE = 0x40;
    uint256 internal constant ACCESS = 0x80;

    // Roles.
    uint256 internal constant ADMIN = 1;
    uint256 internal constant SYSTEM = 2;
    uint256 internal constant PRACTITIONER = 3;
    uint256 internal constant PATIENT = 4;
    uint256 internal constant PROXY = 5;
    uint256 internal constant OFFICER = 6;

    // Statuses, of orgs and principals.
    uint256 internal constant ACTIVE = 1;
    uint256 internal constant SUSPENDED = 2;
    uint256 internal constant REVOKED = 2;
    uint256 internal constant POLICY_IMPLIED = 1;

    // Kinds of keys.
    uint256 internal constant SECP256K1 = 1;
    uint256 internal constant P256 = 2;

    // Refusals.
    uint256 internal constant TRUNCATED = 0x11;
    uint256 internal constant TRAILING = 0x12;
    uint256 internal constant UNKNOWN_KIND = 0x13;
    uint256 internal constant UNKNOWN_CODE = 0x14;
    uint256 internal constant UNKNOWN_BITS = 0x15;
    uint256 internal constant SAME = 0x16;
    uint256 internal constant ORDER = 0x17;
    uint256 internal constant LEADING_ZERO = 0x18;
    uint256 internal constant TIME = 0x19;
    uint256 internal constant COUNT = 0x1A;
    uint256 internal constant KEY = 0x1B;
    uint256 internal constant INTERVAL = 0x1C;
    uint256 internal constant SIGNER = 0x1D;
    uint256 internal constant TOO_MANY_EVENTS = 0x20;
    uint256 internal constant TOO_MANY_ROWS = 0x21;
    uint256 internal constant NO_SIGNER = 0x30;
    uint256 internal constant SIGNER_REVOKED = 0x40;
    uint256 internal constant SIGNER_NOT_YET_VALID = 0x41;
    uint256 internal constant SIGNER_EXPIRED = 0x42;
    uint256 internal constant ORG_SUSPENDED = 0x43;
    uint256 internal constant NO_KEY = 0x44;
    uint256 internal constant NONCE = 0x50;
    uint256 internal constant RESERVED = 0x60;
    uint256 internal constant NO_ROW = 0x61;
    uint256 internal constant FULL = 0x62;
    uint256 internal constant FORM = 0x70;
    uint256 internal constant MALFORMED = 0x71;
    uint256 internal constant WRONG = 0x72;
    uint256 internal constant ROLE = 0x80;
    uint256 internal constant ORG = 0x81;
    uint256 internal constant NOT_ENTITLED = 0x82;
    uint256 internal constant TAKEN = 0x83;
    uint256 internal constant WRONG_ROLE = 0x84;
    uint256 internal constant BARRED = 0x85;
    uint256 internal constant EMPTY_PROPOSAL = 0x86;
    uint256 internal constant LINK = 0x87;
    uint256 internal constant ALREADY_REVOKED = 0x88;
    uint256 internal constant FUTURE = 0x90;

    // Limits; times in milliseconds.
    uint256 internal constant TIME_MAX = (1 << 48) - 1;
    uint256 internal constant EVENTS_MAX = 127;
    uint256 internal constant PAGE_ROWS_MAX = 96;
    uint256 internal constant FUTURE_MS_MAX = 600_000;
    uint256 internal constant LATE_MS = 600_000;
    uint256 internal constant JUDGED_AT_EVENT_MS_MAX = 30 days * 1000;
    uint256 internal constant PROPOSAL_MS = 14 days * 1000;
    uint256 internal constant BAR_MS = 90 days * 1000;

    /// @dev A refusal that concerns an event, from 0: code, and above it the event's number from 1. Without an event, a
    /// refusal is its code; 0 is none.
    function inEvent(uint256 code, uint256 index) internal pure returns (uint256) {
        unchecked {
            return code | (index + 1) << 8;
        }
    }

    /// @dev Whether `role` is one of `roles`, a bit set.
    function isOneOf(uint256 role, uint256 roles) internal pure returns (bool) {
        return roles >> role & 1 == 1;
    }

    /// @dev The sum, at most the last moment that six bytes hold.
    function later(uint256 time, uint256 span) internal pure returns (uint256) {
        unchecked {
            return time + span > TIME_MAX ? TIME_MAX : time + span;
        }
    }
}
