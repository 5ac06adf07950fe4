// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {DataReference} from "../libraries/DataReference.sol";
import {LogProof} from "../libraries/LogProof.sol";
import {Masks} from "../libraries/Masks.sol";
import {Precompiles} from "../libraries/Precompiles.sol";
import {Memory} from "./Memory.sol";

/// @notice Elements of one blob: that they stand where they stand.
struct BlobOpening {
    /// Versioned hashes of all blobs of the batch; their hash is the header's data reference.
    bytes32[] hashes;
    /// KZG commitment of the one blob that is looked at, 48 bytes.
    bytes commitment;
    /// Its elements, 32 bytes each, the high byte included.
    bytes elements;
    /// Of two elements: a KZG proof of each, 48 bytes. Of a page's 32: commitment to their quotient 48 ‖ its value 32 ‖
    /// proof of the blob's value 48 ‖ proof of the quotient's 48.
    bytes proofs;
}

/// @title Pages as they were posted, opened on L1
/// @dev Source: docs/spec.md §11, §12.2, §12.3, §12.6; EIP-4844. Whatever does not fit reverts: a failed opening is no
/// page, and convicts nobody.
library Openings {
    uint256 private constant PAGE_BYTES = 992;
    uint256 private constant PAGE_ELEMENTS = 32;
    uint256 private constant ELEMENTS_BYTES = 1024;
    uint256 private constant COMMITMENT_BYTES = 48;
    /// @dev Within what opens a page, behind the commitment to the quotient.
    uint256 private constant VALUE_AT = 48;
    uint256 private constant BLOB_PROOF_AT = 80;
    uint256 private constant QUOTIENT_PROOF_AT = 128;
    uint256 private constant PROOFS_BYTES = 176;
    /// @dev Input of a point evaluation: versioned hash ‖ z ‖ value ‖ commitment ‖ proof.
    uint256 private constant EVALUATION_BYTES = 192;
    /// @dev It takes 50,000; one that fails takes all it is given.
    uint256 private constant EVALUATION_GAS = 100_000;
    uint256 private constant SHA256 = 0x02;
    /// @dev Order of BLS12-381's scalar field; a root of unity of order 4,096 in it, 7^((order − 1) / 4096), and its
    /// 128th power, of order 32.
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant ROOT = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;
    uint256 private constant ROOT_32 = 0x50e0903a157988bab4bcd40e22f55448bf6e88fb4c38fb8a360c60997369df4e;

    /// @notice A page of a batch in calldata, as posted.
    /// @param posted Its bytes, none more or less.
    /// @param index Its place in the batch.
    /// @param pages Of the batch's header.
    /// @param inclusion Its path, encoded as in docs/spec.md §8.3.
    /// @param dataReference Of the batch's header.
    function pageInCalldata(
        bytes calldata posted,
        uint256 index,
        uint256 pages,
        bytes calldata inclusion,
        bytes32 dataReference
    ) internal pure returns (bytes32[31] memory page) {
        (uint64 place, uint64 size) = LogProof.place(inclusion);
        bytes32 leaf;
        // keccak(0x00 ‖ page)
        assembly ("memory-safe") {
            calldatacopy(page, posted.offset, PAGE_BYTES)
            let ptr := mload(0x40)
            mstore8(ptr, 0)
            mcopy(add(ptr, 1), page, PAGE_BYTES)
            leaf := keccak256(ptr, add(PAGE_BYTES, 1))
        }
        bool fits = posted.length == PAGE_BYTES && place == index && size == pages;
        require(fits && LogProof.holds(inclusion, leaf, dataReference), IPageExecutor.WrongOpening());
    }

    /// @notice A page of a batch in blobs, as posted: the low 31 bytes of its 32 elements, in order.
    /// @dev By P(z) = I(z) + Q(z) · (z^32 − h) at a point that a hash chooses: P the blob, I through the elements.
    function pageInBlob(BlobOpening calldata opening, uint256 index, bytes32 dataReference)
        internal
        view
        returns (bytes32[31] memory page)
    {
        (uint256 input, bytes calldata elements, bytes calldata proofs) = _begin(opening, index, dataReference);
        bool fits = elements.length == ELEMENTS_BYTES && proofs.length == PROOFS_BYTES;
        require(fits, IPageExecutor.WrongOpening());
        uint256 z = _challenge(input, index, elements, proofs);
        uint256 ptr;
        uint256 quotient;
        assembly ("memory-safe") {
            ptr := proofs.offset
            quotient := calldataload(add(ptr, VALUE_AT))
        }
        unchecked {
            _evaluate(input, z, _valueAt(page, elements, index, z, quotient), ptr + BLOB_PROOF_AT);
            bool isHashed;
            assembly ("memory-safe") {
                calldatacopy(add(input, 96), ptr, COMMITMENT_BYTES)
                isHashed := staticcall(gas(), SHA256, add(input, 96), COMMITMENT_BYTES, input, 32)
                mstore8(input, 1)
            }
            require(isHashed, IPageExecutor.Starved());
            _evaluate(input, z, quotient, ptr + QUOTIENT_PROOF_AT);
        }
    }

    /// @dev keccak(0x0a ‖ commitment ‖ place in the blob u8 ‖ elements ‖ commitment to the quotient), in the field.
    function _challenge(uint256 input, uint256 index, bytes calldata elements, bytes calldata proofs)
        private
        pure
        returns (uint256 z)
    {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore8(ptr, 0x0a)
            mcopy(add(ptr, 1), add(input, 96), COMMITMENT_BYTES)
            mstore8(add(ptr, 49), and(index, 127))
            calldatacopy(add(ptr, 50), elements.offset, ELEMENTS_BYTES)
            calldatacopy(add(ptr, 1074), proofs.offset, COMMITMENT_BYTES)
            z := mod(keccak256(ptr, 1122), MODULUS)
        }
    }

    /// @dev Copies the page out of its elements, and says what the blob is at `z` if the quotient is `quotient` there:
    /// I(z) + quotient · (z^32 − h). With w over the points where the elements e stand, z^32 − h = Π (z − w) and
    /// I(z) = Σ e · w · Π (z − other w) / (32 · h).
    function _valueAt(bytes32[31] memory page, bytes calldata elements, uint256 index, uint256 z, uint256 quotient)
        private
        pure
        returns (uint256 value)
    {
        unchecked {
            uint256 exponent = _exponent(index);
            uint256 w = _root(exponent);
            // 1 / h.
            uint256 scale = _root(4096 - 32 * exponent);
            uint256 vanishing = 1;
            bool isCanonical = true;
            for (uint256 i = 0; i < PAGE_ELEMENTS; i++) {
                uint256 j = _reverse(i) >> 3;
                assembly ("memory-safe") {
                    let element := calldataload(add(elements.offset, shl(5, j)))
                    isCanonical := and(isCanonical, lt(element, MODULUS))
                    // A page is zero before it is written, and what stands beside these 31 bytes is kept.
                    let to := add(page, mul(j, 31))
                    mstore(to, or(mload(to), shl(8, element)))
                    let factor := addmod(z, sub(MODULUS, w), MODULUS)
                    element := mulmod(mulmod(element, w, MODULUS), vanishing, MODULUS)
                    value := addmod(mulmod(value, factor, MODULUS), element, MODULUS)
                    vanishing := mulmod(vanishing, factor, MODULUS)
                    w := mulmod(w, ROOT_32, MODULUS)
                }
            }
            // Zero if z is one of the points.
            require(isCanonical && vanishing != 0, IPageExecutor.WrongOpening());
            // 1 / 32 is MODULUS − (MODULUS − 1) / 32.
            scale = mulmod(scale, MODULUS - (MODULUS >> 5), MODULUS);
            return addmod(mulmod(value, scale, MODULUS), mulmod(quotient, vanishing, MODULUS), MODULUS);
        }
    }

    /// @notice The root that a page of a batch in blobs claims: in its first two elements, and never masked.
    function rootInBlob(BlobOpening calldata opening, uint256 index, bytes32 dataReference)
        internal
        view
        returns (bytes32 root)
    {
        (uint256 input, bytes calldata elements, bytes calldata proofs) = _begin(opening, index, dataReference);
        bool fits = elements.length == 64 && proofs.length == 2 * COMMITMENT_BYTES;
        require(fits, IPageExecutor.WrongOpening());
        uint256 z = _root(_exponent(index));
        uint256 ptr;
        uint256 first;
        uint256 second;
        assembly ("memory-safe") {
            ptr := proofs.offset
            first := calldataload(elements.offset)
            second := calldataload(add(elements.offset, 32))
            root := or(shl(8, first), byte(1, second))
        }
        unchecked {
            _evaluate(input, z, first, ptr);
            // Position 1, reversed in 5 bits, is 16: half way round.
            _evaluate(input, MODULUS - z, second, ptr + COMMITMENT_BYTES);
        }
    }

    /// @notice Unmasks a page in place with the key that was registered for it.
    /// @param periodRoot Of the slot's period.
    /// @param path Siblings of the key's leaf from the leaf up; its place follows from slot and index.
    function unmask(
        bytes32[31] memory page,
        bytes32 periodRoot,
        uint64 slot,
        uint16 index,
        bytes32 pageKey,
        bytes32[20] calldata path
    ) internal pure {
        require(Masks.isKey(periodRoot, slot, index, pageKey, path), IPageExecutor.WrongOpening());
        Masks.unmask(page, pageKey);
    }

    /// @dev A precompile's input with the blob's hash and commitment; how many elements and proofs there are is left to
    /// the caller: a function that is called with numbers is compiled once for each.
    function _begin(BlobOpening calldata opening, uint256 index, bytes32 dataReference)
        private
        pure
        returns (uint256 input, bytes calldata elements, bytes calldata proofs)
    {
        unchecked {
            bytes32[] calldata hashes = opening.hashes;
            bytes calldata commitment = opening.commitment;
            elements = opening.elements;
            proofs = opening.proofs;
            uint256 blob = index / DataReference.PAGES_PER_BLOB;
            bool fits = commitment.length == COMMITMENT_BYTES && blob < hashes.length && _hash(hashes) == dataReference;
            require(fits, IPageExecutor.WrongOpening());
            input = Memory.allocate(EVALUATION_BYTES);
            assembly ("memory-safe") {
                mstore(input, calldataload(add(hashes.offset, shl(5, blob))))
                calldatacopy(add(input, 96), commitment.offset, COMMITMENT_BYTES)
            }
        }
    }

    /// @dev Of versioned hashes, joined.
    function _hash(bytes32[] calldata hashes) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            calldatacopy(ptr, hashes.offset, shl(5, hashes.length))
            hash := keccak256(ptr, shl(5, hashes.length))
        }
    }

    /// @dev The polynomial of the input's commitment has this value at `z`; its proof lies in calldata.
    function _evaluate(uint256 input, uint256 z, uint256 value, uint256 proof) private view {
        address callee = Precompiles.POINT_EVALUATION;
        bool isOpened;
        assembly ("memory-safe") {
            mstore(add(input, 32), z)
            mstore(add(input, 64), value)
            calldatacopy(add(input, 144), proof, COMMITMENT_BYTES)
            isOpened := staticcall(EVALUATION_GAS, callee, input, EVALUATION_BYTES, 0, 64)
            // Where there is no precompile, a call succeeds too, and answers nothing.
            isOpened := and(isOpened, and(eq(returndatasize(), 64), eq(mload(32), MODULUS)))
        }
        require(isOpened, IPageExecutor.WrongOpening());
    }

    /// @dev Element 32 · page + j stands at the root of unity whose exponent is its number, reversed in 12 bits:
    /// reverse(page) + 128 · reverse(j). Of the page's first.
    function _exponent(uint256 index) private pure returns (uint256) {
        return _reverse(index % DataReference.PAGES_PER_BLOB) >> 1;
    }

    function _root(uint256 exponent) private pure returns (uint256 power) {
        assembly ("memory-safe") {
            let base := ROOT
            power := 1
            for {} exponent { exponent := shr(1, exponent) } {
                if and(exponent, 1) { power := mulmod(power, base, MODULUS) }
                base := mulmod(base, base, MODULUS)
            }
        }
    }

    /// @dev The low eight bits of a number in reverse order: of five copies the bits that are right modulo 2^10 − 1.
    function _reverse(uint256 number) private pure returns (uint256) {
        unchecked {
            return (number * 0x0202020202 & 0x010884422010) % 1023;
        }
    }
}
