// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICourt} from "../src/interfaces/ICourt.sol";
import {Receipts} from "../src/libraries/Receipts.sol";
import {CourtFixture} from "./utils/CourtFixture.sol";

/// @title Receipts as bytes: what opens, and that nothing else does
contract ReceiptsTest is CourtFixture {
    string private constant FILE = "../core/vectors/receipts.json";

    function open(bytes calldata receipt, address rollup_, address key)
        external
        view
        returns (Receipts.Receipt memory)
    {
        return Receipts.open(receipt, rollup_, key);
    }

    function field(string memory list, uint256 index, string memory name) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "].", name);
    }

    function test_receipts_open_as_the_vectors_say() public {
        string memory json = vm.readFile(FILE);
        cheats.chainId(vm.parseJsonUint(json, ".chain.chain_id"));
        address contract_ = vm.parseJsonAddress(json, ".chain.contract");
        uint256 count = 0;
        uint256 opened = 0;
        for (; vm.keyExistsJson(json, field(".receipts", count, "name")); count++) {
            bytes memory receipt = vm.parseJsonBytes(json, field(".receipts", count, "receipt"));
            address key = vm.parseJsonAddress(json, field(".receipts", count, "address"));
            bool isOpen = opens(receipt, contract_, key);
            string memory name = vm.parseJsonString(json, field(".receipts", count, "name"));
            vm.assertTrue(isOpen == vm.parseJsonBool(json, field(".receipts", count, "valid")), name);
            if (isOpen) opened++;
        }
        vm.assertEq(count, 60);
        vm.assertGe(opened, 20);
    }

    function test_leaves_are_those_of_the_vectors() public view {
        string memory json = vm.readFile(FILE);
        uint256 count = 0;
        for (; vm.keyExistsJson(json, field(".leaves", count, "leaf")); count++) {
            bytes memory place = placeOf(
                uint64(vm.parseJsonUint(json, field(".leaves", count, "epoch"))),
                uint64(vm.parseJsonUint(json, field(".leaves", count, "first_sequence"))),
                uint8(vm.parseJsonUint(json, field(".leaves", count, "events"))),
                uint48(vm.parseJsonUint(json, field(".leaves", count, "clock"))),
                vm.parseJsonBytes32(json, field(".leaves", count, "envelope_digest"))
            );
            bytes32 leaf = vm.parseJsonBytes32(json, field(".leaves", count, "leaf"));
            Receipts.Receipt memory opened = this.open(signed(KEY, place), address(rollup), cheats.addr(KEY));
            vm.assertEq(opened.leaf, leaf);
        }
        vm.assertEq(count, 5);
    }

    function testFuzz_a_receipt_opens_to_its_fields(
        uint64 epoch,
        uint64 first,
        uint8 events,
        uint48 clock,
        bytes32 digest
    ) public view {
        bytes memory place = placeOf(epoch, first, events, clock, digest);
        Receipts.Receipt memory opened = this.open(signed(KEY, place), address(rollup), cheats.addr(KEY));
        vm.assertEq(opened.epoch, epoch);
        vm.assertEq(opened.firstSequence, first);
        vm.assertEq(opened.events, events);
        vm.assertEq(opened.clock, clock);
        vm.assertEq(opened.digest, digest);
        vm.assertEq(opened.leaf, leafOf(place));
    }

    /// @dev A group of any size: the path by the definition of RFC 9162 §2.1.3.1.
    function testFuzz_every_receipt_of_a_group_opens_at_its_place_alone(uint8 size, uint8 index, uint8 wrong)
        public
        view
    {
        size = uint8(bound(size, 1, 40));
        index = uint8(bound(index, 0, size - 1));
        bytes32[] memory leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; i++) {
            leaves[i] = leafOf(placeOf(1, uint64(i), 1, 5, "envelope"));
        }
        bytes memory path = pathOf(leaves, index, 0, size);
        bytes memory tail = bytes.concat(path, signatureOf(KEY, 1, treeOf(leaves, 0, size)));
        bytes memory place = placeOf(1, index, 1, 5, "envelope");
        bytes memory head = abi.encodePacked(place, uint32(index), uint32(size), uint8(path.length / 32));
        vm.assertTrue(opens(bytes.concat(head, tail), address(rollup), cheats.addr(KEY)));
        wrong = uint8(bound(wrong, 0, 50));
        head = abi.encodePacked(place, uint32(wrong), uint32(size), uint8(path.length / 32));
        bool isRight = wrong == index;
        vm.assertTrue(opens(bytes.concat(head, tail), address(rollup), cheats.addr(KEY)) == isRight);
    }

    /// @dev The first of as many as 32 bits can count: 32 hashes, to the right of it all.
    function test_a_path_is_of_32_hashes_at_most() public {
        bytes memory place = placeOf(1, 10, 3, 5, "envelope");
        bytes32 root = leafOf(place);
        bytes memory path;
        for (uint256 i = 0; i < 32; i++) {
            path = abi.encodePacked(path, i);
            root = keccak256(abi.encodePacked(uint8(1), root, i));
        }
        bytes memory head = abi.encodePacked(place, uint32(0), type(uint32).max);
        bytes memory whole = bytes.concat(head, hex"20", path, signatureOf(KEY, 1, root));
        vm.assertEq(this.open(whole, address(rollup), cheats.addr(KEY)).leaf, leafOf(place));
        bytes memory long = bytes.concat(head, hex"21", path, bytes32(0), signatureOf(KEY, 1, root));
        vm.expectRevert(ICourt.NotAReceipt.selector);
        this.open(long, address(rollup), cheats.addr(KEY));
    }

    /// @dev A group of one has no second receipt, though its path would lead to the same root.
    function test_a_place_past_the_end_of_its_group_is_none() public {
        bytes memory place = placeOf(1, 10, 3, 5, "envelope");
        bytes memory signature = signatureOf(KEY, 1, leafOf(place));
        bytes memory past = abi.encodePacked(place, uint32(1), uint32(1), uint8(0), signature);
        vm.expectRevert(ICourt.WrongPath.selector);
        this.open(past, address(rollup), cheats.addr(KEY));
        past = abi.encodePacked(place, uint32(0), uint32(0), uint8(0), signature);
        vm.expectRevert(ICourt.WrongPath.selector);
        this.open(past, address(rollup), cheats.addr(KEY));
    }

    /// @dev Whatever byte is changed, of the place, the path or the signature.
    function testFuzz_a_receipt_with_a_changed_byte_does_not_open(uint256 where, uint8 change) public view {
        vm.assume(change != 0);
        bytes memory receipt = receiptOf(KEY, 1, 10);
        receipt[bound(where, 0, receipt.length - 1)] ^= bytes1(change);
        vm.assertFalse(opens(receipt, address(rollup), cheats.addr(KEY)));
    }

    function testFuzz_bytes_that_nobody_signed_do_not_open(bytes calldata bytes_) public view {
        vm.assertFalse(opens(bytes_, address(rollup), cheats.addr(KEY)));
        vm.assertFalse(opens(bytes_, address(rollup), address(0)));
    }

    function testFuzz_a_receipt_of_another_length_does_not_open(uint256 length) public view {
        bytes memory receipt = receiptOf(KEY, 1, 10);
        length = bound(length, 0, 400);
        vm.assume(length != receipt.length);
        bytes memory other = new bytes(length);
        for (uint256 i = 0; i < length && i < receipt.length; i++) {
            other[i] = receipt[i];
        }
        vm.assertFalse(opens(other, address(rollup), cheats.addr(KEY)));
    }

    function test_a_receipt_is_for_one_chain_one_contract_and_one_key() public {
        bytes memory receipt = receiptOf(KEY, 1, 10);
        vm.assertTrue(opens(receipt, address(rollup), cheats.addr(KEY)));
        vm.assertFalse(opens(receipt, address(this), cheats.addr(KEY)));
        vm.assertFalse(opens(receipt, address(rollup), cheats.addr(OTHER_KEY)));
        vm.assertFalse(opens(receipt, address(rollup), address(0)));
        cheats.chainId(7);
        vm.assertFalse(opens(receipt, address(rollup), cheats.addr(KEY)));
    }

    /// @dev ecrecover answers nothing to it, which is no key; and a high s is another signature of the same.
    function test_a_malformed_signature_is_none() public view {
        bytes memory place = placeOf(1, 10, 3, 5, "envelope");
        bytes memory head = abi.encodePacked(place, uint32(0), uint32(1), uint8(0));
        vm.assertFalse(opens(bytes.concat(head, new bytes(64)), address(rollup), address(0)));
        bytes memory signature = signatureOf(KEY, 1, leafOf(place));
        (uint256 r, uint256 s) = abi.decode(signature, (uint256, uint256));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        uint256 high = order - (s & type(uint256).max >> 1);
        vm.assertFalse(opens(bytes.concat(head, abi.encode(r, high)), address(rollup), cheats.addr(KEY)));
        vm.assertTrue(opens(bytes.concat(head, abi.encode(r, s)), address(rollup), cheats.addr(KEY)));
    }

    /// @dev And says why, by one of three errors.
    function opens(bytes memory receipt, address rollup_, address key) private view returns (bool) {
        try this.open(receipt, rollup_, key) {
            return true;
        } catch (bytes memory reason) {
            bytes4 error_ = bytes4(reason);
            vm.assertTrue(
                error_ == ICourt.NotAReceipt.selector || error_ == ICourt.WrongPath.selector
                    || error_ == ICourt.WrongSignature.selector
            );
            return false;
        }
    }

    function pathOf(bytes32[] memory leaves, uint256 index, uint256 from, uint256 to)
        private
        pure
        returns (bytes memory)
    {
        if (to - from == 1) return "";
        uint256 split = splitOf(from, to);
        return index < split
            ? bytes.concat(pathOf(leaves, index, from, split), treeOf(leaves, split, to))
            : bytes.concat(pathOf(leaves, index, split, to), treeOf(leaves, from, split));
    }

    function treeOf(bytes32[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 split = splitOf(from, to);
        return keccak256(bytes.concat(hex"01", treeOf(leaves, from, split), treeOf(leaves, split, to)));
    }

    function splitOf(uint256 from, uint256 to) private pure returns (uint256) {
        uint256 size = 1;
        while (size * 2 < to - from) size *= 2;
        return from + size;
    }
}
