// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Header} from "../src/types/Header.sol";
import {Batch} from "../src/types/State.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What a batch must be to be taken
contract PostingTest is Fixture {
    function setUp() public override {
        super.setUp();
        bond(ALICE);
    }

    function test_a_batch_in_calldata_stands_at_the_head() public {
        Header memory header = next();
        vm.expectEmit(address(rollup));
        emit IRollupEvents.BatchPosted(1, keccak256(abi.encode(header)), ALICE, header);
        post(ALICE, header, pages(1));

        (uint64 number, bytes32 contentHash) = rollup.head();
        vm.assertEq(number, 1);
        vm.assertEq(contentHash, keccak256(abi.encode(header)));
        Batch memory batch = rollup.batchAt(1);
        vm.assertEq(batch.poster, ALICE);
        vm.assertEq(batch.time, START);
        vm.assertEq(batch.clock, header.clock);
        vm.assertEq(batch.nextSequence, 10);
        vm.assertEq(batch.epoch, 1);
        vm.assertEq(rollup.slot(), 1);
    }

    function test_a_batch_in_blobs_stands_at_the_head() public {
        Header memory header = next();
        header.mode = 1;
        header.pages = 385;
        header.dataReference = keccak256(abi.encodePacked(blobs(4)));
        postBlobs(ALICE, header, blobs(4));
        (, bytes32 contentHash) = rollup.head();
        vm.assertEq(contentHash, keccak256(abi.encode(header)));
    }

    function test_batches_follow_one_another() public {
        for (uint64 i = 1; i <= 5; i++) {
            pass(60);
            post(ALICE);
            (uint64 number,) = rollup.head();
            vm.assertEq(number, i);
            vm.assertEq(rollup.slot(), i);
        }
    }

    function test_only_the_sequencer_in_office_may_post() public {
        bond(BOB);
        refusePost(BOB, next(), abi.encodeWithSelector(IRollupErrors.NotInOffice.selector, BOB));
    }

    /// @dev By either call: in blobs too.
    function test_blobs_are_taken_from_the_sequencer_in_office_itself_while_the_chain_runs() public {
        bond(BOB);
        Header memory header = inBlobs();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotInOffice.selector, BOB));
        postBlobs(BOB, header, blobs(1));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotDirect.selector, ALICE));
        vm.prank(ALICE, ANYONE);
        rollup.postBlobs(header);
        pause();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.IsPaused.selector));
        postBlobs(ALICE, header, blobs(1));
        unpause();
        postBlobs(ALICE, header, blobs(1));
    }

    function inBlobs() private view returns (Header memory header) {
        header = next();
        header.mode = 1;
        header.dataReference = keccak256(abi.encodePacked(blobs(1)));
    }

    function test_a_contract_in_between_may_not_post() public {
        Header memory header = next();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotDirect.selector, ALICE));
        vm.prank(ALICE, ANYONE);
        rollup.postCalldata(header, pages(1));
    }

    function test_an_account_that_delegates_to_code_may_not_post() public {
        vm.etch(ALICE, abi.encodePacked(hex"ef0100", ANYONE));
        refusePost(ALICE, next(), abi.encodeWithSelector(IRollupErrors.NotDirect.selector, ALICE));
    }

    function test_another_parent_number_epoch_or_slot_is_refused() public {
        post(ALICE);
        Header memory right = next();
        bytes memory reason =
            abi.encodeWithSelector(IRollupErrors.NotNext.selector, right.parent, right.number, right.epoch, right.slot);
        Header memory wrong = next();
        wrong.parent = keccak256("another");
        refusePost(ALICE, wrong, reason);
        wrong = next();
        wrong.number++;
        refusePost(ALICE, wrong, reason);
        wrong = next();
        wrong.epoch++;
        refusePost(ALICE, wrong, reason);
        wrong = next();
        wrong.slot--;
        refusePost(ALICE, wrong, reason);
    }

    function test_the_mode_must_be_that_of_the_call() public {
        Header memory header = next();
        header.mode = 1;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 1, 0));
        header.mode = 2;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 2, 0));
        header.mode = 0;
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 0, 1));
        postBlobs(ALICE, header, blobs(1));
    }

    function test_no_pages_and_more_than_768_are_refused() public {
        Header memory header = next();
        header.pages = 0;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongPages.selector, 0));
        header.mode = 1;
        header.pages = 769;
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongPages.selector, 769));
        postBlobs(ALICE, header, blobs(7));
    }

    function test_the_most_pages_that_a_batch_may_have_are_taken() public {
        Header memory header = next();
        header.mode = 1;
        header.pages = 768;
        header.dataReference = keccak256(abi.encodePacked(blobs(6)));
        postBlobs(ALICE, header, blobs(6));
    }

    function test_a_blob_too_few_or_too_many_is_refused() public {
        Header memory header = next();
        header.mode = 1;
        header.pages = 129;
        header.dataReference = keccak256(abi.encodePacked(blobs(2)));
        for (uint256 count = 0; count < 5; count++) {
            if (count == 2) continue;
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongBlobs.selector, 2));
            postBlobs(ALICE, header, blobs(count));
        }
        postBlobs(ALICE, header, blobs(2));
    }

    function test_pages_of_another_length_are_refused() public {
        Header memory header = next();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongLength.selector, 1984, 992));
        post(ALICE, header, pages(2));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongLength.selector, 0, 992));
        post(ALICE, header, "");
    }

    function test_another_data_reference_is_refused() public {
        Header memory header = next();
        bytes32 right = header.dataReference;
        header.dataReference = keccak256("another");
        bytes4 selector = IRollupErrors.WrongReference.selector;
        refusePost(ALICE, header, abi.encodeWithSelector(selector, header.dataReference, right));
        header.mode = 1;
        right = keccak256(abi.encodePacked(blobs(1)));
        vm.expectRevert(abi.encodeWithSelector(selector, header.dataReference, right));
        postBlobs(ALICE, header, blobs(1));
    }

    function test_the_clock_is_held_within_its_bounds() public {
        Header memory header = next();
        uint48 latest = uint48((START + 60) * 1000);
        uint48 earliest = uint48((START - 24 hours) * 1000);
        bytes4 selector = IRollupErrors.WrongClock.selector;
        header.clock = latest + 1;
        refusePost(ALICE, header, abi.encodeWithSelector(selector, latest + 1, earliest, latest));
        header.clock = earliest - 1;
        refusePost(ALICE, header, abi.encodeWithSelector(selector, earliest - 1, earliest, latest));
        header.clock = earliest;
        post(ALICE, header, pages(1));
        header = next();
        header.clock = latest;
        post(ALICE, header, pages(1));
    }

    function test_the_clock_never_runs_back() public {
        post(ALICE);
        Header memory header = next();
        header.clock--;
        uint48 clock = header.clock;
        refusePost(
            ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongClock.selector, clock, clock + 1, clock + 60_001)
        );
    }

    function test_a_clock_may_be_as_much_older_as_the_chain_stood_paused() public {
        Header memory header = next();
        pause();
        pass(3 days);
        unpause();
        pass(24 hours);
        post(ALICE, header, pages(1));
    }

    /// @dev A pause that was over by then, even in that second, is none of the clock's; one that was not counts whole.
    function test_a_clock_is_not_older_for_a_pause_that_was_over_before_it() public {
        pause();
        pass(3 days);
        unpause();
        Header memory header = next();
        uint48 over = header.clock;
        pass(24 hours + 1);
        uint256 latest = (time() + 60) * 1000;
        bytes4 selector = IRollupErrors.WrongClock.selector;
        refusePost(ALICE, header, abi.encodeWithSelector(selector, over, uint256(over) + 1000, latest));
        header.clock = over - 1;
        post(ALICE, header, pages(1));
    }

    /// @dev Clocks begin at zero, though no chain does.
    function test_no_clock_is_too_old_for_a_chain_whose_time_is_short() public {
        vm.warp(23 hours);
        rollup = Deploy.harness(defaults());
        bond(ALICE);
        Header memory header = next();
        header.clock = 0;
        post(ALICE, header, pages(1));
    }

    /// @dev Of pages without envelopes.
    function test_a_batch_without_events_is_taken() public {
        post(ALICE);
        Header memory header = next();
        header.nextSequence = 10;
        post(ALICE, header, pages(1));
        vm.assertEq(rollup.batchAt(2).nextSequence, 10);
    }

    function test_the_next_sequence_number_never_runs_back() public {
        post(ALICE);
        Header memory header = next();
        header.nextSequence = 9;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongSequence.selector, 9, 10));
    }

    function test_the_cursor_neither_runs_back_nor_past_the_queue() public {
        enqueue();
        post(ALICE);
        Header memory header = next();
        header.cursor = 2;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongCursor.selector, 2, 1, 1));
        header.cursor = 0;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.WrongCursor.selector, 0, 1, 1));
    }

    function test_an_overdue_item_must_be_taken() public {
        enqueue();
        pass(24 hours);
        Header memory header = next();
        header.cursor = 0;
        post(ALICE, header, pages(1));
        header = next();
        header.cursor = 0;
        header.clock++;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 0));
        header.cursor = 1;
        post(ALICE, header, pages(1));
    }

    function test_of_many_overdue_items_64_are_enough() public {
        for (uint256 i = 0; i < 130; i++) {
            enqueue();
        }
        pass(2 days);
        Header memory header = next();
        header.cursor = 63;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 63));
        header.cursor = 64;
        post(ALICE, header, pages(1));
        header = next();
        header.cursor = 127;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 127));
        header.cursor = 128;
        post(ALICE, header, pages(1));
    }

    function test_a_pause_does_not_make_an_item_overdue() public {
        enqueue();
        pause();
        pass(3 days);
        unpause();
        pass(24 hours);
        Header memory header = next();
        header.cursor = 0;
        post(ALICE, header, pages(1));
        pass(1);
        header = next();
        header.cursor = 0;
        refusePost(ALICE, header, abi.encodeWithSelector(IRollupErrors.ItemLeft.selector, 0));
    }

    function test_nothing_is_posted_while_the_chain_is_paused() public {
        pause();
        refusePost(ALICE, next(), abi.encodeWithSelector(IRollupErrors.IsPaused.selector));
    }

    function testFuzz_a_clock_is_taken_if_and_only_if_it_is_within_bounds(uint48 clock) public {
        clock = uint48(bound(clock, (START - 48 hours) * 1000, (START + 120) * 1000));
        Header memory header = next();
        header.clock = clock;
        bool isTaken = clock >= (START - 24 hours) * 1000 && clock <= (START + 60) * 1000;
        if (!isTaken) vm.expectPartialRevert(IRollupErrors.WrongClock.selector);
        post(ALICE, header, pages(1));
    }
}
