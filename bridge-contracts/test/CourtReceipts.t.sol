// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../src/interfaces/ICourt.sol";
import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {Accusations} from "../src/libraries/Accusations.sol";
import {Predicate} from "../src/types/Convictions.sol";
import {Header} from "../src/types/Header.sol";
import {Standing} from "../src/types/State.sol";
import {CourtFixture} from "./utils/CourtFixture.sol";

/// @title Receipts that were broken, and those that were kept
contract CourtReceiptsTest is CourtFixture {
    bytes private constant HOLDS = abi.encodePacked(ICourt.ReceiptHolds.selector);

    function late(bytes memory receipt) private {
        vm.prank(HOSPITAL);
        court.convictLate(rollup, receipt, SALT);
    }

    function leftBehind(bytes memory receipt) private {
        vm.prank(HOSPITAL);
        court.convictLeftBehind(rollup, receipt, SALT);
    }

    function future(bytes memory receipt) private {
        vm.prank(HOSPITAL);
        court.convictFuture(rollup, receipt, SALT);
    }

    function equivocation(bytes memory receipt, bytes memory other) private {
        vm.prank(HOSPITAL);
        court.convictEquivocation(rollup, receipt, other, SALT);
    }

    /// @dev Commits a block before, as who expects to be rewarded does.
    function commitTo(Predicate predicate, bytes memory receipt) private returns (bytes32 accusation_) {
        accusation_ = accusationOfReceipt(predicate, receipt);
        commit(HOSPITAL, accusation_);
        nextBlock();
        vm.cool(address(rollup));
    }

    function checkConvicted(bytes32 accusation_, address account) private view {
        vm.assertEq(rollup.convictions(accusation_).account, account);
        vm.assertEq(uint256(rollup.sequencers(account).standing), uint256(Standing.Convicted));
        vm.assertEq(rollup.owed(HOSPITAL), 3.2 ether);
    }

    // Late.

    function test_a_receipt_that_no_batch_reached_within_24_hours_convicts() public {
        bytes memory receipt = receiptOf(KEY, 1, 10);
        post(ALICE);
        pass(24 hours);
        vm.expectRevert(HOLDS);
        late(receipt);
        pass(1);
        bytes32 accusation_ = commitTo(Predicate.Late, receipt);
        late(receipt);
        tell("convictLate");
        checkConvicted(accusation_, ALICE);
        vm.assertEq(rollup.sequencer(), BOB);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 1);
    }

    function test_a_receipt_whose_place_is_posted_is_never_late() public {
        bytes memory receipt = receiptOf(KEY, 1, 9);
        post(ALICE);
        pass(3 days);
        vm.expectRevert(HOLDS);
        late(receipt);
        late(signed(KEY, placeOf(1, 10, 3, uint48(START * 1000), "envelope")));
    }

    function test_time_in_a_pause_makes_no_receipt_late() public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        pass(12 hours);
        pause();
        pass(2 days);
        vm.expectRevert(HOLDS);
        late(receipt);
        unpause();
        pass(12 hours);
        vm.expectRevert(HOLDS);
        late(receipt);
        pass(1);
        late(receipt);
    }

    /// @dev Over in the second of its clock.
    function test_a_pause_that_was_over_before_gives_no_receipt_time() public {
        pause();
        pass(2 days);
        unpause();
        bytes memory receipt = receiptOf(KEY, 1, 0);
        pass(24 hours);
        vm.expectRevert(HOLDS);
        late(receipt);
        pass(1);
        late(receipt);
    }

    function test_a_pause_stops_no_accusation_of_what_was_late_before() public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        pass(24 hours + 1);
        pause();
        late(receipt);
        vm.assertEq(rollup.sequencer(), BOB);
    }

    /// @dev Of an epoch that is over it may be left behind; it is not late as well.
    function test_only_the_epoch_that_lasts_can_be_late() public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        exit(ALICE);
        pass(2 days);
        vm.expectRevert(HOLDS);
        late(receipt);
        leftBehind(receipt);
    }

    /// @dev As long as a batch with the receipt's clock would be taken, the receipt is not late; from then on it is.
    function testFuzz_a_receipt_is_late_when_its_clock_can_no_longer_be_posted(uint256[6] calldata steps) public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        uint48 clock = nowMs();
        for (uint256 i = 0; i < 6; i++) {
            pass(bound(steps[i] >> 8, 0, 16 hours));
            if (steps[i] & 1 == 1 && !rollup.isPaused()) pause();
            else if (rollup.isPaused()) unpause();
        }
        if (rollup.isPaused()) unpause();
        Header memory header = next();
        header.clock = clock;
        header.nextSequence = 0;
        vm.prank(ALICE, ALICE);
        try rollup.postCalldata(header, pages(1)) {
            vm.expectRevert(HOLDS);
            late(receipt);
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IRollupErrors.WrongClock.selector));
            late(receipt);
        }
    }

    // Left behind.

    function test_a_receipt_that_its_epoch_ended_without_convicts() public {
        bytes memory receipt = receiptOf(KEY, 1, 10);
        post(ALICE);
        exit(ALICE);
        bytes32 accusation_ = commitTo(Predicate.LeftBehind, receipt);
        leftBehind(receipt);
        tell("convictLeftBehind");
        checkConvicted(accusation_, ALICE);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
    }

    function test_a_receipt_that_was_posted_before_the_end_was_not_left_behind() public {
        bytes memory receipt = receiptOf(KEY, 1, 9);
        post(ALICE);
        vm.expectRevert(HOLDS);
        leftBehind(receipt);
        exit(ALICE);
        vm.expectRevert(HOLDS);
        leftBehind(receipt);
        // What the successor posts makes nothing good.
        receipt = signed(KEY, placeOf(1, 10, 1, nowMs(), "envelope"));
        post(BOB);
        leftBehind(receipt);
    }

    function test_while_its_epoch_lasts_nothing_is_left_behind() public {
        bytes memory receipt = receiptOf(KEY, 1, 50);
        pass(30 days);
        vm.expectRevert(HOLDS);
        leftBehind(receipt);
    }

    /// @dev Deposed or convicted of something else: the epoch ended, and so did what it promised.
    function test_a_sequencer_that_was_turned_out_left_its_receipts_behind() public {
        bytes memory receipt = receiptOf(KEY, 1, 0);
        bytes memory other = receiptOf(KEY, 1, 1);
        pass(72 hours);
        rollup.depose();
        leftBehind(receipt);
        leftBehind(other);
        vm.assertEq(rollup.sequencers(ALICE).rewards, 2);
    }

    // Settled.

    function test_a_rollback_settles_what_is_late_or_left_behind() public {
        post(ALICE);
        bytes memory alices = receiptOf(KEY, 1, 10);
        exit(ALICE);
        bytes memory bobs = receiptOf(OTHER_KEY, 2, 10);
        pass(1);
        convictBatch(1);
        vm.assertEq(rollup.epoch(), 3);
        pass(2 days);
        vm.expectRevert(HOLDS);
        leftBehind(alices);
        vm.expectRevert(HOLDS);
        leftBehind(bobs);
        vm.expectRevert(HOLDS);
        late(bobs);
        // What is promised anew counts.
        late(signed(OTHER_KEY, placeOf(3, 0, 1, uint48(START * 1000), "envelope")));
    }

    /// @dev Alice's epoch ended before the batch of Bob's that went: nothing of hers was taken back.
    function test_a_rollback_settles_nothing_of_epochs_before_the_batch() public {
        post(ALICE);
        bytes memory receipt = receiptOf(KEY, 1, 10);
        exit(ALICE);
        post(BOB);
        convictBatch(2);
        leftBehind(receipt);
    }

    function test_a_rollback_settles_neither_equivocation_nor_what_is_from_the_future() public {
        post(ALICE);
        bytes memory one = signed(KEY, placeOf(1, 10, 3, nowMs() + 3_600_000, "one"));
        bytes memory two = signed(KEY, placeOf(1, 10, 3, nowMs(), "two"));
        convictBatch(1);
        equivocation(one, two);
        future(one);
        vm.assertEq(rollup.sequencers(ALICE).rewards, 3);
    }

    // From the future.

    function test_a_clock_over_60_seconds_ahead_convicts() public {
        bytes memory receipt = signed(KEY, placeOf(1, 10, 3, nowMs() + 60_001, "envelope"));
        bytes32 accusation_ = commitTo(Predicate.Future, receipt);
        future(receipt);
        tell("convictFuture");
        checkConvicted(accusation_, ALICE);
    }

    function test_a_clock_60_seconds_ahead_is_none_of_the_future() public {
        bytes memory receipt = signed(KEY, placeOf(1, 10, 3, nowMs() + 60_000, "envelope"));
        vm.expectRevert(HOLDS);
        future(receipt);
        receipt = signed(KEY, placeOf(1, 10, 3, nowMs() + 60_001, "envelope"));
        pass(1);
        vm.expectRevert(HOLDS);
        future(receipt);
    }

    // Equivocation.

    function test_two_receipts_for_one_place_convict() public {
        bytes memory one = signed(KEY, placeOf(1, 10, 3, nowMs(), "one"));
        bytes memory two = signed(KEY, placeOf(1, 10, 3, nowMs(), "two"));
        bytes32 accusation_ = accusationOf(one, two);
        commit(HOSPITAL, accusation_);
        nextBlock();
        vm.cool(address(rollup));
        equivocation(one, two);
        tell("convictEquivocation");
        checkConvicted(accusation_, ALICE);
        // The other way round it is the same accusation.
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyConvicted.selector, accusation_));
        equivocation(two, one);
    }

    function test_any_difference_counts_and_any_overlap() public {
        bytes memory one = signed(KEY, placeOf(1, 10, 3, nowMs(), "one"));
        bytes[5] memory others = [
            placeOf(1, 10, 3, nowMs() + 1, "one"),
            placeOf(1, 10, 2, nowMs(), "one"),
            placeOf(1, 12, 3, nowMs(), "two"),
            placeOf(1, 8, 3, nowMs(), "two"),
            placeOf(1, 11, 1, nowMs(), "two")
        ];
        for (uint256 i = 0; i < 5; i++) {
            equivocation(one, signed(KEY, others[i]));
        }
        vm.assertEq(rollup.sequencers(ALICE).rewards, 5);
    }

    function test_receipts_that_can_both_be_kept_convict_nobody() public {
        bytes memory one = signed(KEY, placeOf(1, 10, 3, nowMs(), "one"));
        bytes[5] memory others = [
            placeOf(1, 10, 3, nowMs(), "one"),
            placeOf(1, 13, 3, nowMs(), "two"),
            placeOf(1, 7, 3, nowMs(), "two"),
            placeOf(1, 11, 0, nowMs(), "two"),
            placeOf(1, 0, 10, nowMs(), "two")
        ];
        for (uint256 i = 0; i < 5; i++) {
            bytes memory other = signed(KEY, others[i]);
            vm.expectRevert(HOLDS);
            equivocation(one, other);
            vm.expectRevert(HOLDS);
            equivocation(other, one);
        }
    }

    /// @dev Bob signs for his epoch what Alice signed for hers: after a handover a place may be given anew.
    function test_receipts_of_two_epochs_are_no_equivocation() public {
        bytes memory one = signed(KEY, placeOf(1, 10, 3, nowMs(), "one"));
        exit(ALICE);
        bytes memory two = signed(OTHER_KEY, placeOf(2, 10, 3, nowMs(), "two"));
        vm.expectRevert(HOLDS);
        equivocation(one, two);
    }

    function test_the_last_sequence_numbers_do_not_wrap() public {
        bytes memory one = signed(KEY, placeOf(1, type(uint64).max, 3, nowMs(), "one"));
        bytes memory two = signed(KEY, placeOf(1, 0, 3, nowMs(), "two"));
        vm.expectRevert(HOLDS);
        equivocation(one, two);
        equivocation(one, signed(KEY, placeOf(1, type(uint64).max, 2, nowMs(), "one")));
    }

    /// @dev By a loop over the numbers.
    function testFuzz_ranges_overlap_as_sets_do(uint8 a, uint8 b, uint8 m, uint8 n) public {
        (a, b, m, n) = (a % 16, b % 16, m % 8, n % 8);
        bool isBoth = false;
        for (uint256 i = a; i < uint256(a) + m; i++) {
            if (i >= b && i < uint256(b) + n) isBoth = true;
        }
        bytes memory one = signed(KEY, placeOf(1, a, m, nowMs(), "one"));
        bytes memory two = signed(KEY, placeOf(1, b, n, nowMs(), "two"));
        if (!isBoth) vm.expectRevert(HOLDS);
        equivocation(one, two);
    }

    // What is no receipt of anybody's.

    function test_a_receipt_that_somebody_else_signed_convicts_nobody() public {
        bytes memory forged = signed(OTHER_KEY, placeOf(1, 10, 3, nowMs() + 3_600_000, "envelope"));
        vm.expectRevert(ICourt.WrongSignature.selector);
        future(forged);
        // For an epoch that has not begun, no key.
        bytes memory early = signed(KEY, placeOf(2, 10, 3, nowMs() + 3_600_000, "envelope"));
        vm.expectRevert(ICourt.WrongSignature.selector);
        future(early);
        vm.expectRevert(ICourt.NotAReceipt.selector);
        future("");
    }

    /// @dev The signer of the epoch is convicted, not whoever has its key in office now.
    function test_the_sequencer_of_the_epoch_is_convicted() public {
        bytes memory receipt = signed(KEY, placeOf(1, 10, 3, nowMs() + 3_600_000, "envelope"));
        exit(ALICE);
        future(receipt);
        vm.assertEq(uint256(rollup.sequencers(ALICE).standing), uint256(Standing.Convicted));
        vm.assertEq(rollup.sequencer(), BOB);
    }

    function accusationOf(bytes memory one, bytes memory two) private pure returns (bytes32) {
        (bytes32 a, bytes32 b) = (leafOfReceipt(one), leafOfReceipt(two));
        if (a > b) (a, b) = (b, a);
        return Accusations.hash(Predicate.Equivocation, a, 0, b);
    }
}
