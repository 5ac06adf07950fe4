// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {Header} from "../src/types/Header.sol";
import {Epoch, Standing} from "../src/types/State.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What a conviction does to chain, epoch and bond, through the seams that it will use
contract SeamsTest is Fixture {
    function setUp() public override {
        super.setUp();
        bond(ALICE);
        bond(BOB);
    }

    function test_the_batch_and_its_descendants_go_and_slots_do_not_come_back() public {
        post(ALICE);
        (, bytes32 first) = rollup.head();
        post(ALICE);
        post(ALICE);
        rollup.convict(2);
        (uint64 number, bytes32 contentHash) = rollup.head();
        vm.assertEq(number, 1);
        vm.assertEq(contentHash, first);
        vm.assertEq(rollup.slot(), 3);
        (bytes32 gone,,) = rollup.batches(2);
        vm.assertEq(gone, 0);
        vm.assertFalse(rollup.isFinal(2));
        vm.assertEq(rollup.sequencer(), BOB);
        Header memory header = next();
        vm.assertEq(header.number, 2);
        vm.assertEq(header.slot, 3);
        post(BOB, header, pages(1));
        vm.assertEq(rollup.slot(), 4);
    }

    function test_the_convicted_loses_its_bond_and_never_comes_back() public {
        post(ALICE);
        rollup.convict(1);
        vm.assertEq(rollup.burnt(), 32 ether);
        vm.assertEq(uint256(rollup.sequencers(ALICE).standing), uint256(Standing.Convicted));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        bond(ALICE);
        pass(100 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        vm.prank(ALICE);
        rollup.withdraw();
    }

    function test_a_successor_stays_in_office_and_its_epoch_begins_anew() public {
        post(ALICE);
        post(ALICE);
        vm.prank(ALICE);
        rollup.exit();
        post(BOB);
        pass(1 days);
        rollup.convict(2);
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

    function test_items_that_are_given_back_by_a_rollback_wait_again() public {
        for (uint256 i = 0; i < 64; i++) {
            enqueue();
        }
        post(ALICE);
        vm.assertEq(rollup.forcedFee(), 0.001 ether);
        rollup.convict(1);
        vm.assertEq(rollup.forcedFee(), 0.002 ether);
        pass(25 hours);
        Header memory header = next();
        header.cursor = 0;
        refusePost(BOB, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 0));
        post(BOB);
    }

    function test_a_batch_whose_window_is_over_stands() public {
        post(ALICE);
        pass(7 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WindowOver.selector, 1));
        rollup.convict(1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 0));
        rollup.convict(0);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 2));
        rollup.convict(2);
    }

    function test_with_an_empty_line_the_office_is_empty_after_a_conviction() public {
        post(ALICE);
        vm.prank(BOB);
        rollup.exit();
        rollup.convict(1);
        vm.assertEq(rollup.sequencer(), address(0));
        vm.assertEq(rollup.epoch(), 1);
        bond(CAROL);
        vm.assertEq(rollup.epoch(), 2);
        post(CAROL);
    }
}
