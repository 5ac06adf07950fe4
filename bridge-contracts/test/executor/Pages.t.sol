// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../../src/executor/Codes.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {Big} from "./Big.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";
import {FullWitness} from "./FullWitness.sol";

/// @title Pages as the golden vectors have them: root, reason, skip; and envelopes that are skipped half done
contract PagesTest is ExecutorFixture {
    uint256 private constant KEY = 0xC0FFEE;
    uint48 private constant CLOCK = 1_000_500;

    function test_a_chain_from_genesis_leads_from_root_to_root() public {
        run(0, 8);
    }

    function test_every_kind_of_event_leads_where_it_should() public {
        run(1, 16);
    }

    function test_forced_pages_and_org_items_act_or_are_skipped() public {
        run(2, 27);
    }

    function test_every_invalid_page_is_invalid_for_its_reason() public {
        run(3, 24);
    }

    function run(uint256 chain, uint256 steps) private {
        string memory path = entry("", chain);
        bytes32 root = vm.parseJsonBytes32(read("pages.json"), string.concat(path, ".state.root"));
        for (uint256 step = 0; step < steps; step++) {
            root = this.check(path, step, root);
        }
        vm.assertFalse(vm.keyExistsJson(read("pages.json"), entry(string.concat(path, ".steps"), steps)));
    }

    /// @dev The root that the chain goes on from.
    function check(string memory chain, uint256 step, bytes32 root) external returns (bytes32) {
        string memory json = read("pages.json");
        string memory path = entry(string.concat(chain, ".steps"), step);
        string memory name = vm.parseJsonString(json, string.concat(path, ".name"));
        IPageExecutor.Outcome memory outcome = execute(json, chain, path, root);
        bool hasRoot =
            keccak256(bytes(vm.parseJsonString(json, string.concat(path, ".outcome")))) == keccak256(bytes("root"));
        uint256 invalid = hasRoot ? 0 : numberOf(vm.parseJsonString(json, string.concat(path, ".invalid")));
        vm.assertEq(uint8(outcome.invalid), invalid, name);
        string memory refusal = string.concat(path, hasRoot ? ".skip" : ".invalid_refusal");
        uint256 code = numberOf(json, string.concat(refusal, ".code"));
        vm.assertEq(outcome.code, code == NONE ? 0 : code, name);
        uint256 envelope = numberOf(json, string.concat(path, ".envelope"));
        vm.assertEq(outcome.envelope, envelope == NONE ? 0 : envelope, name);
        uint256 event_ = numberOf(json, string.concat(refusal, ".event"));
        vm.assertEq(outcome.eventNumber, event_ == NONE ? 0 : event_ + 1, name);
        bytes32 next = hasRoot ? vm.parseJsonBytes32(json, string.concat(path, ".root")) : bytes32(0);
        vm.assertEq(outcome.root, next, name);
        return hasRoot ? next : root;
    }

    function execute(string memory json, string memory chain, string memory path, bytes32 root)
        private
        returns (IPageExecutor.Outcome memory outcome)
    {
        uint64 chainId = uint64(vm.parseJsonUint(json, string.concat(chain, ".chain.chain_id")));
        address rollup = vm.parseJsonAddress(json, string.concat(chain, ".chain.contract"));
        bytes memory page = vm.parseJsonBytes(json, string.concat(path, ".page"));
        bytes memory item = bytesOf(json, string.concat(path, ".item"));
        bytes memory witness = vm.parseJsonBytes(json, string.concat(path, ".witness"));
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        uint256 before = gasleft();
        outcome = executor.execute(chainId, rollup, root, words, item, witness);
        emit log_named_uint(vm.parseJsonString(json, string.concat(path, ".name")), before - gasleft());
    }

    function numberOf(string memory invalid) private pure returns (uint256) {
        string[7] memory names = ["Kind", "Clock", "Queue", "Framing", "Padding", "Budget", "Refused"];
        for (uint256 i = 0; i < 7; i++) {
            if (keccak256(bytes(names[i])) == keccak256(bytes(invalid))) return i + 1;
        }
        return 0;
    }

    // Skipped.

    /// @dev A patient is opened and another merged before the third event is refused: rows, counts and predecessor are
    /// as they were. Clock and cursor alone go on, and the log's root is that of its frontier.
    function test_an_envelope_that_is_skipped_half_done_leaves_nothing() public {
        bytes memory events = abi.encodePacked(hex"10", keccak256("pseudonym"), uint32(0), hex"13000000050000000601");
        IPageExecutor.Outcome memory outcome = force(3, bytes.concat(events, hex"e00000000800000007"), 1);
        vm.assertEq(outcome.code, Codes.ORG);
        vm.assertEq(outcome.eventNumber, 3);
        vm.assertEq(outcome.root, rootAfterSkip(1));
        // Without the third it is admitted.
        outcome = force(2, events, 1);
        vm.assertEq(outcome.code, 0);
        vm.assertTrue(outcome.root != 0 && outcome.root != rootAfterSkip(1));
    }

    /// @dev What stands behind a fault is no second one.
    function test_a_fault_before_other_bytes_is_the_one_that_skips() public {
        IPageExecutor.Outcome memory outcome = force(1, hex"0101", 0);
        vm.assertEq(outcome.code, Codes.UNKNOWN_KIND);
        vm.assertEq(outcome.eventNumber, 1);
        vm.assertEq(outcome.root, rootAfterSkip(0));
    }

    function rootAfterSkip(uint8 hints) private returns (bytes32 root) {
        bytes[] memory rows = new bytes[](1);
        bytes memory counts = abi.encodePacked(uint32(1000), uint32(1024), uint32(1024), uint32(1024));
        rows[0] = abi.encodePacked(uint64(1), CLOCK, uint64(6), counts, Big.frontier(1));
        (, root) = Bench(Deploy.named("Bench")).roots(witnessOf(hints), rows);
    }

    /// @dev A forced page of an envelope of the system.
    function force(uint8 count, bytes memory events, uint8 hints) private returns (IPageExecutor.Outcome memory) {
        Bench bench = Bench(Deploy.named("Bench"));
        bytes memory head = abi.encodePacked(uint32(Big.SIGNER), uint64(11), CLOCK, bytes32(0));
        bytes memory rest = abi.encodePacked(count, events);
        bytes memory unsigned = bytes.concat(head, new bytes(64), rest);
        bytes32 digest = bench.admit(1, address(1), CLOCK, unsigned, witnessOf(0)).digest;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        bytes memory body = abi.encodePacked(head, r, uint256(s) | uint256(v - 27) << 255, rest);
        body = bytes.concat(body, new bytes(953 - body.length));
        bytes memory page = bytes.concat(bytes32(0), bytes6(CLOCK), hex"02", body);
        (bytes32 root,) = bench.roots(witnessOf(hints), new bytes[](0));
        bytes memory item = bytes.concat(hex"02", bytes6(CLOCK), body);
        return executor.execute(1, address(1), root, abi.decode(page, (bytes32[31])), item, witnessOf(hints));
    }

    /// @dev A system, the sentinel, two patients of its org, one of another, a row that is free; the sentinel comes
    /// before every patient.
    function witnessOf(uint8 hints) private pure returns (bytes memory) {
        bytes memory rows = FullWitness.row(0, 0, Big.meta(1, 10));
        rows = bytes.concat(rows, FullWitness.row(0, 1, Big.frontier(1)));
        bytes memory system = Big.principal(Big.SIGNER, 2, abi.encodePacked(vm.addr(KEY)));
        rows = bytes.concat(rows, FullWitness.row(1, Big.ORG, Big.org()), FullWitness.row(2, Big.SIGNER, system));
        rows = bytes.concat(rows, FullWitness.row(3, 0, new bytes(153)), FullWitness.row(3, 5, Big.patient(5)));
        rows = bytes.concat(rows, FullWitness.row(3, 6, Big.patient(6)), FullWitness.row(3, 8, Big.patient(4, 8)));
        rows = bytes.concat(rows, FullWitness.row(3, 1024, ""));
        return bytes.concat(hex"09", rows, bytes1(hints), new bytes(4 * hints), bytes2(0));
    }
}
