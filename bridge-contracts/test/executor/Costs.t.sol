// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PageExecutor} from "../../src/PageExecutor.sol";
import {IPageExecutor, PageCase} from "../../src/interfaces/IPageExecutor.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Header} from "../../src/types/Header.sol";
import {Standing} from "../../src/types/State.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Bench} from "./Bench.sol";
import {BigPages} from "./BigPages.sol";
import {CaseBuilder} from "./CaseBuilder.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title What it costs to convict by a large page, all of it
/// @dev Through the entry point, against the Rollup itself, which takes the batch back, turns its poster out and owes
/// the reward; committed, masked, the page in the middle of a batch. Storage and accounts are cold. To the gas of the
/// call come 21,000 and 4 or 16 a byte of the transaction's data, or the floor of EIP-7623 if that is more.
contract CostsTest is Fixture, BigPages {
    struct Cost {
        uint256 bytes_;
        uint256 tokens;
        uint256 call;
        uint256 whole;
    }

    uint256 private constant RECEIPT_KEY = 0xBEEF;
    uint256 private constant TRANSACTION_GAS_MAX = 1 << 24;
    uint256 private constant TRANSACTION_BYTES_MAX = 128 * 1024;
    /// @dev Envelope of the transaction around the data: nonce, fees, signature, address, lengths.
    uint256 private constant AROUND_BYTES = 150;
    /// @dev What is aimed at.
    uint256 private constant GAS_MAX = 5_000_000;
    uint256 private constant TYPICAL_GAS_MAX = 4_000_000;
    uint256 private constant BYTES_MAX = 100_000;

    event log(string line);

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
        vm.etch(EXECUTOR, Deploy.named("PageExecutor").code);
    }

    function test_costs_in_blobs() public {
        run(true);
    }

    function test_costs_in_calldata() public {
        run(false);
    }

    /// @dev Of an honest page, by a receipt for an envelope that is not there; the batch stays.
    function test_costs_of_contradictions() public {
        emit log("| contradiction, tables | opening | transaction bytes | call | whole, today | floor at 10/40 | at 64 | at 96 |");
        emit log("|---|---|---|---|---|---|---|---|");
        check(this.contradict("busiest: 96 rows, 225 events", 32, 1), GAS_MAX, BYTES_MAX);
        check(this.contradict("typical: 92 rows, 44 events", 20, 3), TYPICAL_GAS_MAX, BYTES_MAX);
    }

    function contradict(string memory name, uint256 bits, uint256 which) external returns (Cost memory cost) {
        deployMasked();
        signedFor = address(rollup);
        (bytes memory page, bytes memory witness) = build(bits, which);
        bytes32 right = rightOf(page, witness);
        assembly ("memory-safe") {
            mstore(add(page, 32), right)
        }
        PageCase memory given = posted(page, witness, true);
        bytes memory place =
            abi.encodePacked(given.header.epoch, SEQUENCE, uint8(44), CLOCK, keccak256("another envelope"));
        bytes32 leaf = keccak256(bytes.concat(hex"03", place));
        bytes32 accusation = keccak256(abi.encode(uint8(4), leaf, uint256(0), bytes32(0)));
        commit(ANYONE, accusation);
        vm.roll(block.number + 1);
        bytes memory receipt = receiptOf(place, leaf, given.header.epoch);
        cost = convict(abi.encodeCall(IPageExecutor.convictContradiction, (given, receipt)));
        print(name, bits, true, cost);
        vm.assertEq(rollup.convictions(accusation).account, HOSPITAL);
        vm.assertEq(rollup.owed(ANYONE), 3.2 ether);
        (uint64 head,) = rollup.head();
        vm.assertEq(head, 1);
    }

    /// @dev A group of one.
    function receiptOf(bytes memory place, bytes32 leaf, uint64 epoch) private view returns (bytes memory) {
        bytes32 domain = bench.separator(31_337, address(rollup));
        bytes32 struct_ = keccak256(abi.encode(keccak256("Receipt(uint64 epoch,bytes32 groupRoot)"), epoch, leaf));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, struct_));
        (uint8 v, bytes32 r, bytes32 s) = IVm(address(vm)).sign(RECEIPT_KEY, digest);
        bytes memory path = abi.encodePacked(uint32(0), uint32(1), uint8(0));
        return bytes.concat(place, path, r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    function run(bool isBlobs) private {
        emit log("| page, tables | opening | transaction bytes | call | whole, today | floor at 10/40 | at 64 | at 96 |");
        emit log("|---|---|---|---|---|---|---|---|");
        uint8[3] memory sizes = [10, 24, 32];
        for (uint256 i = 0; i < 3; i++) {
            check(this.measure("busiest: 96 rows, 254 events", sizes[i], isBlobs, 0), GAS_MAX, BYTES_MAX);
            check(this.measure("busiest: 96 rows, 225 events", sizes[i], isBlobs, 1), GAS_MAX, BYTES_MAX);
            check(this.measure("widest: 96 rows, 127 events", sizes[i], isBlobs, 2), GAS_MAX, BYTES_MAX);
        }
        check(this.measure("typical: 92 rows, 44 events", 20, isBlobs, 3), TYPICAL_GAS_MAX, BYTES_MAX);
    }

    function check(Cost memory cost, uint256 gasMax, uint256 bytesMax) private pure {
        vm.assertLe(cost.whole, TRANSACTION_GAS_MAX);
        vm.assertLe(cost.bytes_, TRANSACTION_BYTES_MAX);
        vm.assertLe(cost.bytes_, bytesMax);
        vm.assertLe(cost.whole, gasMax);
    }

    function build(uint256 bits, uint256 which) private view returns (bytes memory page, bytes memory witness) {
        if (which == 3) return typical(bits);
        return which == 2 ? widest(bits) : busiest(bits, which == 0);
    }

    function measure(string memory name, uint256 bits, bool isBlobs, uint256 which)
        external
        returns (Cost memory cost)
    {
        deployMasked();
        signedFor = address(rollup);
        (bytes memory page, bytes memory witness) = build(bits, which);
        PageCase memory given = posted(page, witness, isBlobs);
        bytes32 right = rightOf(page, witness);
        bytes32 accusation =
            keccak256(abi.encode(uint8(1), keccak256(abi.encode(given.header)), uint256(given.index), right));
        commit(ANYONE, accusation);
        vm.roll(block.number + 1);
        cost = convict(abi.encodeCall(IPageExecutor.convictPage, (given)));
        print(name, bits, isBlobs, cost);
        vm.assertEq(rollup.convictions(accusation).challenger, ANYONE);
        vm.assertEq(rollup.owed(ANYONE), 3.2 ether);
        vm.assertEq(uint8(rollup.sequencers(HOSPITAL).standing), uint8(Standing.Convicted));
        (uint64 head,) = rollup.head();
        vm.assertEq(head, 0);
    }

    function convict(bytes memory data) private returns (Cost memory cost) {
        cost.bytes_ = data.length + AROUND_BYTES;
        for (uint256 i = 0; i < data.length; i++) {
            cost.tokens += data[i] == 0 ? 1 : 4;
        }
        vm.cool(address(rollup));
        vm.cool(EXECUTOR);
        vm.prank(ANYONE);
        (bool isDone, bytes memory reason) = EXECUTOR.call(data);
        vm.assertTrue(isDone, string(reason));
        cost.call = IVm(address(vm)).lastCallGas().gasTotalUsed;
        cost.whole = 21_000 + cost.call + 4 * cost.tokens;
    }

    /// @dev The page, with another claimed root, behind one that claims the root it starts from.
    function posted(bytes memory page, bytes memory witness, bool isBlobs) private returns (PageCase memory given) {
        (bytes32 root,) = bench.roots(witness, new bytes[](0));
        bytes memory before = bytes.concat(root, new bytes(960));
        given.rollup = IRollup(address(rollup));
        given.index = isBlobs ? 5 * 128 + 1 : 1;
        given.witness = witness;
        given.salt = SALT;
        bytes32 periodRoot;
        (page, periodRoot) = CaseBuilder.mask(given, page, 0);
        registerPeriod(0, periodRoot);
        vm.warp(time() + 48 hours);
        address receiptKey = IVm(address(vm)).addr(RECEIPT_KEY);
        vm.prank(HOSPITAL);
        rollup.bond{value: 32 ether}(receiptKey);
        if (isBlobs) CaseBuilder.putInBlob(given, page, before);
        else CaseBuilder.putInCalldata(given, page, before);
        Header memory header = next();
        header.dataReference = given.header.dataReference;
        header.pages = isBlobs ? 768 : 3;
        if (isBlobs) header.mode |= 1;
        given.header = header;
        vm.prank(HOSPITAL, HOSPITAL);
        if (!isBlobs) return postInCalldata(given, header, bytes.concat(before, page, new bytes(992)));
        bytes32[] memory hashes = given.blob.hashes;
        for (uint256 i = 0; i < 5; i++) {
            hashes[i] = bytes32(uint256(1) << 248 | i);
        }
        given.before.blob.hashes = hashes;
        header.dataReference = keccak256(abi.encodePacked(hashes));
        vm.blobhashes(hashes);
        rollup.postBlobs(header);
    }

    function postInCalldata(PageCase memory given, Header memory header, bytes memory pages_)
        private
        returns (PageCase memory)
    {
        rollup.postCalldata(header, pages_);
        return given;
    }

    function rightOf(bytes memory page, bytes memory witness) private view returns (bytes32) {
        (bytes32 root,) = bench.roots(witness, new bytes[](0));
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        return PageExecutor(EXECUTOR).execute(31_337, address(rollup), root, words, "", witness).root;
    }

    function print(string memory name, uint256 bits, bool isBlobs, Cost memory cost) private {
        string memory line = string.concat("| ", name, ", 2^", vm.toString(bits), isBlobs ? " | blobs" : " | calldata");
        line = string.concat(line, cell(cost.bytes_), cell(cost.call), cell(cost.whole));
        uint256 floor = 21_000 + 10 * cost.tokens;
        line = string.concat(line, cell(floor), cell(21_000 + 64 * cost.bytes_), cell(21_000 + 96 * cost.bytes_));
        emit log(string.concat(line, " |"));
    }

    function cell(uint256 number) private pure returns (string memory) {
        return string.concat(" | ", vm.toString(number));
    }
}
