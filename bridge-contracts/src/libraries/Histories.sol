// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidence} from "../interfaces/IEvidence.sol";
import {RowProof} from "./RowProof.sol";

/// @title Histories of patients
/// @dev Source: docs/spec.md §8.4, §8.5: patient u32 ‖ length u32 ‖ witness ‖ n u32 ‖ n × (length u16 ‖ entry). That an
/// entry is well formed needs no look: a final root has hashed no other.
library Histories {
    uint256 private constant PATIENTS = 3;
    uint256 private constant ROW_BYTES = 153;
    uint256 private constant ROW_EVENTS_AT = 113;
    uint256 private constant ROW_HEAD_AT = 121;
    /// @dev Where an entry's event begins, and how long an entry of a patient-link is.
    uint256 private constant EVENT_AT = 74;
    uint256 private constant LINK_ENTRY_BYTES = 84;
    bytes1 private constant LINK = 0x13;
    uint8 private constant REPLACED_BY = 1;
    uint8 private constant REPLACES = 2;
    uint8 private constant UNDONE = 4;

    function patientOf(bytes calldata history) internal pure returns (uint32) {
        require(history.length >= 4, IEvidence.NotAProof());
        return uint32(bytes4(history[0:4]));
    }

    /// @notice Whether a history is whole under a root, and the patients whose histories belong to it.
    function check(bytes calldata history, bytes32 root) internal pure returns (bool isWhole, uint32[] memory links) {
        uint256 start = 8 + uint256(uint32(bytes4(history[4:8])));
        require(history.length >= start + 4, IEvidence.NotAProof());
        (uint256 index, bytes calldata row, bytes32 found) = RowProof.open(history[8:start]);
        uint32 patient = patientOf(history);
        bool isItsRow = patient != 0 && index == (PATIENTS << 32 | patient) && row.length == ROW_BYTES;
        uint32 count = uint32(bytes4(history[start:start + 4]));
        if (!isItsRow || found != root || count != uint64(bytes8(row[ROW_EVENTS_AT:ROW_HEAD_AT]))) {
            return (false, links);
        }
        bytes32 head;
        (isWhole, head, links) = _fold(history[start + 4:], count);
        isWhole = isWhole && head == bytes32(row[ROW_HEAD_AT:]);
    }

    /// @dev The chain over the entries' leaves; whether their sequence numbers ascend.
    function _fold(bytes calldata entries, uint32 count)
        private
        pure
        returns (bool ascends, bytes32 head, uint32[] memory links)
    {
        // Every entry is longer than two bytes, so that `count` is bounded by what was sent before memory is taken.
        require(count <= entries.length / 2, IEvidence.NotAProof());
        uint32[] memory open = new uint32[](count);
        uint256 opened = 0;
        uint256 next = 0;
        uint256 position = 0;
        ascends = true;
        for (uint256 i = 0; i < count; i++) {
            uint256 length = uint16(bytes2(entries[position:position + 2]));
            bytes calldata entry = entries[position + 2:position + 2 + length];
            position += 2 + length;
            uint256 sequence = uint64(bytes8(entry[0:8]));
            ascends = ascends && sequence >= next;
            next = sequence + 1;
            bytes32 leaf = keccak256(abi.encodePacked(uint8(0), entry));
            head = keccak256(abi.encodePacked(uint8(2), head, leaf));
            if (length == LINK_ENTRY_BYTES && entry[EVENT_AT] == LINK) opened = _link(open, opened, entry);
        }
        require(position == entries.length, IEvidence.NotAProof());
        links = new uint32[](opened);
        for (uint256 i = 0; i < opened; i++) {
            links[i] = open[i];
        }
    }

    /// @dev A set in the first `opened` of `open`: a link puts its patient in, its undoing takes it out.
    function _link(uint32[] memory open, uint256 opened, bytes calldata entry) private pure returns (uint256) {
        uint32 other = uint32(bytes4(entry[EVENT_AT + 5:EVENT_AT + 9]));
        uint8 relation = uint8(entry[EVENT_AT + 9]);
        uint256 found = 0;
        while (found < opened && open[found] != other) found++;
        if (relation == REPLACED_BY || relation == REPLACES) {
            open[found] = other;
            return found == opened ? opened + 1 : opened;
        }
        if (relation == UNDONE && found < opened) {
            open[found] = open[opened - 1];
            return opened - 1;
        }
        return opened;
    }
}
