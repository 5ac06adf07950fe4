// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title Witnesses and their multiproofs as the golden vectors have them
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
}
