// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {IRollupEvents} from "../src/interfaces/IRollupEvents.sol";
import {CrowdedQueue} from "./utils/CrowdedQueue.sol";
import {Deploy} from "./utils/Deploy.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title The forced queue and its fee
contract QueueTest is Fixture {
    function test_an_envelope_is_kept_by_the_hash_of_its_padded_item() public {
        vm.expectEmit(address(rollup));
        emit IRollupEvents.ItemEnqueued(0, 2, uint48(START * 1000), envelope(200));
        vm.prank(ANYONE);
        rollup.enqueue{value: 0.001 ether}(envelope(200));
        bytes memory item = abi.encodePacked(uint8(2), uint48(START * 1000), envelope(200), new bytes(753));
        (bytes32 hash, uint64 time) = rollup.items(0);
        vm.assertEq(item.length, 960);
        vm.assertEq(hash, keccak256(abi.encodePacked(uint8(9), item)));
        vm.assertEq(time, START);
        vm.assertEq(rollup.queueLength(), 1);
    }

    function testFuzz_envelopes_of_120_to_953_bytes_are_taken(uint256 length) public {
        length = bound(length, 0, 1100);
        if (length < 120 || length > 953) {
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongEnvelope.selector, length));
        }
        vm.prank(ANYONE);
        rollup.enqueue{value: 0.001 ether}(new bytes(length));
    }

    function test_the_shortest_and_the_longest_envelope_are_taken() public {
        uint256[4] memory lengths = [uint256(119), 954, 120, 953];
        for (uint256 i = 0; i < 4; i++) {
            if (i < 2) vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongEnvelope.selector, lengths[i]));
            vm.prank(ANYONE);
            rollup.enqueue{value: 0.001 ether}(envelope(lengths[i]));
        }
        vm.assertEq(rollup.queueLength(), 2);
    }

    function test_a_fee_too_low_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.FeeTooLow.selector, 0.0009 ether, 0.001 ether));
        vm.prank(ANYONE);
        rollup.enqueue{value: 0.0009 ether}(envelope(120));
    }

    function test_the_fee_is_burnt_and_the_rest_owed_back() public {
        vm.prank(ANYONE);
        rollup.enqueue{value: 1 ether}(envelope(120));
        vm.assertEq(rollup.burnt(), 0.001 ether);
        vm.assertEq(rollup.owed(ANYONE), 0.999 ether);
        vm.expectEmit(address(rollup));
        emit IRollupEvents.Collected(ANYONE, 0.999 ether);
        vm.prank(ANYONE);
        rollup.collect();
        vm.assertEq(ANYONE.balance, 999.999 ether);
        vm.assertEq(rollup.owedInAll(), 0);
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.NothingOwed.selector, ANYONE));
        vm.prank(ANYONE);
        rollup.collect();
    }

    function test_a_single_wei_above_the_fee_is_owed_back() public {
        vm.prank(ANYONE);
        rollup.enqueue{value: 0.001 ether + 1}(envelope(120));
        vm.assertEq(rollup.owed(ANYONE), 1);
        vm.assertEq(rollup.owedInAll(), 1);
    }

    /// @dev 127 times at most, and then it is more than there is.
    function test_the_fee_never_wraps() public {
        CrowdedQueue queue = CrowdedQueue(Deploy.named("CrowdedQueue", abi.encode(defaults())));
        vm.assertEq(queue.feeBehind(128 * 64 - 1), 0.001 ether << 127);
        vm.assertEq(queue.feeBehind(128 * 64), type(uint256).max);
        vm.assertEq(queue.feeBehind(type(uint64).max), type(uint256).max);
    }

    function test_the_fee_doubles_with_every_64_that_wait() public {
        uint256 fee = 0.001 ether;
        for (uint256 i = 0; i < 256; i++) {
            if (i > 0 && i % 64 == 0) fee *= 2;
            vm.assertEq(rollup.forcedFee(), fee);
            enqueue();
        }
        vm.assertEq(rollup.forcedFee(), 0.016 ether);
        bond(ALICE);
        post(ALICE);
        vm.assertEq(rollup.forcedFee(), 0.001 ether);
    }

    function test_items_are_enqueued_while_the_chain_is_paused() public {
        pause();
        enqueue();
        vm.assertEq(rollup.queueLength(), 1);
    }

    function test_money_that_comes_without_a_call_is_refused() public {
        vm.prank(ANYONE);
        (bool isTaken,) = address(rollup).call{value: 1 ether}("");
        vm.assertFalse(isTaken);
    }

    function test_who_does_not_take_its_money_hurts_nobody_else() public {
        address stubborn = address(0xE001);
        vm.deal(stubborn, 1 ether);
        vm.prank(stubborn);
        rollup.enqueue{value: 1 ether}(envelope(120));
        vm.etch(stubborn, hex"5f5ffd");
        vm.expectRevert(abi.encodeWithSelector(IRollupErrors.PaymentFailed.selector, stubborn));
        vm.prank(stubborn);
        rollup.collect();
        vm.assertEq(rollup.owed(stubborn), 0.999 ether);
        enqueue();
    }
}
