// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Orgs, their accounts, and the items that make them
contract OrgsTest is Fixture {
    bytes32 private constant NAME = keccak256("name");
    bytes32 private constant KEY = keccak256("pseudonym key");
    bytes32 private constant SEALING = keccak256("sealing key");

    function register(address account, uint8 policy, uint8 kind, bytes memory key) private {
        vm.prank(OWNER);
        rollup.registerOrg(account, policy, NAME, KEY, kind, key, SEALING, "tag");
    }

    function test_orgs_are_numbered_from_1_and_enqueued() public {
        bytes memory key = abi.encodePacked(CLINIC);
        bytes memory body =
            abi.encodePacked(uint8(1), HOSPITAL, uint8(2), NAME, KEY, uint8(1), key, SEALING, bytes32("tag"));
        vm.expectEmit(address(rollup));
        emit IRollupEvents.OrgRegistered(1, HOSPITAL);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.ItemEnqueued(0, 3, uint48(START * 1000), body);
        register(HOSPITAL, 2, 1, key);
        vm.assertEq(rollup.orgCount(), 1);
        vm.assertEq(rollup.orgAccount(1), HOSPITAL);
        vm.assertEq(rollup.orgOf(HOSPITAL), 1);
        registerOrg(CLINIC);
        vm.assertEq(rollup.orgOf(CLINIC), 2);
    }

    function test_only_the_owner_registers_and_suspends() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, ANYONE));
        vm.prank(ANYONE);
        rollup.registerOrg(HOSPITAL, 1, NAME, KEY, 1, abi.encodePacked(CLINIC), SEALING, "tag");
        registerOrg(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotOwner.selector, HOSPITAL));
        vm.prank(HOSPITAL);
        rollup.setOrgStatus(1, 2, 1);
    }

    function test_one_account_stands_for_one_org() public {
        registerOrg(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.AccountTaken.selector, HOSPITAL));
        registerOrg(HOSPITAL);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoAccount.selector));
        registerOrg(address(0));
    }

    /// @dev What the rollup would skip is refused here, or the numbers of orgs would differ.
    function test_what_the_rollup_would_skip_is_refused() public {
        bytes memory key = abi.encodePacked(CLINIC);
        bytes4 wrongKey = IRollupErrors.WrongKey.selector;
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongCode.selector, 0));
        register(HOSPITAL, 0, 1, key);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongCode.selector, 3));
        register(HOSPITAL, 3, 1, key);
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 0, bytes("")));
        register(HOSPITAL, 1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 3, key));
        register(HOSPITAL, 1, 3, key);
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 1, new bytes(20)));
        register(HOSPITAL, 1, 1, new bytes(20));
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 1, abi.encodePacked(key, uint8(0))));
        register(HOSPITAL, 1, 1, abi.encodePacked(key, uint8(0)));
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 2, new bytes(64)));
        register(HOSPITAL, 1, 2, new bytes(64));
        vm.expectRevert(abi.encodeWithSelector(wrongKey, 2, key));
        register(HOSPITAL, 1, 2, key);
    }

    /// @dev The group's generator: SEC 2, §2.4.2.
    function test_a_point_of_p256_is_a_key_and_its_neighbour_is_none() public {
        bytes memory x = hex"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        bytes memory y = hex"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
        register(HOSPITAL, 1, 2, abi.encodePacked(x, y));
        y[31] = 0xf4;
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongKey.selector, 2, abi.encodePacked(x, y)));
        register(CLINIC, 1, 2, abi.encodePacked(x, y));
    }

    /// @dev A point whose x is 0, one whose y is 1, and the same numbers plus the field's prime.
    function test_coordinates_of_a_point_are_below_the_prime() public {
        uint256 prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff;
        uint256 y = 0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4;
        uint256 x = 0x8d0177ebab9c6e9e10db6dd095dbac0d6375e8a97b70f611875d877f0069d2c7;
        register(HOSPITAL, 1, 2, abi.encode(0, y));
        register(CLINIC, 1, 2, abi.encode(x, 1));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongKey.selector, 2, abi.encode(prime, y)));
        register(ALICE, 1, 2, abi.encode(prime, y));
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongKey.selector, 2, abi.encode(x, prime + 1)));
        register(ALICE, 1, 2, abi.encode(x, prime + 1));
        // No point has a y of 0.
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongKey.selector, 2, abi.encode(x, prime)));
        register(ALICE, 1, 2, abi.encode(x, prime));
    }

    function test_a_status_is_enqueued() public {
        registerOrg(HOSPITAL);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.ItemEnqueued(1, 3, uint48(START * 1000), hex"02000000010201");
        vm.prank(OWNER);
        rollup.setOrgStatus(1, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoOrg.selector, 2));
        vm.prank(OWNER);
        rollup.setOrgStatus(2, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NoOrg.selector, 0));
        vm.prank(OWNER);
        rollup.setOrgStatus(0, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongCode.selector, 9));
        vm.prank(OWNER);
        rollup.setOrgStatus(1, 9, 1);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongCode.selector, 9));
        vm.prank(OWNER);
        rollup.setOrgStatus(1, 1, 9);
    }

    function test_an_orgs_account_replaces_its_admin() public {
        registerOrg(HOSPITAL);
        registerOrg(CLINIC);
        bytes memory key = abi.encodePacked(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotItsAccount.selector, 1, CLINIC));
        vm.prank(CLINIC);
        rollup.replaceAdmin{value: 0.001 ether}(1, 1, key, SEALING, "tag");
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NotItsAccount.selector, 0, ANYONE));
        vm.prank(ANYONE);
        rollup.replaceAdmin{value: 0.001 ether}(0, 1, key, SEALING, "tag");
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.FeeTooLow.selector, 0, 0.001 ether));
        vm.prank(HOSPITAL);
        rollup.replaceAdmin(1, 1, key, SEALING, "tag");
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongKey.selector, 2, key));
        vm.prank(HOSPITAL);
        rollup.replaceAdmin{value: 0.001 ether}(1, 2, key, SEALING, "tag");
        vm.expectEmit(address(rollup));
        bytes memory body = abi.encodePacked(uint8(3), HOSPITAL, uint32(1), uint8(1), key, SEALING, bytes32("tag"));
        emit IRollupEvents.ItemEnqueued(2, 3, uint48(START * 1000), body);
        vm.prank(HOSPITAL);
        rollup.replaceAdmin{value: 0.001 ether}(1, 1, key, SEALING, "tag");
    }
}
