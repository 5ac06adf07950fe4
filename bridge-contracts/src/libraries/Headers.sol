// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../types/Header.sol";

/// @title Content hashes, modes and places of batches
/// @dev Source: docs/spec.md §11.2, §12.1.
library Headers {
    uint8 internal constant MODE_BLOBS = 1;
    uint8 internal constant MODE_MASKED = 2;
    uint16 internal constant PAGES_MAX = 768;
    uint64 internal constant SLOTS_PER_PERIOD = 1024;

    function contentHash(Header memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(header));
    }

    /// @dev The period whose page keys mask the batch in a slot.
    function periodOf(uint64 slot) internal pure returns (uint64) {
        return slot / SLOTS_PER_PERIOD;
    }
}
