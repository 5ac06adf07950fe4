// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Headers} from "../src/libraries/Headers.sol";
import {Masks} from "../src/libraries/Masks.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title Masks, as the golden vectors have them
contract MasksTest is Fixture {
    string private json;

    function setUp() public override {
        json = vm.readFile("../core/vectors/masks.json");
    }

    function test_every_page_key_is_the_hash_of_its_place() public view {
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".keys", count)); count++) {
            string memory path = entry(".keys", count);
            bytes32 key = keccak256(
                abi.encodePacked(
                    uint8(7),
                    vm.parseJsonBytes32(json, string.concat(path, ".k")),
                    uint64(vm.parseJsonUint(json, string.concat(path, ".chain_id"))),
                    vm.parseJsonAddress(json, string.concat(path, ".contract")),
                    uint64(vm.parseJsonUint(json, string.concat(path, ".slot"))),
                    uint32(vm.parseJsonUint(json, string.concat(path, ".page")))
                )
            );
            vm.assertEq(key, vm.parseJsonBytes32(json, string.concat(path, ".page_key")));
        }
        vm.assertEq(count, 11);
    }

    function test_what_the_pad_opens_is_the_page() public view {
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".pages", count)); count++) {
            string memory path = entry(".pages", count);
            bytes memory masked = vm.parseJsonBytes(json, string.concat(path, ".masked"));
            bytes32 key = vm.parseJsonBytes32(json, string.concat(path, ".page_key"));
            bytes32[31] memory page = abi.decode(masked, (bytes32[31]));
            Masks.unmask(page, key);
            vm.assertEq(abi.encode(page), vm.parseJsonBytes(json, string.concat(path, ".page")));
            Masks.unmask(page, key);
            vm.assertEq(abi.encode(page), masked);
        }
        vm.assertEq(count, 7);
    }

    function test_what_stands_behind_the_page_stays() public pure {
        bytes32[31] memory page;
        bytes32[2] memory behind = [bytes32("behind"), "the page"];
        Masks.unmask(page, "page key");
        vm.assertTrue(page[30] != 0);
        vm.assertEq(behind[0], "behind");
        vm.assertEq(behind[1], "the page");
    }

    /// @dev The leaves of one period, some of them keys of the list above.
    function test_every_leaf_of_a_period_leads_to_its_root_from_its_own_place_alone() public view {
        bytes32 root = vm.parseJsonBytes32(json, ".period.root");
        uint256 found = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, entry(".period_leaves", i)); i++) {
            string memory path = entry(".period_leaves", i);
            uint64 slot = uint64(vm.parseJsonUint(json, string.concat(path, ".slot")));
            uint16 index = uint16(vm.parseJsonUint(json, string.concat(path, ".page")));
            vm.assertEq(Headers.periodOf(slot), vm.parseJsonUint(json, ".period.period"));
            bytes32 key = keyOf(slot, index);
            bytes32 leaf = vm.parseJsonBytes32(json, string.concat(path, ".leaf"));
            vm.assertEq(keccak256(abi.encodePacked(uint8(8), key)), leaf);
            bytes32[20] memory siblings = siblingsOf(vm.parseJsonBytes32Array(json, string.concat(path, ".path")));
            vm.assertTrue(this.isKey(root, slot, index, key, siblings));
            vm.assertTrue(this.isKey(root, slot + 1024, index, key, siblings));
            vm.assertFalse(this.isKey(root, slot + 1, index, key, siblings));
            vm.assertFalse(this.isKey(root, slot, index ^ 1, key, siblings));
            vm.assertFalse(this.isKey(root, slot, index + 1024, key, siblings));
            vm.assertFalse(this.isKey(root, slot, index, ~key, siblings));
            // Counted on, it is the page that many after the first of the slot before.
            if (slot % 1024 > 0) vm.assertFalse(this.isKey(root, slot - 1, index + 1024, key, siblings));
            siblings[19] = ~siblings[19];
            vm.assertFalse(this.isKey(root, slot, index, key, siblings));
            found++;
        }
        vm.assertEq(found, 10);
    }

    function isKey(bytes32 root, uint64 slot, uint16 index, bytes32 key, bytes32[20] calldata path)
        external
        pure
        returns (bool)
    {
        return Masks.isKey(root, slot, index, key, path);
    }

    function keyOf(uint64 slot, uint16 index) private view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                uint8(7),
                vm.parseJsonBytes32(json, ".period.k"),
                uint64(vm.parseJsonUint(json, ".period.chain_id")),
                vm.parseJsonAddress(json, ".period.contract"),
                slot,
                uint32(index)
            )
        );
    }

    function siblingsOf(bytes32[] memory list) private pure returns (bytes32[20] memory siblings) {
        vm.assertEq(list.length, 20);
        for (uint256 i = 0; i < 20; i++) {
            siblings[i] = list[i];
        }
    }

    function entry(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }
}
