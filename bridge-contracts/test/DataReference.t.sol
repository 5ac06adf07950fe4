// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupErrors} from "../src/interfaces/IRollupErrors.sol";
import {DataReference} from "../src/libraries/DataReference.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title What a batch's pages are, in one word
contract DataReferenceTest is Fixture {
    function ofPages(bytes calldata joined) external pure returns (bytes32) {
        return DataReference.ofPages(joined);
    }

    function ofBlobs(uint256 count) external view returns (bytes32) {
        return DataReference.ofBlobs(count);
    }

    /// @dev Every count up to what a transaction can carry (128 KiB), against the definition, split by split.
    function test_the_tree_is_that_of_the_definition_for_every_count_of_pages() public view {
        for (uint256 count = 1; count <= 132; count++) {
            bytes memory joined = pages(count);
            vm.assertEq(this.ofPages(joined), referenceOf(joined), vm.toString(count));
        }
    }

    function testFuzz_every_byte_of_every_page_counts(uint256 count, uint256 where, uint8 change) public view {
        bytes memory joined = pages(bound(count, 1, 40));
        bytes32 before = this.ofPages(joined);
        where = bound(where, 0, joined.length - 1);
        vm.assume(change != 0);
        joined[where] ^= bytes1(change);
        vm.assertFalse(this.ofPages(joined) == before);
        vm.assertEq(this.ofPages(joined), referenceOf(joined));
    }

    function test_the_most_pages_that_a_batch_may_have_make_a_tree() public view {
        bytes memory joined = pages(768);
        vm.assertEq(this.ofPages(joined), referenceOf(joined));
    }

    function test_a_blob_holds_128_pages() public {
        uint256[6] memory counts = [uint256(1), 128, 129, 256, 257, 768];
        for (uint256 i = 0; i < 6; i++) {
            uint256 needed = 1 + (counts[i] - 1) / 128;
            vm.blobhashes(blobs(needed));
            vm.assertEq(this.ofBlobs(counts[i]), keccak256(abi.encodePacked(blobs(needed))));
            vm.blobhashes(blobs(needed - 1));
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongBlobs.selector, needed));
            this.ofBlobs(counts[i]);
            vm.blobhashes(blobs(needed + 1));
            vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongBlobs.selector, needed));
            this.ofBlobs(counts[i]);
        }
    }

    function testFuzz_blobs_are_as_many_as_the_pages_need(uint256 count, uint256 given) public {
        count = bound(count, 1, 768);
        given = bound(given, 0, 7);
        uint256 needed = (count + 127) / 128;
        vm.blobhashes(blobs(given));
        if (given != needed) vm.expectRevert(abi.encodeWithSelector(IRollupErrors.WrongBlobs.selector, needed));
        bytes32 found = this.ofBlobs(count);
        if (given == needed) vm.assertEq(found, keccak256(abi.encodePacked(blobs(given))));
    }
}
