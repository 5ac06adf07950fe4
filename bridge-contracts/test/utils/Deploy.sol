// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Parameters} from "../../src/types/Parameters.sol";
import {RollupHarness} from "./RollupHarness.sol";
import {Vm} from "./Vm.sol";

/// @title Contracts deployed from what Forge compiled of them
/// @dev `new` puts the whole code of a contract into each test that deploys it, and the compiler optimizes it again for
/// each: most of the time that all tests take to compile. Forge knows the artifacts of the same run: none is stale.
library Deploy {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Code that makes the contract `name` of the file of its name.
    function creation(string memory name, bytes memory arguments) internal view returns (bytes memory) {
        return bytes.concat(vm.getCode(string.concat(name, ".sol:", name)), arguments);
    }

    /// @notice The contract, its constructor's reverts passed on.
    function named(string memory name, bytes memory arguments) internal returns (address account) {
        bytes memory code = creation(name, arguments);
        assembly ("memory-safe") {
            account := create(0, add(code, 32), mload(code))
            if iszero(account) {
                returndatacopy(code, 0, returndatasize())
                revert(code, returndatasize())
            }
        }
    }

    function named(string memory name) internal returns (address) {
        return named(name, "");
    }

    function harness(Parameters memory given) internal returns (RollupHarness) {
        return RollupHarness(named("RollupHarness", abi.encode(given)));
    }
}
