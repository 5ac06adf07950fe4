// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "../src/types/Header.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What calls cost, kept in snapshots/ and compared by every run
/// @dev Of the call alone, on storage nobody has touched: the transaction's own 21,000 and its bytes come on top.
contract GasTest is Fixture {
    /// @dev Most gas (EIP-7825), and most bytes outside of blobs, that a transaction may have; what a byte costs at
    /// least today (EIP-7623), and what it may come to.
    uint256 private constant TRANSACTION_GAS_MAX = 1 << 24;
    uint256 private constant TRANSACTION_BYTES_MAX = 128 * 1024;
    uint256 private constant BYTE_GAS_MAX = 96;

    function setUp() public override {
        super.setUp();
        bond(ALICE);
        post(ALICE);
        enqueue();
        pass(60);
    }

    function test_gas_of_a_batch_in_calldata() public {
        uint16[3] memory counts = [uint16(1), 16, 128];
        for (uint256 i = 0; i < counts.length; i++) {
            Header memory header = next();
            bytes memory pages_ = pages(counts[i]);
            header.pages = counts[i];
            header.dataReference = referenceOf(pages_);
            vm.cool(address(rollup));
            post(ALICE, header, pages_);
            vm.snapshotGasLastCall("Rollup", string.concat("post, calldata, pages: ", vm.toString(counts[i])));
        }
    }

    /// @dev As many pages as a transaction can carry, at the dearest byte that is foreseen.
    function test_the_largest_batch_in_calldata_fits_a_transaction() public {
        uint16 count = uint16((TRANSACTION_BYTES_MAX - 1024) / 992);
        Header memory header = next();
        bytes memory pages_ = pages(count);
        header.pages = count;
        header.dataReference = referenceOf(pages_);
        uint256 before = gasleft();
        post(ALICE, header, pages_);
        uint256 spent = before - gasleft();
        vm.assertLt(spent + TRANSACTION_BYTES_MAX * BYTE_GAS_MAX, TRANSACTION_GAS_MAX);
    }

    function test_gas_of_a_batch_in_six_blobs() public {
        Header memory header = next();
        header.mode = 1;
        header.pages = 768;
        header.dataReference = keccak256(abi.encodePacked(blobs(6)));
        vm.cool(address(rollup));
        postBlobs(ALICE, header, blobs(6));
        vm.snapshotGasLastCall("Rollup", "post, blobs: 6");
    }

    function test_gas_of_the_queue() public {
        vm.cool(address(rollup));
        vm.prank(ANYONE);
        rollup.enqueue{value: 0.001 ether}(envelope(120));
        vm.snapshotGasLastCall("Rollup", "enqueue, bytes: 120");
        vm.cool(address(rollup));
        registerOrg(HOSPITAL);
        vm.snapshotGasLastCall("Rollup", "registerOrg");
    }

    function test_gas_of_the_rest() public {
        vm.cool(address(rollup));
        bond(BOB);
        vm.snapshotGasLastCall("Rollup", "bond, in line");
        pass(7 days);
        vm.cool(address(rollup));
        rollup.confirm(1);
        vm.snapshotGasLastCall("Rollup", "confirm");
        vm.cool(address(rollup));
        rollup.depose();
        vm.snapshotGasLastCall("Rollup", "depose");
    }
}
