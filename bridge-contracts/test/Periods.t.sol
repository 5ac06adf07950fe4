// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Header} from "../src/types/Header.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Roots of masked periods: registered, objected to, ripe
contract PeriodsTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");

    function setUp() public override {
        super.setUp();
        deployMasked();
    }

    function voidPeriod(address account, uint64 number) private {
        vm.prank(account);
        rollup.voidPeriod(number);
    }

    function test_a_root_is_ripe_when_the_time_to_object_is_over() public {
        vm.expectEmit(address(rollup));
        emit IRollupEvents.PeriodRegistered(7, ROOT, uint64(START + 48 hours));
        registerPeriod(7, ROOT);
        pass(48 hours - 1);
        vm.assertFalse(rollup.isRipe(7));
        pass(1);
        vm.assertTrue(rollup.isRipe(7));
        (bytes32 root, uint64 ripeAt, bool isVoided) = rollup.period(7);
        vm.assertEq(root, ROOT);
        vm.assertEq(ripeAt, START + 48 hours);
        vm.assertFalse(isVoided);
    }

    function test_only_the_key_officer_registers() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotKeyOfficer.selector, OWNER));
        vm.prank(OWNER);
        rollup.registerPeriod(0, ROOT);
    }

    function test_a_standing_root_is_never_replaced() public {
        registerPeriod(0, ROOT);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyRegistered.selector, 0));
        registerPeriod(0, keccak256("another"));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoRoot.selector));
        registerPeriod(1, 0);
    }

    function test_any_orgs_account_voids_a_root_before_it_is_ripe() public {
        registerPeriod(0, ROOT);
        pass(48 hours - 1);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.PeriodVoided(0, ROOT, CLINIC);
        voidPeriod(CLINIC, 0);
        pass(30 days);
        vm.assertFalse(rollup.isRipe(0));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoPeriod.selector, 0));
        voidPeriod(CLINIC, 0);
    }

    function test_a_suspended_org_may_still_object() public {
        registerPeriod(0, ROOT);
        vm.prank(OWNER);
        rollup.setOrgStatus(1, 2, 1);
        voidPeriod(HOSPITAL, 0);
    }

    function test_nobody_else_objects_and_nobody_too_late() public {
        registerPeriod(0, ROOT);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOrg.selector, ANYONE));
        voidPeriod(ANYONE, 0);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoPeriod.selector, 1));
        voidPeriod(HOSPITAL, 1);
        pass(48 hours);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AlreadyRipe.selector, 0));
        voidPeriod(HOSPITAL, 0);
    }

    function test_after_an_objection_another_root_waits_its_own_time() public {
        registerPeriod(0, ROOT);
        pass(47 hours);
        voidPeriod(HOSPITAL, 0);
        registerPeriod(0, keccak256("another"));
        pass(48 hours - 1);
        vm.assertFalse(rollup.isRipe(0));
        pass(1);
        vm.assertTrue(rollup.isRipe(0));
    }

    function test_a_batch_is_masked_if_and_only_if_its_period_is_ripe_in_its_block() public {
        bond(HOSPITAL);
        registerPeriod(0, ROOT);
        Header memory header = next();
        header.mode = 2;
        refusePost(HOSPITAL, header, abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 2, 0));
        header.mode = 0;
        post(HOSPITAL, header, pages(1));
        pass(48 hours);
        header = next();
        header.mode = 0;
        refusePost(HOSPITAL, header, abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 0, 2));
        header.mode = 2;
        post(HOSPITAL, header, pages(1));
        header = next();
        header.mode = 3;
        header.dataReference = keccak256(abi.encodePacked(blobs(1)));
        postBlobs(HOSPITAL, header, blobs(1));
    }

    function test_slot_1024_belongs_to_the_next_period() public {
        bond(HOSPITAL);
        registerPeriod(1, ROOT);
        pass(48 hours);
        for (uint256 i = 0; i < 1024; i++) {
            post(HOSPITAL);
        }
        Header memory header = next();
        vm.assertEq(header.slot, 1024);
        header.mode = 0;
        refusePost(HOSPITAL, header, abi.encodeWithSelector(IRollupErrors.WrongMode.selector, 0, 2));
        header.mode = 2;
        post(HOSPITAL, header, pages(1));
    }

    function test_on_an_unmasked_chain_nothing_is_registered() public {
        super.setUp();
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.Unmasked.selector));
        registerPeriod(0, ROOT);
    }

    function test_on_a_masked_chain_only_an_org_may_bond() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOrg.selector, ALICE));
        bond(ALICE);
        bond(CLINIC);
        vm.assertEq(rollup.sequencer(), CLINIC);
    }
}
