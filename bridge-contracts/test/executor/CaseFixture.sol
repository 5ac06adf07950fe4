// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobOpening} from "../../src/executor/Openings.sol";
import {PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {ClaimedRoot} from "../../src/types/Convictions.sol";
import {Header} from "../../src/types/Header.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";
import {Kzg} from "./Kzg.sol";
import {RollupMock} from "./RollupMock.sol";

/// @title Pages of the golden vectors as pages of batches on L1
/// @dev The rollup is a mock at the vectors' address. Blobs are real: `Kzg`.
abstract contract CaseFixture is ExecutorFixture {
    struct Step {
        bytes page;
        bytes item;
        bytes witness;
        bytes32 preRoot;
        /// Zero if the page is INVALID.
        bytes32 root;
        uint64 cursor;
    }

    /// @dev How a page is posted.
    struct Way {
        bool isBlobs;
        bool isMasked;
        uint16 index;
    }

    RollupMock internal constant ROLLUP = RollupMock(address(bytes20(hex"c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4")));
    uint64 internal constant NUMBER = 9;
    uint64 internal constant EPOCH = 4;
    /// @dev Of period 5.
    uint64 internal constant SLOT = 5 * 1024 + 17;
    bytes32 internal constant SALT = keccak256("salt");
    bytes32 internal constant PAGE_KEY = keccak256("page key");
    address internal constant CHALLENGER = address(0xC4A1);

    function setUp() public virtual override {
        super.setUp();
        vm.etch(address(ROLLUP), address(new RollupMock()).code);
    }

    function load(uint256 chain, uint256 step) internal view returns (Step memory given) {
        string memory json = read("pages.json");
        string memory path = entry("", chain);
        given.preRoot = vm.parseJsonBytes32(json, string.concat(path, ".state.root"));
        string memory steps = string.concat(path, ".steps");
        if (chain != 3 && step > 0) {
            given.preRoot = vm.parseJsonBytes32(json, string.concat(entry(steps, step - 1), ".root"));
        }
        string memory place = entry(steps, step);
        given.page = vm.parseJsonBytes(json, string.concat(place, ".page"));
        given.item = bytesOf(json, string.concat(place, ".item"));
        given.witness = vm.parseJsonBytes(json, string.concat(place, ".witness"));
        given.cursor = uint64(bytes8(slice(given.witness, 27, 8)));
        bool hasRoot =
            keccak256(bytes(vm.parseJsonString(json, string.concat(place, ".outcome")))) == keccak256(bytes("root"));
        if (hasRoot) given.root = vm.parseJsonBytes32(json, string.concat(place, ".root"));
    }

    /// @dev The page in a batch of its own that the rollup has. `claimed` is what it claims.
    function posted(Step memory step, Way memory way, bytes32 claimed) internal returns (PageCase memory given) {
        given.rollup = IRollup(address(ROLLUP));
        given.index = way.index;
        given.item = step.item;
        given.witness = step.witness;
        given.salt = SALT;
        bytes32 item = step.item.length == 0 ? bytes32(0) : keccak256(bytes.concat(hex"09", step.item));
        ROLLUP.enqueue(step.cursor, item);
        bytes memory page = bytes.concat(claimed, slice(step.page, 32, 960));
        if (way.isMasked) page = masked(given, page);
        bytes memory before = bytes.concat(step.preRoot, new bytes(960));
        given.header = Header({
            mode: (way.isBlobs ? 1 : 0) | (way.isMasked ? 2 : 0),
            dataReference: 0,
            parent: keccak256("parent"),
            number: NUMBER,
            epoch: EPOCH,
            slot: SLOT,
            pages: way.index + 2,
            postRoot: keccak256("post root"),
            clock: 77,
            nextSequence: 78,
            cursor: 79
        });
        if (way.index == 0) {
            given.parent.number = NUMBER - 1;
            given.parent.postRoot = step.preRoot;
            given.header.parent = keccak256(abi.encode(given.parent));
        }
        if (way.isBlobs) putInBlob(given, page, before);
        else putInCalldata(given, page, before);
        post(given);
    }

    function post(PageCase memory given) internal {
        ROLLUP.post(NUMBER, keccak256(abi.encode(given.header)));
    }

    /// @dev XOR with the pad; a key whose path leads to the period's root.
    function masked(PageCase memory given, bytes memory page) private returns (bytes memory) {
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        for (uint256 j = 0; j < 30; j++) {
            words[j + 1] ^= keccak256(abi.encodePacked(uint8(6), PAGE_KEY, words[0], uint8(j)));
        }
        given.pageKey = PAGE_KEY;
        bytes32 hash = keccak256(abi.encodePacked(uint8(8), PAGE_KEY));
        uint256 place = (SLOT % 1024) * 1024 + given.index;
        for (uint256 i = 0; i < 20; i++) {
            bytes32 sibling = keccak256(abi.encode("sibling", i));
            given.path[i] = sibling;
            hash = place >> i & 1 == 1
                ? node(sibling, hash)
                : node(hash, sibling);
        }
        ROLLUP.register(SLOT / 1024, hash);
        return abi.encode(words);
    }

    /// @dev One page more than is looked at, behind it: a batch of two, or of three with the page in the middle.
    function putInCalldata(PageCase memory given, bytes memory page, bytes memory before) private pure {
        given.page = abi.decode(page, (bytes32[31]));
        bytes32 leaf = keccak256(bytes.concat(hex"00", page));
        bytes32 last = keccak256("last page");
        if (given.index == 0) {
            given.inclusion = abi.encodePacked(uint64(0), uint64(2), uint8(1), last);
            given.header.dataReference = node(leaf, last);
            return;
        }
        require(given.index == 1);
        bytes32 first = keccak256(bytes.concat(hex"00", before));
        given.header.dataReference = node(node(first, leaf), last);
        given.inclusion = abi.encodePacked(uint64(1), uint64(3), uint8(2), first, last);
        given.before.page = abi.decode(before, (bytes32[31]));
        given.before.inclusion = abi.encodePacked(uint64(0), uint64(3), uint8(2), leaf, last);
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }

    /// @dev In the blob of its number, among others that nobody looks at.
    function putInBlob(PageCase memory given, bytes memory page, bytes memory before) private view {
        uint256 place = given.index % 128;
        uint256[32][2] memory values = [elementsOf(page), elementsOf(before)];
        // Of the first page the other one is the next.
        uint256[2] memory places = [place, place == 0 ? 1 : place - 1];
        uint256[] memory polynomial = Kzg.interpolate(places, values);
        given.blob.commitment = Kzg.commit(polynomial);
        given.blob.hashes = new bytes32[](given.index / 128 + 1);
        given.blob.hashes[given.index / 128] = Kzg.versionedHash(given.blob.commitment);
        open(given.blob, polynomial, places[0], 32);
        given.header.dataReference = keccak256(abi.encodePacked(given.blob.hashes));
        if (given.index == 0) return;
        given.before.blob.hashes = given.blob.hashes;
        given.before.blob.commitment = given.blob.commitment;
        open(given.before.blob, polynomial, places[1], 2);
    }

    function open(BlobOpening memory opening, uint256[] memory polynomial, uint256 place, uint256 count) private view {
        for (uint256 j = 0; j < count; j++) {
            (uint256 value, bytes memory proof) = Kzg.open(polynomial, place, j);
            opening.elements = abi.encodePacked(opening.elements, value);
            opening.proofs = abi.encodePacked(opening.proofs, proof);
        }
    }

    function elementsOf(bytes memory page) private pure returns (uint256[32] memory elements) {
        for (uint256 j = 0; j < 32; j++) {
            elements[j] = uint256(bytes32(slice(page, 31 * j, 31))) >> 8;
        }
    }

    /// @dev The error of a conviction that failed; zero if it convicted.
    function errorOf(PageCase memory given) internal returns (bytes4) {
        vm.prank(CHALLENGER);
        try executor.convictPage(given) {
            return 0;
        } catch (bytes memory reason) {
            return reason.length < 4 ? bytes4(0xffffffff) : bytes4(reason);
        }
    }

    /// @dev That the last word to the rollup convicts this page's batch, leading to `right`.
    function checkConvicted(PageCase memory given, bytes32 right, uint256 times) internal view {
        vm.assertEq(ROLLUP.convictions(), times);
        RollupMock.Word memory word = ROLLUP.last();
        bytes32 contentHash = keccak256(abi.encode(given.header));
        vm.assertEq(word.subject, keccak256(abi.encode(uint8(1), contentHash, uint256(given.index), right)));
        vm.assertEq(word.number, NUMBER);
        vm.assertEq(word.challenger, CHALLENGER);
        vm.assertEq(word.salt, SALT);
        vm.assertEq(word.judge, address(executor));
    }
}
