// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Standing} from "../src/types/State.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";
import {Handler} from "./utils/Handler.sol";

/// @title What holds whatever anybody does
contract InvariantsTest is Fixture {
    Handler private handler;

    function setUp() public override {
        super.setUp();
        handler = Handler(Deploy.named("Handler", abi.encode(rollup)));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_money_is_bonds_and_what_is_owed_and_what_is_burnt() public view {
        vm.assertEq(rollup.bondsHeld(), handler.bondsOfAll());
        vm.assertEq(rollup.owedInAll(), handler.owedToAll() + handler.held());
        vm.assertEq(address(rollup).balance, rollup.bondsHeld() + rollup.owedInAll() + rollup.burnt());
    }

    function invariant_confirmed_is_never_above_the_head() public view {
        (uint64 number,) = rollup.head();
        vm.assertLe(rollup.confirmed(), number);
    }

    function invariant_one_is_in_office_or_nobody() public view {
        address account = rollup.sequencer();
        vm.assertEq(handler.inOffice(), account == address(0) ? 0 : 1);
        if (account == address(0)) {
            vm.assertEq(rollup.firstInLine(), address(0));
            return;
        }
        vm.assertTrue(rollup.sequencers(account).standing == Standing.InOffice);
        vm.assertEq(rollup.epochs(rollup.epoch()).sequencer, account);
        vm.assertEq(rollup.epochs(rollup.epoch()).endedAt, 0);
    }

    function invariant_windows_close_in_order() public view {
        (uint64 number,) = rollup.head();
        for (uint64 i = number; i > 1 && i + 4 > number; i--) {
            vm.assertGe(rollup.closesAt(i), rollup.closesAt(i - 1));
        }
    }

    function invariant_no_convicted_batch_is_in_the_chain() public view {
        vm.assertFalse(handler.isGuiltyInChain());
    }

    function invariant_rewards_are_at_most_half_of_a_bond() public view {
        for (uint256 i = 0; i < 4; i++) {
            vm.assertLe(handler.rewardsOf(i), 16 ether);
        }
    }

    function invariant_nothing_runs_back() public view {
        vm.assertEq(handler.fault(), "");
    }
}
