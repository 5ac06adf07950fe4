// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollup} from "../src/interfaces/IRollup.sol";
import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {Parameters} from "../src/types/Parameters.sol";
import {Snapshot} from "../src/types/State.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What is deployed, and what is not
contract ConstructionTest is Fixture {
    /// @dev EIP-170.
    uint256 private constant CODE_BYTES_MAX = 24_576;

    function refuse(Parameters memory given) private {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongParameters.selector));
        deploy(given);
    }

    function deploy(Parameters memory given) private returns (IRollup) {
        return IRollup(Deploy.named("Rollup", abi.encode(given)));
    }

    function test_the_code_fits_a_contract() public {
        vm.assertLt(address(deploy(defaults())).code.length, CODE_BYTES_MAX);
    }

    function test_parameters_are_answered_as_they_were_given() public {
        Parameters memory given = defaults();
        given.masked = true;
        given.batchItemsMin = 65;
        IRollup another = deploy(given);
        vm.assertEq(abi.encode(another.parameters()), abi.encode(given));
    }

    function test_a_new_chain_is_empty_and_stands_at_genesis() public view {
        Snapshot memory now_ = rollup.snapshot();
        Snapshot memory empty;
        (, empty.contentHash) = rollup.head();
        empty.time = uint48(START);
        vm.assertEq(abi.encode(now_), abi.encode(empty));
        vm.assertTrue(rollup.isFinal(0));
        vm.assertEq(rollup.owner(), OWNER);
    }

    function test_a_snapshot_tells_what_the_views_tell() public {
        bond(ALICE);
        enqueue();
        post(ALICE);
        enqueue();
        pass(7 days);
        rollup.confirm(1);
        post(ALICE);
        pause();
        Snapshot memory now_ = rollup.snapshot();
        (uint64 number, bytes32 contentHash) = rollup.head();
        vm.assertEq(now_.number, number);
        vm.assertEq(now_.contentHash, contentHash);
        vm.assertEq(now_.time, START + 7 days);
        vm.assertEq(now_.clock, rollup.batchAt(2).clock);
        vm.assertEq(now_.nextSequence, 20);
        vm.assertEq(now_.cursor, 2);
        vm.assertEq(now_.confirmed, rollup.confirmed());
        vm.assertEq(now_.epoch, rollup.epoch());
        vm.assertEq(now_.slot, rollup.slot());
        vm.assertEq(now_.sequencer, rollup.sequencer());
        vm.assertEq(now_.queueLength, rollup.queueLength());
        vm.assertTrue(now_.isPaused);
    }

    function test_parameters_that_contradict_one_another_are_refused() public {
        Parameters memory given = defaults();
        given.genesisRoot = 0;
        refuse(given);
        given = defaults();
        given.owner = address(0);
        refuse(given);
        given = defaults();
        given.masked = true;
        given.keyOfficer = address(0);
        refuse(given);
        given = defaults();
        given.window = 0;
        refuse(given);
        given = defaults();
        given.exitDelay = given.window - 1;
        refuse(given);
        given = defaults();
        given.clockPast = given.window + 1;
        refuse(given);
        given = defaults();
        given.executor = address(0xDEAD);
        refuse(given);
        given = defaults();
        given.court = address(0xDEAD);
        refuse(given);
        given = defaults();
        given.batchItemsMin = 0;
        refuse(given);
        given = defaults();
        given.bond = 0;
        refuse(given);
        given = defaults();
        given.deposeIdle = 0;
        refuse(given);
        given = defaults();
        given.deposeOverdue = 0;
        refuse(given);
    }

    function test_times_beyond_ten_years_are_refused() public {
        Parameters memory given = defaults();
        given.exitDelay = 3650 days + 1;
        refuse(given);
        given = defaults();
        given.overdueAge = 3650 days + 1;
        refuse(given);
        given = defaults();
        given.clockFuture = 3650 days + 1;
        refuse(given);
        given = defaults();
        given.pauseMax = 3650 days + 1;
        refuse(given);
        given = defaults();
        given.periodObjection = type(uint48).max;
        refuse(given);
    }

    function test_a_chain_without_a_precompile_gets_no_rollup() public {
        address[3] memory precompiles = [address(0x01), address(0x0a), address(0x100)];
        for (uint256 i = 0; i < precompiles.length; i++) {
            vm.mockCall(precompiles[i], "", "");
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PrecompileFails.selector, precompiles[i]));
            deploy(defaults());
            vm.clearMockedCalls();
        }
    }

    function test_a_chain_without_a_precompile_gets_no_page_executor() public {
        address[3] memory precompiles = [address(0x01), address(0x0a), address(0x100)];
        for (uint256 i = 0; i < precompiles.length; i++) {
            vm.mockCall(precompiles[i], "", "");
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PrecompileFails.selector, precompiles[i]));
            Deploy.named("PageExecutor");
            vm.clearMockedCalls();
        }
    }

    function test_a_precompile_that_says_yes_to_everything_is_found_out() public {
        vm.mockCall(address(0x100), "", abi.encode(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PrecompileFails.selector, address(0x100)));
        deploy(defaults());
    }
}
