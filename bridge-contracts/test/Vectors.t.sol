// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DataReference} from "../src/libraries/DataReference.sol";
import {Headers} from "../src/libraries/Headers.sol";
import {Items} from "../src/libraries/Items.sol";
import {Keys} from "../src/libraries/Keys.sol";
import {Header} from "../src/types/Header.sol";
import {Fixture} from "./utils/Fixture.sol";

/// @title The golden vectors that Rust and Python read, read here
contract VectorsTest is Fixture {
    string private constant FOLDER = "../core/vectors/";

    function test_every_header_has_its_bytes_and_content_hash() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "headers.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".headers", count)); count++) {
            Header memory header = headerOf(json, string.concat(entry(".headers", count), ".fields"));
            bytes memory bytes_ = vm.parseJsonBytes(json, string.concat(entry(".headers", count), ".bytes"));
            vm.assertEq(abi.encode(header), bytes_);
            vm.assertEq(
                Headers.contentHash(header),
                vm.parseJsonBytes32(json, string.concat(entry(".headers", count), ".content_hash"))
            );
        }
        vm.assertEq(count, 9);
    }

    function test_bytes_that_are_no_header_are_none_here() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "headers.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".malformed", count)); count++) {
            bytes memory bytes_ = vm.parseJsonBytes(json, string.concat(entry(".malformed", count), ".bytes"));
            vm.assertFalse(isHeader(bytes_));
        }
        vm.assertEq(count, 26);
    }

    function test_the_first_batch_is_the_genesis_of_the_vectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "headers.json"));
        vm.assertEq(vm.parseJsonString(json, ".headers[0].name"), "genesis");
        Header memory genesis = headerOf(json, ".headers[0].fields");
        genesis.postRoot = defaults().genesisRoot;
        (bytes32 contentHash,,) = rollup.batches(0);
        vm.assertEq(contentHash, keccak256(abi.encode(genesis)));
    }

    function test_every_calldata_reference_is_the_one_of_the_vectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "headers.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".calldata_references", count)); count++) {
            string memory path = entry(".calldata_references", count);
            bytes[] memory list = vm.parseJsonBytesArray(json, string.concat(path, ".pages"));
            bytes memory joined;
            for (uint256 i = 0; i < list.length; i++) {
                joined = bytes.concat(joined, list[i]);
            }
            vm.assertEq(this.ofPages(joined), vm.parseJsonBytes32(json, string.concat(path, ".reference")));
        }
        vm.assertEq(count, 4);
    }

    function test_every_blob_reference_is_the_one_of_the_vectors() public {
        string memory json = vm.readFile(string.concat(FOLDER, "headers.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".blob_references", count)); count++) {
            string memory path = entry(".blob_references", count);
            bytes32[] memory hashes = vm.parseJsonBytes32Array(json, string.concat(path, ".versioned_hashes"));
            vm.blobhashes(hashes);
            bytes32 expected = vm.parseJsonBytes32(json, string.concat(path, ".reference"));
            vm.assertEq(this.ofBlobs(hashes.length * 128), expected);
        }
        vm.assertEq(count, 3);
    }

    /// @dev Items of orgs, and one envelope, made by calls and compared with those that the rules were tested on.
    function test_items_are_the_bytes_of_the_vectors() public {
        string memory json = vm.readFile(string.concat(FOLDER, "pages.json"));
        bytes memory register = itemOf(json, "[2].steps[8]");
        address account = address(bytes20(slice(register, 8, 20)));
        warpTo(register);
        registerAs(register);
        checkItem(0, register);

        bytes memory suspend = itemOf(json, "[2].steps[9]");
        registerMany(3);
        setStatusAs(suspend);
        setStatusAs(itemOf(json, "[2].steps[10]"));

        bytes memory forced = itemOf(json, "[2].steps[2]");
        uint64 index = rollup.queueLength();
        vm.prank(ANYONE);
        rollup.enqueue{value: 1 ether}(trimmed(forced));
        checkItem(index, forced);
        vm.assertEq(rollup.orgAccount(1), account);
    }

    function test_an_item_of_a_new_admin_is_the_bytes_of_the_vectors() public {
        string memory json = vm.readFile(string.concat(FOLDER, "pages.json"));
        bytes memory item = itemOf(json, "[2].steps[15]");
        warpTo(item);
        address account = address(bytes20(slice(item, 8, 20)));
        uint32 org = uint32(bytes4(slice(item, 28, 4)));
        registerMany(org - 1);
        registerOrg(account);
        uint64 index = rollup.queueLength();
        uint256 length = keyBytes(uint8(item[32]));
        vm.deal(account, 1 ether);
        vm.prank(account);
        rollup.replaceAdmin{value: 1 ether}(
            org,
            uint8(item[32]),
            slice(item, 33, length),
            bytes32(slice(item, 33 + length, 32)),
            bytes32(slice(item, 65 + length, 32))
        );
        checkItem(index, item);
    }

    /// @dev Keys that sign in the vectors are keys; what the rules call malformed is none.
    function test_keys_are_keys_as_the_rules_say() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "signatures.json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry("", count)); count++) {
            uint8 kind = uint8(vm.parseJsonUint(json, string.concat(entry("", count), ".key_kind")));
            bytes memory key = vm.parseJsonBytes(json, string.concat(entry("", count), ".key"));
            bytes32 result = keccak256(bytes(vm.parseJsonString(json, string.concat(entry("", count), ".result"))));
            if (result == keccak256("ok")) vm.assertTrue(this.isKey(kind, key));
        }
        vm.assertEq(count, 79);
        string memory items = vm.readFile(string.concat(FOLDER, "pages.json"));
        for (uint256 step = 21; step <= 24; step++) {
            bytes memory item = itemOf(items, entry("[2].steps", step));
            uint8 kind = uint8(item[93]);
            vm.assertFalse(this.isKey(kind, slice(item, 94, keyBytes(kind))));
        }
    }

    // Laid open, for calldata and for `blobhash`.

    function ofPages(bytes calldata joined) external pure returns (bytes32) {
        return DataReference.ofPages(joined);
    }

    function ofBlobs(uint256 count) external view returns (bytes32) {
        return DataReference.ofBlobs(count);
    }

    function isKey(uint8 kind, bytes calldata key) external pure returns (bool) {
        return Keys.isValid(kind, key);
    }

    function decode(bytes calldata bytes_) external pure returns (Header memory header) {
        header = abi.decode(bytes_, (Header));
    }

    /// @dev A mode above 3 is an ABI value here; posting refuses it, since it is not the one expected.
    function isHeader(bytes memory bytes_) private view returns (bool) {
        try this.decode(bytes_) returns (Header memory header) {
            return header.mode < 4 && bytes_.length == 352;
        } catch {
            return false;
        }
    }

    function headerOf(string memory json, string memory path) private pure returns (Header memory header) {
        header.mode = uint8(number(json, path, ".mode"));
        header.dataReference = vm.parseJsonBytes32(json, string.concat(path, ".data_reference"));
        header.parent = vm.parseJsonBytes32(json, string.concat(path, ".parent"));
        header.number = uint64(number(json, path, ".number"));
        header.epoch = uint64(number(json, path, ".epoch"));
        header.slot = uint64(number(json, path, ".slot"));
        header.pages = uint16(number(json, path, ".pages"));
        header.postRoot = vm.parseJsonBytes32(json, string.concat(path, ".post_root"));
        header.clock = uint48(number(json, path, ".clock"));
        header.nextSequence = uint64(number(json, path, ".next_sequence"));
        header.cursor = uint64(number(json, path, ".cursor"));
    }

    function number(string memory json, string memory path, string memory field) private pure returns (uint256) {
        return vm.parseJsonUint(json, string.concat(path, field));
    }

    function entry(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function itemOf(string memory json, string memory path) private pure returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(path, ".item"));
    }

    function warpTo(bytes memory item) private {
        uint256 milliseconds = uint48(bytes6(slice(item, 1, 6)));
        vm.assertEq(milliseconds % 1000, 0, "a time that a block can have");
        vm.warp(milliseconds / 1000);
    }

    function checkItem(uint64 index, bytes memory item) private view {
        (bytes32 hash,) = rollup.items(index);
        vm.assertEq(hash, keccak256(bytes.concat(hex"09", item)));
        bytes memory body = slice(item, 7, 953);
        vm.assertEq(hash, Items.hash(uint8(item[0]), uint48(bytes6(slice(item, 1, 6))), body));
    }

    function registerAs(bytes memory item) private {
        uint8 kind = uint8(item[93]);
        uint256 length = keyBytes(kind);
        vm.prank(OWNER);
        rollup.registerOrg(
            address(bytes20(slice(item, 8, 20))),
            uint8(item[28]),
            bytes32(slice(item, 29, 32)),
            bytes32(slice(item, 61, 32)),
            kind,
            slice(item, 94, length),
            bytes32(slice(item, 94 + length, 32)),
            bytes32(slice(item, 126 + length, 32))
        );
    }

    function setStatusAs(bytes memory item) private {
        uint64 index = rollup.queueLength();
        vm.prank(OWNER);
        rollup.setOrgStatus(uint32(bytes4(slice(item, 8, 4))), uint8(item[12]), uint8(item[13]));
        checkItem(index, item);
    }

    function registerMany(uint32 orgs) private {
        while (rollup.orgCount() < orgs) {
            registerOrg(address(uint160(0xF000 + rollup.orgCount())));
        }
    }

    function keyBytes(uint8 kind) private pure returns (uint256) {
        return kind == 2 ? 64 : kind == 1 ? 20 : 0;
    }

    function trimmed(bytes memory item) private pure returns (bytes memory) {
        uint256 end = item.length;
        while (item[end - 1] == 0) end--;
        return slice(item, 7, end - 7);
    }

    function slice(bytes memory whole, uint256 from, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            part[i] = whole[from + i];
        }
    }
}
