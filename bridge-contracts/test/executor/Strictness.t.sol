// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../../src/executor/Codes.sol";
import {Framing} from "../../src/executor/Framing.sol";
import {Log} from "../../src/executor/Log.sol";
import {Memory} from "../../src/executor/Memory.sol";
import {Pages} from "../../src/executor/Pages.sol";
import {Rows} from "../../src/executor/Rows.sol";
import {Run} from "../../src/executor/Run.sol";
import {Witnesses} from "../../src/executor/Witnesses.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Dirt} from "../utils/Dirt.sol";
import {Big} from "./Big.sol";
import {FullWitness} from "./FullWitness.sol";
import {PageCalls} from "./PageCalls.sol";

/// @title Borders of pages, witnesses and the log that no golden vector stands on
/// @dev Parts of the executor, in memory where nothing that was not written is zero.
contract StrictnessTest is PageCalls {
    /// @dev More than a page's run takes.
    uint256 private constant DIRT = 0x20000;
    uint256 private constant CLOCK = 1_800_000_001_234;
    uint256 private constant BASE = 1_800_000_000_000;
    bytes32 private constant PAYLOADS = keccak256("payloads");
    bytes32 private constant SEALING = keccak256("sealing");

    // Pages.

    function test_nothing_depends_on_what_free_memory_holds() public view {
        uint8[2][8] memory places = [[1, 0], [1, 2], [1, 4], [1, 13], [2, 0], [2, 2], [2, 15], [3, 20]];
        for (uint256 i = 0; i < 8; i++) {
            this.checkDirty(places[i][0], places[i][1]);
        }
    }

    function checkDirty(uint256 chain, uint256 step) external view {
        Call memory given = load(chain, step);
        IPageExecutor.Outcome memory clean = answer(given);
        (IPageExecutor.Outcome memory outcome, uint256 sequence) = this.run(given);
        vm.assertEq(keccak256(abi.encode(outcome)), keccak256(abi.encode(clean)));
        // Meta is the witness's first row; its first field is the number that the page's first event has.
        vm.assertEq(sequence, uint64(bytes8(slice(given.witness, 13, 8))));
    }

    function run(Call calldata given) external view returns (IPageExecutor.Outcome memory outcome, uint256) {
        Run memory run_;
        Dirt.spread(DIRT);
        Pages.begin(run_, given.rollup, given.chainId, given.page, given.witness);
        outcome = Pages.finish(run_, given.preRoot, given.item);
        return (outcome, run_.sequence);
    }

    /// @dev Fewer than four bytes are no signer: padding. Four are one that is cut off, or the end. The page is as full
    /// of events as a page can be, which is one refusal later.
    function test_what_is_left_behind_the_last_envelope_is_padding_or_a_signer() public view {
        // A state of which the page needs meta alone.
        Call memory given = load(1, 15);
        bytes memory full = bytes.concat(repeated(255), repeated(255));
        vm.assertEq(outcomeOf(given, bytes.concat(full, repeated(98))), uint256(IPageExecutor.Invalid.Budget));
        for (uint256 length = 1; length < 6; length++) {
            bytes memory left = new bytes(length);
            bytes memory before = bytes.concat(full, repeated(98 - length));
            vm.assertEq(outcomeOf(given, bytes.concat(before, left)), uint256(IPageExecutor.Invalid.Budget));
            for (uint256 i = 0; i < length; i++) {
                left[i] = 0x01;
                bool isSigner = length >= 4 && i < 4;
                uint256 cut = uint256(IPageExecutor.Invalid.Framing) | 3 << 8 | Codes.TRUNCATED << 16;
                uint256 expected = isSigner ? cut : uint256(IPageExecutor.Invalid.Padding);
                vm.assertEq(outcomeOf(given, bytes.concat(before, left)), expected);
                left[i] = 0x00;
            }
        }
    }

    /// @dev Two rows of meta; signer, org, patient and four blocked orgs; org and patient; org, and two for each consent
    /// that is revoked: 12 + 2 · 42 are 96. Nobody knows the signer, which is asked later.
    function test_rows_are_counted_over_all_envelopes_of_a_page() public view {
        Call memory given = load(1, 15);
        uint256 refused = uint256(IPageExecutor.Invalid.Refused) | Codes.NO_SIGNER << 16;
        bytes memory blocked = abi.encodePacked(uint8(0), uint32(1), uint32(2), uint32(3), uint32(4));
        bytes memory two = bytes.concat(
            envelopeOf(type(uint32).max, 1, bytes.concat(hex"1200000001", blocked)),
            envelopeOf(type(uint32).max, 1, bytes.concat(hex"1200000002", blocked))
        );
        bytes memory revocations;
        for (uint32 i = 1; i <= 43; i++) {
            revocations = abi.encodePacked(revocations, hex"31", i);
            if (i < 42) continue;
            bytes memory third = envelopeOf(type(uint32).max, uint8(i), revocations);
            uint256 expected = i == 42 ? refused : uint256(IPageExecutor.Invalid.Budget);
            vm.assertEq(outcomeOf(given, bytes.concat(two, third)), expected);
        }
    }

    /// @dev As many as there is room for; nobody knows their signer either.
    function test_a_page_of_eight_envelopes_is_read() public view {
        bytes memory envelopes = envelopeOf(type(uint32).max, 1, hex"31ffffffff");
        for (uint256 i = 0; i < 7; i++) {
            envelopes = bytes.concat(envelopes, envelopeOf(type(uint32).max, 1, hex"80"));
        }
        uint256 refused = uint256(IPageExecutor.Invalid.Refused) | Codes.NO_SIGNER << 16;
        vm.assertEq(outcomeOf(load(1, 15), envelopes), refused);
    }

    /// @dev Reason, and above it envelope and code, of a page with this body.
    function outcomeOf(Call memory given, bytes memory body) private view returns (uint256) {
        bytes memory head = slice(abi.encode(given.page), 0, Framing.BODY_AT);
        given.page = abi.decode(bytes.concat(head, body, new bytes(953 - body.length)), (bytes32[31]));
        IPageExecutor.Outcome memory outcome = answer(given);
        return uint256(outcome.invalid) | uint256(outcome.envelope) << 8 | uint256(outcome.code) << 16;
    }

    function test_two_kinds_of_pages_are_items_of_the_queue() public view {
        for (uint256 kind = 0; kind < 256; kind++) {
            vm.assertEq(this.isForced(kind), kind == 2 || kind == 3);
        }
    }

    function isForced(uint256 kind) external pure returns (bool) {
        Run memory run_;
        Dirt.spread();
        run_.page = Memory.allocate(Framing.PAGE_BYTES);
        Memory.put8(run_.page + 38, kind);
        return Pages.isForced(run_);
    }

    function test_every_byte_that_should_be_zero_is_looked_at() public pure {
        uint256 ptr = Memory.allocate(160) + 33;
        for (uint256 length = 0; length < 70; length++) {
            // Neither what stands before nor what stands behind matters.
            Memory.putWord(ptr - 32, type(uint256).max);
            Memory.putWord(ptr + length, type(uint256).max);
            for (uint256 i = 0; i < length; i++) {
                Memory.put8(ptr + i, 0);
            }
            bool isZero = Memory.isZero(ptr, ptr + length);
            for (uint256 i = 0; i < length; i++) {
                Memory.put8(ptr + i, i % 2 == 0 ? 0x01 : 0x80);
                isZero = isZero && !Memory.isZero(ptr, ptr + length);
                Memory.put8(ptr + i, 0);
            }
            vm.assertTrue(isZero);
        }
    }

    // Envelopes.

    /// @dev Zero alone is no address, whatever stands behind it.
    function test_an_address_is_all_of_its_bits() public view {
        for (uint256 bit = 0; bit < 160; bit++) {
            bytes memory key = abi.encodePacked(uint8(1), uint160(1 << bit), SEALING);
            vm.assertEq(this.refusalOf(envelope(1, abi.encodePacked(uint8(0x21), uint32(9), key))), 0);
        }
        bytes memory zero = abi.encodePacked(uint8(1), uint160(0), SEALING);
        uint256 refusal = this.refusalOf(envelope(1, abi.encodePacked(uint8(0x21), uint32(9), zero)));
        vm.assertEq(refusal, Codes.KEY | 1 << 8);
    }

    /// @dev Of one field, which the page's end cuts: what lies behind it would do.
    function test_an_access_of_one_field_is_cut_wherever_that_ends_early() public view {
        bytes[8] memory accesses = [
            bytes(hex"c000000001"),
            hex"a000000001",
            hex"9000000001",
            hex"88213601",
            hex"8101",
            hex"820101",
            hex"83010101",
            hex"8401010101"
        ];
        for (uint256 i = 0; i < 8; i++) {
            vm.assertEq(this.refusalOf(envelope(1, accesses[i])), 0);
            for (uint256 length = 0; length < accesses[i].length; length++) {
                bytes memory cut = slice(accesses[i], 0, length);
                vm.assertEq(this.refusalOf(envelope(1, cut)), Codes.TRUNCATED | 1 << 8);
            }
        }
    }

    /// @dev The page ends with the field whose bits are not known.
    function test_unknown_bits_are_met_before_the_page_s_end() public view {
        bytes memory grant = abi.encodePacked(hex"30", uint32(1), uint8(2), uint32(1));
        bytes[4] memory events = [
            abi.encodePacked(hex"12", uint32(1), uint8(4)),
            abi.encodePacked(grant, uint64(1 << 61)),
            abi.encodePacked(grant, uint64(1), uint8(1 << 6)),
            abi.encodePacked(grant, uint64(1), uint8(1), uint64(1 << 30))
        ];
        for (uint256 i = 0; i < 4; i++) {
            vm.assertEq(this.refusalOf(envelope(1, events[i])), Codes.UNKNOWN_BITS | 1 << 8);
        }
    }

    /// @dev Before any field: whether those are there, or right, is not asked.
    function test_an_offset_longer_than_four_bytes_is_the_first_fault_of_its_access() public view {
        for (uint256 head = 0x80; head < 256; head++) {
            if (head % 8 <= 4) continue;
            bytes memory alone = abi.encodePacked(uint8(head));
            vm.assertEq(this.refusalOf(envelope(1, alone)), Codes.UNKNOWN_BITS | 1 << 8);
            vm.assertEq(this.refusalOf(envelope(1, bytes.concat(alone, new bytes(23)))), Codes.UNKNOWN_BITS | 1 << 8);
        }
    }

    function refusalOf(bytes calldata given) external pure returns (uint256 refusal) {
        Run memory run_;
        Dirt.spread(DIRT);
        (, refusal) = decodeEnvelope(run_, given);
    }

    // The log.

    function test_a_log_of_the_largest_sizes_takes_an_event_and_stays() public view {
        uint64[5] memory sizes = [uint64(0), 1, 1 << 63 - 1, type(uint64).max - 1, type(uint64).max];
        for (uint256 i = 0; i < 5; i++) {
            (bytes memory meta, bytes memory frontier,) = this.append(rowsAt(sizes[i]), "");
            vm.assertEq(uint64(bytes8(meta)), sizes[i]);
            vm.assertEq(frontier, Big.frontier(sizes[i]));
            vm.assertEq(bytes32(slice(meta, 38, 32)), folded(frontier));
        }
        bytes memory access = hex"e80000000300000002213601";
        for (uint256 i = 0; i < 4; i++) {
            (bytes memory meta, bytes memory frontier, bytes memory patient) =
                this.append(rowsAt(sizes[i]), envelope(1, access));
            bytes32 leaf = leafOf(sizes[i], 0, hex"80000000030000000200000000213601");
            vm.assertEq(uint64(bytes8(meta)), sizes[i] + 1);
            vm.assertEq(frontier.length, Big.frontier(sizes[i] + 1).length);
            bytes32 root = folded(bytes.concat(Big.frontier(sizes[i]), leaf));
            vm.assertEq(folded(frontier), root);
            vm.assertEq(bytes32(slice(meta, 38, 32)), root);
            checkPatient(patient, 1, keccak256(bytes.concat(hex"02", headOf(Big.patient(3)), leaf)));
        }
    }

    /// @dev A system may rotate its own key among its accesses: that is nobody's history.
    function test_an_event_of_no_patient_moves_no_head() public view {
        bytes memory rotation = abi.encodePacked(hex"210000000700", SEALING);
        (bytes memory meta,, bytes memory patient) =
            this.append(rowsAt(4), envelope(3, bytes.concat(hex"e00000000300000002", rotation, hex"80")));
        bytes memory access = hex"80000000030000000200000000000000";
        bytes32[3] memory leaves = [leafOf(4, 0, access), leafOf(5, 1, rotation), leafOf(6, 2, access)];
        bytes32 head = keccak256(bytes.concat(hex"02", headOf(Big.patient(3)), leaves[0]));
        checkPatient(patient, 2, keccak256(bytes.concat(hex"02", head, leaves[2])));
        bytes32 pair = keccak256(bytes.concat(hex"01", leaves[0], leaves[1]));
        vm.assertEq(bytes32(slice(meta, 38, 32)), folded(bytes.concat(Big.frontier(4), pair, leaves[2])));
    }

    function checkPatient(bytes memory row, uint256 more, bytes32 head) private pure {
        bytes memory before = Big.patient(3);
        uint64 events = uint64(bytes8(slice(before, Rows.PATIENT_EVENTS, 8))) + uint64(more);
        vm.assertEq(row, bytes.concat(slice(before, 0, Rows.PATIENT_EVENTS), bytes8(events), head));
    }

    function headOf(bytes memory patient) private pure returns (bytes32) {
        return bytes32(slice(patient, Rows.PATIENT_HEAD, 32));
    }

    /// @dev By the definition, docs/spec.md §8.1, of an event at the base time without a verdict.
    function leafOf(uint64 sequence, uint8 k, bytes memory event_) private pure returns (bytes32) {
        bytes16 blind = bytes16(keccak256(abi.encodePacked(uint8(5), signature(), k)));
        bytes memory front = abi.encodePacked(sequence, uint48(CLOCK), uint48(BASE), uint32(7), PAYLOADS, k, blind);
        return keccak256(abi.encodePacked(uint8(0), front, uint8(0), event_));
    }

    /// @dev Peaks from the right; of nothing keccak of nothing.
    function folded(bytes memory peaks) private pure returns (bytes32 root) {
        if (peaks.length == 0) return keccak256("");
        uint256 count = peaks.length / 32;
        root = bytes32(slice(peaks, 32 * (count - 1), 32));
        for (uint256 i = count - 1; i > 0; i--) {
            root = keccak256(bytes.concat(hex"01", slice(peaks, 32 * (i - 1), 32), root));
        }
    }

    /// @dev Meta, frontier and patient 3 after an envelope that nobody has admitted.
    function append(bytes calldata witness, bytes calldata given)
        external
        pure
        returns (bytes memory meta, bytes memory frontier, bytes memory patient)
    {
        Run memory run_;
        Dirt.spread(DIRT);
        Witnesses.decode(run_, witness);
        run_.clock = CLOCK;
        if (given.length == 0) Framing.begin(run_);
        else decodeEnvelope(run_, given);
        Log.append(run_);
        // Nothing is written where the compiler keeps a word of zeros.
        bytes memory none;
        vm.assertEq(none.length, 0);
        meta = bytesAt(run_.meta);
        frontier = bytesAt(Witnesses.find(run_, Codes.META, 1));
        patient = bytesAt(Witnesses.get(run_, Codes.PATIENTS, 3));
    }

    function rowsAt(uint64 sequence) private pure returns (bytes memory) {
        bytes memory meta = FullWitness.row(0, 0, Big.meta(sequence, 10));
        bytes memory frontier = FullWitness.row(0, 1, Big.frontier(sequence));
        return whole(3, bytes.concat(meta, frontier, FullWitness.row(3, 3, Big.patient(3))));
    }

    // Made up.

    /// @dev Rows as the witness of a state that has no others.
    function whole(uint8 count, bytes memory rows) private pure returns (bytes memory) {
        return bytes.concat(bytes1(count), rows, hex"000000");
    }

    function signature() private pure returns (bytes memory) {
        return abi.encode(keccak256("r"), keccak256("s"));
    }

    function envelope(uint8 count, bytes memory events) private pure returns (bytes memory) {
        return envelopeOf(7, count, events);
    }

    function envelopeOf(uint32 signer, uint8 count, bytes memory events) private pure returns (bytes memory) {
        return abi.encodePacked(signer, uint64(11), uint48(BASE), PAYLOADS, signature(), count, events);
    }

    /// @dev An envelope of accesses of one byte.
    function repeated(uint256 count) private pure returns (bytes memory) {
        bytes memory events = new bytes(count);
        for (uint256 i = 0; i < count; i++) {
            events[i] = 0x80;
        }
        return envelope(uint8(count), events);
    }

    /// @dev The last of a page.
    function decodeEnvelope(Run memory run_, bytes calldata given) private pure returns (uint256, uint256) {
        run_.page = Memory.allocate(Framing.PAGE_BYTES + 32);
        uint256 start = run_.page + Framing.PAGE_BYTES - given.length;
        assembly ("memory-safe") {
            calldatacopy(start, given.offset, given.length)
        }
        Framing.begin(run_);
        return Framing.envelope(run_, start);
    }

    function bytesAt(uint256 row) private pure returns (bytes memory bytes_) {
        bytes_ = new bytes(Witnesses.lengthOf(row));
        assembly ("memory-safe") {
            mcopy(add(bytes_, 32), row, mload(bytes_))
        }
    }
}
