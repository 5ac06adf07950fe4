// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {Big} from "./Big.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title What the pages of the vectors do not come to, run as pages: roots, rows, entries and digests made by hand
/// @dev States hold the rows of their witness alone, so that every sibling is empty.
contract ReachTest is ExecutorFixture {
    using Big for Big.Held;

    uint64 private constant CHAIN = 31_337;
    address private constant ROLLUP = address(0xC0DE);
    uint48 private constant CLOCK = 1_800_000_000_000;
    uint256 private constant KEY = 0xC0FFEE;
    bytes32 private constant ONE = keccak256("pseudonym one");
    bytes32 private constant TWO = keccak256("pseudonym two");
    bytes32 private constant DIGEST = keccak256("digest of a consent");

    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
    }

    // Names.

    /// @dev Each is annotated behind its opening, by the number that it will have.
    function test_two_patients_that_one_envelope_opens_are_signed_for_by_their_pseudonyms() public view {
        bytes[] memory events = new bytes[](4);
        (events[0], events[1]) = (abi.encodePacked(uint8(0x10), ONE, uint32(0)), annotationOf(1));
        (events[2], events[3]) = (abi.encodePacked(uint8(0x10), TWO, uint32(0)), annotationOf(2));
        Big.Held memory before = beforeOpening();
        bytes memory hints = abi.encodePacked(uint32(0), uint32(keyOf(ONE) < keyOf(TWO) ? 1 : 0));
        bytes memory witness = witnessOf(before, hints);
        bytes memory envelope = signed(CLOCK, events, abi.encode(0, keyOf(ONE), 0, keyOf(TWO)));
        check(run(1, envelope, "", witness), witness, afterOpening(before.rows, envelope, events));
        // Signed for the first in both places: refused before a hint is asked for.
        envelope = signed(CLOCK, events, abi.encode(0, keyOf(ONE), 0, keyOf(ONE)));
        IPageExecutor.Outcome memory outcome = run(1, envelope, "", witnessOf(beforeOpening(), ""));
        vm.assertEq(uint8(outcome.invalid), uint8(IPageExecutor.Invalid.Refused));
        vm.assertEq(outcome.code, 0x72);
    }

    function beforeOpening() private pure returns (Big.Held memory before) {
        before = Big.room(7);
        before.hold(0, 0, meta(0, 0, hex"00000002000000020000000100000001", keccak256("")));
        before.hold(0, 1, "");
        before.hold(1, 1, org(9));
        before.hold(2, 1, system(0));
        before.hold(3, 0, new bytes(153));
        before.hold(3, 1, "");
        before.hold(3, 2, "");
    }

    function afterOpening(bytes[] memory rows, bytes memory envelope, bytes[] memory events)
        private
        pure
        returns (bytes[] memory)
    {
        uint48[] memory times = new uint48[](4);
        (times[0], times[1], times[2], times[3]) = (CLOCK, CLOCK, CLOCK, CLOCK);
        bytes32[] memory leaves = leavesOf(envelope, times, hex"00000000", events);
        bytes32 log = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]));
        rows[0] = meta(4, 0, hex"00000002000000020000000300000001", log);
        rows[1] = abi.encode(log);
        rows[3] = system(1);
        // The lesser key comes first, behind row 0.
        (bytes32 one, bytes32 two) = (keyOf(ONE), keyOf(TWO));
        rows[4] = bytes.concat(new bytes(36), one < two ? one : two, new bytes(85));
        rows[5] = patient(ONE, one < two ? two : bytes32(0), 1, 2, head(leaves[0], leaves[1]));
        rows[6] = patient(TWO, one < two ? bytes32(0) : one, 1, 2, head(leaves[2], leaves[3]));
        return rows;
    }

    // Verdicts.

    /// @dev A consent that ends between two accesses of which only the time differs is none at the second.
    function test_a_later_access_finds_a_consent_that_has_ended_no_more() public view {
        bytes memory first = abi.encodePacked(uint8(0xF8), uint32(1), uint32(2), uint32(1), hex"213601");
        checkVerdicts(first, 0, 1, hex"0608");
    }

    /// @dev An actor who is not valid yet at the first of them is at the second.
    function test_a_later_access_finds_an_actor_that_is_valid_by_then() public view {
        bytes memory first = abi.encodePacked(uint8(0xE8), uint32(1), uint32(2), hex"213601");
        checkVerdicts(first, CLOCK - 50, 0, hex"0108");
    }

    /// @dev The first 60 ms before the clock, the second 10 ms later, when the consent ends. The patient wants explicit
    /// consent.
    function checkVerdicts(bytes memory first, uint48 actorFrom, uint32 consent, bytes memory verdicts) private view {
        Big.Held memory before = beforeAccess(actorFrom);
        bytes memory witness = witnessOf(before, "");
        bytes[] memory events = new bytes[](2);
        (events[0], events[1]) = (first, hex"810a");
        bytes32 practitioner = keccak256(abi.encodePacked(uint32(1), bytes32("another tag")));
        bytes memory identities = abi.encode(keyOf(ONE), practitioner);
        if (consent != 0) identities = bytes.concat(identities, DIGEST);
        bytes memory envelope = signed(CLOCK - 60, events, identities);
        // In the log every field is written.
        events[0] = abi.encodePacked(uint8(0x80), uint32(1), uint32(2), consent, hex"213601");
        events[1] = events[0];
        uint48[] memory times = new uint48[](2);
        (times[0], times[1]) = (CLOCK - 60, CLOCK - 50);
        bytes32[] memory leaves = leavesOf(envelope, times, verdicts, events);
        check(run(1, envelope, "", witness), witness, afterAccess(before.rows, leaves[0], leaves[1]));
    }

    function beforeAccess(uint48 actorFrom) private pure returns (Big.Held memory before) {
        before = Big.room(7);
        before.hold(0, 0, meta(0, 0, hex"00000002000000030000000200000002", keccak256("")));
        before.hold(0, 1, "");
        before.hold(1, 1, org(9));
        before.hold(2, 1, system(0));
        before.hold(2, 2, principal(3, "another tag", 1, 0, actorFrom, 0));
        before.hold(3, 1, patient(ONE, 0, 2, 0, 0));
        bytes memory grant = abi.encodePacked(uint32(1), uint8(1), uint32(1), uint64(1 << 54), uint8(4), uint64(2));
        before.hold(4, 1, abi.encodePacked(grant, uint48(0), CLOCK - 50, uint48(0), DIGEST));
    }

    function afterAccess(bytes[] memory rows, bytes32 first, bytes32 second) private pure returns (bytes[] memory) {
        rows[0] = meta(2, 0, hex"00000002000000030000000200000002", node(first, second));
        rows[1] = abi.encode(node(first, second));
        rows[3] = system(1);
        rows[5] = patient(ONE, 0, 2, 2, head(first, second));
        return rows;
    }

    // Org items.

    /// @dev One that was revoked before stays revoked since then.
    function test_an_admin_who_is_replaced_is_revoked_once() public view {
        checkReplaced(principal(1, "tag", 2, 3, 0, 77), principal(1, "tag", 2, 3, 0, 77));
        checkReplaced(principal(1, "tag", 1, 3, 0, 0), principal(1, "tag", 2, 3, 0, CLOCK));
    }

    function checkReplaced(bytes memory admin, bytes memory after_) private view {
        Big.Held memory before = Big.room(5);
        before.hold(0, 0, meta(0, 0, hex"00000002000000020000000100000001", keccak256("")));
        before.hold(0, 1, "");
        before.hold(1, 1, org(1));
        before.hold(2, 1, admin);
        before.hold(2, 2, "");
        bytes memory witness = witnessOf(before, "");
        bytes[] memory rows = before.rows;
        rows[0] = meta(0, 1, hex"00000002000000030000000100000001", keccak256(""));
        rows[2] = org(2);
        rows[3] = after_;
        rows[4] = principal(1, "another tag", 1, 0, CLOCK, 0);
        bytes memory key = abi.encodePacked(uint8(1), vm.addr(KEY));
        bytes memory body =
            abi.encodePacked(uint8(3), address(1), uint32(1), key, bytes32("sealing"), bytes32("another tag"));
        bytes memory item = bytes.concat(hex"03", bytes6(CLOCK), body, new bytes(953 - body.length));
        check(run(3, body, item, witness), witness, rows);
    }

    // Made by hand: docs/spec.md §5.2 for rows, §7 for what is signed, §8 for the log.

    function meta(uint64 sequence, uint64 cursor, bytes memory counts, bytes32 log)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(sequence, sequence + cursor == 0 ? 0 : CLOCK, cursor, counts, log);
    }

    function org(uint32 admin) private pure returns (bytes memory) {
        return abi.encodePacked(address(1), admin, uint8(1), uint8(1), keccak256("name"), keccak256("key"));
    }

    function system(uint64 nonce) private pure returns (bytes memory) {
        return principal(2, "tag", 1, nonce, 0, 0);
    }

    function principal(uint8 role, bytes32 tag, uint8 status, uint64 nonce, uint48 from, uint48 revokedAt)
        private
        pure
        returns (bytes memory)
    {
        bytes memory front = abi.encodePacked(uint32(1), role, bytes32("sealing"), tag, status, nonce);
        return abi.encodePacked(front, from, uint48(0), revokedAt, uint48(0), uint8(1), vm.addr(KEY));
    }

    function patient(bytes32 pseudonym, bytes32 next, uint8 flags, uint64 events, bytes32 head_)
        private
        pure
        returns (bytes memory)
    {
        bytes memory front = abi.encodePacked(uint32(1), pseudonym, next, new bytes(24), flags);
        return abi.encodePacked(front, new bytes(20), events, head_);
    }

    function keyOf(bytes32 pseudonym) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(4), uint32(1), pseudonym));
    }

    function annotationOf(uint32 number) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(0x40), number, uint64(0), uint8(1), DIGEST);
    }

    /// @dev The first envelope of principal 1, a system, over these identities.
    function signed(uint48 base, bytes[] memory events, bytes memory identities) private view returns (bytes memory) {
        bytes32 type_ = keccak256(
            "Envelope(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,bytes events,bytes32 identities)"
        );
        bytes memory joined;
        for (uint256 i = 0; i < events.length; i++) {
            joined = bytes.concat(joined, events[i]);
        }
        bytes32 struct_ = keccak256(abi.encode(type_, 1, 0, base, 0, keccak256(joined), keccak256(identities)));
        bytes32 domain = bench.separator(CHAIN, ROLLUP);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", domain, struct_)));
        bytes memory front = abi.encodePacked(uint32(1), uint64(0), base, bytes32(0));
        bytes memory signature = abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
        return abi.encodePacked(front, signature, uint8(events.length), joined);
    }

    /// @dev Of the log's first entries: events as they stand there, with their times and verdicts.
    function leavesOf(bytes memory envelope, uint48[] memory times, bytes memory verdicts, bytes[] memory events)
        private
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](events.length);
        for (uint64 i = 0; i < events.length; i++) {
            bytes16 blind = bytes16(keccak256(abi.encodePacked(uint8(5), slice(envelope, 50, 64), uint8(i))));
            bytes memory front = abi.encodePacked(i, CLOCK, times[i], uint32(1), bytes32(0), uint8(i), blind);
            leaves[i] = keccak256(bytes.concat(hex"00", front, verdicts[i], events[i]));
        }
    }

    function node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }

    /// @dev Of a patient with these two events.
    function head(bytes32 first, bytes32 second) private pure returns (bytes32) {
        bytes32 one = keccak256(abi.encodePacked(uint8(2), bytes32(0), first));
        return keccak256(abi.encodePacked(uint8(2), one, second));
    }

    function witnessOf(Big.Held memory held, bytes memory hints) private pure returns (bytes memory) {
        bytes memory body;
        for (uint256 i = 0; i < held.count; i++) {
            bytes memory row = held.rows[i];
            body = abi.encodePacked(body, uint40(held.indices[i]), uint40(0), uint16(row.length), row);
        }
        return abi.encodePacked(uint8(held.count), body, uint8(hints.length / 4), hints, uint16(0));
    }

    function run(uint8 kind, bytes memory body, bytes memory item, bytes memory witness)
        private
        view
        returns (IPageExecutor.Outcome memory)
    {
        (bytes32 root,) = bench.roots(witness, new bytes[](0));
        bytes memory page = bytes.concat(bytes32(0), bytes6(CLOCK), bytes1(kind), body, new bytes(953 - body.length));
        return executor.execute(CHAIN, ROLLUP, root, abi.decode(page, (bytes32[31])), item, witness);
    }

    /// @dev It led to the root of these rows in the place of the witness's.
    function check(IPageExecutor.Outcome memory outcome, bytes memory witness, bytes[] memory rows) private view {
        vm.assertEq(uint8(outcome.invalid), 0);
        vm.assertEq(outcome.code, 0);
        (, bytes32 root) = bench.roots(witness, rows);
        vm.assertEq(outcome.root, root);
    }
}
