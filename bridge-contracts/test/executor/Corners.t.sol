// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../../src/executor/Codes.sol";
import {Events} from "../../src/executor/Events.sol";
import {Framing} from "../../src/executor/Framing.sol";
import {Memory} from "../../src/executor/Memory.sol";
import {Names} from "../../src/executor/Names.sol";
import {OrgItems} from "../../src/executor/OrgItems.sol";
import {Rights} from "../../src/executor/Rights.sol";
import {Rows} from "../../src/executor/Rows.sol";
import {Run} from "../../src/executor/Run.sol";
import {Verdicts} from "../../src/executor/Verdicts.sol";
import {Witnesses} from "../../src/executor/Witnesses.sol";
import {Dirt} from "../utils/Dirt.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title What the pages of the vectors do not come to: full tables, events that end early, names among new patients
/// @dev Parts of the executor on a run that is made up.
contract CornersTest {
    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint48 private constant BASE = 1_800_000_000_000;
    uint256 private constant IN_FIRST = 1 << 8;
    bytes32 private constant ONE = keccak256("pseudonym one");
    bytes32 private constant TWO = keccak256("pseudonym two");

    // Framing.

    /// @dev Each event is right as a whole; cut anywhere, what is missing is the fault, not what is there.
    function test_an_event_that_ends_early_is_truncated_wherever_it_ends() public view {
        bytes[10] memory events = [
            abi.encodePacked(uint8(0x10), ONE, uint32(0)),
            abi.encodePacked(uint8(0x11), uint32(1), uint32(2), uint32(3)),
            abi.encodePacked(uint8(0x12), uint32(1), uint8(3), uint32(1), uint32(2), uint32(0), uint32(0)),
            abi.encodePacked(uint8(0x13), uint32(1), uint32(2), uint8(4)),
            bytes.concat(hex"2002", key(), bytes32(0), bytes32(0), bytes6(0), bytes6(0)),
            bytes.concat(hex"2100000001", key(), bytes32(0)),
            abi.encodePacked(uint8(0x22), uint32(1), uint8(9), uint48(0)),
            abi.encodePacked(uint8(0x30), uint32(1), uint8(2), uint32(1), uint64(1), uint8(1), uint64(1), uint96(0)),
            abi.encodePacked(uint8(0x31), uint32(1)),
            abi.encodePacked(uint8(0x40), uint32(1), uint64(0), uint8(5), bytes32(0))
        ];
        for (uint256 i = 0; i < events.length; i++) {
            vm.assertEq(this.refusalOf(envelope(1, events[i])), 0);
            for (uint256 length = 0; length < events[i].length; length++) {
                bytes memory part = new bytes(length);
                for (uint256 j = 0; j < length; j++) {
                    part[j] = events[i][j];
                }
                vm.assertEq(this.refusalOf(envelope(1, part)), Codes.TRUNCATED | IN_FIRST);
            }
        }
    }

    function refusalOf(bytes calldata given) external pure returns (uint256 refusal) {
        (, refusal) = begin(given, 0, 0);
    }

    // Names.

    function test_an_access_that_names_nobody_is_refused() public view {
        bytes memory nobody = hex"80";
        vm.assertEq(this.nameRefusalOf(envelope(1, nobody)), Codes.RESERVED | IN_FIRST);
        // A patient alone: the actor is nobody.
        vm.assertEq(this.nameRefusalOf(envelope(1, hex"c000000001")), Codes.RESERVED | IN_FIRST);
        vm.assertEq(this.nameRefusalOf(envelope(1, hex"e00000000100000001")), 0);
    }

    /// @dev Of five patients, five principals and five consents, row 0 counted.
    function nameRefusalOf(bytes calldata given) external pure returns (uint256) {
        (Run memory run,) = begin(given, 5, 5);
        return Names.check(run, Memory.word(run.envelopes));
    }

    /// @dev Below the table's count and above 0, or 0 where none may be meant.
    function test_a_row_number_is_one_of_its_table() public view {
        vm.assertEq(this.nameRefusalOf(envelope(1, abi.encodePacked(hex"f0", uint32(4), uint32(4), uint32(4)))), 0);
        vm.assertEq(this.nameRefusalOf(envelope(1, abi.encodePacked(hex"e0", uint32(1), uint32(1)))), 0);
        uint32[3][3] memory rows = [[uint32(5), 4, 4], [uint32(4), 5, 4], [uint32(4), 4, 5]];
        for (uint256 i = 0; i < 3; i++) {
            bytes memory access = abi.encodePacked(hex"f0", rows[i][0], rows[i][1], rows[i][2]);
            vm.assertEq(this.nameRefusalOf(envelope(1, access)), Codes.NO_ROW | IN_FIRST);
            // As a patient, a controller and a proxy.
            uint256 code =
                this.nameRefusalOf(envelope(1, abi.encodePacked(hex"11", rows[i][0], rows[i][1], rows[i][2])));
            vm.assertEq(code, Codes.NO_ROW | IN_FIRST);
        }
        vm.assertEq(this.nameRefusalOf(envelope(1, hex"a000000001")), Codes.RESERVED | IN_FIRST);
        // One more patient where one has been opened, and only there.
        bytes memory annotation = abi.encodePacked(uint8(0x40), uint32(4), uint64(0), uint8(1), bytes32(0));
        bytes memory next = abi.encodePacked(uint8(0x40), uint32(5), uint64(0), uint8(1), bytes32(0));
        bytes memory open = abi.encodePacked(uint8(0x10), ONE, uint32(0));
        vm.assertEq(this.nameRefusalOf(envelope(2, bytes.concat(annotation, next))), Codes.NO_ROW | 2 * IN_FIRST);
        vm.assertEq(this.nameRefusalOf(envelope(2, bytes.concat(open, next))), 0);
    }

    function test_where_there_is_no_consent_none_is_cited() public view {
        bytes memory access = hex"f0000000040000000400000001";
        vm.assertEq(this.consentRefusalOf(envelope(1, access), 1), Codes.NO_ROW | IN_FIRST);
        vm.assertEq(this.consentRefusalOf(envelope(1, access), 2), 0);
    }

    /// @dev Of so many consents, row 0 counted.
    function consentRefusalOf(bytes calldata given, uint256 consents) external pure returns (uint256) {
        (Run memory run,) = begin(given, 5, 5);
        Memory.put32(Rows.countAt(run.meta, Codes.CONSENTS), consents);
        return Names.check(run, Memory.word(run.envelopes));
    }

    /// @dev Also where an envelope makes several, and can only be refused for its form later.
    function test_a_new_row_has_a_number_below_the_last() public view {
        bytes memory add = bytes.concat(hex"2002", key(), bytes32(0), bytes32(0), bytes6(0), bytes6(0));
        bytes memory grant =
            abi.encodePacked(uint8(0x30), uint32(1), uint8(2), uint32(1), uint64(1), uint8(1), uint64(1), uint96(0));
        vm.assertEq(this.fullRefusalOf(envelope(2, bytes.concat(add, grant)), 0), 0);
        vm.assertEq(this.fullRefusalOf(envelope(2, bytes.concat(add, add)), 0), Codes.FULL | 2 * IN_FIRST);
        vm.assertEq(this.fullRefusalOf(envelope(2, bytes.concat(grant, grant)), 0), Codes.FULL | 2 * IN_FIRST);
        uint64 last = type(uint64).max;
        vm.assertEq(this.fullRefusalOf(envelope(2, bytes.concat(add, grant)), last - 2), 0);
        vm.assertEq(this.fullRefusalOf(envelope(2, bytes.concat(add, grant)), last - 1), Codes.FULL | IN_FIRST);
    }

    /// @dev One number is left for principals, one for consents, and this is the log's next.
    function fullRefusalOf(bytes calldata given, uint64 next) external pure returns (uint256) {
        (Run memory run,) = begin(given, 5, Codes.ROWS_MAX - 1);
        Memory.put64(run.meta, next);
        return Names.check(run, Memory.word(run.envelopes));
    }

    /// @dev Of the second of two, the first knows nothing.
    function test_an_envelope_is_asked_for_its_own_rows_alone() public view {
        bytes memory first = envelope(1, abi.encodePacked(uint8(0x10), ONE, uint32(0)));
        bytes memory second = envelope(1, abi.encodePacked(uint8(0x40), uint32(9), uint64(0), uint8(1), bytes32(0)));
        (uint256 refusal, bytes32 identities) = this.askFirst(bytes.concat(first, second));
        vm.assertEq(refusal, 0);
        vm.assertEq(identities, keccak256(abi.encode(0)));
    }

    function askFirst(bytes calldata given) external pure returns (uint256, bytes32) {
        (Run memory run,) = begin(given, 5, 5);
        Framing.envelope(run, Memory.word(run.envelopes) >> 32 & Witnesses.POINTER);
        uint256 first = Memory.word(run.envelopes);
        return (Names.check(run, first), Names.identities(run, first));
    }

    /// @dev Behind other events, and the second of two: its identity is that of its own pseudonym.
    function test_a_patient_that_the_envelope_opens_is_known_by_its_pseudonym() public view {
        bytes memory events = bytes.concat(
            abi.encodePacked(uint8(0x10), ONE, uint32(0)),
            abi.encodePacked(uint8(0x40), uint32(5), uint64(0), uint8(1), bytes32(0)),
            abi.encodePacked(uint8(0x10), TWO, uint32(0)),
            abi.encodePacked(uint8(0x40), uint32(6), uint64(0), uint8(1), bytes32(0))
        );
        bytes32 one = keccak256(abi.encodePacked(uint8(4), uint32(7), ONE));
        bytes32 two = keccak256(abi.encodePacked(uint8(4), uint32(7), TWO));
        vm.assertEq(this.identitiesOf(envelope(4, events)), keccak256(abi.encode(0, one, 0, two)));
    }

    function identitiesOf(bytes calldata given) external pure returns (bytes32) {
        (Run memory run,) = begin(given, 5, 5);
        run.org = 7;
        return Names.identities(run, Memory.word(run.envelopes));
    }

    // The budget.

    /// @dev Two of meta, the signer, its org; distinct rows but row 0; what a kind needs besides.
    function test_an_envelope_counts_the_rows_that_it_names_and_needs() public view {
        bytes memory one = abi.encodePacked(uint32(1));
        bytes memory two = abi.encodePacked(uint32(2));
        checkRows(4, hex"80");
        checkRows(7, bytes.concat(hex"f0", two, two, two));
        checkRows(5, bytes.concat(hex"e0", one, one));
        checkRows(6, abi.encodePacked(uint8(0x10), ONE, uint32(0)));
        checkRows(6, abi.encodePacked(uint8(0x10), ONE, uint32(1)));
        checkRows(7, abi.encodePacked(uint8(0x10), ONE, uint32(2)));
        checkRows(5, bytes.concat(hex"11", two, bytes8(0)));
        checkRows(6, bytes.concat(hex"11", two, hex"0000000300000003"));
        checkRows(7, bytes.concat(hex"11", two, hex"0000000300000004"));
        checkRows(6, bytes.concat(hex"12", two, hex"00", one, bytes12(0)));
        checkRows(9, bytes.concat(hex"12", two, hex"00", hex"00000001000000020000000300000004"));
        checkRows(6, bytes.concat(hex"13", two, one, hex"01"));
        checkRows(5, bytes.concat(hex"2002", key(), new bytes(76)));
        checkRows(5, bytes.concat(hex"21", two, key(), bytes32(0)));
        checkRows(5, bytes.concat(hex"22", two, hex"00", bytes6(0)));
        checkRows(7, bytes.concat(hex"30", two, hex"01", one, new bytes(29)));
        checkRows(6, bytes.concat(hex"30", two, hex"02", one, new bytes(29)));
        checkRows(6, bytes.concat(hex"31", two));
        checkRows(5, bytes.concat(hex"40", two, bytes8(0), hex"01", bytes32(0)));
    }

    /// @dev With as many patients more as there is room for, all other than those: 96 rows, and one more is too many.
    function checkRows(uint256 rows, bytes memory event_) private view {
        bytes memory events = visits(event_, Codes.PAGE_ROWS_MAX - rows);
        vm.assertEq(this.budgetOf(envelope(uint8(97 - rows), events), ""), 0);
        events = visits(event_, 97 - rows);
        vm.assertEq(this.budgetOf(envelope(uint8(98 - rows), events), ""), Codes.TOO_MANY_ROWS);
    }

    /// @dev Events, and accesses to so many patients.
    function visits(bytes memory before, uint256 count) private pure returns (bytes memory events) {
        events = before;
        for (uint256 i = 0; i < count; i++) {
            events = abi.encodePacked(events, uint8(0xC0), uint32(1000 + i));
        }
    }

    function test_a_page_counts_rows_once_and_the_org_of_every_envelope() public view {
        bytes memory many = envelope(92, visits("", 92));
        vm.assertEq(this.budgetOf(many, ""), 0);
        vm.assertEq(this.budgetOf(many, envelope(1, hex"80")), Codes.TOO_MANY_ROWS);
        many = envelope(91, visits("", 91));
        vm.assertEq(this.budgetOf(many, envelope(1, hex"80")), 0);
        vm.assertEq(this.budgetOf(many, envelope(91, visits("", 91))), 0);
        vm.assertEq(this.budgetOf(many, envelope(1, hex"c000000001")), Codes.TOO_MANY_ROWS);
        // An access to rows that other events and the head name, behind an event that names five.
        bytes memory policy = abi.encodePacked(hex"120000000200", uint32(1), uint32(2), uint32(3), uint32(4));
        many = visits(bytes.concat(policy, hex"3100000002f0000000020000000100000002"), 85);
        vm.assertEq(this.budgetOf(envelope(88, many), ""), 0);
        // Of events, each envelope has as many as it may.
        bytes memory most = envelope(127, accesses(127));
        vm.assertEq(this.budgetOf(most, most), 0);
        vm.assertEq(this.budgetOf(most, envelope(128, accesses(128))), Codes.TOO_MANY_EVENTS);
    }

    /// @dev By a number that the block has. However many collide, what lies behind their table stays as it was.
    function test_rows_are_counted_alike_however_they_are_spread() public {
        bytes memory many = envelope(91, visits("", 91));
        for (uint256 i = 0; i < 64; i++) {
            vm.prevrandao(bytes32(i));
            vm.assertEq(this.budgetOf(many, many), 0);
        }
    }

    function accesses(uint256 count) private pure returns (bytes memory events) {
        events = new bytes(count);
        for (uint256 i = 0; i < count; i++) {
            events[i] = 0x80;
        }
    }

    /// @dev Of one envelope or two. A third, of too many events, follows them and is none of theirs.
    function budgetOf(bytes calldata first, bytes calldata second) external view returns (uint256 refusal) {
        bytes memory third = envelope(128, bytes.concat(hex"c0000fffff", accesses(127)));
        bytes memory given = bytes.concat(first, second, third);
        Run memory run;
        uint256 next;
        assembly ("memory-safe") {
            next := add(given, 32)
        }
        unchecked {
            run.page = next + given.length - Framing.PAGE_BYTES;
        }
        Framing.begin(run);
        (next,) = Framing.envelope(run, next);
        if (second.length > 0) (next,) = Framing.envelope(run, next);
        uint256 end = run.envelopesEnd;
        Framing.envelope(run, next);
        Dirt.spread();
        refusal = Names.checkBudget(run, run.envelopes, end);
        uint256 behind;
        assembly ("memory-safe") {
            behind := mload(0x40)
        }
        require(refusal == Codes.TOO_MANY_EVENTS || Memory.isZero(behind, behind + 0x8000), "behind the table");
    }

    // Rights.

    function test_only_systems_and_officers_annotate() public view {
        for (uint256 role = 1; role <= Codes.OFFICER; role++) {
            uint256 code = this.annotate(role);
            vm.assertEq(code, role == Codes.SYSTEM || role == Codes.OFFICER ? 0 : Codes.ROLE);
        }
    }

    /// @dev On patient 3, who is of the signer's org.
    function annotate(uint256 role) external view returns (uint256) {
        bytes memory patient = abi.encodePacked(uint32(7), new bytes(Rows.PATIENT_BYTES - 4));
        bytes memory event_ = abi.encodePacked(uint8(0x40), uint32(3), uint64(0), uint8(1), bytes32(0));
        return this.annotateIn(role, envelope(1, event_), abi.encodePacked(uint8(1), row(3, 3, patient), hex"000000"));
    }

    function annotateIn(uint256 role, bytes calldata given, bytes calldata witness) external pure returns (uint256) {
        (Run memory run,) = begin(given, 5, 5);
        Witnesses.decode(run, witness);
        (run.role, run.org) = (role, 7);
        return Rights.apply_(run, run.events, Memory.word(run.events));
    }

    // Verdicts.

    /// @dev Of a later time alone: judged by the rows again, so that a consent that has ended is none any more.
    function test_a_repeated_access_is_judged_at_its_own_time() public pure {
        Run memory run;
        (run.clock, run.org, run.policy) = (BASE + 100, 7, 2);
        run.patientRow = rowAt(abi.encodePacked(uint32(7), new bytes(Rows.PATIENT_BYTES - 4)));
        run.actorRow = rowAt(abi.encodePacked(uint32(7), new bytes(Rows.PRINCIPAL_BYTES - 4)));
        // Granted to the org, for everything, until the base time and 50 milliseconds.
        bytes memory grant = abi.encodePacked(uint32(3), uint8(1), uint32(7), type(uint64).max, type(uint8).max);
        run.consentRow =
            rowAt(bytes.concat(grant, bytes8(type(uint64).max), bytes6(0), bytes6(BASE + 50), new bytes(38)));
        uint256 e = uint256(0x80) << Events.HEAD_AT | 3 << Events.PATIENT_AT | 2 << Events.ACTOR_AT;
        uint256 first = Verdicts.judge(run, e | (BASE + 49), run.patientRow, run.actorRow, run.consentRow);
        vm.assertEq(first, 6);
        vm.assertEq(Verdicts.judgeAgain(run, e | (BASE + 49), first), 6);
        vm.assertEq(Verdicts.judgeAgain(run, e | (BASE + 50), first), 8);
        // Without one, and an actor that is not valid yet at first.
        run.consentRow = 0;
        Memory.put48(run.actorRow + Rows.PRINCIPAL_VALIDITY, BASE + 50);
        first = Verdicts.judge(run, e | (BASE + 49), run.patientRow, run.actorRow, 0);
        vm.assertEq(first, 1);
        vm.assertEq(Verdicts.judgeAgain(run, e | (BASE + 49), first), 1);
        vm.assertEq(Verdicts.judgeAgain(run, e | (BASE + 50), first), 8);
    }

    // Org items.

    /// @dev Nothing is numbered beyond 32 bits.
    function test_a_full_table_takes_no_org_and_no_admin() public view {
        bytes memory registration = bytes.concat(hex"01", bytes20(address(1)), hex"01", ONE, TWO, key(), new bytes(64));
        bytes memory admin = abi.encodePacked(uint8(3), address(1), uint32(1), key(), new bytes(64));
        uint32 full = type(uint32).max;
        vm.assertEq(this.act(registration, full, 2), 4);
        vm.assertEq(this.act(registration, 2, full), 4);
        vm.assertEq(this.act(admin, 2, full), 4);
        registration[21] = 0x00;
        vm.assertEq(this.act(registration, 2, 2), 1);
        registration[21] = 0x03;
        vm.assertEq(this.act(registration, 2, 2), 1);
        // A key of no kind.
        admin[25] = 0x00;
        vm.assertEq(this.act(admin, 2, 2), 1);
    }

    /// @dev Where the tables of orgs and principals have these numbers next; org 1 is there, of account 1.
    function act(bytes memory item, uint32 orgs, uint32 principals) external view returns (uint256) {
        bytes memory counts = abi.encodePacked(orgs, principals, uint64(0));
        bytes memory meta = bytes.concat(new bytes(22), counts, new bytes(32));
        bytes memory org = bytes.concat(bytes20(address(1)), hex"000000010101", new bytes(64));
        return this.actIn(item, abi.encodePacked(uint8(2), row(0, 0, meta), row(1, 1, org), hex"000000"));
    }

    function actIn(bytes calldata item, bytes calldata witness) external pure returns (uint256) {
        Run memory run;
        Witnesses.decode(run, witness);
        run.page = Memory.allocate(Framing.PAGE_BYTES + 32);
        uint256 body = run.page + Framing.BODY_AT;
        bytes memory whole = bytes.concat(item, new bytes(953 - item.length));
        uint256 from;
        assembly ("memory-safe") {
            from := add(whole, 32)
        }
        Memory.copy(body, from, 953);
        return OrgItems.act(run);
    }

    // Made up.

    /// @dev A run whose page ends with this envelope, decoded.
    function begin(bytes calldata given, uint256 patients, uint256 others)
        private
        pure
        returns (Run memory run, uint256 refusal)
    {
        Dirt.spread();
        run.page = Memory.allocate(Framing.PAGE_BYTES + 32);
        uint256 start = run.page + Framing.PAGE_BYTES - given.length;
        assembly ("memory-safe") {
            calldatacopy(start, given.offset, given.length)
        }
        Framing.begin(run);
        run.meta = rowAt(new bytes(Rows.META_BYTES));
        Memory.put32(Rows.countAt(run.meta, Codes.PATIENTS), patients);
        Memory.put32(Rows.countAt(run.meta, Codes.PRINCIPALS), others);
        Memory.put32(Rows.countAt(run.meta, Codes.CONSENTS), others);
        (, refusal) = Framing.envelope(run, start);
    }

    function envelope(uint8 count, bytes memory events) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(1), uint64(0), BASE, new bytes(96), count, events);
    }

    /// @dev A key of secp256k1, its kind before it.
    function key() private pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), address(0xABCD));
    }

    /// @dev As a witness has it.
    function row(uint8 table, uint32 number, bytes memory bytes_) private pure returns (bytes memory) {
        return abi.encodePacked(table, number, bytes5(0), uint16(bytes_.length), bytes_);
    }

    function rowAt(bytes memory bytes_) private pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := add(bytes_, 32)
        }
    }
}
