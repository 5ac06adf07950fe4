// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../../src/executor/Openings.sol";
import {PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {Kzg} from "./Kzg.sol";

/// @title Pages put into batches, with all that opens them
/// @dev In calldata, of a batch of two pages or, for the second page, of three; in blobs anywhere. Whatever else is in
/// the batch is made up.
library CaseBuilder {
    bytes32 internal constant PAGE_KEY = keccak256("page key");

    /// @dev XOR with the pad; a key whose path leads to the period's root.
    function mask(PageCase memory given, bytes memory page, uint256 slot)
        internal
        pure
        returns (bytes memory, bytes32 periodRoot)
    {
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        for (uint256 j = 0; j < 30; j++) {
            words[j + 1] ^= keccak256(abi.encodePacked(uint8(6), PAGE_KEY, words[0], uint8(j)));
        }
        given.pageKey = PAGE_KEY;
        bytes32 hash = keccak256(abi.encodePacked(uint8(8), PAGE_KEY));
        uint256 place = (slot % 1024) * 1024 + given.index;
        for (uint256 i = 0; i < 20; i++) {
            bytes32 sibling = keccak256(abi.encode("sibling", i));
            given.path[i] = sibling;
            hash = place >> i & 1 == 1 ? node(sibling, hash) : node(hash, sibling);
        }
        return (abi.encode(words), hash);
    }

    /// @dev One page more than is looked at, behind it: a batch of two, or of three with the page in the middle.
    function putInCalldata(PageCase memory given, bytes memory page, bytes memory before) internal pure {
        given.page = page;
        bytes32 leaf = keccak256(bytes.concat(hex"00", page));
        bytes32 last = keccak256(bytes.concat(hex"00", new bytes(992)));
        if (given.index == 0) {
            given.inclusion = abi.encodePacked(uint64(0), uint64(2), uint8(1), last);
            given.header.dataReference = node(leaf, last);
            return;
        }
        require(given.index == 1);
        bytes32 first = keccak256(bytes.concat(hex"00", before));
        given.header.dataReference = node(node(first, leaf), last);
        given.inclusion = abi.encodePacked(uint64(1), uint64(3), uint8(2), first, last);
        given.before.page = before;
        given.before.inclusion = abi.encodePacked(uint64(0), uint64(3), uint8(2), leaf, last);
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }

    /// @dev In the blob of its number, among others that nobody looks at.
    function putInBlob(PageCase memory given, bytes memory page, bytes memory before) internal view {
        uint256 place = given.index % 128;
        uint256[] memory polynomial = polynomialOf(place, page, before);
        given.blob.commitment = Kzg.commit(polynomial);
        given.blob.hashes = new bytes32[](given.index / 128 + 1);
        given.blob.hashes[given.index / 128] = Kzg.versionedHash(given.blob.commitment);
        given.blob.elements = Kzg.elementsAt(polynomial, place);
        given.blob.proofs = Kzg.proofsOf(polynomial, place, given.blob.elements);
        given.header.dataReference = keccak256(abi.encodePacked(given.blob.hashes));
        if (given.index == 0) return;
        given.before.blob.hashes = given.blob.hashes;
        given.before.blob.commitment = given.blob.commitment;
        openRoot(given.before.blob, polynomial, place == 0 ? 1 : place - 1);
    }

    /// @dev With the page before beside it; of the first page that one is the next.
    function polynomialOf(uint256 place, bytes memory page, bytes memory before)
        internal
        view
        returns (uint256[] memory)
    {
        uint256[32][2] memory values = [elementsOf(page), elementsOf(before)];
        return Kzg.interpolate([place, place == 0 ? 1 : place - 1], values);
    }

    function openRoot(BlobOpening memory opening, uint256[] memory polynomial, uint256 place) internal view {
        (uint256 first, bytes memory firstProof) = Kzg.open(polynomial, place, 0);
        (uint256 second, bytes memory secondProof) = Kzg.open(polynomial, place, 1);
        opening.elements = abi.encode(first, second);
        opening.proofs = bytes.concat(firstProof, secondProof);
    }

    function elementsOf(bytes memory page) private pure returns (uint256[32] memory elements) {
        for (uint256 j = 0; j < 32; j++) {
            elements[j] = wordAt(page, 31 * j) >> 8;
        }
    }

    function wordAt(bytes memory whole, uint256 from) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(whole, 32), from))
        }
    }
}
