// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Header} from "../src/types/Header.sol";
import {Epoch, Standing} from "../src/types/State.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What the conviction of a batch does to chain, epoch, office and receipts
contract RollbacksTest is Fixture {
    function setUp() public override {
        super.setUp();
        bond(ALICE);
        bond(BOB);
    }

    function exit(address account) private {
        vm.prank(account);
        rollup.exit();
    }

    function test_the_batch_and_its_descendants_go_and_slots_do_not_come_back() public {
        post(ALICE);
        (, bytes32 first) = rollup.head();
        post(ALICE);
        post(ALICE);
        (bytes32 guilty,,) = rollup.batches(2);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.BatchesDropped(2, 3, guilty);
        convictBatch(2);
        (uint64 number, bytes32 contentHash) = rollup.head();
        vm.assertEq(number, 1);
        vm.assertEq(contentHash, first);
        vm.assertEq(rollup.slot(), 3);
        (bytes32 gone,,) = rollup.batches(2);
        vm.assertEq(gone, 0);
        vm.assertFalse(rollup.isFinal(2));
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
        Header memory header = next();
        vm.assertEq(header.number, 2);
        vm.assertEq(header.slot, 3);
        post(BOB, header, pages(1));
        vm.assertEq(rollup.slot(), 4);
    }

    function test_a_batch_that_was_taken_back_cannot_be_posted_again() public {
        Header memory header = next();
        post(ALICE, header, pages(1));
        convictBatch(1);
        vm.expectPartialRevert(IRollupErrors.NotNext.selector);
        post(BOB, header, pages(1));
    }

    function test_a_successor_stays_in_office_and_its_epoch_begins_anew() public {
        post(ALICE);
        post(ALICE);
        exit(ALICE);
        post(BOB);
        pass(1 days);
        convictBatch(2);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 3);
        Epoch memory second = rollup.epochs(2);
        vm.assertEq(second.firstSequence, 20);
        vm.assertEq(second.endSequence, 10);
        vm.assertEq(rollup.epochs(3).sequencer, BOB);
        vm.assertEq(rollup.epochs(3).firstSequence, 10);
        vm.assertEq(rollup.deposableAt(), time() + 72 hours);
        post(BOB);
    }

    /// @dev Bob built on what Alice posted before him: his batch goes, his bond stays.
    function test_descendants_of_another_poster_go_and_their_poster_keeps_its_bond() public {
        post(ALICE);
        exit(ALICE);
        post(BOB);
        convictBatch(1);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 0);
        vm.assertEq(rollup.sequencers(BOB).bond, 32 ether);
        vm.assertEq(uint256(rollup.sequencers(BOB).standing), uint256(Standing.InOffice));
        vm.assertEq(uint256(rollup.sequencers(ALICE).standing), uint256(Standing.Convicted));
        vm.assertEq(rollup.sequencers(ALICE).bond, 28.8 ether);
    }

    function test_items_that_are_given_back_by_a_rollback_wait_again() public {
        for (uint256 i = 0; i < 64; i++) {
            enqueue();
        }
        post(ALICE);
        vm.assertEq(rollup.forcedFee(), 0.001 ether);
        convictBatch(1);
        vm.assertEq(rollup.forcedFee(), 0.002 ether);
        pass(25 hours);
        Header memory header = next();
        header.cursor = 0;
        refusePost(BOB, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 0));
        post(BOB);
    }

    function test_a_batch_whose_window_is_over_stands() public {
        post(ALICE);
        bytes32 accusation_ = accusationOf(1);
        pass(7 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WindowOver.selector, 1));
        convictBatch(1, accusation_, ANYONE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 0));
        convictBatch(0, accusation_, ANYONE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 2));
        convictBatch(2, accusation_, ANYONE);
    }

    function test_in_the_last_second_of_its_window_a_batch_is_convicted() public {
        post(ALICE);
        pass(7 days - 1);
        convictBatch(1);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 0);
    }

    /// @dev Confirming stands still meanwhile; the window is as much longer.
    function test_a_pause_stops_no_conviction_and_no_batch_slips_through_it() public {
        post(ALICE);
        post(ALICE);
        pass(6 days);
        pause();
        convictBatch(2);
        pass(7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsPaused.selector));
        rollup.confirm(1);
        convictBatch(1);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 0);
        pass(30 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 1));
        rollup.confirm(1);
    }

    function test_with_an_empty_line_the_office_is_empty_after_a_conviction() public {
        post(ALICE);
        exit(BOB);
        convictBatch(1);
        vm.assertEq(rollup.sequencer(), address(0));
        vm.assertEq(rollup.epoch(), 1);
        vm.assertEq(rollup.epochs(1).endedAt, time());
        vm.assertEq(rollup.epochs(1).endSequence, 0);
        bond(CAROL);
        vm.assertEq(rollup.epoch(), 2);
        post(CAROL);
    }

    /// @dev Nobody is in office whose epoch could rise; the next one begins at the head as it is then.
    function test_with_an_empty_office_a_rollback_needs_no_epoch() public {
        post(ALICE);
        post(ALICE);
        exit(BOB);
        exit(ALICE);
        convictBatch(2);
        vm.assertEq(rollup.epoch(), 1);
        bond(CAROL);
        vm.assertEq(rollup.epochs(2).firstSequence, 10);
    }

    // What a rollback settles.

    function test_a_rollback_settles_the_epochs_from_that_of_the_batch_on() public {
        post(ALICE);
        exit(ALICE);
        post(BOB);
        bond(CAROL);
        exit(BOB);
        post(CAROL);
        vm.assertEq(rollup.epoch(), 3);
        for (uint64 epoch = 0; epoch < 6; epoch++) {
            vm.assertFalse(rollup.isSettled(epoch));
        }
        convictBatch(2);
        vm.assertEq(rollup.epochs(3).rolledBackTo, 2);
        vm.assertFalse(rollup.isSettled(1));
        vm.assertTrue(rollup.isSettled(2));
        vm.assertTrue(rollup.isSettled(3));
        vm.assertFalse(rollup.isSettled(4));
        convictBatch(1);
        vm.assertEq(rollup.epochs(4).rolledBackTo, 1);
        vm.assertTrue(rollup.isSettled(1));
        vm.assertTrue(rollup.isSettled(4));
        vm.assertFalse(rollup.isSettled(5));
    }

    function test_of_two_rollbacks_without_anybody_in_office_the_one_that_reaches_further_settles() public {
        post(ALICE);
        exit(ALICE);
        post(BOB);
        exit(BOB);
        convictBatch(2);
        vm.assertEq(rollup.epochs(2).rolledBackTo, 2);
        vm.assertFalse(rollup.isSettled(1));
        convictBatch(1);
        vm.assertEq(rollup.epochs(2).rolledBackTo, 1);
        vm.assertTrue(rollup.isSettled(1));
        vm.assertTrue(rollup.isSettled(2));
    }

    function test_a_broken_receipt_settles_nothing() public {
        post(ALICE);
        convictSequencer(ALICE, accusation("leaf"), ANYONE);
        vm.assertEq(rollup.epoch(), 2);
        vm.assertFalse(rollup.isSettled(1));
        vm.assertFalse(rollup.isSettled(2));
    }

    /// @dev A model with a loop over all rollbacks, against the look from an epoch on.
    function testFuzz_an_epoch_is_settled_if_a_later_rollback_reached_it(uint256 seed) public {
        uint64[8] memory from;
        uint64[8] memory to;
        for (uint256 i = 0; i < 8; i++) {
            uint256 step = seed >> (i * 8) & 0xff;
            if (rollup.sequencer() == ALICE && step & 1 == 1) exit(ALICE);
            else if (rollup.sequencer() == BOB && step & 1 == 1) exit(BOB);
            if (rollup.sequencer() == address(0)) bond(address(uint160(0xF100 + i)), 32 ether);
            post(rollup.sequencer());
            (uint64 number,) = rollup.head();
            if (step & 6 != 6) continue;
            uint64 guilty = uint64(bound(step >> 3, 1, number));
            from[i] = rollup.epoch();
            to[i] = rollup.batchAt(guilty).epoch;
            convictBatch(guilty);
        }
        for (uint64 epoch = 1; epoch <= rollup.epoch() + 1; epoch++) {
            bool expected = false;
            for (uint256 i = 0; i < 8; i++) {
                expected = expected || (from[i] >= epoch && to[i] != 0 && to[i] <= epoch);
            }
            vm.assertEq(rollup.isSettled(epoch), expected);
        }
    }

    function bond(address account, uint256 amount) private {
        vm.deal(account, amount);
        bond(account);
    }
}
