// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title Pages as the golden vectors have them: root, reason, skip
contract PagesTest is ExecutorFixture {
    function test_a_chain_from_genesis_leads_from_root_to_root() public {
        run(0, 8);
    }

    function test_every_kind_of_event_leads_where_it_should() public {
        run(1, 16);
    }

    function test_forced_pages_and_org_items_act_or_are_skipped() public {
        run(2, 27);
    }

    function test_every_invalid_page_is_invalid_for_its_reason() public {
        run(3, 24);
    }

    function run(uint256 chain, uint256 steps) private {
        string memory path = entry("", chain);
        bytes32 root = vm.parseJsonBytes32(read("pages.json"), string.concat(path, ".state.root"));
        for (uint256 step = 0; step < steps; step++) {
            root = this.check(path, step, root);
        }
        vm.assertFalse(vm.keyExistsJson(read("pages.json"), entry(string.concat(path, ".steps"), steps)));
    }

    /// @dev The root that the chain goes on from.
    function check(string memory chain, uint256 step, bytes32 root) external returns (bytes32) {
        string memory json = read("pages.json");
        string memory path = entry(string.concat(chain, ".steps"), step);
        string memory name = vm.parseJsonString(json, string.concat(path, ".name"));
        IPageExecutor.Outcome memory outcome = execute(json, chain, path, root);
        bool hasRoot =
            keccak256(bytes(vm.parseJsonString(json, string.concat(path, ".outcome")))) == keccak256(bytes("root"));
        uint256 invalid = hasRoot ? 0 : numberOf(vm.parseJsonString(json, string.concat(path, ".invalid")));
        vm.assertEq(uint8(outcome.invalid), invalid, name);
        string memory refusal = string.concat(path, hasRoot ? ".skip" : ".invalid_refusal");
        uint256 code = numberOf(json, string.concat(refusal, ".code"));
        vm.assertEq(outcome.code, code == NONE ? 0 : code, name);
        uint256 envelope = numberOf(json, string.concat(path, ".envelope"));
        vm.assertEq(outcome.envelope, envelope == NONE ? 0 : envelope, name);
        uint256 event_ = numberOf(json, string.concat(refusal, ".event"));
        vm.assertEq(outcome.eventNumber, event_ == NONE ? 0 : event_ + 1, name);
        bytes32 next = hasRoot ? vm.parseJsonBytes32(json, string.concat(path, ".root")) : bytes32(0);
        vm.assertEq(outcome.root, next, name);
        return hasRoot ? next : root;
    }

    function execute(string memory json, string memory chain, string memory path, bytes32 root)
        private
        returns (IPageExecutor.Outcome memory outcome)
    {
        uint64 chainId = uint64(vm.parseJsonUint(json, string.concat(chain, ".chain.chain_id")));
        address rollup = vm.parseJsonAddress(json, string.concat(chain, ".chain.contract"));
        bytes memory page = vm.parseJsonBytes(json, string.concat(path, ".page"));
        bytes memory item = bytesOf(json, string.concat(path, ".item"));
        bytes memory witness = vm.parseJsonBytes(json, string.concat(path, ".witness"));
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        uint256 before = gasleft();
        outcome = executor.execute(chainId, rollup, root, words, item, witness);
        emit log_named_uint(vm.parseJsonString(json, string.concat(path, ".name")), before - gasleft());
    }

    function numberOf(string memory invalid) private pure returns (uint256) {
        string[7] memory names = ["Kind", "Clock", "Queue", "Framing", "Padding", "Budget", "Refused"];
        for (uint256 i = 0; i < 7; i++) {
            if (keccak256(bytes(names[i])) == keccak256(bytes(invalid))) return i + 1;
        }
        return 0;
    }
}
