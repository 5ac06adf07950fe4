// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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
        if (index >= PAGES_PER_SLOT) return false;
        uint256 place = (slot % SLOTS_PER_PERIOD) * PAGES_PER_SLOT + index;
        bytes32 node = keccak256(abi.encodePacked(uint8(8), pageKey));
        for (uint256 height = 0; height < TREE_HEIGHT; height++) {
            bool isRight = place >> height & 1 == 1;
            (bytes32 left, bytes32 right) = isRight ? (path[height], node) : (node, path[height]);
            node = keccak256(abi.encodePacked(uint8(1), left, right));
        }
        return node == root;
    }

    /// @notice The page under the mask, in place: the claimed root stands open, the other 30 words are padded.
    function unmask(bytes32[WORDS] memory page, bytes32 pageKey) internal pure {
        for (uint256 j = 0; j < WORDS - 1; j++) {
            // forge-lint: disable-next-line(unsafe-typecast): j is below 30.
            page[j + 1] ^= keccak256(abi.encodePacked(uint8(6), pageKey, page[0], uint8(j)));
        }
    }
}
