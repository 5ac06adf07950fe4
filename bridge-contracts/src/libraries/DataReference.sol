// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../interfaces/IRollupErrors.sol";

/// @title What a batch's pages are, in one word
/// @dev Source: docs/spec.md §12.2, §8.2.
library DataReference {
    uint256 internal constant PAGE_BYTES = 992;
    uint256 internal constant PAGES_PER_BLOB = 128;
    /// @dev Perfect subtrees that may wait at once: one for each bit of 768.
    uint256 private constant PEAKS_MAX = 10;

    /// @dev Of this transaction's blobs, which must be as many as the pages need.
    function ofBlobs(uint256 pages) internal view returns (bytes32) {
        uint256 blobs = (pages + PAGES_PER_BLOB - 1) / PAGES_PER_BLOB;
        require(blobhash(blobs) == 0, IRollupErrors.WrongBlobs(blobs));
        bytes32[] memory hashes = new bytes32[](blobs);
        for (uint256 i = 0; i < blobs; i++) {
            hashes[i] = blobhash(i);
            require(hashes[i] != 0, IRollupErrors.WrongBlobs(blobs));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// @dev Of pages in calldata: root of the tree of RFC 9162's shape over keccak(0x00 ‖ page), hashed as it is read.
    /// At least one page, at most 768; the caller has checked the length.
    function ofPages(bytes calldata pages) internal pure returns (bytes32 root) {
        uint256 count = pages.length / PAGE_BYTES;
        bytes32[PEAKS_MAX] memory peaks;
        bytes memory buffer = new bytes(1 + PAGE_BYTES);
        uint256 waiting = 0;
        for (uint256 i = 0; i < count; i++) {
            root = _leaf(buffer, pages, i * PAGE_BYTES);
            // As many subtrees end with this page as its number, counted from 1, has low zero bits.
            for (uint256 bits = i + 1; bits & 1 == 0; bits >>= 1) {
                root = _node(buffer, peaks[--waiting], root);
            }
            peaks[waiting++] = root;
        }
        for (--waiting; waiting > 0;) {
            root = _node(buffer, peaks[--waiting], root);
        }
    }

    /// @dev keccak(0x00 ‖ page). One buffer for all: memory grows by one page, not by all of them.
    function _leaf(bytes memory buffer, bytes calldata pages, uint256 start) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore8(add(buffer, 32), 0)
            calldatacopy(add(buffer, 33), add(pages.offset, start), PAGE_BYTES)
            hash := keccak256(add(buffer, 32), add(PAGE_BYTES, 1))
        }
    }

    /// @dev keccak(0x01 ‖ left ‖ right).
    function _node(bytes memory buffer, bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore8(add(buffer, 32), 1)
            mstore(add(buffer, 33), left)
            mstore(add(buffer, 65), right)
            hash := keccak256(add(buffer, 32), 65)
        }
    }
}
