// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Parameters} from "../src/types/Parameters.sol";
import {Sequencer, Standing} from "../src/types/State.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";
import {Vm} from "./utils/Vm.sol";

/// @title What the convicted loses: its place, rewards out of its bond, the rest
contract PunishmentsTest is Fixture {
    uint256 private constant REWARD = 3.2 ether;

    function setUp() public override {
        super.setUp();
        bond(ALICE);
        bond(BOB);
    }

    function exit(address account) private {
        vm.prank(account);
        rollup.exit();
    }

    function withdraw(address account) private {
        vm.prank(account);
        rollup.withdraw();
    }

    function standing(address account) private view returns (uint256) {
        return uint256(rollup.sequencers(account).standing);
    }

    function leaf(uint256 n) private pure returns (bytes32) {
        return accusation(bytes32(n + 1));
    }

    // Where the convicted stands.

    function test_the_convicted_never_comes_back() public {
        post(ALICE);
        convictBatch(1);
        vm.assertEq(standing(ALICE), uint256(Standing.Convicted));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        bond(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        exit(ALICE);
        pass(100 days);
        rollup.burnRest(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        withdraw(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        bond(ALICE);
    }

    function test_a_broken_receipt_turns_its_signer_out_and_valid_batches_stay() public {
        post(ALICE);
        post(ALICE);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Convicted(leaf(0), ALICE, ANYONE, REWARD, false);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.EpochEnded(1, 20);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.EpochStarted(2, BOB, RECEIPTS, 20);
        convictSequencer(ALICE, leaf(0), ANYONE);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 2);
        vm.assertEq(standing(ALICE), uint256(Standing.Convicted));
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
        post(BOB);
        pass(7 days);
        rollup.confirm(3);
    }

    /// @dev Whose bond burns has nothing to wait for.
    function test_a_conviction_announces_no_exit() public {
        vm.recordLogs();
        convictSequencer(ALICE, leaf(0), ANYONE);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 3);
        for (uint256 i = 0; i < 3; i++) {
            vm.assertFalse(logs[i].topics[0] == IRollupEvents.ExitRequested.selector);
        }
    }

    function test_who_has_left_is_convicted_of_a_receipt_and_nobody_else_is_moved() public {
        post(ALICE);
        exit(ALICE);
        pass(3 days);
        convictSequencer(ALICE, leaf(0), ANYONE);
        vm.assertEq(standing(ALICE), uint256(Standing.Convicted));
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 2);
        pass(11 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Convicted));
        withdraw(ALICE);
    }

    /// @dev It came back under the same account: what it signed before is still its own.
    function test_who_stands_in_line_is_taken_out_of_it() public {
        exit(ALICE);
        pass(14 days);
        withdraw(ALICE);
        bond(ALICE);
        bond(CAROL);
        vm.assertEq(rollup.firstInLine(), ALICE);
        convictSequencer(ALICE, leaf(0), ANYONE);
        vm.assertEq(standing(ALICE), uint256(Standing.Convicted));
        vm.assertEq(rollup.firstInLine(), CAROL);
        exit(BOB);
        vm.assertEq(rollup.sequencer(), CAROL);
    }

    function test_who_has_nothing_to_lose_is_not_convicted_of_a_receipt() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingToLose.selector, CAROL));
        convictSequencer(CAROL, leaf(0), ANYONE);
        exit(ALICE);
        pass(14 days);
        withdraw(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingToLose.selector, ALICE));
        convictSequencer(ALICE, leaf(0), ANYONE);
        convictSequencer(BOB, leaf(0), ANYONE);
        pass(14 days);
        rollup.burnRest(BOB);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingToLose.selector, BOB));
        convictSequencer(BOB, leaf(1), ANYONE);
    }

    /// @dev A receipt turned it out; its bad batch must go all the same, and the successor stays.
    function test_a_batch_of_one_who_is_convicted_already_is_convicted_too() public {
        post(ALICE);
        convictSequencer(ALICE, leaf(0), ANYONE);
        post(BOB);
        pass(1 days);
        convictBatch(1);
        (uint64 number,) = rollup.head();
        vm.assertEq(number, 0);
        vm.assertEq(rollup.sequencer(), BOB);
        vm.assertEq(rollup.epoch(), 3);
        Sequencer memory alice = rollup.sequencers(ALICE);
        vm.assertEq(alice.bond, 32 ether - 2 * REWARD);
        vm.assertEq(alice.rewards, 2);
        vm.assertEq(alice.leftAt, time());
    }

    // Rewards.

    function test_five_rewards_come_out_of_one_bond_and_half_of_it_burns() public {
        for (uint256 i = 0; i < 8; i++) {
            accuse(ALICE, leaf(i), HOSPITAL);
            vm.assertEq(rollup.convictions(leaf(i)).reward, i < 5 ? REWARD : 0);
        }
        vm.assertEq(rollup.owed(HOSPITAL), 16 ether);
        vm.assertEq(rollup.sequencers(ALICE).bond, 16 ether);
        vm.assertEq(rollup.sequencers(ALICE).rewards, 5);
        pass(14 days);
        rollup.burnRest(ALICE);
        vm.assertEq(rollup.burnt(), 16 ether);
    }

    /// @dev No reward is left, so none is held, and nothing is there to claim or to settle.
    function test_a_conviction_without_a_reward_holds_nothing() public {
        for (uint256 i = 0; i < 6; i++) {
            convictSequencer(ALICE, leaf(i), ANYONE);
        }
        vm.assertFalse(rollup.convictions(leaf(5)).isHeld);
        vm.assertTrue(rollup.convictions(leaf(5)).time != 0);
        pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingHeld.selector, leaf(5)));
        rollup.settle(leaf(5));
        for (uint256 i = 0; i < 5; i++) {
            rollup.settle(leaf(i));
        }
        vm.assertEq(rollup.owed(ANYONE), 16 ether);
    }

    /// @dev Deposed before, it had less to lose: 3.2 and 12.8 ether burn.
    function test_who_was_deposed_before_burns_half_as_well() public {
        pass(72 hours);
        rollup.depose();
        for (uint256 i = 0; i < 6; i++) {
            accuse(ALICE, leaf(i), HOSPITAL);
        }
        pass(14 days);
        rollup.burnRest(ALICE);
        vm.assertEq(rollup.owed(HOSPITAL), 16 ether);
        vm.assertEq(rollup.burnt(), 16 ether);
    }

    /// @dev Whatever it accuses itself of, committed or not, by batches or receipts: at least half of the bond is gone.
    function testFuzz_accusing_oneself_never_pays(uint128 bonded, uint256 steps) public {
        bonded = uint128(bound(bonded, 1, 1000 ether));
        Parameters memory given = defaults();
        given.bond = bonded;
        rollup = Deploy.harness(given);
        vm.deal(ALICE, bonded);
        vm.prank(ALICE);
        rollup.bond{value: bonded}(RECEIPTS);
        post(ALICE);
        post(ALICE);
        bytes32[9] memory accusations;
        for (uint256 i = 0; i < 9; i++) {
            uint256 step = steps >> (i * 8);
            (uint64 head,) = rollup.head();
            bool isBatch = step & 2 == 0 && head > 0;
            accusations[i] = isBatch ? accusationOf(head) : leaf(i);
            if (step & 1 == 0) commit(ALICE, accusations[i]);
            nextBlock();
            if (isBatch) convictBatch(head, accusations[i], ALICE);
            else convictSequencer(ALICE, accusations[i], ALICE);
            pass(1 hours);
        }
        pass(15 days);
        for (uint256 i = 0; i < 9; i++) {
            if (rollup.convictions(accusations[i]).isHeld) rollup.settle(accusations[i]);
        }
        rollup.burnRest(ALICE);
        vm.assertLe(rollup.owed(ALICE), bonded / 2);
        vm.assertEq(address(rollup).balance, bonded);
        vm.assertEq(bonded, rollup.bondsHeld() + rollup.owedInAll() + rollup.burnt());
    }

    // The rest.

    function test_the_rest_is_locked_for_the_exit_delay_and_then_burns() public {
        post(ALICE);
        pass(1 days);
        convictBatch(1);
        vm.assertEq(rollup.burnt(), 0);
        uint256 until = time() + 14 days;
        pass(14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Locked.selector, until));
        rollup.burnRest(ALICE);
        pass(1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.RestBurnt(ALICE, 28.8 ether);
        vm.prank(ANYONE);
        rollup.burnRest(ALICE);
        vm.assertEq(rollup.burnt(), 28.8 ether);
        vm.assertEq(rollup.sequencers(ALICE).bond, 0);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingToLose.selector, ALICE));
        rollup.burnRest(ALICE);
    }

    function test_another_conviction_locks_the_rest_anew() public {
        convictSequencer(ALICE, leaf(0), ANYONE);
        pass(13 days);
        convictSequencer(ALICE, leaf(1), ANYONE);
        pass(13 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Locked.selector, START + 27 days));
        rollup.burnRest(ALICE);
        pass(1 days);
        rollup.burnRest(ALICE);
        vm.assertEq(rollup.burnt(), 32 ether - 2 * REWARD);
    }

    /// @dev One that was over before does not.
    function test_a_pause_keeps_the_rest_for_as_long() public {
        pause();
        pass(1 days);
        unpause();
        convictSequencer(ALICE, leaf(0), ANYONE);
        pause();
        pass(2 days);
        unpause();
        pass(12 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Locked.selector, START + 17 days));
        rollup.burnRest(ALICE);
        pass(2 days);
        rollup.burnRest(ALICE);
    }

    function test_only_the_convicted_have_a_rest_to_burn() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.InOffice));
        rollup.burnRest(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.InLine));
        rollup.burnRest(BOB);
        exit(BOB);
        pass(100 days);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.Leaving));
        rollup.burnRest(BOB);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongStanding.selector, Standing.None));
        rollup.burnRest(CAROL);
    }

    // Windows.

    /// @dev At the shortest delay that is taken, exit in the second of the last batch.
    function test_a_bond_is_there_until_the_last_second_of_the_last_window() public {
        Parameters memory given = defaults();
        given.exitDelay = given.window;
        rollup = Deploy.harness(given);
        bond(ALICE);
        post(ALICE);
        exit(ALICE);
        pass(7 days - 1);
        vm.expectPartialRevert(IRollupErrors.Locked.selector);
        withdraw(ALICE);
        convictBatch(1);
        vm.assertEq(rollup.sequencers(ALICE).bond, 28.8 ether);
    }

    /// @dev Batches and pauses in any order, then an exit or a conviction, then pauses again: when the bond can be paid
    /// back or its rest burnt, no window of the sequencer's batches is open.
    function testFuzz_a_bond_outlasts_every_window_of_its_batches(uint256[20] calldata steps, bool isConvicted) public {
        Parameters memory given = defaults();
        given.exitDelay = given.window;
        rollup = Deploy.harness(given);
        bond(ALICE);
        bool isGone = false;
        for (uint256 i = 0; i < 20 && !isGone; i++) {
            pass(bound(steps[i] >> 16, 0, 2 days));
            if (steps[i] & 3 == 0 && !rollup.isPaused()) {
                vm.prank(OWNER);
                try rollup.pause() {} catch {}
            } else if (steps[i] & 3 == 1 && rollup.isPaused()) {
                unpause();
            }
            if (i < 8 && !rollup.isPaused()) post(ALICE);
            if (i == 8 && isConvicted) convictSequencer(ALICE, leaf(0), ANYONE);
            if (i == 8 && !isConvicted) exit(ALICE);
            if (i > 8) isGone = goes(isConvicted);
        }
        for (; !isGone; isGone = goes(isConvicted)) {
            pass(6 hours);
        }
        vm.assertEq(rollup.sequencers(ALICE).bond, 0);
        (uint64 number,) = rollup.head();
        vm.assertTrue(number == 0 || rollup.isFinal(number));
    }

    function goes(bool isConvicted) private returns (bool) {
        if (isConvicted) {
            try rollup.burnRest(ALICE) {
                return true;
            } catch {
                return false;
            }
        }
        vm.prank(ALICE);
        try rollup.withdraw() {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev 96 bits hold 79 thousand million ether.
    function test_a_bond_that_no_reward_can_hold_is_refused() public {
        Parameters memory given = defaults();
        given.bond = uint128(type(uint96).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongParameters.selector));
        Deploy.harness(given);
        given.bond = type(uint96).max;
        Deploy.harness(given);
    }
}
