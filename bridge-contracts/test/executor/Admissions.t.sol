// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";
import {FullWitness} from "./FullWitness.sol";

/// @title Every refusal and every verdict of the golden vectors
contract AdmissionsTest is ExecutorFixture {
    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
    }

    function test_every_case_is_admitted_or_refused_as_it_should_be_first_half() public view {
        checkAll(0, 127);
    }

    function test_every_case_is_admitted_or_refused_as_it_should_be_second_half() public view {
        checkAll(127, 254);
        vm.assertFalse(vm.keyExistsJson(read("admissions.json"), entry(".cases", 254)));
    }

    function checkAll(uint256 from, uint256 to) private view {
        for (uint256 i = from; i < to; i++) {
            this.checkCase(i);
        }
    }

    function checkCase(uint256 index) external view {
        string memory json = read("admissions.json");
        string memory path = entry(".cases", index);
        string memory name = vm.parseJsonString(json, string.concat(path, ".name"));
        string memory own = string.concat(path, ".state");
        Bench.Admitted memory admitted = admit(json, path, vm.keyExistsJson(json, own) ? own : ".state");
        uint256 code = numberOf(json, string.concat(path, ".refusal.code"));
        uint256 event_ = numberOf(json, string.concat(path, ".refusal.event"));
        uint256 refusal = (code == NONE ? 0 : code) | (event_ == NONE ? 0 : (event_ + 1) << 8);
        vm.assertEq(admitted.refusal, refusal, name);
        if (code != NONE) return;
        uint256[] memory verdicts = vm.parseJsonUintArray(json, string.concat(path, ".verdicts"));
        vm.assertEq(keccak256(abi.encode(admitted.verdicts)), keccak256(abi.encode(verdicts)), name);
    }

    /// @dev Over every row of the state. Hints are put in one by one, for as long as more are asked for.
    function admit(string memory json, string memory path, string memory state)
        private
        view
        returns (Bench.Admitted memory)
    {
        bytes memory envelope = vm.parseJsonBytes(json, string.concat(path, ".envelope"));
        uint256 clock = vm.parseJsonUint(json, string.concat(path, ".clock"));
        FullWitness.Rows memory rows = readState(json, state);
        uint64 chainId = uint64(vm.parseJsonUint(json, ".chain.chain_id"));
        address rollup = vm.parseJsonAddress(json, ".chain.contract");
        for (uint256 hints = 0;; hints++) {
            bytes memory witness = FullWitness.encode(rows, envelope, hints);
            try bench.admit(chainId, rollup, clock, envelope, witness) returns (Bench.Admitted memory admitted) {
                return admitted;
            } catch {
                vm.assertLt(hints, 8);
            }
        }
        revert();
    }

    function readState(string memory json, string memory path) private view returns (FullWitness.Rows memory rows) {
        rows.meta = vm.parseJsonBytes(json, string.concat(path, ".meta"));
        rows.frontier = vm.parseJsonBytes(json, string.concat(path, ".frontier"));
        string[4] memory tables = [".orgs", ".principals", ".patients", ".consents"];
        for (uint256 i = 0; i < 4; i++) {
            rows.tables[i] = vm.parseJsonBytesArray(json, string.concat(path, tables[i]));
        }
        if (keccak256(bytes(path)) != keccak256(".state")) return rows;
        // The witness of every row leads to the state's root.
        (bytes32 root,) = bench.roots(FullWitness.encode(rows, "", 0), new bytes[](0));
        vm.assertEq(root, vm.parseJsonBytes32(json, ".state.root"));
    }
}
