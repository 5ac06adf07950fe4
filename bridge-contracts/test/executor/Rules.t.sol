// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "../../src/executor/Codes.sol";
import {Events} from "../../src/executor/Events.sol";
import {Rows} from "../../src/executor/Rows.sol";
import {Run} from "../../src/executor/Run.sol";
import {Verdicts} from "../../src/executor/Verdicts.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {RulesFixture} from "./RulesFixture.sol";

/// @title What rights change, to the byte, and what they leave as it was: docs/spec.md §6.3
/// @dev Principal 1 is a system, 2 an admin, 4 and 5 are patients, 6 is a proxy.
contract RulesTest is RulesFixture {
    // Binding.

    /// @dev Somebody acts for the patient: who comes to control it is proposed, in plain sight, as for any other.
    function test_a_patient_with_a_proxy_alone_is_bound_by_proposal() public view {
        Patient memory before = someone();
        before.proxy = 6;
        Patient memory after_ = someone();
        (after_.proxy, after_.pending, after_.pendingAt) = (6, 4, CLOCK + 14 days * 1000);
        checkBind(Codes.SYSTEM, before, 4, 6, 0, after_);
        // The proxy is not the system's to change.
        checkBind(Codes.SYSTEM, before, 4, 0, Codes.EMPTY_PROPOSAL, before);
        checkBind(Codes.SYSTEM, before, 4, 5, Codes.EMPTY_PROPOSAL, before);
    }

    function test_who_binds_without_a_proposal_bars_nobody() public view {
        Patient memory before = someone();
        (before.controller, before.barred) = (4, 33);
        Patient memory after_ = someone();
        (after_.controller, after_.proxy, after_.barred) = (5, 6, 33);
        checkBind(Codes.PATIENT, before, 5, 6, 0, after_);
        // Nor does a system that binds who is not bound.
        (before.controller, before.pending, before.pendingAt) = (0, 4, CLOCK + 1);
        checkBind(Codes.SYSTEM, before, 5, 6, 0, after_);
    }

    function test_a_proposed_controller_is_one_when_it_is_due() public view {
        Patient memory before = someone();
        (before.controller, before.pending, before.pendingAt) = (5, 4, CLOCK + 1);
        checkBind(Codes.PATIENT, before, 0, 0, Codes.NOT_ENTITLED, before);
        before.pendingAt = CLOCK;
        checkBind(Codes.PATIENT, before, 0, 0, 0, someone());
    }

    function checkBind(
        uint256 role,
        Patient memory before,
        uint32 controller,
        uint32 proxy,
        uint256 code,
        Patient memory after_
    ) private view {
        check(role, abi.encodePacked(uint8(0x11), uint32(3), controller, proxy), before, code, after_);
    }

    /// @dev What stands behind the event in the page is none of its own.
    function test_a_policy_changes_flags_and_blocked_orgs_alone() public view {
        Patient memory before = someone();
        (before.controller, before.continued) = (4, 0x01020304);
        bytes16 blocked = bytes16(abi.encodePacked(uint32(8), uint32(9), uint32(10), uint32(11)));
        Patient memory after_ = someone();
        (after_.controller, after_.continued, after_.flags, after_.blocked) = (4, 0x01020304, 2, blocked);
        check(Codes.PATIENT, abi.encodePacked(uint8(0x12), uint32(3), uint8(2), blocked), before, 0, after_);
    }

    /// @dev By principal 1, a system, or 4, a patient; of patient 3.
    function check(uint256 role, bytes memory event_, Patient memory before, uint256 code, Patient memory after_)
        private
        view
    {
        bytes[] memory rows = new bytes[](5);
        rows[0] = meta(12, 7, 5, 5);
        rows[1] = principal(4, Codes.PATIENT);
        rows[2] = principal(5, Codes.PATIENT);
        rows[3] = principal(6, Codes.PROXY);
        rows[4] = row(Codes.PATIENTS, 3, bytesOf(before));
        uint32 signer = role == Codes.SYSTEM ? 1 : 4;
        Left memory left = this.applied(Case(role, signer, CLOCK, 1, event_, witnessOf(rows, "")));
        vm.assertEq(left.code, code);
        vm.assertEq(left.rows[4], bytesOf(after_));
    }

    function test_a_proposal_is_due_at_the_last_moment_at_the_latest() public pure {
        vm.assertEq(Codes.later(Codes.TIME_MAX - 2, 1), Codes.TIME_MAX - 1);
        vm.assertEq(Codes.later(Codes.TIME_MAX - 2, 2), Codes.TIME_MAX);
        vm.assertEq(Codes.later(Codes.TIME_MAX - 2, 3), Codes.TIME_MAX);
    }

    // New rows.

    /// @dev Whatever lay where its row comes to lie.
    function test_a_new_principal_is_what_its_event_says() public view {
        bytes memory key = bytes.concat(hex"01", bytes20(address(0xABCD)));
        bytes memory event_ = bytes.concat(hex"2003", key, ONE, TWO, bytes6(CLOCK), bytes6(CLOCK + 1));
        bytes[] memory rows = new bytes[](3);
        rows[0] = meta(12, 7, 5, 5);
        rows[1] = row(Codes.PRINCIPALS, 7, "");
        rows[2] = row(Codes.PATIENTS, 3, bytesOf(someone()));
        Left memory left = this.applied(Case(Codes.ADMIN, 2, CLOCK, 1, event_, witnessOf(rows, "")));
        vm.assertEq(left.code, 0);
        bytes memory start = abi.encodePacked(ORG, uint8(3), ONE, TWO, uint8(1), uint64(0), CLOCK, CLOCK + 1);
        vm.assertEq(left.rows[1], bytes.concat(start, new bytes(12), key));
        vm.assertEq(left.rows[2], bytesOf(someone()));
    }

    function test_a_new_consent_is_what_its_event_says() public view {
        Patient memory p = someone();
        p.proxy = 6;
        bytes memory grant =
            abi.encodePacked(uint32(3), uint8(2), uint32(4), uint64(5), uint8(6), uint64(7), CLOCK, CLOCK + 1);
        bytes[] memory rows = new bytes[](3);
        (rows[0], rows[1]) = (meta(12, 7, 5, 5), row(Codes.PATIENTS, 3, bytesOf(p)));
        rows[2] = row(Codes.CONSENTS, 5, "");
        bytes memory event_ = bytes.concat(hex"30", grant);
        Left memory left = this.applied(Case(Codes.PROXY, 6, CLOCK, 1, event_, witnessOf(rows, "")));
        vm.assertEq(left.code, 0);
        vm.assertEq(left.rows[2], bytes.concat(grant, bytes6(0), keccak256("what was signed")));
    }

    function test_whoever_may_not_revoke_a_consent_is_told_so_of_a_revoked_one_too() public view {
        bytes memory start = abi.encodePacked(uint32(3), uint8(2), uint32(4), new bytes(17));
        bytes memory consent = abi.encodePacked(start, uint48(0), uint48(0), CLOCK, ONE);
        bytes memory witness = witnessOf(hospital(someone(), consent, 1), "");
        Left memory left = this.applied(Case(Codes.PATIENT, 4, CLOCK, 1, hex"3100000002", witness));
        vm.assertEq(left.code, Codes.NOT_ENTITLED);
    }

    /// @dev Between two others by key, of which the first is its predecessor, and no other row of the state.
    function test_a_new_patient_stands_between_its_neighbours() public {
        bytes32[3] memory names = ascending();
        Left memory left = this.applied(opening(names, names[1], 1));
        vm.assertEq(left.code, 0);
        Patient memory opened;
        (opened.home, opened.pseudonym, opened.controller, opened.flags) = (ORG, names[1], 4, 1);
        opened.next = keyOf(ORG, names[2]);
        vm.assertEq(left.rows[5], bytesOf(opened));
        Patient memory before;
        before.next = keyOf(ORG, names[0]);
        vm.assertEq(left.rows[2], bytesOf(before));
        (before.home, before.pseudonym, before.next) = (ORG, names[0], keyOf(ORG, names[1]));
        vm.assertEq(left.rows[3], bytesOf(before));
        for (uint32 hint = 0; hint < 3; hint += 2) {
            vm.expectRevert(IPageExecutor.WrongHint.selector);
            this.applied(opening(names, names[1], hint));
        }
    }

    /// @dev Its own row is not its predecessor, though none follows: else it could be opened twice.
    function test_no_hint_opens_a_patient_twice() public {
        bytes32[3] memory names = ascending();
        vm.assertEq(this.applied(opening(names, names[0], 0)).code, Codes.TAKEN);
        vm.assertEq(this.applied(opening(names, names[2], 1)).code, Codes.TAKEN);
        vm.expectRevert(IPageExecutor.WrongHint.selector);
        this.applied(opening(names, names[0], 1));
        vm.expectRevert(IPageExecutor.WrongHint.selector);
        this.applied(opening(names, names[2], 2));
    }

    // Accesses.

    /// @dev What was hashed before, for another patient of org 7, reads as a consent for everything: one byte on to
    /// org 7, of patient 7; from its first byte to principal 4, of the patient whose number begins like every key.
    function test_an_access_that_cites_no_consent_has_none() public view {
        bytes memory scope = abi.encodePacked(type(uint64).max, uint8(0xFF), type(uint64).max);
        judgedWithoutConsent(7, bytes32(abi.encodePacked(uint8(1), ORG, scope, new bytes(10))));
        judgedWithoutConsent(0x04000000, bytes32(abi.encodePacked(uint32(4), scope, new bytes(11))));
    }

    function judgedWithoutConsent(uint32 patient, bytes32 pseudonym) private view {
        bytes[] memory rows = new bytes[](5);
        rows[0] = meta(12, 7, patient + 1, 5);
        rows[1] = principal(4, Codes.PATIENT);
        Patient memory p;
        rows[2] = row(Codes.PATIENTS, 0, bytesOf(p));
        p.home = ORG;
        rows[3] = row(Codes.PATIENTS, patient, bytesOf(p));
        rows[4] = row(Codes.PATIENTS, patient + 1, "");
        bytes memory opening = abi.encodePacked(uint8(0x10), pseudonym, uint32(0));
        bytes memory events = abi.encodePacked(opening, uint8(0xE0), patient, uint32(4));
        Left memory left = this.applied(Case(Codes.SYSTEM, 1, CLOCK, 2, events, witnessOf(rows, new bytes(4))));
        vm.assertEq(left.code, 0);
        vm.assertEq(Events.verdictOf(left.words[1]), 7);
    }

    /// @dev The consent ends between the first two. Only the time differs, or nothing.
    function test_an_access_is_judged_at_its_own_time_though_nothing_else_differs() public view {
        Patient memory p = someone();
        p.flags = 2;
        bytes memory scope = abi.encodePacked(type(uint64).max >> 3, uint8(0x3F), type(uint64).max >> 34);
        bytes memory consent = abi.encodePacked(uint32(3), uint8(2), uint32(4), scope, uint48(0), CLOCK - 50);
        bytes memory first = abi.encodePacked(uint8(0xF0), uint32(3), uint32(4), uint32(2));
        Left memory left = access(p, bytes.concat(consent, new bytes(38)), 3, bytes.concat(first, hex"813280"));
        vm.assertEq(left.code, 0);
        vm.assertEq(Events.verdictOf(left.words[0]), 6);
        vm.assertEq(Events.verdictOf(left.words[1]), 8);
        vm.assertEq(Events.verdictOf(left.words[2]), 8);
    }

    /// @dev Nothing is written of it but that it is one.
    function test_an_access_behind_another_event_is_judged_too() public view {
        bytes memory first = abi.encodePacked(uint8(0xE0), uint32(3), uint32(4));
        bytes memory annotation = abi.encodePacked(uint8(0x40), uint32(3), uint64(0), uint8(1), bytes32(0));
        Left memory left = access(someone(), "", 3, bytes.concat(first, annotation, hex"80"));
        vm.assertEq(left.code, 0);
        vm.assertEq(Events.verdictOf(left.words[0]), 7);
        vm.assertEq(Events.verdictOf(left.words[1]), 0);
        vm.assertEq(Events.verdictOf(left.words[2]), 7);
    }

    /// @dev By turns principals 1 and 4.
    function test_every_access_of_127_names_its_actor() public view {
        bytes memory events = abi.encodePacked(uint8(0xE0), uint32(3), uint32(4));
        for (uint256 i = 1; i < 127; i++) {
            events = abi.encodePacked(events, uint8(0xA0), uint32(i % 2 == 1 ? 1 : 4));
        }
        Patient memory p = someone();
        p.proxy = 1;
        Left memory left = access(p, "", 127, events);
        vm.assertEq(left.code, 0);
        for (uint256 i = 0; i < 127; i++) {
            vm.assertEq(Events.verdictOf(left.words[i]), i % 2 == 1 ? 2 : 7);
        }
    }

    /// @dev Of patient 3, who is this, and consent 2, which is this, 100 ms before the clock.
    function access(Patient memory p, bytes memory consent, uint8 count, bytes memory events)
        private
        view
        returns (Left memory)
    {
        return admitted(Case(0, 1, CLOCK - 100, count, events, witnessOf(hospital(p, consent, Codes.ACTIVE), "")));
    }

    // Verdicts.

    /// @dev Validity of a principal, a consent: from, until, revoked at.
    function test_a_validity_holds_its_first_moment_and_not_its_last() public pure {
        for (uint256 i = 0; i < 256; i++) {
            (uint256 from, uint256 until, uint256 revoked, uint256 time) = (i & 3, i >> 2 & 3, i >> 4 & 3, i >> 6);
            bytes memory validity = abi.encodePacked(uint48(from), uint48(until), uint48(revoked), type(uint112).max);
            bool isActive = time >= from && (until == 0 || time < until) && (revoked == 0 || time < revoked);
            vm.assertEq(Rows.isActive(placeOf(validity), time), isActive);
        }
    }

    function test_each_of_four_orgs_is_blocked_and_no_org_is_not() public pure {
        Patient memory p = someone();
        p.blocked = bytes16(abi.encodePacked(uint32(1), uint32(2), uint32(5), uint32(9)));
        uint8[7] memory verdicts = [0x88, 0x85, 0x85, 0x88, 0x88, 0x85, 0x88];
        for (uint32 i = 0; i < 7; i++) {
            vm.assertEq(judged(p, i, "", 0), verdicts[i]);
        }
        vm.assertEq(judged(p, 9, "", 0), 0x85);
        p.blocked = bytes16(abi.encodePacked(uint32(1)));
        vm.assertEq(judged(p, 1, "", 0), 0x85);
        // Before the first event of a patient too.
        (p.events, p.head) = (0, 0);
        vm.assertEq(judged(p, 1, "", 0), 0x85);
        vm.assertEq(judged(p, 0, "", 0), 0x88);
        p.blocked = 0;
        vm.assertEq(judged(p, 0, "", 0), 0x88);
    }

    /// @dev Consents for one purpose, one action and one category each. Emergencies need none.
    function test_a_consent_permits_what_its_bits_stand_for() public pure {
        for (uint256 i = 0; i <= 60; i = i == 56 ? 60 : i + 1) {
            (uint256 action, uint256 category) = (i % 6, i % 30);
            bytes memory scope = abi.encodePacked(uint64(1 << i), uint8(1 << action), uint64(1 << category));
            bytes memory consent = abi.encodePacked(uint32(3), uint8(2), uint32(4), scope, new bytes(50));
            vm.assertEq(judged(someone(), ORG, consent, codesOf(action, i, category)), 6);
            vm.assertEq(judged(someone(), ORG, consent, codesOf((action + 1) % 6, i, category)), 8);
            vm.assertEq(judged(someone(), ORG, consent, codesOf(action, (i + 1) % 57, category)), 8);
            vm.assertEq(judged(someone(), ORG, consent, codesOf(action, i, (category + 1) % 30)), 8);
        }
    }

    /// @dev With an outcome, which is of no matter.
    function codesOf(uint256 action, uint256 purpose, uint256 category) private pure returns (uint256) {
        return action << 20 | 4 << 16 | purpose << 8 | category;
    }

    /// @dev Of principal 4 to patient 3 now, by a system of org 7, which needs a consent.
    function judged(Patient memory p, uint32 actorOrg, bytes memory consent, uint256 codes)
        private
        pure
        returns (uint256)
    {
        Run memory run = circumstances(p, actorOrg, 0, consent);
        return Verdicts.judge(run, accessAt(CLOCK) | codes << 48, run.patientRow, run.actorRow, run.consentRow);
    }

    function test_an_access_ahead_of_the_clock_is_judged_at_the_clock_and_not_late() public pure {
        Patient memory p = someone();
        p.flags = 2;
        Run memory run = circumstances(p, ORG, 0, "");
        vm.assertEq(Verdicts.judge(run, accessAt(CLOCK + 1), run.patientRow, run.actorRow, 0), 8);
    }

    /// @dev Whoever the actor, whatever it rests on: late or not, too old or ahead, valid still or not.
    function test_to_judge_again_is_to_judge() public pure {
        uint48[7] memory times = [
            CLOCK - 30 days * 1000 - 1,
            CLOCK - 30 days * 1000,
            CLOCK - 600_001,
            CLOCK - 600_000,
            CLOCK - 1,
            CLOCK,
            CLOCK + 1
        ];
        bytes memory scope = abi.encodePacked(type(uint64).max, uint8(0xFF), type(uint64).max);
        bytes memory consent = abi.encodePacked(uint32(3), uint8(2), uint32(4), scope, uint48(0), CLOCK - 1);
        for (uint256 i = 0; i < 12; i++) {
            bytes memory cited = i % 2 == 0 ? bytes("") : bytes.concat(consent, new bytes(38));
            Run memory run = circumstances(someone(), ORG + uint32(i / 2 % 2), times[2 * (i / 4)], cited);
            for (uint256 j = 0; j < 49; j++) {
                uint256 first = accessAt(times[j % 7]);
                first = Verdicts.judge(run, first, run.patientRow, run.actorRow, run.consentRow);
                uint256 next = accessAt(times[j / 7]);
                uint256 expected = Verdicts.judge(run, next, run.patientRow, run.actorRow, run.consentRow);
                vm.assertEq(Verdicts.judgeAgain(run, next, first), expected);
            }
        }
    }

    // Admission.

    function test_of_events_too_far_ahead_the_first_is_named() public view {
        bytes memory events = abi.encodePacked(uint8(0xE1), uint32(3), uint32(4), uint8(1), uint16(0x8101));
        bytes memory witness = witnessOf(hospital(someone(), "", Codes.ACTIVE), "");
        vm.assertEq(admitted(Case(0, 1, CLOCK + 599_998, 2, events, witness)).code, 0);
        vm.assertEq(admitted(Case(0, 1, CLOCK + 599_999, 2, events, witness)).code, Codes.FUTURE | 2 << 8);
        vm.assertEq(admitted(Case(0, 1, CLOCK + 600_000, 2, events, witness)).code, Codes.FUTURE | 1 << 8);
    }

    /// @dev Others are their own, not the org's.
    function test_admins_systems_and_officers_of_a_suspended_org_do_not_sign() public view {
        for (uint256 role = 1; role <= Codes.OFFICER; role++) {
            bool isOfOrg = role == Codes.ADMIN || role == Codes.SYSTEM || role == Codes.OFFICER;
            uint256 code = signingCode(principal(1, role), Codes.SUSPENDED);
            vm.assertEq(code, isOfOrg ? Codes.ORG_SUSPENDED : Codes.MALFORMED);
        }
    }

    function test_a_signer_is_valid_from_its_first_moment_to_before_its_last() public view {
        vm.assertEq(signingCode(principal(1, Codes.PATIENT, CLOCK, CLOCK + 1), Codes.ACTIVE), Codes.MALFORMED);
        uint256 early = signingCode(principal(1, Codes.PATIENT, CLOCK + 1, CLOCK + 2), Codes.ACTIVE);
        vm.assertEq(early, Codes.SIGNER_NOT_YET_VALID);
        vm.assertEq(signingCode(principal(1, Codes.PATIENT, 0, CLOCK), Codes.ACTIVE), Codes.SIGNER_EXPIRED);
    }

    /// @dev The refusal of what principal 1 has not signed: `MALFORMED`, if it may sign at all.
    function signingCode(bytes memory signer, uint256 status) private view returns (uint256) {
        bytes memory event_ = abi.encodePacked(uint8(0x11), uint32(3), uint64(0));
        bytes[] memory rows = hospital(someone(), "", status);
        rows[2] = signer;
        return this.admit(Case(0, 1, CLOCK, 1, event_, witnessOf(rows, "")), new bytes(64)).code;
    }

    // Org items.

    function test_a_status_and_a_policy_are_known() public view {
        for (uint256 i = 0; i < 16; i++) {
            bool isKnown = i / 4 % 3 != 0 && i % 4 % 3 != 0;
            bytes memory item = abi.encodePacked(uint8(2), ORG, uint8(i / 4), uint8(i % 4));
            Left memory left = this.acted(item, ofOrg(admin(1, 0)));
            vm.assertEq(left.code, isKnown ? 0 : 1);
            bytes memory after_ = org(2, Codes.ACTIVE);
            if (isKnown) (after_[24], after_[25]) = (item[6], item[5]);
            vm.assertEq(left.rows[1], after_);
        }
    }

    /// @dev Whoever was revoked stays revoked since then.
    function test_an_admin_is_replaced_and_revoked_once() public view {
        for (uint8 status = 1; status <= 2; status++) {
            Left memory left = this.acted(replacement(ORG), ofOrg(admin(status, status == 1 ? 0 : 33)));
            vm.assertEq(left.code, 0);
            vm.assertEq(left.rows[1], org(7, Codes.ACTIVE));
            vm.assertEq(left.rows[2], admin(2, status == 1 ? CLOCK : 33));
            bytes memory start = abi.encodePacked(ORG, uint8(1), ONE, TWO, uint8(1), uint64(0), CLOCK);
            vm.assertEq(left.rows[3], abi.encodePacked(start, new bytes(18), uint8(1), address(0xABCD)));
        }
    }

    /// @dev Else right as it may be.
    function test_an_org_item_is_one_of_three() public view {
        bytes memory item = replacement(ORG);
        item[0] = 0x00;
        vm.assertEq(this.acted(item, ofOrg(admin(1, 0))).code, 1);
        item[0] = 0x04;
        vm.assertEq(this.acted(item, ofOrg(admin(1, 0))).code, 1);
    }

    /// @dev A point of P-256 behind a kind that is none.
    function test_an_admin_has_a_key_of_a_known_kind() public view {
        (uint256 x, uint256 y) = vm.publicKeyP256(1);
        bytes memory start = abi.encodePacked(uint8(3), address(7), ORG);
        vm.assertEq(this.acted(abi.encodePacked(start, uint8(2), x, y), ofOrg(admin(1, 0))).code, 0);
        vm.assertEq(this.acted(abi.encodePacked(start, uint8(3), x, y), ofOrg(admin(1, 0))).code, 1);
    }

    /// @dev There are orgs up to 7; nothing stands behind an item.
    function test_an_org_item_names_an_org_and_ends() public view {
        bytes memory witness = ofOrg(admin(1, 0));
        bytes memory status = abi.encodePacked(uint8(2), ORG, uint16(0x0101));
        vm.assertEq(this.acted(status, witness).code, 0);
        vm.assertEq(this.acted(bytes.concat(status, hex"01"), witness).code, 1);
        vm.assertEq(this.acted(bytes.concat(replacement(ORG), hex"01"), witness).code, 1);
        for (uint32 org_ = 0; org_ < 10; org_ += org_ == 0 ? 8 : 1) {
            vm.assertEq(this.acted(abi.encodePacked(uint8(2), org_, uint16(0x0101)), witness).code, 2);
            vm.assertEq(this.acted(replacement(org_), witness).code, 2);
        }
        bytes memory registration = abi.encodePacked(uint8(1), address(8), uint8(1), ONE, TWO, uint8(1), address(9));
        vm.assertEq(this.acted(abi.encodePacked(registration, ONE, TWO, uint8(1)), witness).code, 1);
    }
}
