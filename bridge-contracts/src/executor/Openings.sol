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
    /// A KZG proof of each, 48 bytes.
    bytes proofs;
}

/// @title Pages as they were posted, opened on L1
/// @dev Source: docs/spec.md §11, §12.2, §12.3; EIP-4844. Whatever does not fit reverts: a failed opening is no page, and
/// convicts nobody.
library Openings {
    uint256 private constant PAGE_BYTES = 992;
    uint256 private constant ELEMENTS_PER_PAGE = 32;
    uint256 private constant COMMITMENT_BYTES = 48;
    uint256 private constant EVALUATION_BYTES = 192;
    /// @dev Behind the precompile's input: where elements and proofs stand in calldata.
    uint256 private constant ELEMENTS_AT = 192;
    uint256 private constant PROOFS_AT = 224;
    /// @dev It takes 50,000; one that fails takes all it is given.
    uint256 private constant EVALUATION_GAS = 100_000;
    /// @dev Order of BLS12-381's scalar field; a root of unity of order 4,096 in it, 7^((order − 1) / 4096), and its
    /// 128th power, of order 32.
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant ROOT = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;
    uint256 private constant ROOT_32 = 0x50e0903a157988bab4bcd40e22f55448bf6e88fb4c38fb8a360c60997369df4e;

    /// @notice A page of a batch in calldata.
    /// @param page Its bytes as posted.
    /// @param index Its place in the batch.
    /// @param pages Of the batch's header.
    /// @param inclusion Its path, encoded as in docs/spec.md §8.3.
    /// @param dataReference Of the batch's header.
    function checkCalldata(
        bytes32[31] calldata page,
        uint256 index,
        uint256 pages,
        bytes calldata inclusion,
        bytes32 dataReference
    ) internal pure {
        (uint64 place, uint64 size) = LogProof.place(inclusion);
        bytes32 leaf = _leaf(page);
        bool holds = place == index && size == pages && LogProof.holds(inclusion, leaf, dataReference);
        require(holds, IPageExecutor.WrongOpening());
    }

    /// @dev keccak(0x00 ‖ page).
    function _leaf(bytes32[31] calldata page) private pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let ptr := mload(0x40)
            mstore8(ptr, 0)
            calldatacopy(add(ptr, 1), page, PAGE_BYTES)
            leaf := keccak256(ptr, add(PAGE_BYTES, 1))
        }
    }

    /// @notice A page of a batch in blobs, as posted: the low 31 bytes of its 32 elements, in order.
    function pageInBlob(BlobOpening calldata opening, uint256 index, bytes32 dataReference)
        internal
        view
        returns (bytes32[31] memory page)
    {
        unchecked {
            // The last element is written with a byte of zero after it.
            Memory.allocate(32);
            (uint256 input, uint256 z) = _begin(opening, index, dataReference, ELEMENTS_PER_PAGE);
            for (uint256 i = 0; i < ELEMENTS_PER_PAGE; i++) {
                _evaluate(input, z, _reverse(i, 5));
                z = mulmod(z, ROOT_32, MODULUS);
            }
            assembly ("memory-safe") {
                let elements := mload(add(input, ELEMENTS_AT))
                for { let i := 0 } lt(i, ELEMENTS_PER_PAGE) { i := add(i, 1) } {
                    mstore(add(page, mul(i, 31)), shl(8, calldataload(add(elements, shl(5, i)))))
                }
            }
        }
    }

    /// @notice The root that a page of a batch in blobs claims: in its first two elements, and never masked.
    function rootInBlob(BlobOpening calldata opening, uint256 index, bytes32 dataReference)
        internal
        view
        returns (bytes32 root)
    {
        (uint256 input, uint256 z) = _begin(opening, index, dataReference, 2);
        _evaluate(input, z, 0);
        // Position 1, reversed in 5 bits, is 16: half way round.
        unchecked {
            _evaluate(input, MODULUS - z, 1);
        }
        assembly ("memory-safe") {
            let elements := mload(add(input, ELEMENTS_AT))
            root := or(shl(8, calldataload(elements)), byte(1, calldataload(add(elements, 32))))
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

    /// @dev A precompile's input with the blob's hash and commitment; the point of the page's first element.
    function _begin(BlobOpening calldata opening, uint256 index, bytes32 dataReference, uint256 count)
        private
        pure
        returns (uint256 input, uint256 z)
    {
        unchecked {
            bytes32[] calldata hashes = opening.hashes;
            bytes calldata commitment = opening.commitment;
            bytes calldata elements = opening.elements;
            bytes calldata proofs = opening.proofs;
            uint256 blob = index / DataReference.PAGES_PER_BLOB;
            bool fits = commitment.length == COMMITMENT_BYTES && elements.length == count * 32
                && proofs.length == count * COMMITMENT_BYTES && blob < hashes.length && _hash(hashes) == dataReference;
            require(fits, IPageExecutor.WrongOpening());
            input = Memory.allocate(EVALUATION_BYTES + 64);
            assembly ("memory-safe") {
                mstore(add(input, ELEMENTS_AT), elements.offset)
                mstore(add(input, PROOFS_AT), proofs.offset)
                mstore(input, calldataload(add(hashes.offset, shl(5, blob))))
                calldatacopy(add(input, 96), commitment.offset, COMMITMENT_BYTES)
            }
            // Element 32 · page + j stands at the root of unity whose exponent is its number, reversed in 12 bits:
            // reverse(page) + 128 · reverse(j).
            z = 1;
            uint256 power = ROOT;
            for (uint256 exponent = _reverse(index % DataReference.PAGES_PER_BLOB, 7); exponent != 0; exponent >>= 1) {
                if (exponent & 1 == 1) z = mulmod(z, power, MODULUS);
                power = mulmod(power, power, MODULUS);
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

    /// @dev The n-th of the given elements is the blob's value at `z`.
    function _evaluate(uint256 input, uint256 z, uint256 n) private view {
        address callee = Precompiles.POINT_EVALUATION;
        bool isOpened;
        assembly ("memory-safe") {
            mstore(add(input, 32), z)
            mstore(add(input, 64), calldataload(add(mload(add(input, ELEMENTS_AT)), shl(5, n))))
            let proof := add(mload(add(input, PROOFS_AT)), mul(n, COMMITMENT_BYTES))
            calldatacopy(add(input, 144), proof, COMMITMENT_BYTES)
            isOpened := staticcall(EVALUATION_GAS, callee, input, EVALUATION_BYTES, 0, 64)
            // Where there is no precompile, a call succeeds too, and answers nothing.
            isOpened := and(isOpened, and(eq(returndatasize(), 64), eq(mload(32), MODULUS)))
        }
        require(isOpened, IPageExecutor.WrongOpening());
    }

    /// @dev The low bits of a number in reverse order.
    function _reverse(uint256 number, uint256 bits) private pure returns (uint256 reversed) {
        unchecked {
            for (; bits > 0; bits--) {
                reversed = reversed << 1 | number & 1;
                number >>= 1;
            }
        }
    }
}
