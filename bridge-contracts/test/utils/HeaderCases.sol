// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimedRoot} from "../../src/types/Convictions.sol";
import {Header} from "../../src/types/Header.sol";
import {CourtFixture} from "./CourtFixture.sol";
import {KzgLine} from "./KzgLine.sol";

/// @title Batches in calldata and in blobs whose headers tell the truth, or lie
/// @dev The state holds meta row 0 alone, which is enough of one for a header.
abstract contract HeaderCases is CourtFixture {
    /// @dev A batch that tells the truth: its header, its last page's root, opened, and the meta row under it.
    struct Case {
        Header header;
        ClaimedRoot last;
        bytes meta;
        bytes32 root;
        bytes pages;
    }

    function setUp() public virtual override {
        super.setUp();
        enqueue();
        enqueue();
    }

    function rowOf(uint64 nextSequence, uint48 clock, uint64 cursor) internal pure returns (bytes memory) {
        return abi.encodePacked(nextSequence, clock, cursor, new bytes(16), keccak256("log"));
    }

    /// @dev Witness of a state that holds this row of meta alone.
    function metaOf(bytes memory row, uint32 number) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), uint8(0), number, bytes5(0), uint16(row.length), row, uint8(0), uint16(0));
    }

    /// @dev Root of a state that holds the witness's row alone; no other subtree.
    function rootOf(bytes memory meta) internal pure returns (bytes32 node) {
        bytes memory row = new bytes(meta.length - 16);
        for (uint256 i = 0; i < row.length; i++) {
            row[i] = meta[13 + i];
        }
        node = keccak256(bytes.concat(hex"00", row));
        uint256 number = uint8(meta[5]);
        bytes32 empty = 0;
        for (uint256 height = 0; height < 35; height++) {
            (bytes32 left, bytes32 right) = number >> height & 1 == 1 ? (empty, node) : (node, empty);
            node = keccak256(bytes.concat(hex"01", left, right));
            empty = keccak256(bytes.concat(hex"01", empty, empty));
        }
    }

    function honestCase(uint8 mode, uint16 count) internal returns (Case memory) {
        pass(10);
        Header memory header = next();
        return caseOf(mode, count, metaOf(rowOf(header.nextSequence, header.clock, header.cursor), 0));
    }

    /// @dev The meta row says what the header says, but for what `meta` is given otherwise.
    function caseOf(uint8 mode, uint16 count, bytes memory meta) internal view returns (Case memory given) {
        given.header = next();
        given.header.mode = mode;
        given.header.pages = count;
        given.meta = meta;
        given.root = rootOf(meta);
        given.header.postRoot = given.root;
        if (mode & 1 == 1) {
            given.last.blob = KzgLine.open(count - 1, (uint256(count) + 127) / 128, given.root);
            given.header.dataReference = keccak256(abi.encodePacked(given.last.blob.hashes));
        } else {
            given.pages = pages(count);
            putRoot(given.pages, uint256(count) - 1, given.root);
            given.header.dataReference = referenceOf(given.pages);
            given.last = openingOf(given.header, given.pages, uint256(count) - 1);
        }
    }

    /// @dev 0 the root, 1 the clock, 2 the next sequence number, 3 the cursor; not yet posted.
    function lyingCase(uint8 mode, uint16 count, uint8 field) internal returns (Case memory given) {
        given = honestCase(mode, count);
        if (field == 0) given.header.postRoot = ~given.root;
        if (field == 1) given.header.clock++;
        if (field == 2) given.header.nextSequence--;
        if (field == 3) given.header.cursor--;
    }

    function openingOf(Header memory header, bytes memory pages_, uint256 index)
        internal
        pure
        returns (ClaimedRoot memory opened)
    {
        bytes memory page = new bytes(992);
        assembly ("memory-safe") {
            mcopy(add(page, 32), add(add(pages_, 32), mul(index, 992)), 992)
        }
        opened.page = page;
        bytes memory path = pathOf(pages_, index, 0, header.pages);
        opened.inclusion = abi.encodePacked(uint64(index), uint64(header.pages), uint8(path.length / 32), path);
    }

    function pathOf(bytes memory pages_, uint256 index, uint256 from, uint256 to) internal pure returns (bytes memory) {
        if (to - from == 1) return "";
        uint256 size = 1;
        while (size * 2 < to - from) size *= 2;
        uint256 split = from + size;
        return index < split
            ? bytes.concat(pathOf(pages_, index, from, split), treeOf(pages_, split, to))
            : bytes.concat(pathOf(pages_, index, split, to), treeOf(pages_, from, split));
    }

    function putRoot(bytes memory pages_, uint256 index, bytes32 root) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(pages_, 32), mul(index, 992)), root)
        }
    }

    function copy(Case memory given) internal pure returns (Case memory) {
        return abi.decode(abi.encode(given), (Case));
    }

    function postCase(Case memory given) internal {
        if (given.header.mode & 1 == 1) postBlobs(rollup.sequencer(), given.header, given.last.blob.hashes);
        else post(rollup.sequencer(), given.header, given.pages);
    }
}
