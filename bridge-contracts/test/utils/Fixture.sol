// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accusations} from "../../src/libraries/Accusations.sol";
import {Predicate} from "../../src/types/Convictions.sol";
import {Header} from "../../src/types/Header.sol";
import {Parameters} from "../../src/types/Parameters.sol";
import {Batch} from "../../src/types/State.sol";
import {Deploy} from "./Deploy.sol";
import {RollupHarness} from "./RollupHarness.sol";
import {Terms} from "./Terms.sol";
import {Vm} from "./Vm.sol";

/// @title A deployed Rollup and the people around it
abstract contract Fixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    address internal constant OWNER = address(0x0123);
    address internal constant OFFICER = address(0x0456);
    address internal constant HOSPITAL = address(0xA001);
    address internal constant CLINIC = address(0xA002);
    address internal constant ALICE = address(0xB001);
    address internal constant BOB = address(0xB002);
    address internal constant CAROL = address(0xB003);
    address internal constant ANYONE = address(0xC001);
    address internal constant RECEIPTS = address(0xD001);
    address internal constant EXECUTOR = address(0xE001);
    address internal constant COURT = address(0xE002);
    bytes32 internal constant SALT = "salt";

    RollupHarness internal rollup;

    function setUp() public virtual {
        vm.warp(START);
        // Stand-ins with some code: the tests speak for the judges.
        vm.etch(EXECUTOR, hex"00");
        vm.etch(COURT, hex"00");
        rollup = Deploy.harness(defaults());
        address[6] memory accounts = [HOSPITAL, CLINIC, ALICE, BOB, CAROL, ANYONE];
        for (uint256 i = 0; i < accounts.length; i++) {
            vm.deal(accounts[i], 1000 ether);
        }
    }

    /// @dev As in production.
    function defaults() internal pure returns (Parameters memory given) {
        given = Terms.production();
        given.genesisRoot = keccak256("genesis");
        given.owner = OWNER;
        given.keyOfficer = OFFICER;
        given.executor = EXECUTOR;
        given.court = COURT;
    }

    function deployMasked() internal {
        Parameters memory given = defaults();
        given.masked = true;
        rollup = Deploy.harness(given);
        registerOrg(HOSPITAL);
        registerOrg(CLINIC);
    }

    function bond(address account) internal {
        vm.prank(account);
        rollup.bond{value: 32 ether}(RECEIPTS);
    }

    function registerOrg(address account) internal {
        vm.prank(OWNER);
        rollup.registerOrg(account, 1, keccak256("name"), keccak256("key"), 1, abi.encodePacked(account), 0, "tag");
    }

    function registerPeriod(uint64 number, bytes32 root) internal {
        vm.prank(OFFICER);
        rollup.registerPeriod(number, root);
    }

    function enqueue() internal {
        uint256 fee = rollup.forcedFee();
        vm.prank(ANYONE);
        rollup.enqueue{value: fee}(envelope(120));
    }

    function envelope(uint256 length) internal pure returns (bytes memory bytes_) {
        bytes_ = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            bytes_[i] = bytes1(uint8(i % 255 + 1));
        }
    }

    /// @dev A batch that would be taken now: one page in calldata, all of the queue.
    function next() internal view returns (Header memory header) {
        (uint64 number, bytes32 parent) = rollup.head();
        Batch memory last = rollup.batchAt(number);
        header.mode = rollup.isRipe(rollup.slot() / 1024) ? 2 : 0;
        header.parent = parent;
        header.number = number + 1;
        header.epoch = rollup.epoch();
        header.slot = rollup.slot();
        header.pages = 1;
        header.postRoot = keccak256(abi.encode(rollup.slot()));
        header.clock = uint48(time() * 1000);
        header.nextSequence = last.nextSequence + 10;
        header.cursor = rollup.queueLength();
        header.dataReference = referenceOf(pages(1));
    }

    function pages(uint256 count) internal pure returns (bytes memory bytes_) {
        bytes_ = new bytes(count * 992);
        for (uint256 i = 0; i < count; i++) {
            bytes_[i * 992] = bytes1(uint8(i + 1));
            bytes_[i * 992 + 991] = 0xee;
        }
    }

    /// @dev The tree as RFC 9162 §2.1.1 defines it, split by split.
    function referenceOf(bytes memory pages_) internal pure returns (bytes32) {
        return treeOf(pages_, 0, pages_.length / 992);
    }

    function treeOf(bytes memory pages_, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) {
            bytes memory page = new bytes(993);
            for (uint256 i = 0; i < 31; i++) {
                uint256 word;
                assembly ("memory-safe") {
                    word := mload(add(add(pages_, 32), add(mul(from, 992), mul(i, 32))))
                    mstore(add(add(page, 33), mul(i, 32)), word)
                }
            }
            return keccak256(page);
        }
        uint256 split = 1;
        while (split * 2 < to - from) split *= 2;
        return
            keccak256(abi.encodePacked(uint8(1), treeOf(pages_, from, from + split), treeOf(pages_, from + split, to)));
    }

    function post(address sender, Header memory header, bytes memory pages_) internal {
        vm.prank(sender, sender);
        rollup.postCalldata(header, pages_);
    }

    function post(address sender) internal {
        post(sender, next(), pages(1));
    }

    function refusePost(address sender, Header memory header, bytes memory reason) internal {
        vm.expectRevert(reason);
        post(sender, header, pages(1));
    }

    /// @dev Of a page of a batch at or below the head: some accusation that the page executor may make good.
    function accusationOf(uint64 number) internal view returns (bytes32) {
        return accusationOf(number, 0);
    }

    function accusationOf(uint64 number, uint256 place) internal view returns (bytes32) {
        (bytes32 contentHash,,) = rollup.batches(number);
        return Accusations.hash(Predicate.Page, contentHash, place, "right");
    }

    /// @dev Of a receipt: some accusation that the court may make good.
    function accusation(bytes32 leaf) internal pure returns (bytes32) {
        return Accusations.hash(Predicate.Future, leaf, 0, 0);
    }

    function commit(address challenger, bytes32 accusation_) internal {
        bytes32 commitment = Accusations.commitment(challenger, accusation_, SALT);
        vm.prank(challenger);
        rollup.commit(commitment);
    }

    function convictBatch(uint64 number, bytes32 accusation_, address challenger) internal {
        vm.prank(EXECUTOR);
        rollup.convictBatch(number, accusation_, challenger, SALT);
    }

    function convictBatch(uint64 number) internal {
        convictBatch(number, accusationOf(number), ANYONE);
    }

    function convictSequencer(address account, bytes32 accusation_, address challenger) internal {
        vm.prank(COURT);
        rollup.convictSequencer(account, accusation_, challenger, SALT);
    }

    /// @dev With a commitment a block before.
    function accuse(address account, bytes32 accusation_, address challenger) internal {
        commit(challenger, accusation_);
        nextBlock();
        convictSequencer(account, accusation_, challenger);
    }

    function nextBlock() internal {
        vm.roll(vm.getBlockNumber() + 1);
    }

    function blobs(uint256 count) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            hashes[i] = bytes32(uint256(1) << 248 | i + 1);
        }
    }

    function postBlobs(address sender, Header memory header, bytes32[] memory hashes) internal {
        vm.blobhashes(hashes);
        vm.prank(sender, sender);
        rollup.postBlobs(header);
    }

    /// @dev `number` within `from` to `to`.
    function bound(uint256 number, uint256 from, uint256 to) internal pure returns (uint256) {
        return from + number % (to - from + 1);
    }

    /// @dev Asked of Forge: the optimizer takes `block.timestamp` for constant within a call.
    function time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function pass(uint256 span) internal {
        vm.warp(time() + span);
    }

    function pause() internal {
        vm.prank(OWNER);
        rollup.pause();
    }

    function unpause() internal {
        vm.prank(OWNER);
        rollup.unpause();
    }
}
