// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Header} from "../../src/types/Header.sol";
import {Deploy} from "../utils/Deploy.sol";
import {CaseBuilder} from "./CaseBuilder.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";
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
    address internal constant CHALLENGER = address(0xC4A1);

    function setUp() public virtual override {
        super.setUp();
        vm.etch(address(ROLLUP), Deploy.named("RollupMock").code);
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
        if (way.isMasked) {
            bytes32 root;
            (page, root) = CaseBuilder.mask(given, page, SLOT);
            ROLLUP.register(SLOT / 1024, root);
        }
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
        if (way.isBlobs) CaseBuilder.putInBlob(given, page, before);
        else CaseBuilder.putInCalldata(given, page, before);
        post(given);
    }

    function post(PageCase memory given) internal {
        ROLLUP.post(NUMBER, keccak256(abi.encode(given.header)));
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
