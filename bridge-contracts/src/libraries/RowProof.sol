// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidence} from "../interfaces/IEvidence.sol";

/// @title Witnesses of one row of the state
/// @dev Source: docs/spec.md §5.1, §9.4: n u8 (1) ‖ table u8 ‖ row u32 ‖ flags 5 ‖ length u16 ‖ row ‖ hints u8 (0) ‖
/// siblings u16 ‖ siblings × 32.
library RowProof {
    uint256 private constant HEIGHT = 35;
    uint256 private constant TABLES_MAX = 4;
    uint256 private constant HEAD_BYTES = 13;
    uint256 private constant TAIL_BYTES = 3;

    /// @notice The row that a witness holds, its index (table · 2^32 + row), and the root it leads to.
    function open(bytes calldata witness) internal pure returns (uint256 index, bytes calldata row, bytes32 root) {
        require(witness.length >= HEAD_BYTES + TAIL_BYTES && witness[0] == 0x01, IEvidence.NotAProof());
        require(uint8(witness[1]) <= TABLES_MAX, IEvidence.NotAProof());
        index = uint40(bytes5(witness[1:6]));
        uint256 flags = uint40(bytes5(witness[6:11]));
        uint256 end = HEAD_BYTES + uint16(bytes2(witness[11:13]));
        require(end > HEAD_BYTES && witness.length >= end + TAIL_BYTES, IEvidence.NotAProof());
        row = witness[HEAD_BYTES:end];
        uint256 count = uint16(bytes2(witness[end + 1:end + 3]));
        bytes calldata siblings = witness[end + TAIL_BYTES:];
        bool isWhole = witness[end] == 0 && siblings.length == count * 32 && flags >> HEIGHT == 0;
        require(isWhole, IEvidence.NotAProof());
        root = _climb(keccak256(abi.encodePacked(uint8(0), row)), index, flags, siblings);
    }

    /// @dev Bit t of the flags: the sibling at height t is given, or it is the empty subtree. Bit t of the index: the
    /// sibling is left, or right.
    function _climb(bytes32 node, uint256 index, uint256 flags, bytes calldata siblings)
        private
        pure
        returns (bytes32)
    {
        bytes32 empty = 0;
        uint256 used = 0;
        for (uint256 height = 0; height < HEIGHT; height++) {
            bytes32 sibling = empty;
            if (flags >> height & 1 == 1) {
                require(used < siblings.length, IEvidence.NotAProof());
                sibling = bytes32(siblings[used:used + 32]);
                used += 32;
            }
            node = index >> height & 1 == 1 ? hashNode(sibling, node) : hashNode(node, sibling);
            empty = hashNode(empty, empty);
        }
        require(used == siblings.length, IEvidence.NotAProof());
        return node;
    }

    /// @dev keccak(0x01 ‖ left ‖ right).
    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore8(ptr, 1)
            mstore(add(ptr, 1), left)
            mstore(add(ptr, 33), right)
            hash := keccak256(ptr, 65)
        }
    }
}
