// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PageExecutor} from "../../src/PageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Vm} from "../utils/Vm.sol";

/// @dev A few cheats more.
interface IVm is Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function split(string calldata text, string calldata by) external pure returns (string[] memory);
    function lastCallGas() external view returns (Gas memory);
    function mockCallRevert(address callee, bytes calldata data, bytes calldata reason) external;
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 key, bytes32 digest) external pure returns (bytes32 r, bytes32 s);
    function publicKeyP256(uint256 key) external pure returns (uint256 x, uint256 y);
}

/// @title A deployed executor, and the golden vectors
/// @dev Files are read anew in a call of its own for each case, so that memory ends with the case.
abstract contract ExecutorFixture {
    IVm internal constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    string internal constant FOLDER = "../core/vectors/";
    uint256 internal constant NONE = type(uint256).max;

    event log_named_uint(string name, uint256 value);

    PageExecutor internal executor;

    function setUp() public virtual {
        executor = PageExecutor(Deploy.named("PageExecutor"));
    }

    function read(string memory name) internal view returns (string memory) {
        return vm.readFile(string.concat(FOLDER, name));
    }

    function entry(string memory list, uint256 index) internal pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    /// @dev The objects of the one list of objects that stands at this margin, each as JSON of its own: who looks into
    /// the whole file for each reads it whole as often.
    function objects(string memory json, string memory margin) internal pure returns (string[] memory list) {
        string memory start = string.concat(margin, "{");
        string memory end = string.concat(margin, "}");
        list = vm.split(json, string.concat(end, ",", start));
        list[0] = vm.split(list[0], start)[1];
        list[list.length - 1] = vm.split(list[list.length - 1], end)[0];
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = string.concat("{", list[i], "}");
        }
    }

    /// @dev Bytes, or none where the value is null.
    function bytesOf(string memory json, string memory path) internal pure returns (bytes memory) {
        try vm.parseJsonBytes(json, path) returns (bytes memory value) {
            return value;
        } catch {
            return "";
        }
    }

    /// @dev A number, or `NONE` where the value is null.
    function numberOf(string memory json, string memory path) internal pure returns (uint256) {
        try vm.parseJsonUint(json, path) returns (uint256 value) {
            return value;
        } catch {
            return NONE;
        }
    }

    function slice(bytes memory whole, uint256 from, uint256 length) internal pure returns (bytes memory part) {
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(whole, 32), from), length)
        }
    }
}
