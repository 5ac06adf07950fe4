// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Header} from "../src/types/Header.sol";
import {Epoch, Sequencer, Standing} from "../src/types/State.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Bonds, the line, who is in office, and who is turned out
contract OfficeTest is Fixture {
    function exit(address account) private {
        vm.prank(account);
        rollup.exit();
    }

    function withdraw(address account) private {
        vm.prank(account);
        rollup.withdraw();
    }

    function depose() private {
        vm.prank(ANYONE);
        rollup.depose();
    }

    function standing(address account) private view returns (uint256) {
        return uint256(rollup.sequencers(account).standing);
    }

    function test_the_first_to_bond_takes_office_in_epoch_1() public {
        vm.assertEq(rollup.epoch(), 0);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Bonded(ALICE, RECEIPTS, 32 ether);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.EpochStarted(1, ALICE, RECEIPTS, 0);
        bond(ALICE);
        vm.assertEq(rollup.sequencer(), ALICE);
        vm.assertEq(rollup.epoch(), 1);
        vm.assertEq(standing(ALICE), uint256(Standing.InOffice));
    }

    function test_exactly_the_bond_is_taken_once() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongBond.selector, 31 ether, 32 ether));
        vm.prank(ALICE);
        rollup.bond{value: 31 ether}(RECEIPTS);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoReceiptKey.selector));
        vm.prank(ALICE);
        rollup.bond{value: 32 ether}(address(0));
        bond(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.InOffice));
        bond(ALICE);
    }

    function test_who_bonds_later_stands_in_line_and_takes_office_in_turn() public {
        bond(ALICE);
        bond(BOB);
        bond(CAROL);
        vm.assertEq(rollup.sequencer(), ALICE);
        post(ALICE);
        exit(ALICE);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
        post(BOB);
        exit(BOB);
        vm.assertEq(rollup.sequencer(), CAROL);
        exit(CAROL);
        vm.assertEq(rollup.sequencer(), address(0));
        vm.assertEq(rollup.epoch(), 3);
    }

    function test_an_epoch_keeps_who_was_in_office_and_where_it_ended() public {
        bond(ALICE);
        bond(BOB);
        post(ALICE);
        pass(5);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.EpochEnded(1, 10);
        exit(ALICE);
        Epoch memory first = rollup.epochs(1);
        vm.assertEq(first.sequencer, ALICE);
        vm.assertEq(first.receiptKey, RECEIPTS);
        vm.assertEq(first.startedAt, START);
        vm.assertEq(first.endedAt, START + 5);
        vm.assertEq(first.firstSequence, 0);
        vm.assertEq(first.endSequence, 10);
        Epoch memory second = rollup.epochs(2);
        vm.assertEq(second.sequencer, BOB);
        vm.assertEq(second.firstSequence, 10);
        vm.assertEq(second.endedAt, 0);
        vm.assertEq(second.endSequence, 0);
    }

    function test_one_may_step_out_of_the_middle_of_the_line() public {
        bond(ALICE);
        bond(BOB);
        bond(CAROL);
        exit(BOB);
        exit(ALICE);
        vm.assertEq(rollup.sequencer(), CAROL);
        vm.assertEq(rollup.firstInLine(), address(0));
    }

    /// @dev Between two others, who keep their places.
    function test_who_steps_out_between_two_others_lets_nobody_past() public {
        bond(ALICE);
        bond(BOB);
        bond(CAROL);
        bond(HOSPITAL);
        exit(CAROL);
        vm.assertEq(rollup.firstInLine(), BOB);
        exit(ALICE);
        vm.assertEq(rollup.sequencer(), BOB);
        exit(BOB);
        vm.assertEq(rollup.sequencer(), HOSPITAL);
    }

    /// @dev Carol stood behind Bob when he stepped out.
    function test_who_comes_back_into_the_line_brings_nobody_along() public {
        bond(ALICE);
        bond(BOB);
        bond(CAROL);
        exit(BOB);
        exit(CAROL);
        pass(14 days);
        withdraw(BOB);
        withdraw(CAROL);
        bond(BOB);
        exit(ALICE);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.firstInLine(), address(0));
        exit(BOB);
        vm.assertEq(rollup.sequencer(), address(0));
    }

    function test_an_empty_office_is_taken_by_whoever_bonds() public {
        bond(ALICE);
        exit(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.OfficeEmpty.selector));
        depose();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.OfficeEmpty.selector));
        rollup.deposableAt();
        bond(BOB);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
    }

    function test_who_has_left_can_neither_post_nor_leave_again() public {
        bond(ALICE);
        Header memory header = next();
        exit(ALICE);
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.NotInOffice.selector, ALICE));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Leaving));
        exit(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.None));
        exit(BOB);
    }

    function test_a_bond_is_paid_back_after_the_delay_and_may_be_left_anew() public {
        bond(ALICE);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.ExitRequested(ALICE, uint64(START + 14 days));
        exit(ALICE);
        pass(14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Locked.selector, START + 14 days));
        withdraw(ALICE);
        pass(1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Withdrawn(ALICE, 32 ether);
        withdraw(ALICE);
        vm.assertEq(ALICE.balance, 1000 ether);
        vm.assertEq(rollup.bondsHeld(), 0);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.None));
        withdraw(ALICE);
        bond(ALICE);
        vm.assertEq(rollup.sequencer(), ALICE);
    }

    function test_a_pause_keeps_the_bond_for_as_long() public {
        bond(ALICE);
        exit(ALICE);
        pause();
        pass(2 days);
        unpause();
        pass(12 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Locked.selector, START + 16 days));
        withdraw(ALICE);
        pass(2 days);
        withdraw(ALICE);
    }

    function test_who_is_in_office_or_in_line_cannot_withdraw() public {
        bond(ALICE);
        bond(BOB);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.InOffice));
        withdraw(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.InLine));
        withdraw(BOB);
    }

    function test_a_sequencer_that_posts_nothing_for_72_hours_is_deposed() public {
        bond(ALICE);
        bond(BOB);
        pass(72 hours - 1);
        vm.assertEq(rollup.deposableAt(), START + 72 hours);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.StillInTime.selector, START + 72 hours));
        depose();
        pass(1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Deposed(ALICE, ANYONE, 3.2 ether);
        depose();
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.burnt(), 3.2 ether);
        Sequencer memory alice = rollup.sequencers(ALICE);
        vm.assertEq(alice.bond, 28.8 ether);
        vm.assertEq(uint256(alice.standing), uint256(Standing.Leaving));
        pass(14 days);
        withdraw(ALICE);
        vm.assertEq(ALICE.balance, 996.8 ether);
    }

    function test_with_an_overdue_item_24_hours_are_enough() public {
        bond(ALICE);
        enqueue();
        pass(24 hours);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.StillInTime.selector, START + 24 hours + 1));
        depose();
        pass(1);
        depose();
        vm.assertEq(rollup.sequencer(), address(0));
    }

    /// @dev It is overdue twelve hours after the 72.
    function test_an_item_that_is_not_overdue_yet_gives_no_time() public {
        bond(ALICE);
        pass(60 hours);
        enqueue();
        vm.assertEq(rollup.deposableAt(), START + 72 hours);
        pass(12 hours);
        depose();
    }

    function test_a_batch_gives_24_hours_more_though_an_item_is_overdue() public {
        bond(ALICE);
        for (uint256 i = 0; i < 65; i++) {
            enqueue();
        }
        pass(23 hours);
        post64();
        pass(24 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.StillInTime.selector, START + 47 hours));
        depose();
        pass(1);
        depose();
    }

    function post64() private {
        Header memory header = next();
        header.cursor = 64;
        post(ALICE, header, pages(1));
    }

    function test_whoever_takes_office_has_its_own_time() public {
        bond(ALICE);
        bond(BOB);
        enqueue();
        pass(5 days);
        depose();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.StillInTime.selector, START + 6 days));
        depose();
        pass(24 hours);
        depose();
        vm.assertEq(rollup.sequencer(), address(0));
    }

    function test_a_pause_does_not_count_against_the_sequencer() public {
        bond(ALICE);
        enqueue();
        pause();
        pass(6 days);
        unpause();
        pass(24 hours);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.StillInTime.selector, START + 7 days + 1));
        depose();
        pass(1);
        depose();
    }
}
