// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Events, each in one word
/// @dev Layout: see `Run`.
library Events {
    uint256 internal constant CODES_AT = 48;
    uint256 internal constant CONSENT_AT = 72;
    uint256 internal constant ACTOR_AT = 104;
    uint256 internal constant PATIENT_AT = 136;
    uint256 internal constant HEAD_AT = 168;
    uint256 internal constant VERDICT_AT = 176;
    uint256 internal constant FIELDS_AT = 184;

    uint256 private constant TIME_MASK = (1 << 48) - 1;
    uint256 private constant CODES_MASK = (1 << 24) - 1;
    uint256 private constant ROW_MASK = (1 << 32) - 1;

    // Bits of an access's head.
    uint256 private constant ACCESS = 0x80;
    uint256 internal constant PATIENT_WRITTEN = 0x40;
    uint256 internal constant ACTOR_WRITTEN = 0x20;
    uint256 internal constant CONSENT_WRITTEN = 0x10;
    uint256 internal constant CODES_WRITTEN = 0x08;
    uint256 private constant ROW_WRITTEN = 0x70;
    uint256 internal constant OFFSET_BYTES = 0x07;
    uint256 internal constant OFFSET_BYTES_MAX = 4;

    function timeOf(uint256 e) internal pure returns (uint256) {
        return e & TIME_MASK;
    }

    /// @dev Action 4 bits, outcome 4, purpose 8, category 8.
    function codesOf(uint256 e) internal pure returns (uint256) {
        return e >> CODES_AT & CODES_MASK;
    }

    function consentOf(uint256 e) internal pure returns (uint256) {
        return e >> CONSENT_AT & ROW_MASK;
    }

    function actorOf(uint256 e) internal pure returns (uint256) {
        return e >> ACTOR_AT & ROW_MASK;
    }

    function patientOf(uint256 e) internal pure returns (uint256) {
        return e >> PATIENT_AT & ROW_MASK;
    }

    function headOf(uint256 e) internal pure returns (uint256) {
        return e >> HEAD_AT & 0xFF;
    }

    function verdictOf(uint256 e) internal pure returns (uint256) {
        return e >> VERDICT_AT & 0xFF;
    }

    /// @dev Whether there is a row number to look at. An access that writes none means those of the access before; if
    /// there is none before, its patient is 0.
    function isNaming(uint256 e) internal pure returns (bool) {
        return e >> HEAD_AT & (ACCESS | ROW_WRITTEN) != ACCESS || patientOf(e) == 0;
    }

    /// @dev An access that means the same rows and codes as the one before: none is written.
    function meansSame(uint256 e) internal pure returns (bool) {
        return e >> HEAD_AT & (ACCESS | ROW_WRITTEN | CODES_WRITTEN) == ACCESS;
    }

    /// @dev An access that is in every field, time included, as the one before.
    function isRepeated(uint256 e) internal pure returns (bool) {
        return e >> HEAD_AT & 0xFF == ACCESS;
    }

    /// @dev Pointer to the byte after the head.
    function fieldsOf(uint256 e) internal pure returns (uint256) {
        return e >> FIELDS_AT;
    }

    function isAccess(uint256 e) internal pure returns (bool) {
        return e >> HEAD_AT & ACCESS != 0;
    }
}
