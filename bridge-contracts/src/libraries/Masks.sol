// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RowProof} from "./RowProof.sol";

/// @title Masked pages, and the keys that open them
/// @dev For convictions: a page key is revealed with its path in the period's tree, and whatever the pad opens is the
/// page. Source: docs/spec.md §11.
library Masks {
    uint256 internal constant TREE_HEIGHT = 20;
    uint256 private constant PAGES_PER_SLOT = 1024;
    uint256 private constant SLOTS_PER_PERIOD = 1024;
    uint256 private constant WORDS = 31;

    /// @notice Whether a page key is the one that was registered for page `index` of the batch in `slot`.
    /// @param root Of the slot's period.
    /// @param path Siblings from the leaf up.
    function isKey(bytes32 root, uint64 slot, uint16 index, bytes32 pageKey, bytes32[TREE_HEIGHT] calldata path)
        internal
        pure
        returns (bool)
    {
        unchecked {
            if (index >= PAGES_PER_SLOT) return false;
            uint256 place = (slot % SLOTS_PER_PERIOD) * PAGES_PER_SLOT + index;
            bytes32 node = keccak256(abi.encodePacked(uint8(8), pageKey));
            for (uint256 height = 0; height < TREE_HEIGHT; height++) {
                bytes32 sibling;
                assembly ("memory-safe") {
                    sibling := calldataload(add(path, shl(5, height)))
                }
                bool isRight = place >> height & 1 == 1;
                node = isRight ? RowProof.hashNode(sibling, node) : RowProof.hashNode(node, sibling);
            }
            return node == root;
        }
    }

    /// @notice The page under the mask, in place: the claimed root stands open, the other 30 words are padded.
    function unmask(bytes32[WORDS] memory page, bytes32 pageKey) internal pure {
        // 0x06 ‖ page key ‖ claimed root ‖ j, the tag at the end of a word.
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore(ptr, 0x06)
            mstore(add(ptr, 32), pageKey)
            mstore(add(ptr, 64), mload(page))
            for { let j := 0 } lt(j, sub(WORDS, 1)) { j := add(j, 1) } {
                mstore8(add(ptr, 96), j)
                let word := add(page, shl(5, add(j, 1)))
                mstore(word, xor(mload(word), keccak256(add(ptr, 31), 66)))
            }
        }
    }
}
