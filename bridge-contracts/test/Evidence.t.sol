// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../src/Evidence.sol";
import {IEvidence} from "../src/interfaces/IEvidence.sol";
import {LogProof} from "../src/libraries/LogProof.sol";
import {RowProof} from "../src/libraries/RowProof.sol";
import {Header} from "../src/types/Header.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";
import {Proofs} from "./utils/Proofs.sol";

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

    // What proves an event.

    /// @dev Every row here says of itself that it is meta row 0 of a log of one entry.
    function test_the_log_is_the_one_that_meta_row_0_names() public {
        bytes memory item = Proofs.numbered(0);
        bytes memory row = Proofs.metaOf(1, Proofs.leafOf(item));
        bytes memory inclusion = Proofs.inclusionOf(0, 1, "");
        uint40[4] memory indices = [uint40(0), 0, 1, 1 << 32];
        bytes[4] memory metas;
        Header[4] memory headers;
        for (uint256 i = 0; i < 4; i++) {
            metas[i] = Proofs.witnessOf(indices[i], i == 0 ? bytes.concat(row, hex"00") : row);
            headers[i] = posted(this.rootOf(metas[i]));
        }
        pass(7 days);
        for (uint256 i = 0; i < 4; i++) {
            vm.assertTrue(evidence.isEventFinal(headers[i], metas[i], inclusion, item) == (i == 1));
        }
        // Of another state.
        vm.assertFalse(evidence.isEventFinal(headers[2], metas[1], inclusion, item));
    }

    /// @dev The same path leads from the first leaf of three to the root, and from the first of four.
    function test_the_size_of_the_log_is_the_one_of_meta_row_0() public {
        bytes32[3] memory leaves;
        for (uint64 i = 0; i < 3; i++) {
            leaves[i] = Proofs.leafOf(Proofs.numbered(i));
        }
        bytes memory path = abi.encode(leaves[1], leaves[2]);
        bytes32 root = Proofs.node(Proofs.node(leaves[0], leaves[1]), leaves[2]);
        bytes memory meta = Proofs.witnessOf(0, Proofs.metaOf(3, root));
        Header memory header = posted(this.rootOf(meta));
        pass(7 days);
        vm.assertTrue(evidence.isEventFinal(header, meta, Proofs.inclusionOf(0, 3, path), Proofs.numbered(0)));
        vm.assertFalse(evidence.isEventFinal(header, meta, Proofs.inclusionOf(0, 4, path), Proofs.numbered(0)));
    }

    /// @dev An entry that is too short to have one has no number.
    function test_an_entry_stands_at_its_own_number_alone() public {
        bytes[3] memory items = [bytes(hex"0000000000000002"), hex"0000000000000001", hex"00000000000001"];
        for (uint256 i = 0; i < 3; i++) {
            bytes32 before = Proofs.leafOf(Proofs.numbered(0));
            bytes memory meta = Proofs.witnessOf(0, Proofs.metaOf(2, Proofs.node(before, Proofs.leafOf(items[i]))));
            Header memory header = posted(this.rootOf(meta));
            pass(7 days);
            bytes memory inclusion = Proofs.inclusionOf(1, 2, abi.encode(before));
            vm.assertTrue(evidence.isEventFinal(header, meta, inclusion, items[i]) == (i == 1));
        }
    }

    /// @dev Whose index is no place in the log of its size, or whose bytes do not end with the path.
    function test_a_proof_of_no_place_is_no_proof() public {
        bytes memory meta = Proofs.witnessOf(0, Proofs.metaOf(1, Proofs.leafOf(Proofs.numbered(1))));
        Header memory header = posted(this.rootOf(meta));
        pass(7 days);
        bytes[4] memory proofs = [
            Proofs.inclusionOf(1, 1, ""),
            Proofs.inclusionOf(0, 0, ""),
            Proofs.inclusionOf(2, 1, ""),
            bytes.concat(Proofs.inclusionOf(0, 1, ""), hex"00")
        ];
        for (uint256 i = 0; i < 4; i++) {
            vm.expectRevert(IEvidence.NotAProof.selector);
            evidence.isEventFinal(header, meta, proofs[i], Proofs.numbered(1));
        }
    }

    /// @dev Though with a hash more than its place has, or too few, it leads to a root.
    function test_a_path_is_as_long_as_its_place_asks() public view {
        bytes32 leaf = "leaf";
        bytes32 other = "other";
        bytes memory inclusion = Proofs.inclusionOf(0, 1, abi.encode(other));
        vm.assertFalse(this.holds(inclusion, leaf, Proofs.node(other, leaf)));
        vm.assertFalse(this.holds(inclusion, leaf, Proofs.node(leaf, other)));
        vm.assertFalse(this.holds(inclusion, leaf, leaf));
        inclusion = Proofs.inclusionOf(0, 3, abi.encode(other));
        vm.assertFalse(this.holds(inclusion, leaf, Proofs.node(leaf, other)));
        inclusion = Proofs.inclusionOf(0, 2, abi.encode(other));
        vm.assertTrue(this.holds(inclusion, leaf, Proofs.node(leaf, other)));
    }

    // Witnesses of one row.

    function test_a_witness_holds_one_row_of_five_tables_and_nothing_else() public {
        bytes memory row = "a row";
        bytes memory lone = Proofs.witnessOf(4 << 32 | 5, row);
        bytes memory head = abi.encodePacked(uint8(1), uint40(5), uint40(1), uint16(row.length), row);
        bytes memory whole = bytes.concat(head, hex"000001", bytes32("sibling"));
        this.rootOf(lone);
        this.rootOf(whole);
        for (uint256 length = 0; length < whole.length; length++) {
            if (length < lone.length) refuseWitness(Proofs.cut(lone, length));
            refuseWitness(Proofs.cut(whole, length));
        }
        refuseWitness(bytes.concat(lone, hex"00"));
        refuseWitness(bytes.concat(whole, bytes32("another")));
        // Another number of rows, another table, a flag at the root's height, no row, a hint.
        refuseWitness(Proofs.with(lone, 0, 0x00));
        refuseWitness(Proofs.with(lone, 0, 0x02));
        refuseWitness(Proofs.with(lone, 1, 0x05));
        refuseWitness(Proofs.with(lone, 6, 0x08));
        refuseWitness(Proofs.witnessOf(5, ""));
        refuseWitness(Proofs.with(lone, lone.length - 3, 0x01));
        // A sibling that no flag asks for, and a flag that asks in vain.
        refuseWitness(Proofs.with(whole, 10, 0x00));
        refuseWitness(Proofs.with(whole, 10, 0x03));
        refuseWitness(Proofs.with(lone, 10, 0x01));
    }

    function refuseWitness(bytes memory witness) private {
        vm.expectRevert(IEvidence.NotAProof.selector);
        this.rootOf(witness);
    }

    // Histories.

    /// @dev Links of patient 1 as pairs of relation and patient: 1 replaced by, 2 replaces, 3 see also, 4 undone.
    function test_the_histories_that_links_lead_to_must_be_there() public view {
        checkLinks("", false, false);
        checkLinks(hex"0102", true, false);
        checkLinks(hex"0202", true, false);
        checkLinks(hex"0302", false, false);
        checkLinks(hex"0402", false, false);
        checkLinks(hex"01020402", false, false);
        checkLinks(hex"02020402", false, false);
        checkLinks(hex"01020302", true, false);
        checkLinks(hex"04020102", true, false);
        checkLinks(hex"010204020102", true, false);
        checkLinks(hex"010202020402", false, false);
        checkLinks(hex"01020403", true, false);
        checkLinks(hex"01020103", true, true);
        checkLinks(hex"010201030402", false, true);
        checkLinks(hex"010201030403", true, false);
        checkLinks(hex"0102010304020403", false, false);
    }

    function checkLinks(bytes memory links, bool isSecond, bool isThird) private view {
        bytes[][] memory lists = new bytes[][](4);
        lists[1] = Proofs.linksOf(1, links);
        (bytes32 root, bytes[] memory histories) = Proofs.historiesOf(lists);
        vm.assertTrue(evidence.isComplete(root, 1, histories));
        vm.assertTrue(evidence.isComplete(root, 1, Proofs.without(histories, 2)) == !isSecond);
        vm.assertTrue(evidence.isComplete(root, 1, Proofs.without(histories, 3)) == !isThird);
    }

    /// @dev Two links lead to 3, and one back; what does not belong there need not even be a history.
    function test_histories_are_found_in_any_order_and_looked_at_once() public view {
        bytes[][] memory lists = new bytes[][](4);
        lists[1] = Proofs.linksOf(1, hex"01020103");
        lists[2] = Proofs.linksOf(2, hex"0103");
        lists[3] = Proofs.linksOf(3, hex"0201");
        (bytes32 root, bytes[] memory held) = Proofs.historiesOf(lists);
        bytes[] memory histories = new bytes[](4);
        (histories[0], histories[1], histories[2], histories[3]) = (hex"00000009", held[3], held[2], held[1]);
        for (uint32 patient = 1; patient < 4; patient++) {
            vm.assertTrue(evidence.isComplete(root, patient, histories));
        }
        vm.assertFalse(evidence.isComplete(root, 4, histories));
        // The last that is come to is looked at too.
        histories[1][histories[1].length - 1] ^= 0x01;
        vm.assertFalse(evidence.isComplete(root, 1, histories));
    }

    /// @dev The sentinel's row says that it has no events, and that is true.
    function test_a_patient_without_events_has_a_history_and_row_0_has_none() public view {
        (bytes32 root, bytes[] memory histories) = Proofs.historiesOf(new bytes[][](2));
        vm.assertTrue(evidence.isComplete(root, 1, histories));
        vm.assertFalse(evidence.isComplete(root, 0, histories));
    }

    /// @dev Of a row that was made up, which no chain holds: its head is always right.
    function test_a_row_must_say_what_the_history_holds() public view {
        bytes[] memory two = new bytes[](2);
        (two[0], two[1]) = (Proofs.numbered(5), Proofs.numbered(6));
        bytes memory right = Proofs.rowOf(2, two);
        vm.assertTrue(holdsAlone(3 << 32 | 1, right, two));
        vm.assertFalse(holdsAlone(3 << 32 | 1, Proofs.rowOf(1, two), two));
        vm.assertFalse(holdsAlone(3 << 32 | 1, Proofs.rowOf(3, two), two));
        vm.assertFalse(holdsAlone(3 << 32 | 1, Proofs.rowOf(1 << 32 | 2, two), two));
        vm.assertFalse(holdsAlone(3 << 32 | 1, bytes.concat(right, hex"00"), two));
        vm.assertFalse(holdsAlone(3 << 32 | 2, right, two));
        vm.assertFalse(holdsAlone(2 << 32 | 1, right, two));
    }

    function test_sequence_numbers_of_a_history_ascend_strictly() public view {
        vm.assertTrue(isAscending(hex"05"));
        vm.assertTrue(isAscending(hex"000506"));
        vm.assertFalse(isAscending(hex"0505"));
        vm.assertFalse(isAscending(hex"0605"));
        vm.assertFalse(isAscending(hex"050406"));
        bytes[] memory late = new bytes[](2);
        (late[0], late[1]) = (Proofs.numbered(type(uint64).max >> 8), Proofs.numbered(1 << 56));
        vm.assertTrue(holdsAlone(3 << 32 | 1, Proofs.rowOf(2, late), late));
    }

    function isAscending(bytes memory numbers) private view returns (bool) {
        bytes[] memory list = new bytes[](numbers.length);
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = abi.encodePacked(uint64(uint8(numbers[i])));
        }
        return holdsAlone(3 << 32 | 1, Proofs.rowOf(uint64(list.length), list), list);
    }

    /// @dev The history of patient 1, of a state that holds this row alone.
    function holdsAlone(uint40 index, bytes memory row, bytes[] memory list) private view returns (bool) {
        bytes[] memory histories = new bytes[](1);
        bytes memory witness = Proofs.witnessOf(index, row);
        histories[0] = Proofs.historyOf(1, witness, uint32(list.length), Proofs.joined(list));
        return evidence.isComplete(this.rootOf(witness), 1, histories);
    }

    function test_bytes_that_end_elsewhere_than_the_history_are_none() public {
        bytes[] memory list = new bytes[](3);
        (list[0], list[1], list[2]) = (Proofs.numbered(5), Proofs.numbered(6), Proofs.numbered(7));
        bytes memory witness = Proofs.witnessOf(3 << 32 | 1, Proofs.rowOf(3, list));
        bytes32 root = this.rootOf(witness);
        bytes memory whole = Proofs.historyOf(1, witness, 3, Proofs.joined(list));
        refuseHistory(root, bytes.concat(whole, hex"00"));
        refuseHistory(root, "");
        refuseHistory(root, Proofs.cut(whole, 3));
        refuseHistory(root, Proofs.cut(whole, 8));
        // Without all of the number of entries; with fewer bytes than so many entries have.
        for (uint256 length = 0; length < 10; length++) {
            refuseHistory(root, Proofs.cut(whole, 8 + witness.length + length));
        }
    }

    function refuseHistory(bytes32 root, bytes memory history) private {
        bytes[] memory histories = new bytes[](1);
        histories[0] = history;
        vm.expectRevert(IEvidence.NotAProof.selector);
        evidence.isComplete(root, 1, histories);
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

    function posted(bytes32 root) private returns (Header memory header) {
        header = next();
        header.postRoot = root;
        post(ALICE, header, pages(1));
    }
}
