// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Items of the forced queue, as bytes
/// @dev Source: docs/spec.md §4.3.
library Items {
    /// @dev Types, as kinds of pages.
    uint8 internal constant ENVELOPE = 2;
    uint8 internal constant ORG = 3;

    uint8 internal constant OP_REGISTER = 1;
    uint8 internal constant OP_SET_STATUS = 2;
    uint8 internal constant OP_REPLACE_ADMIN = 3;

    uint256 internal constant BODY_BYTES = 953;
    uint8 private constant TAG = 0x09;

    /// @dev Of an item whose body is padded with zeros to 953 bytes; `time` in milliseconds.
    function hash(uint8 kind, uint48 time, bytes memory body) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(TAG, kind, time, body, new bytes(BODY_BYTES - body.length)));
    }

    /// @dev Of an item's bytes as they stand in the specification.
    function hashOf(bytes calldata item) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(TAG, item));
    }
}
