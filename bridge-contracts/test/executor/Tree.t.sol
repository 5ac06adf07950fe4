// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {Big} from "./Big.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title Witnesses and their multiproofs as the golden vectors have them, and in larger tables
contract TreeTest is ExecutorFixture {
    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
    }

    function test_every_witness_leads_to_its_root_before_and_after() public view {
        uint256 count = 0;
        while (this.checkWitness(count)) count++;
        vm.assertEq(count, 17);
    }

    function checkWitness(uint256 index) external view returns (bool) {
        string memory json = read("tree.json");
        string memory path = entry(".witnesses", index);
        if (!vm.keyExistsJson(json, path)) return false;
        string memory name = vm.parseJsonString(json, string.concat(path, ".name"));
        bytes memory witness = vm.parseJsonBytes(json, string.concat(path, ".witness"));
        bytes[] memory rows = vm.parseJsonBytesArray(json, string.concat(path, ".rows_after"));
        (bytes32 before, bytes32 after_) = bench.roots(witness, rows);
        vm.assertEq(before, vm.parseJsonBytes32(json, string.concat(path, ".root_before")), name);
        vm.assertEq(after_, vm.parseJsonBytes32(json, string.concat(path, ".root_after")), name);
        (before, after_) = bench.roots(witness, new bytes[](0));
        vm.assertEq(before, after_, name);
        return true;
    }

    function test_every_malformed_witness_reverts() public view {
        uint256 count = 0;
        while (this.checkMalformed(count)) count++;
        vm.assertEq(count, 105);
    }

    function checkMalformed(uint256 index) external view returns (bool) {
        string memory json = read("tree.json");
        string memory path = entry(".malformed", index);
        if (!vm.keyExistsJson(json, path)) return false;
        bytes memory witness = vm.parseJsonBytes(json, string.concat(path, ".witness"));
        try bench.roots(witness, new bytes[](0)) {
            vm.assertTrue(false, vm.parseJsonString(json, string.concat(path, ".name")));
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IPageExecutor.MalformedWitness.selector));
        }
        return true;
    }

    /// @dev Two patients that meet at each height, any bits in their numbers, siblings given and empty, of which one has
    /// changed, both or neither. The vectors' tables are small: high up nothing changes there beside anything.
    function test_two_rows_of_any_table_lead_to_its_roots() public view {
        for (uint256 height = 0; height < 32; height++) {
            this.checkPair(height);
        }
    }

    function checkPair(uint256 height) external view {
        uint256 seed = uint256(keccak256(abi.encode("pair", height)));
        // Below the height where they meet their bits are their own.
        uint256 common = (3 << 32 | seed >> 32 & 0xFFFFFFFF) >> (height + 1) << (height + 1);
        uint256[2] memory indices =
            [common | seed >> 64 & ((1 << height) - 1), common | 1 << height | seed >> 96 & ((1 << height) - 1)];
        // All siblings are given, or some.
        uint256 flags = height % 3 == 0 ? type(uint256).max : seed >> 128;
        uint256[2] memory given = [flags & ((1 << height) - 1), flags & ((1 << 35) - 1) & ~(1 << height)];
        bytes[] memory rows = new bytes[](2);
        (rows[0], rows[1]) = (Big.patient(1), Big.patient(2));
        bytes32[] memory siblings = new bytes32[](70);
        bytes memory joined;
        uint256 count = 0;
        for (uint256 bits = given[0] << 35 | given[1]; bits != 0; bits &= bits - 1) {
            count++;
        }
        for (uint256 i = 0; i < count; i++) {
            siblings[i] = keccak256(abi.encode(height, i));
            joined = bytes.concat(joined, siblings[i]);
        }
        bytes memory body = abi.encodePacked(uint40(indices[0]), uint40(given[0]), uint16(rows[0].length), rows[0]);
        body = abi.encodePacked(body, uint40(indices[1]), uint40(given[1]), uint16(rows[1].length), rows[1]);
        bytes memory witness = abi.encodePacked(uint8(2), body, uint8(0), uint16(count), joined);
        bytes32 root = rootOf(rows, indices, given, siblings);
        if (height % 4 != 0) rows[0] = Big.patient(3);
        if (height % 4 != 1) rows[1] = height % 4 == 2 ? bytes("") : Big.patient(4);
        (bytes32 before, bytes32 after_) = bench.roots(witness, rows);
        vm.assertEq(before, root);
        vm.assertEq(after_, rootOf(rows, indices, given, siblings));
    }

    /// @dev By the definition, docs/spec.md §9.4.
    function rootOf(bytes[] memory rows, uint256[2] memory indices, uint256[2] memory flags, bytes32[] memory siblings)
        private
        pure
        returns (bytes32 root)
    {
        uint256 meeting = 0;
        while (indices[0] >> meeting != indices[1] >> meeting) meeting++;
        meeting--;
        uint256 used = 0;
        bytes32 left;
        (left, used) = climb(leafOf(rows[0]), indices[0], flags[0], 0, meeting, siblings, used);
        (root, used) = climb(leafOf(rows[1]), indices[1], flags[1], 0, meeting, siblings, used);
        (root,) = climb(nodeOf(left, root), indices[1], flags[1], meeting + 1, 35, siblings, used);
    }

    function climb(
        bytes32 node,
        uint256 index,
        uint256 flags,
        uint256 from,
        uint256 to,
        bytes32[] memory siblings,
        uint256 used
    ) private pure returns (bytes32, uint256) {
        bytes32 empty = 0;
        for (uint256 height = 0; height < to; height++) {
            if (height >= from) {
                bytes32 sibling = flags >> height & 1 == 1 ? siblings[used++] : empty;
                node = index >> height & 1 == 1 ? nodeOf(sibling, node) : nodeOf(node, sibling);
            }
            empty = nodeOf(empty, empty);
        }
        return (node, used);
    }

    function leafOf(bytes memory row) private pure returns (bytes32) {
        return row.length == 0 ? bytes32(0) : keccak256(bytes.concat(hex"00", row));
    }

    function nodeOf(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(bytes.concat(hex"01", left, right));
    }
}
