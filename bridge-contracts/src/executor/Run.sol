// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One page being run. All that is a place in memory is an absolute pointer.
/// @dev An event is one word: time 48 bits (lowest), codes 24, consent 32, actor 32, patient 32, head byte 8, verdict
/// 8, pointer to its fields 32. Of other kinds than access only time, head and pointer are set, and the patient whose
/// head it moves once it is applied.
///
/// An envelope is one word of six pointers of 32 bits: to its bytes (lowest), to their end; to its first event, past
/// its last; to the first and past the last in a list of pointers to those of its events that name rows.
struct Run {
    /// The page's 992 bytes.
    uint256 page;
    /// Its clock, milliseconds.
    uint256 clock;
    /// EIP-712's domain separator.
    bytes32 separator;
    /// Witness: a word for each row, ascending, then one of all ones. See `Witnesses`.
    uint256 places;
    /// Witness: number of rows.
    uint256 count;
    /// Witness: for each table, a pointer to the place that was found last.
    uint256 near;
    /// Witness: where hints stand in calldata, how many there are, how many were asked for.
    uint256 hintsAt;
    uint256 hints;
    uint256 asked;
    /// Witness: where siblings stand in calldata, and end.
    uint256 siblingsAt;
    uint256 siblingsEnd;
    /// Row 0 of meta, and its next sequence number and cursor as they came.
    uint256 meta;
    uint256 sequence;
    uint256 cursor;
    /// Decoded events: the first, and past the last so far.
    uint256 events;
    uint256 eventsEnd;
    /// Pointers to events that name rows: past the last so far.
    uint256 namingsEnd;
    /// Decoded envelopes: the first, and past the last so far.
    uint256 envelopes;
    uint256 envelopesEnd;
    /// Row numbers of one event.
    uint256 names;
    /// Row number of who signs the envelope, its row, its org's number, its role, its org's policy.
    uint256 signer;
    uint256 principal;
    uint256 org;
    uint256 role;
    uint256 policy;
    /// Rows of the access before: patient, actor, consent or 0.
    uint256 patientRow;
    uint256 actorRow;
    uint256 consentRow;
    /// What was signed.
    bytes32 digest;
}
