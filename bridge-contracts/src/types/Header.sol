// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the chain of batches is made of; L1 keeps its hash, `keccak256(abi.encode(header))`.
/// @dev Nothing of L1's time or block is in it: children can be signed before their parent is mined, and a reorg voids
/// nothing. Source: docs/spec.md §12.1.
struct Header {
    /// Bit 0: pages lie in blobs (1) or calldata (0). Bit 1: they are masked.
    uint8 mode;
    /// Blobs: keccak of their versioned hashes, joined. Calldata: root of the tree over its pages. §12.2.
    bytes32 dataReference;
    /// Content hash of the batch before.
    bytes32 parent;
    /// Place in the chain of batches; genesis is 0.
    uint64 number;
    /// Epoch in which it was posted.
    uint64 epoch;
    /// Counts posts ever; never goes back.
    uint64 slot;
    /// How many pages: 1 to 768.
    uint16 pages;
    /// State root after its last page.
    bytes32 postRoot;
    /// Clock of its last page, milliseconds.
    uint48 clock;
    /// Next sequence number after its last page.
    uint64 nextSequence;
    /// Items of the forced queue taken after its last page.
    uint64 cursor;
}
