// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../src/Evidence.sol";
import {LogProof} from "../src/libraries/LogProof.sol";
import {RowProof} from "../src/libraries/RowProof.sol";
import {Header} from "../src/types/Header.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Events that are final, histories that are complete
contract EvidenceTest is Fixture {
    string private constant FOLDER = "../core/vectors/";

    Evidence private evidence;

    function setUp() public override {
        super.setUp();
        evidence = Evidence(Deploy.named("Evidence", abi.encode(rollup)));
        bond(ALICE);
    }

    function test_inclusion_proofs_hold_as_the_vectors_say() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "log.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".inclusion", count)); count++) {
            string memory path = entry(".inclusion", count);
            bytes memory proof = vm.parseJsonBytes(json, string.concat(path, ".proof"));
            bytes32 leaf = vm.parseJsonBytes32(json, string.concat(path, ".leaf"));
            bytes32 root = vm.parseJsonBytes32(json, string.concat(path, ".root"));
            bool isHeld = false;
            try this.holds(proof, leaf, root) returns (bool answer) {
                isHeld = answer;
            } catch {}
            bool isValid = vm.parseJsonBool(json, string.concat(path, ".valid"));
            vm.assertTrue(isHeld == isValid, vm.parseJsonString(json, string.concat(path, ".name")));
        }
        vm.assertEq(count, 136);
    }

    function test_histories_are_complete_as_the_vectors_say() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "histories.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry("", count)); count++) {
            string memory path = entry("", count);
            bytes[] memory histories = vm.parseJsonBytesArray(json, string.concat(path, ".histories"));
            bytes32 root = vm.parseJsonBytes32(json, string.concat(path, ".root"));
            uint32 patient = uint32(vm.parseJsonUint(json, string.concat(path, ".patient")));
            bool isComplete = false;
            try evidence.isComplete(root, patient, histories) returns (bool answer) {
                isComplete = answer;
            } catch {}
            bool expected = vm.parseJsonBool(json, string.concat(path, ".complete"));
            vm.assertTrue(isComplete == expected, vm.parseJsonString(json, string.concat(path, ".name")));
        }
        vm.assertEq(count, 17);
    }

    function test_a_history_is_complete_only_under_a_final_batch() public {
        string memory json = vm.readFile(string.concat(FOLDER, "histories.json"));
        bytes[] memory histories = vm.parseJsonBytesArray(json, "[0].histories");
        uint32 patient = uint32(vm.parseJsonUint(json, "[0].patient"));
        Header memory header = next();
        header.postRoot = vm.parseJsonBytes32(json, "[0].root");
        vm.assertFalse(evidence.isHistoryComplete(header, patient, histories));
        post(ALICE, header, pages(1));
        vm.assertFalse(evidence.isHistoryComplete(header, patient, histories));
        pass(7 days);
        vm.assertTrue(evidence.isHistoryComplete(header, patient, histories));
        vm.assertFalse(evidence.isHistoryComplete(header, patient + 1, histories));
        header.clock++;
        vm.assertFalse(evidence.isHistoryComplete(header, patient, histories));
    }

    /// @dev A state that holds nothing but its meta row 0, over the log of the vectors.
    function test_an_event_is_final_once_its_batch_is() public {
        string memory json = vm.readFile(string.concat(FOLDER, "log.json"));
        bytes[] memory entries = vm.parseJsonBytesArray(json, ".entries");
        bytes32 leaf0 = keccak256(bytes.concat(hex"00", entries[0]));
        bytes32 leaf1 = keccak256(bytes.concat(hex"00", entries[1]));
        bytes32 logRoot = keccak256(bytes.concat(hex"01", leaf0, leaf1));
        bytes memory row = abi.encodePacked(uint64(2), uint48(1), uint64(0), new bytes(16), logRoot);
        bytes memory meta =
            abi.encodePacked(hex"01", bytes5(0), bytes5(0), uint16(row.length), row, uint8(0), uint16(0));
        bytes memory inclusion = abi.encodePacked(uint64(1), uint64(2), uint8(1), leaf0);
        Header memory header = next();
        header.postRoot = this.rootOf(meta);
        post(ALICE, header, pages(1));
        vm.assertFalse(evidence.isEventFinal(header, meta, inclusion, entries[1]));
        pass(7 days);
        vm.assertTrue(evidence.isEventFinal(header, meta, inclusion, entries[1]));
        vm.assertFalse(evidence.isEventFinal(header, meta, inclusion, entries[0]));
        inclusion = abi.encodePacked(uint64(0), uint64(3), uint8(1), leaf1);
        vm.assertFalse(evidence.isEventFinal(header, meta, inclusion, entries[0]));
        inclusion = abi.encodePacked(uint64(0), uint64(2), uint8(1), leaf1);
        vm.assertTrue(evidence.isEventFinal(header, meta, inclusion, entries[0]));
        header.slot++;
        vm.assertFalse(evidence.isEventFinal(header, meta, inclusion, entries[0]));
    }

    /// @dev Mutants of a history that holds never hold.
    function testFuzz_a_history_with_a_changed_byte_is_not_complete(uint256 where, uint8 change) public view {
        string memory json = vm.readFile(string.concat(FOLDER, "histories.json"));
        bytes[] memory histories = vm.parseJsonBytesArray(json, "[0].histories");
        bytes32 root = vm.parseJsonBytes32(json, "[0].root");
        uint32 patient = uint32(vm.parseJsonUint(json, "[0].patient"));
        vm.assume(change != 0);
        where = bound(where, 0, histories[0].length - 1);
        histories[0][where] ^= bytes1(change);
        try evidence.isComplete(root, patient, histories) returns (bool isComplete) {
            vm.assertFalse(isComplete);
        } catch {}
    }

    function holds(bytes calldata inclusion, bytes32 leaf, bytes32 root) external pure returns (bool) {
        return LogProof.holds(inclusion, leaf, root);
    }

    function rootOf(bytes calldata witness) external pure returns (bytes32 root) {
        (,, root) = RowProof.open(witness);
    }

    function entry(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }
}
