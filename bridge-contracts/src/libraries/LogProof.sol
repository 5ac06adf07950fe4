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
        require(inclusion.length >= HEAD_BYTES, IEvidence.NotAProof());
        index = uint64(bytes8(inclusion[0:8]));
        size = uint64(bytes8(inclusion[8:16]));
        bool isWhole = inclusion.length == HEAD_BYTES + uint256(uint8(inclusion[16])) * 32;
        require(isWhole && index < size, IEvidence.NotAProof());
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
        uint64 last = size - 1;
        node = leaf;
        for (uint256 i = 0; i < path.length; i += 32) {
            if (last == 0) return (false, node);
            bytes32 sibling = bytes32(path[i:i + 32]);
            if (index & 1 == 1 || index == last) {
                node = RowProof.hashNode(sibling, node);
                // A lone node has moved up from here: not hashed, not in the path.
                while (index & 1 == 0 && index != 0) (index, last) = (index >> 1, last >> 1);
            } else {
                node = RowProof.hashNode(node, sibling);
            }
            (index, last) = (index >> 1, last >> 1);
        }
        fits = last == 0;
    }
}
