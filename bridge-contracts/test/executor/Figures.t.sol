// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PageExecutor} from "../../src/PageExecutor.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {BigPages} from "./BigPages.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title What large pages cost, part by part
/// @dev Gas of the call alone, without openings; `Costs.t.sol` has the whole. Figures are printed.
contract FiguresTest is BigPages {
    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    event log_named_uint(string name, uint256 value);

    PageExecutor private executor;

    function setUp() public {
        executor = PageExecutor(Deploy.named("PageExecutor"));
        bench = Bench(Deploy.named("Bench"));
        signedFor = address(0x4011);
    }

    function test_a_typical_full_page() public {
        uint8[4] memory sizes = [10, 20, 24, 32];
        for (uint256 i = 0; i < 4; i++) {
            this.runTypical(sizes[i]);
        }
    }

    function runTypical(uint256 bits) external {
        (bytes memory page, bytes memory witness) = typical(bits);
        measure(string.concat("44 accesses, 92 rows, 2^", vm.toString(bits)), page, witness);
    }

    function test_the_worst_page() public {
        uint8[3] memory sizes = [10, 24, 32];
        for (uint256 i = 0; i < 3; i++) {
            this.runWorst(sizes[i], true);
            this.runWorst(sizes[i], false);
        }
    }

    function runWorst(uint256 bits, bool areRepeated) external {
        (bytes memory page, bytes memory witness) = busiest(bits, areRepeated);
        string memory name = areRepeated ? "254 events, 96 rows, 2^" : "225 events, 96 rows, 2^";
        measure(string.concat(name, vm.toString(bits)), page, witness);
    }

    function measure(string memory name, bytes memory page, bytes memory witness) private {
        (bytes32 root,) = bench.roots(witness, new bytes[](0));
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        uint256[7] memory parts = bench.profile(31_337, signedFor, words, witness);
        string[6] memory names = ["witness", "framing", "budget", "admission", "log", "tree"];
        for (uint256 i = 0; i < 6; i++) {
            emit log_named_uint(string.concat(name, ": ", names[i]), parts[i]);
        }
        IPageExecutor.Outcome memory outcome = executor.execute(31_337, signedFor, root, words, "", witness);
        emit log_named_uint(string.concat(name, ": gas"), vm.lastCallGas().gasTotalUsed);
        emit log_named_uint(string.concat(name, ": witness bytes"), witness.length);
        vm.assertEq(uint8(outcome.invalid), 0, name);
        vm.assertTrue(outcome.root != 0 && outcome.root != root);
    }
}
