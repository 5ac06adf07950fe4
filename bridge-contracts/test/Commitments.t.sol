// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Accusations} from "../src/libraries/Accusations.sol";
import {Conviction, Predicate} from "../src/types/Convictions.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Who commits, who accuses, and who gets the reward of it
/// @dev The hospital found the fault and committed; the clinic watches the pool and copies what it sees.
contract CommitmentsTest is Fixture {
    uint256 private constant REWARD = 3.2 ether;
    bytes32 private guilt;

    function setUp() public override {
        super.setUp();
        bond(ALICE);
        bond(BOB);
        post(ALICE);
        guilt = accusationOf(1);
    }

    function claim(address account, bytes32 salt) private {
        vm.prank(account);
        rollup.claim(guilt, salt);
    }

    function refuseClaim(address account, bytes memory reason) private {
        vm.expectRevert(reason);
        claim(account, SALT);
    }

    function notCommitted(address account) private view returns (bytes memory) {
        bytes32 commitment = Accusations.commitment(account, guilt, SALT);
        return abi.encodeWithSelector(IRollupErrors.NotCommitted.selector, commitment);
    }

    function nothingHeld() private view returns (bytes memory) {
        return abi.encodeWithSelector(IRollupErrors.NothingHeld.selector, guilt);
    }

    function test_an_accusation_and_a_commitment_are_the_hashes_that_everybody_computes() public pure {
        bytes32 accusation_ = Accusations.hash(Predicate.Contradiction, "leaf", 3, "right");
        vm.assertEq(accusation_, keccak256(abi.encode(uint8(4), bytes32("leaf"), uint256(3), bytes32("right"))));
        bytes32 commitment = Accusations.commitment(ANYONE, accusation_, SALT);
        vm.assertEq(commitment, keccak256(abi.encode(ANYONE, accusation_, SALT)));
        vm.assertEq(uint256(Predicate.Page), 1);
        vm.assertEq(uint256(Predicate.Future), 7);
    }

    function test_a_commitment_is_noted_once_with_its_block() public {
        vm.roll(77);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Committed("commitment", HOSPITAL);
        vm.prank(HOSPITAL);
        rollup.commit("commitment");
        vm.assertEq(rollup.commitments("commitment"), 77);
        nextBlock();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyCommitted.selector, bytes32("commitment")));
        vm.prank(HOSPITAL);
        rollup.commit("commitment");
        vm.assertEq(rollup.commitments("commitment"), 77);
        vm.assertEq(rollup.commitments("another"), 0);
    }

    function test_only_the_judges_convict() public {
        address[3] memory others = [ANYONE, OWNER, address(rollup)];
        for (uint256 i = 0; i < others.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotJudge.selector, others[i]));
            vm.prank(others[i]);
            rollup.convictBatch(1, guilt, ANYONE, SALT);
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotJudge.selector, others[i]));
            vm.prank(others[i]);
            rollup.convictSequencer(ALICE, guilt, ANYONE, SALT);
        }
        vm.prank(COURT);
        rollup.convictBatch(1, guilt, ANYONE, SALT);
        vm.prank(EXECUTOR);
        rollup.convictSequencer(BOB, accusation("leaf"), ANYONE, SALT);
    }

    function test_who_committed_a_block_before_is_owed_the_reward_at_once() public {
        commit(HOSPITAL, guilt);
        nextBlock();
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Convicted(guilt, ALICE, HOSPITAL, REWARD, true);
        convictBatch(1, guilt, HOSPITAL);
        vm.assertEq(rollup.owed(HOSPITAL), REWARD);
        Conviction memory conviction = rollup.convictions(guilt);
        vm.assertEq(conviction.account, ALICE);
        vm.assertEq(conviction.challenger, HOSPITAL);
        vm.assertEq(conviction.time, time());
        vm.assertEq(conviction.blockNumber, vm.getBlockNumber());
        vm.assertEq(conviction.reward, REWARD);
        vm.assertFalse(conviction.isHeld);
        vm.prank(HOSPITAL);
        rollup.collect();
        vm.assertEq(HOSPITAL.balance, 1000 ether + REWARD);
        refuseClaim(HOSPITAL, nothingHeld());
    }

    function test_a_commitment_of_the_same_block_does_not_count() public {
        commit(HOSPITAL, guilt);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Convicted(guilt, ALICE, HOSPITAL, REWARD, false);
        convictBatch(1, guilt, HOSPITAL);
        vm.assertEq(rollup.owed(HOSPITAL), 0);
        refuseClaim(HOSPITAL, notCommitted(HOSPITAL));
    }

    function test_a_front_runner_without_a_commitment_convicts_and_the_one_with_it_is_paid() public {
        commit(HOSPITAL, guilt);
        nextBlock();
        convictBatch(1, guilt, CLINIC);
        vm.assertEq(rollup.owed(CLINIC), 0);
        vm.assertTrue(rollup.convictions(guilt).isHeld);
        // Held money is owed, to nobody yet.
        vm.assertEq(rollup.owedInAll(), REWARD);
        vm.assertEq(address(rollup).balance, rollup.bondsHeld() + rollup.owedInAll() + rollup.burnt());
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyConvicted.selector, guilt));
        vm.prank(COURT);
        rollup.convictSequencer(ALICE, guilt, HOSPITAL, SALT);
        pass(1 days - 1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.RewardClaimed(guilt, HOSPITAL, REWARD);
        claim(HOSPITAL, SALT);
        vm.assertEq(rollup.owed(HOSPITAL), REWARD);
        vm.assertEq(rollup.owed(CLINIC), 0);
        vm.assertEq(rollup.owedInAll(), REWARD);
    }

    /// @dev It saw the reveal, committed in the same block, or in the one of its own conviction, or later.
    function test_a_front_runner_that_commits_too_late_gets_nothing() public {
        commit(HOSPITAL, guilt);
        nextBlock();
        commit(CLINIC, guilt);
        convictBatch(1, guilt, CLINIC);
        refuseClaim(CLINIC, notCommitted(CLINIC));
        nextBlock();
        commit(BOB, guilt);
        nextBlock();
        refuseClaim(BOB, notCommitted(BOB));
        claim(HOSPITAL, SALT);
    }

    /// @dev Who sends the hospital's own commitment before it does the hospital's work.
    function test_a_copied_commitment_is_still_the_one_of_who_is_named_in_it() public {
        bytes32 commitment = Accusations.commitment(HOSPITAL, guilt, SALT);
        vm.prank(CLINIC);
        rollup.commit(commitment);
        nextBlock();
        convictBatch(1, guilt, CLINIC);
        refuseClaim(CLINIC, notCommitted(CLINIC));
        claim(HOSPITAL, SALT);
        vm.assertEq(rollup.owed(HOSPITAL), REWARD);
    }

    function test_of_two_who_committed_the_first_to_claim_is_paid() public {
        commit(HOSPITAL, guilt);
        commit(BOB, guilt);
        nextBlock();
        convictBatch(1, guilt, CLINIC);
        claim(BOB, SALT);
        refuseClaim(HOSPITAL, nothingHeld());
        refuseClaim(BOB, nothingHeld());
        vm.assertEq(rollup.owed(BOB), REWARD);
        vm.assertEq(rollup.owed(HOSPITAL), 0);
    }

    function test_of_two_who_committed_the_first_to_accuse_is_paid() public {
        commit(HOSPITAL, guilt);
        commit(CLINIC, guilt);
        nextBlock();
        convictBatch(1, guilt, CLINIC);
        vm.assertEq(rollup.owed(CLINIC), REWARD);
        refuseClaim(HOSPITAL, nothingHeld());
    }

    function test_a_commitment_with_another_salt_or_to_another_accusation_opens_nothing() public {
        commit(HOSPITAL, accusation("another"));
        commit(CLINIC, guilt);
        nextBlock();
        convictBatch(1, guilt, BOB);
        refuseClaim(HOSPITAL, notCommitted(HOSPITAL));
        vm.expectPartialRevert(IRollupErrors.NotCommitted.selector);
        claim(CLINIC, "another");
        vm.expectPartialRevert(IRollupErrors.NothingHeld.selector);
        vm.prank(HOSPITAL);
        rollup.claim(accusation("another"), SALT);
    }

    function test_what_nobody_claims_within_a_day_is_the_convictors() public {
        commit(HOSPITAL, guilt);
        nextBlock();
        convictBatch(1, guilt, CLINIC);
        uint256 until = time() + 1 days;
        pass(1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.ClaimOpen.selector, until));
        rollup.settle(guilt);
        pass(1);
        refuseClaim(HOSPITAL, abi.encodeWithSelector(IRollupErrors.ClaimOver.selector, until));
        vm.expectEmit(address(rollup));
        emit IRollupEvents.RewardClaimed(guilt, CLINIC, REWARD);
        vm.prank(ANYONE);
        rollup.settle(guilt);
        vm.assertEq(rollup.owed(CLINIC), REWARD);
        vm.expectRevert(nothingHeld());
        rollup.settle(guilt);
        refuseClaim(HOSPITAL, nothingHeld());
    }

    /// @dev Money is no matter of posting: a pause lengthens no claim.
    function test_the_day_runs_through_a_pause() public {
        convictBatch(1, guilt, CLINIC);
        pause();
        pass(1 days);
        rollup.settle(guilt);
        vm.assertEq(rollup.owed(CLINIC), REWARD);
    }

    function test_nothing_is_held_where_nobody_was_convicted() public {
        vm.expectRevert(nothingHeld());
        rollup.settle(guilt);
        refuseClaim(HOSPITAL, nothingHeld());
        vm.assertEq(rollup.convictions(guilt).time, 0);
    }

    function test_an_accusation_convicts_once() public {
        bytes32 leaf = accusation("leaf");
        convictSequencer(ALICE, leaf, HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyConvicted.selector, leaf));
        convictSequencer(ALICE, leaf, CLINIC);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyConvicted.selector, leaf));
        convictBatch(1, leaf, CLINIC);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 1);
    }

    /// @dev Whatever the order of blocks: only a commitment older than the conviction is worth something.
    function testFuzz_a_commitment_counts_if_it_is_older_than_the_conviction(uint8 made, uint8 convicted) public {
        vm.roll(1000 + uint256(made));
        if (made <= convicted) commit(HOSPITAL, guilt);
        vm.roll(1000 + uint256(convicted));
        convictBatch(1, guilt, HOSPITAL);
        vm.roll(1000 + uint256(made));
        if (made > convicted) commit(HOSPITAL, guilt);
        vm.roll(2000);
        vm.assertEq(rollup.owed(HOSPITAL), made < convicted ? REWARD : 0);
        if (made >= convicted) refuseClaim(HOSPITAL, notCommitted(HOSPITAL));
    }

    /// @dev Nobody can be kept from convicting by money that it does not take.
    function test_a_challenger_that_takes_no_money_convicts_all_the_same() public {
        address closed = address(this);
        commit(closed, guilt);
        nextBlock();
        convictBatch(1, guilt, closed);
        vm.assertEq(rollup.owed(closed), REWARD);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PaymentFailed.selector, closed));
        rollup.collect();
        vm.assertEq(rollup.owed(closed), REWARD);
    }
}
