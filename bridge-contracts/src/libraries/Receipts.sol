// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../executor/Codes.sol";
import {Memory} from "../executor/Memory.sol";
import {Signatures} from "../executor/Signatures.sol";
import {Signing} from "../executor/Signing.sol";
import {ICourt} from "../interfaces/ICourt.sol";
import {LogProof} from "./LogProof.sol";

/// @title Receipts: what a sequencer signed about the place of an envelope
/// @dev Source: docs/spec.md §10, §7.1, §7.5. Epoch u64 ‖ first sequence u64 ‖ events u8 ‖ page clock u48 ‖ digest 32 ‖
/// index u32 ‖ size u32 ‖ n u8 ‖ n × 32 ‖ signature 64.
library Receipts {
    /// @notice A receipt whose path and signature hold.
    struct Receipt {
        /// Epoch of the chain of batches.
        uint64 epoch;
        /// Sequence number of the envelope's first event.
        uint64 firstSequence;
        /// How many events it has.
        uint8 events;
        /// Clock of its page, milliseconds.
        uint48 clock;
        /// Digest of the envelope.
        bytes32 digest;
        /// keccak256(0x03 ‖ all of these).
        bytes32 leaf;
    }

    /// @dev Epoch, first sequence, events, clock, digest: what is hashed.
    uint256 private constant PLACE_BYTES = 55;
    /// @dev Index, size and number of the path's hashes on top.
    uint256 private constant HEAD_BYTES = 64;
    uint256 private constant SIGNATURE_BYTES = 64;
    /// @dev A group of 2^32 receipts has no longer path.
    uint256 private constant PATH_HASHES_MAX = 32;

    bytes32 private constant RECEIPT_TYPE = keccak256("Receipt(uint64 epoch,bytes32 groupRoot)");

    /// @notice The epoch that a receipt names, before anything of it is checked.
    function epochOf(bytes calldata receipt) internal pure returns (uint64) {
        require(receipt.length >= HEAD_BYTES + SIGNATURE_BYTES, ICourt.NotAReceipt());
        return uint64(bytes8(receipt[0:8]));
    }

    /// @notice A receipt for this chain, signed by `key` for `rollup`; reverts if it is none.
    /// @param key Receipt key of its epoch: `IRollup.epochs`.
    function open(bytes calldata receipt, address rollup, address key) internal view returns (Receipt memory opened) {
        opened.epoch = epochOf(receipt);
        uint256 head;
        uint256 path;
        bytes32 digest;
        assembly ("memory-safe") {
            head := calldataload(receipt.offset)
            digest := calldataload(add(receipt.offset, 23))
            path := calldataload(add(receipt.offset, PLACE_BYTES))
        }
        // forge-lint: disable-start(unsafe-typecast): the fields where they stand.
        opened.firstSequence = uint64(head >> 128);
        opened.events = uint8(head >> 120);
        opened.clock = uint48(head >> 72);
        // forge-lint: disable-end(unsafe-typecast)
        opened.digest = digest;
        opened.leaf = keccak256(abi.encodePacked(uint8(3), receipt[0:PLACE_BYTES]));
        // Index u32 ‖ size u32 ‖ n u8.
        uint256 hashes = path >> 184 & 0xFF;
        uint256 end = HEAD_BYTES + hashes * 32;
        bool isWhole = hashes <= PATH_HASHES_MAX && receipt.length == end + SIGNATURE_BYTES;
        require(isWhole, ICourt.NotAReceipt());
        bytes32 root = _groupRoot(opened.leaf, path, receipt[HEAD_BYTES:end]);
        bool isSigned = _isSigned(_digest(rollup, opened.epoch, root), receipt[end:], key);
        require(isSigned, ICourt.WrongSignature());
    }

    function _groupRoot(bytes32 leaf, uint256 head, bytes calldata path) private pure returns (bytes32 root) {
        // forge-lint: disable-next-line(unsafe-typecast): the fields where they stand.
        (uint64 index, uint64 size) = (uint32(head >> 224), uint32(head >> 192));
        require(index < size, ICourt.WrongPath());
        bool fits;
        (fits, root) = LogProof.climb(index, size, leaf, path);
        require(fits, ICourt.WrongPath());
    }

    /// @dev EIP-712.
    function _digest(address rollup, uint64 epoch, bytes32 groupRoot) private view returns (bytes32) {
        bytes32 domain = Signing.separator(block.chainid, rollup);
        bytes32 struct_ = keccak256(abi.encode(RECEIPT_TYPE, epoch, groupRoot));
        return keccak256(abi.encodePacked(hex"1901", domain, struct_));
    }

    /// @dev By the rule that principals' secp256k1 signatures are judged by; no key of zero signs anything.
    function _isSigned(bytes32 digest, bytes calldata signature, address key) private view returns (bool) {
        uint256 ptr = Memory.allocate(SIGNATURE_BYTES + 32);
        assembly ("memory-safe") {
            calldatacopy(ptr, signature.offset, SIGNATURE_BYTES)
            mstore(add(ptr, SIGNATURE_BYTES), shl(96, key))
        }
        return Signatures.verify(Codes.SECP256K1, ptr + SIGNATURE_BYTES, digest, ptr) == 0;
    }
}
