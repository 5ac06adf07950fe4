// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEvidence} from "../interfaces/IEvidence.sol";
import {RowProof} from "./RowProof.sol";

/// @title Inclusion in the log
/// @dev Source: docs/spec.md §8.2, §8.3; RFC 9162 §2.1.3.2. Index u64 ‖ size u64 ‖ n u8 ‖ n × 32. The path does not
/// prove the size: the caller compares it with the one that came with the root.
library LogProof {
    uint256 private constant HEAD_BYTES = 17;

    function place(bytes calldata inclusion) internal pure returns (uint64 index, uint64 size) {
        unchecked {
            uint256 head;
            assembly ("memory-safe") {
                head := calldataload(inclusion.offset)
            }
            // forge-lint: disable-start(unsafe-typecast): the fields where they stand.
            index = uint64(head >> 192);
            size = uint64(head >> 128);
            // forge-lint: disable-end(unsafe-typecast)
            bool isWhole = inclusion.length == HEAD_BYTES + (head >> 120 & 0xFF) * 32;
            require(isWhole && index < size, IEvidence.NotAProof());
        }
    }

    /// @notice Whether the proof leads from a leaf to a root.
    function holds(bytes calldata inclusion, bytes32 leaf, bytes32 root) internal pure returns (bool) {
        (uint64 index, uint64 size) = place(inclusion);
        (bool fits, bytes32 node) = climb(index, size, leaf, inclusion[HEAD_BYTES:]);
        return fits && node == root;
    }

    /// @notice Where a path leads from the leaf at `index` of `size`, which it is below; whether it has the length that
    /// this place has.
    /// @param path Hashes of 32 bytes each.
    function climb(uint64 index, uint64 size, bytes32 leaf, bytes calldata path)
        internal
        pure
        returns (bool fits, bytes32 node)
    {
        unchecked {
            uint256 last = size - 1;
            uint256 i = index;
            uint256 end = path.length;
            node = leaf;
            for (uint256 offset = 0; offset < end; offset += 32) {
                if (last == 0) return (false, node);
                bytes32 sibling;
                assembly ("memory-safe") {
                    sibling := calldataload(add(path.offset, offset))
                }
                if (i & 1 == 1 || i == last) {
                    (node, sibling) = (sibling, node);
                    // A lone node has moved up from here: not hashed, not in the path.
                    while (i & 1 == 0 && i != 0) (i, last) = (i >> 1, last >> 1);
                }
                node = RowProof.hashNode(node, sibling);
                (i, last) = (i >> 1, last >> 1);
            }
            fits = last == 0;
        }
    }
}
