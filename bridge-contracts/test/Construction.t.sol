// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollup} from "../src/interfaces/IRollup.sol";
import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Parameters} from "../src/types/Parameters.sol";
import {Snapshot} from "../src/types/State.sol";
import {IVm} from "./executor/ExecutorFixture.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";
import {Vm} from "./utils/Vm.sol";

/// @title What is deployed, and what is not
contract ConstructionTest is Fixture {
    /// @dev EIP-170.
    uint256 private constant CODE_BYTES_MAX = 24_576;
    /// @dev What the precompiles are asked: a digest and who signed it, the modulus, and the front of an opening.
    bytes32 private constant DIGEST = 0x23dc111d7c3ad1df9806ce1e8eb4f55f57dba117339c545e7593d1f6c3b02662;
    address private constant SIGNER = 0xd392e04CD2732EAEe12763E428F0BA60C47C8aa1;
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    bytes private constant OPENING = hex"01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b"
        hex"564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306"
        hex"24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1";

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

    function test_the_first_owner_is_announced() public {
        vm.recordLogs();
        deploy(defaults());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics[0], IRollupEvents.OwnershipTransferred.selector);
        vm.assertEq(logs[0].topics[1], 0);
        vm.assertEq(uint256(logs[0].topics[2]), uint160(OWNER));
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

    /// @dev Every other rule is kept: a clock may not be older than a window that is none.
    function test_a_window_lasts_some_time() public {
        Parameters memory given = defaults();
        (given.window, given.clockPast) = (0, 0);
        refuse(given);
        given.window = 1;
        deploy(given);
    }

    function test_a_chain_without_masks_needs_no_key_officer() public {
        Parameters memory given = defaults();
        given.keyOfficer = address(0);
        vm.assertEq(deploy(given).parameters().keyOfficer, address(0));
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

    function test_times_of_ten_years_are_taken_and_a_second_more_is_not() public {
        Parameters memory given = defaults();
        uint48 most = 3650 days;
        (given.window, given.exitDelay, given.overdueAge, given.clockPast) = (most, most, most, most);
        (given.clockFuture, given.deposeOverdue, given.deposeIdle) = (most, most, most);
        (given.pauseMax, given.periodObjection) = (most, most);
        deploy(given);
        given.deposeOverdue++;
        refuse(given);
        given.deposeOverdue--;
        given.deposeIdle++;
        refuse(given);
        given.deposeIdle--;
        given.periodObjection++;
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
        address[3] memory precompiles = [address(0x01), address(0x0a), address(0x100)];
        bytes[3] memory answers = [abi.encode(SIGNER), abi.encode(4096, MODULUS), abi.encode(1)];
        for (uint256 i = 0; i < 3; i++) {
            vm.mockCall(precompiles[i], "", answers[i]);
            refuseFor(precompiles[i]);
        }
    }

    /// @dev Only what is asked first, and rightly, has another answer.
    function test_a_precompile_that_says_yes_in_other_words_is_found_out() public {
        bytes[3] memory answers = [abi.encode(2), abi.encode(1, 0), hex"01"];
        for (uint256 i = 0; i < 3; i++) {
            vm.mockCall(address(0x100), abi.encode(DIGEST), answers[i]);
            refuseFor(address(0x100));
        }
        vm.mockCall(address(0x0a), OPENING, "");
        refuseFor(address(0x0a));
        vm.mockCall(address(0x01), abi.encode(DIGEST), abi.encode(~uint160(SIGNER)));
        refuseFor(address(0x01));
    }

    function test_a_precompile_that_answers_and_fails_is_found_out() public {
        IVm cheats = IVm(address(vm));
        cheats.mockCallRevert(address(0x100), abi.encode(DIGEST), abi.encode(1));
        refuseFor(address(0x100));
        cheats.mockCallRevert(address(0x0a), OPENING, abi.encode(4096, MODULUS));
        refuseFor(address(0x0a));
    }

    function refuseFor(address precompile) private {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PrecompileFails.selector, precompile));
        deploy(defaults());
        vm.clearMockedCalls();
    }
}
