// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Proofs that are made up: of rows and logs in states that hold little else
/// @dev Source: docs/spec.md §8.1–§8.5, §9.4.
library Proofs {
    /// @dev Alone in its state: every sibling is empty.
    function witnessOf(uint40 index, bytes memory row) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), index, bytes5(0), uint16(row.length), row, uint8(0), uint16(0));
    }

    function metaOf(uint64 size, bytes32 logRoot) internal pure returns (bytes memory) {
        return abi.encodePacked(size, uint48(1), uint64(0), new bytes(16), logRoot);
    }

    function inclusionOf(uint64 index, uint64 size, bytes memory path) internal pure returns (bytes memory) {
        return abi.encodePacked(index, size, uint8(path.length / 32), path);
    }

    /// @dev An entry of which only the sequence number matters.
    function numbered(uint64 sequence) internal pure returns (bytes memory) {
        return abi.encodePacked(sequence, new bytes(82));
    }

    function leafOf(bytes memory item) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"00", item));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }

    /// @dev One entry for each pair of relation and other patient.
    function linksOf(uint32 patient, bytes memory pairs) internal pure returns (bytes[] memory list) {
        list = new bytes[](pairs.length / 2);
        for (uint256 i = 0; i < list.length; i++) {
            uint32 other = uint8(pairs[2 * i + 1]);
            list[i] = abi.encodePacked(uint64(i), new bytes(66), uint8(0x13), patient, other, pairs[2 * i]);
        }
    }

    /// @dev A patient's row, its head the one of these entries.
    function rowOf(uint64 events, bytes[] memory list) internal pure returns (bytes memory) {
        bytes32 head = 0;
        for (uint256 i = 0; i < list.length; i++) {
            head = keccak256(abi.encodePacked(uint8(2), head, leafOf(list[i])));
        }
        return abi.encodePacked(new bytes(113), events, head);
    }

    function historyOf(uint32 patient, bytes memory witness, uint32 count, bytes memory entries)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(patient, uint32(witness.length), witness, count, entries);
    }

    function joined(bytes[] memory list) internal pure returns (bytes memory all) {
        for (uint256 i = 0; i < list.length; i++) {
            all = abi.encodePacked(all, uint16(list[i].length), list[i]);
        }
    }

    /// @dev Of patients 0 to 3 at most, in order, each with the entries of its list, under one root.
    function historiesOf(bytes[][] memory lists) internal pure returns (bytes32 root, bytes[] memory histories) {
        bytes[] memory rows = new bytes[](lists.length);
        bytes32[4] memory leaves;
        for (uint256 i = 0; i < lists.length; i++) {
            rows[i] = rowOf(uint64(lists[i].length), lists[i]);
            leaves[i] = leafOf(rows[i]);
        }
        bytes32[2] memory pairs = [node(leaves[0], leaves[1]), node(leaves[2], leaves[3])];
        histories = new bytes[](lists.length);
        for (uint32 i = 0; i < lists.length; i++) {
            bytes memory head = abi.encodePacked(uint8(1), uint8(3), i, uint40(3), uint16(rows[i].length), rows[i]);
            bytes memory siblings = abi.encodePacked(uint16(2), leaves[i ^ 1], pairs[i < 2 ? 1 : 0]);
            bytes memory witness = bytes.concat(head, hex"00", siblings);
            histories[i] = historyOf(i, witness, uint32(lists[i].length), joined(lists[i]));
        }
        root = node(pairs[0], pairs[1]);
        bytes32 empty = node(node(0, 0), node(0, 0));
        for (uint256 height = 2; height < 35; height++) {
            // Patients are table 3: in the right half of the left half of five tables' room.
            if (height < 32) root = node(root, empty);
            else root = height < 34 ? node(empty, root) : node(root, empty);
            empty = node(empty, empty);
        }
    }

    function without(bytes[] memory list, uint256 index) internal pure returns (bytes[] memory rest) {
        rest = new bytes[](list.length - 1);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = list[i < index ? i : i + 1];
        }
    }

    function cut(bytes memory whole, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            part[i] = whole[i];
        }
    }

    function with(bytes memory whole, uint256 index, bytes1 value) internal pure returns (bytes memory other) {
        other = bytes.concat(whole);
        other[index] = value;
    }
}
