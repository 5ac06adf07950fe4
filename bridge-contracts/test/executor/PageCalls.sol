// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title Pages of the golden vectors, as calls of the executor
abstract contract PageCalls is ExecutorFixture {
    struct Call {
        uint64 chainId;
        address rollup;
        bytes32 preRoot;
        bytes32[31] page;
        bytes item;
        bytes witness;
    }

    function load(uint256 chain, uint256 step) internal view returns (Call memory given) {
        string memory json = read("pages.json");
        string memory path = entry("", chain);
        given.chainId = uint64(vm.parseJsonUint(json, string.concat(path, ".chain.chain_id")));
        given.rollup = vm.parseJsonAddress(json, string.concat(path, ".chain.contract"));
        given.preRoot = vm.parseJsonBytes32(json, string.concat(path, ".state.root"));
        string memory steps = string.concat(path, ".steps");
        if (chain != 3 && step > 0) {
            given.preRoot = vm.parseJsonBytes32(json, string.concat(entry(steps, step - 1), ".root"));
        }
        string memory place = entry(steps, step);
        given.page = abi.decode(vm.parseJsonBytes(json, string.concat(place, ".page")), (bytes32[31]));
        given.item = bytesOf(json, string.concat(place, ".item"));
        given.witness = vm.parseJsonBytes(json, string.concat(place, ".witness"));
    }

    function answer(Call memory given) internal view returns (IPageExecutor.Outcome memory) {
        return executor.execute(given.chainId, given.rollup, given.preRoot, given.page, given.item, given.witness);
    }
}
