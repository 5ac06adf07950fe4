// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../../src/executor/Codes.sol";
import {Memory} from "../../src/executor/Memory.sol";
import {Run} from "../../src/executor/Run.sol";
import {Witnesses} from "../../src/executor/Witnesses.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Dirt} from "../utils/Dirt.sol";
import {Big} from "./Big.sol";
import {FullWitness} from "./FullWitness.sol";
import {PageCalls} from "./PageCalls.sol";

/// @title What is wrong with a witness, or with the gas, reverts: it is never an answer
/// @dev On pages of the golden vectors, and by the decoder alone.
contract FaultsTest is PageCalls {
    /// @dev Pages that open patients, sign with both curves, are forced, act on an org, are INVALID.
    function test_no_changed_byte_of_a_witness_is_answered() public view {
        uint8[2][5] memory places = [[1, 2], [1, 5], [2, 0], [2, 15], [3, 18]];
        for (uint256 i = 0; i < 5; i++) {
            this.flip(places[i][0], places[i][1]);
        }
    }

    function flip(uint256 chain, uint256 step) external view {
        Call memory given = load(chain, step);
        vm.assertEq(bytes32(errorOf(given)), 0);
        for (uint256 i = step % 3; i < given.witness.length; i += 3) {
            given.witness[i] ^= 0x01;
            vm.assertTrue(errorOf(given) != 0);
            given.witness[i] ^= 0x01;
        }
    }

    function test_another_root_is_not_answered() public view {
        Call memory given = load(1, 2);
        given.preRoot = ~given.preRoot;
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.WrongRoot.selector));
    }

    function test_hints_are_exactly_those_that_are_asked_for() public view {
        Call memory given = load(1, 2);
        bytes memory whole = given.witness;
        uint256 place = hintsAt(whole);
        uint256 count = uint8(whole[place]);
        vm.assertTrue(count > 2);
        given.witness = spliced(whole, place, count - 1, slice(whole, place + 1, 4 * (count - 1)));
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.WrongHint.selector));
        bytes memory more = bytes.concat(slice(whole, place + 1, 4 * count), bytes4(0));
        given.witness = spliced(whole, place, count + 1, more);
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.WrongHint.selector));
        // Of an INVALID page too.
        given = load(3, 3);
        place = hintsAt(given.witness);
        given.witness = spliced(given.witness, place, 1, hex"00000000");
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.WrongHint.selector));
    }

    /// @dev The witness of a page without envelopes holds meta alone: too small for any other page of that state.
    function test_a_row_that_is_not_held_is_never_invalid() public view {
        Call memory small = load(1, 15);
        Call memory given = load(1, 14);
        small.page = given.page;
        vm.assertEq(bytes32(errorOf(small)), bytes32(IPageExecutor.MissingRow.selector));
    }

    function test_a_witness_holds_meta() public view {
        Call memory given = load(1, 2);
        given.witness = abi.encodePacked(uint8(1), uint8(2), uint32(5), bytes5(0), uint16(0), uint8(0), uint16(0));
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.MissingRow.selector));
    }

    function test_a_witness_goes_on_behind_its_rows() public view {
        Call memory given = load(1, 2);
        given.witness = slice(given.witness, 0, hintsAt(given.witness));
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.MalformedWitness.selector));
    }

    /// @dev Each row in turn is said not to be there: the frontier is found short, who signs or is named missing.
    function test_a_row_that_is_said_to_be_absent_is_no_answer() public view {
        Call memory given = load(1, 2);
        bytes memory whole = given.witness;
        uint256 missing = 0;
        uint256 place = 1;
        for (uint256 row = 0; row < uint8(whole[0]); row++) {
            uint256 length = uint16(bytes2(slice(whole, place + 10, 2)));
            uint256 behind = place + 12 + length;
            given.witness =
                bytes.concat(slice(whole, 0, place + 10), bytes2(0), slice(whole, behind, whole.length - behind));
            if (length > 0) {
                bytes4 error_ = errorOf(given);
                vm.assertTrue(error_ != 0);
                if (row == 1) vm.assertEq(bytes32(error_), bytes32(IPageExecutor.WrongFrontier.selector));
                if (error_ == IPageExecutor.MissingRow.selector) missing++;
            }
            place = behind;
        }
        vm.assertTrue(missing > 0);
    }

    function test_an_item_is_960_bytes_of_a_known_type() public view {
        Call memory given = load(2, 0);
        bytes memory item = given.item;
        given.item = bytes.concat(item, hex"00");
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.NotAnItem.selector));
        given.item = slice(item, 0, 959);
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.NotAnItem.selector));
        given.item = bytes.concat(hex"01", slice(item, 1, 959));
        vm.assertEq(bytes32(errorOf(given)), bytes32(IPageExecutor.NotAnItem.selector));
        given.item = "";
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.Queue));
        given.item = bytes.concat(hex"03", slice(item, 1, 959));
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.Queue));
    }

    /// @dev That of the page before, or of the item, is not too early; a millisecond less is.
    function test_a_clock_that_stands_still_is_right() public view {
        Call memory given = load(1, 15);
        // In meta, behind the next sequence number.
        uint256 clock = uint48(bytes6(slice(given.witness, 21, 6)));
        given.page[1] = bytes32(uint256(given.page[1]) << 48 >> 48 | clock << 208);
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.None));
        given.page[1] = bytes32(uint256(given.page[1]) << 48 >> 48 | (clock - 1) << 208);
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.Clock));
        given = load(2, 0);
        uint48 time = uint48(bytes6(given.page[1]));
        given.item = bytes.concat(hex"02", bytes6(time), slice(given.item, 7, 953));
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.None));
        given.item = bytes.concat(hex"02", bytes6(time + 1), slice(given.item, 7, 953));
        vm.assertEq(uint8(answer(given).invalid), uint8(IPageExecutor.Invalid.Queue));
    }

    /// @dev Whatever gas it is given, it reverts or gives the one answer: on both curves, forced and not.
    function test_too_little_gas_is_never_an_answer() public view {
        uint8[2][4] memory places = [[1, 0], [1, 5], [2, 0], [2, 7]];
        for (uint256 i = 0; i < 4; i++) {
            this.starve(places[i][0], places[i][1]);
        }
    }

    function starve(uint256 chain, uint256 step) external view {
        Call memory given = load(chain, step);
        bytes32 whole = keccak256(abi.encode(answer(given)));
        uint256 answers = 0;
        uint256 tries = 0;
        for (uint256 gas_ = 10_000; gas_ < 400_000; gas_ += 977) {
            tries++;
            try executor.execute{gas: gas_}(
                given.chainId, given.rollup, given.preRoot, given.page, given.item, given.witness
            ) returns (
                IPageExecutor.Outcome memory outcome
            ) {
                vm.assertEq(keccak256(abi.encode(outcome)), whole);
                answers++;
            } catch {}
        }
        vm.assertTrue(answers > 0 && answers < tries);
    }

    function test_a_witness_without_a_row_is_malformed() public {
        refuse(hex"00000000");
        this.decode(alone(1, FullWitness.row(0, 0, "")));
    }

    /// @dev Nothing stands there, but no such table is known.
    function test_an_absent_row_of_an_unknown_table_is_malformed() public {
        bytes memory meta = FullWitness.row(0, 0, Big.meta(0, 10));
        uint8[5] memory tables = [5, 6, 7, 8, 255];
        for (uint256 i = 0; i < 5; i++) {
            refuse(alone(2, bytes.concat(meta, FullWitness.row(tables[i], 0, ""))));
        }
        this.decode(alone(2, bytes.concat(meta, FullWitness.row(4, type(uint32).max, ""))));
    }

    /// @dev A principal whose key is of no kind that there is, and a consent among the rows of meta.
    function test_a_row_of_another_form_is_malformed() public view {
        bytes memory meta = FullWitness.row(0, 0, Big.meta(0, 10));
        bytes memory principal = abi.encodePacked(uint32(1), uint8(2), new bytes(64), uint8(1), new bytes(32));
        bytes memory consent = abi.encodePacked(uint32(3), uint8(1), uint32(1), new bytes(67));
        bytes4 missing = IPageExecutor.MissingRow.selector;
        bytes4 malformed = IPageExecutor.MalformedWitness.selector;
        decodes(missing, bytes.concat(meta, FullWitness.row(2, 2, bytes.concat(principal, hex"00"))));
        decodes(malformed, bytes.concat(meta, FullWitness.row(2, 2, bytes.concat(principal, hex"03"))));
        decodes(missing, bytes.concat(meta, FullWitness.row(4, 2, consent)));
        decodes(malformed, bytes.concat(meta, FullWitness.row(0, 2, consent)));
    }

    /// @dev Or ends with this error: of a patient that is not held, if nothing is wrong.
    function decodes(bytes4 reason, bytes memory rows) private view {
        try this.get(alone(2, rows), 5) {
            vm.assertTrue(false, "patient 5 is not there");
        } catch (bytes memory said) {
            vm.assertEq(bytes32(bytes4(said)), bytes32(reason));
        }
    }

    function test_a_frontier_without_meta_is_malformed_whatever_scratch_memory_holds() public {
        refuse(alone(1, FullWitness.row(0, 1, abi.encode(keccak256("peak")))));
    }

    function decode(bytes calldata witness) external pure {
        Run memory run_;
        Dirt.spread();
        assembly ("memory-safe") {
            // A log of one entry, if it were a row of meta.
            mstore(0, shl(192, 1))
        }
        Witnesses.decode(run_, witness);
    }

    function test_rows_are_found_in_any_order() public view {
        uint256[12] memory order = [uint256(5), 0, 1, 2, 6, 4, 3, 5, 6, 0, 2, 2];
        uint256[] memory asked = new uint256[](12);
        for (uint256 i = 0; i < 12; i++) {
            asked[i] = held(order[i]);
        }
        bytes32[] memory found = this.find(heldRows(), asked, asked[0]);
        for (uint256 i = 0; i < 12; i++) {
            vm.assertEq(found[i], keccak256(Big.patient(asked[i])));
        }
    }

    /// @dev Before, between and behind those that are held; the error names it.
    function test_a_row_that_is_not_held_is_named() public {
        uint256[7] memory missing = [uint256(4), 6, 8, 99, 256, 0x2FFFFFF, 0xFFFFFFFF];
        for (uint256 i = 0; i < 7; i++) {
            for (uint256 j = 0; j < 7; j++) {
                refuseRow(held(j), missing[i]);
            }
        }
        // One that is absent.
        bytes memory meta = FullWitness.row(0, 0, Big.meta(0, 10));
        bytes memory witness = alone(2, bytes.concat(meta, FullWitness.row(3, 5, "")));
        vm.expectRevert(abi.encodeWithSelector(IPageExecutor.MissingRow.selector, 3 << 32 | 5));
        this.get(witness, 5);
        vm.expectRevert(abi.encodeWithSelector(IPageExecutor.MissingRow.selector, 0));
        executor.execute(1, address(1), 0, load(1, 15).page, "", alone(1, FullWitness.row(3, 5, "")));
    }

    /// @dev Behind one that is held.
    function refuseRow(uint256 first, uint256 number) private {
        uint256[] memory asked = new uint256[](2);
        (asked[0], asked[1]) = (first, number);
        vm.expectRevert(abi.encodeWithSelector(IPageExecutor.MissingRow.selector, 3 << 32 | number));
        this.find(heldRows(), asked, number);
    }

    /// @dev Patients, by number. `before` is one of which a place seems to stand before the places of the witness.
    function find(bytes calldata witness, uint256[] calldata asked, uint256 before)
        external
        pure
        returns (bytes32[] memory found)
    {
        found = new bytes32[](asked.length);
        Run memory run_;
        Dirt.spread();
        Memory.putWord(Memory.allocate(32), 3 << 32 | before);
        Witnesses.decode(run_, witness);
        for (uint256 i = 0; i < asked.length; i++) {
            uint256 row = Witnesses.find(run_, Codes.PATIENTS, asked[i]);
            found[i] = bytes32(Memory.hash(row, Witnesses.lengthOf(row)));
        }
    }

    function get(bytes calldata witness, uint256 patient) external pure returns (uint256) {
        Run memory run_;
        Witnesses.decode(run_, witness);
        return Witnesses.get(run_, Codes.PATIENTS, patient);
    }

    /// @dev Of one the last bytes and a zero would be 256, if places were read a byte further.
    function held(uint256 i) private pure returns (uint256) {
        uint256[7] memory numbers = [uint256(5), 7, 254, 511, 1000, 0x3000001, 0xFFFFFFFE];
        return numbers[i];
    }

    function heldRows() private pure returns (bytes memory) {
        bytes memory rows = FullWitness.row(0, 0, Big.meta(0, 32));
        for (uint256 i = 0; i < 7; i++) {
            rows = bytes.concat(rows, FullWitness.row(3, held(i), Big.patient(held(i))));
        }
        return alone(8, rows);
    }

    function refuse(bytes memory witness) private {
        vm.expectRevert(IPageExecutor.MalformedWitness.selector);
        this.decode(witness);
    }

    /// @dev Rows as the witness of a state that has no others.
    function alone(uint8 count, bytes memory rows) private pure returns (bytes memory) {
        return bytes.concat(bytes1(count), rows, hex"000000");
    }

    function errorOf(Call memory given) private view returns (bytes4) {
        try executor.execute(
            given.chainId, given.rollup, given.preRoot, given.page, given.item, given.witness
        ) returns (
            IPageExecutor.Outcome memory
        ) {
            return 0;
        } catch (bytes memory reason) {
            return reason.length < 4 ? bytes4(0xffffffff) : bytes4(reason);
        }
    }

    /// @dev Where the number of hints stands: behind the rows.
    function hintsAt(bytes memory witness) private pure returns (uint256 place) {
        place = 1;
        for (uint256 rows = uint8(witness[0]); rows > 0; rows--) {
            place += 12 + uint16(bytes2(slice(witness, place + 10, 2)));
        }
    }

    /// @dev Other hints in the place of those that are there.
    function spliced(bytes memory witness, uint256 place, uint256 count, bytes memory hints)
        private
        pure
        returns (bytes memory)
    {
        uint256 rest = place + 1 + 4 * uint256(uint8(witness[place]));
        return bytes.concat(
            slice(witness, 0, place), bytes1(uint8(count)), hints, slice(witness, rest, witness.length - rest)
        );
    }
}
