// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Pauses, how long they may be, and windows that close without them
contract PausesTest is Fixture {
    function setUp() public override {
        super.setUp();
        bond(ALICE);
        post(ALICE);
    }

    function confirm(uint64 number) private {
        vm.prank(ANYONE);
        rollup.confirm(number);
    }

    function test_a_batch_is_final_and_confirmed_when_its_window_is_over() public {
        (, bytes32 contentHash) = rollup.head();
        pass(7 days - 1);
        vm.assertFalse(rollup.isFinal(1));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WindowOpen.selector, 1, START + 7 days));
        confirm(1);
        pass(1);
        vm.assertTrue(rollup.isFinal(1));
        vm.expectEmit(address(rollup));
        emit IRollupEvents.BatchConfirmed(1, contentHash);
        confirm(1);
        vm.assertEq(rollup.confirmed(), 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyConfirmed.selector, 1));
        confirm(1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoBatch.selector, 2));
        confirm(2);
    }

    function test_confirming_a_batch_confirms_those_before_it() public {
        post(ALICE);
        pass(1);
        post(ALICE);
        pass(7 days - 1);
        confirm(2);
        vm.assertEq(rollup.confirmed(), 2);
        vm.assertTrue(rollup.isFinal(1));
        vm.assertFalse(rollup.isFinal(3));
        vm.assertTrue(rollup.isFinal(0));
        vm.assertFalse(rollup.isFinal(4));
    }

    function test_a_pause_lengthens_the_window_and_stops_confirming() public {
        pass(1 days);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Paused(OWNER, uint64(START + 8 days));
        pause();
        pass(5 days);
        vm.assertEq(rollup.pausedSeconds(), 5 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsPaused.selector));
        confirm(1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Unpaused(OWNER);
        unpause();
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WindowOpen.selector, 1, START + 12 days));
        confirm(1);
        pass(5 days);
        confirm(1);
    }

    function test_a_pause_ends_by_itself() public {
        pause();
        pass(7 days - 1);
        vm.assertTrue(rollup.isPaused());
        pass(1);
        vm.assertFalse(rollup.isPaused());
        vm.assertEq(rollup.pausedSeconds(), 7 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsNotPaused.selector));
        unpause();
        post(ALICE);
        pass(100 days);
        vm.assertEq(rollup.pausedSeconds(), 7 days);
    }

    function test_several_pauses_share_the_time_until_the_chain_has_run_for_a_window() public {
        pause();
        pass(3 days);
        unpause();
        pass(1 days);
        pause();
        pass(4 days);
        vm.assertFalse(rollup.isPaused());
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PauseSpent.selector, START + 15 days));
        pause();
        pass(7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PauseSpent.selector, START + 15 days));
        pause();
        pass(1);
        pause();
        vm.assertEq(rollup.pausedSeconds(), 7 days);
        pass(9 days);
        vm.assertEq(rollup.pausedSeconds(), 14 days);
    }

    function test_only_the_owner_pauses_and_only_what_runs() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, ALICE));
        vm.prank(ALICE);
        rollup.pause();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsNotPaused.selector));
        unpause();
        pause();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsPaused.selector));
        pause();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, ALICE));
        vm.prank(ALICE);
        rollup.unpause();
    }

    /// @dev Whatever the owner does, a batch's window is open for 7 days of running, and at most 14 in all.
    function testFuzz_pauses_add_at_most_7_days_to_a_batch(uint256[16] calldata steps) public {
        uint256 posted = time();
        post(ALICE);
        (uint64 number,) = rollup.head();
        for (uint256 i = 0; i < 16; i++) {
            pass(bound(steps[i], 0, 3 days));
            if (rollup.isFinal(number)) break;
            if (rollup.isPaused()) {
                if (steps[i] >> 128 & 1 == 1) unpause();
            } else {
                vm.prank(OWNER);
                try rollup.pause() {} catch {}
            }
            vm.assertLe(rollup.closesAt(number), posted + 14 days);
            vm.assertGe(rollup.closesAt(number), posted + 7 days);
        }
        pass(15 days);
        vm.assertTrue(rollup.isFinal(number));
        vm.assertLe(rollup.closesAt(number), time());
    }

    function test_ownership_is_offered_and_taken() public {
        vm.expectEmit(address(rollup));
        emit IRollupEvents.OwnershipTransferStarted(OWNER, ANYONE);
        vm.prank(OWNER);
        rollup.transferOwnership(ANYONE);
        vm.assertEq(rollup.owner(), OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotPendingOwner.selector, ALICE));
        vm.prank(ALICE);
        rollup.acceptOwnership();
        vm.expectEmit(address(rollup));
        emit IRollupEvents.OwnershipTransferred(OWNER, ANYONE);
        vm.prank(ANYONE);
        rollup.acceptOwnership();
        vm.assertEq(rollup.owner(), ANYONE);
        vm.assertEq(rollup.pendingOwner(), address(0));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, OWNER));
        pause();
    }

    function test_only_the_owner_offers_ownership() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, ANYONE));
        vm.prank(ANYONE);
        rollup.transferOwnership(ANYONE);
        vm.prank(OWNER);
        rollup.transferOwnership(BOB);
        // Nor does who was offered it, before it is taken.
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, BOB));
        vm.prank(BOB);
        rollup.transferOwnership(ANYONE);
        vm.assertEq(rollup.pendingOwner(), BOB);
    }

    function test_an_offer_of_ownership_can_be_taken_back() public {
        vm.prank(OWNER);
        rollup.transferOwnership(ANYONE);
        vm.prank(OWNER);
        rollup.transferOwnership(address(0));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotPendingOwner.selector, ANYONE));
        vm.prank(ANYONE);
        rollup.acceptOwnership();
    }
}
