// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Framing} from "../../src/executor/Framing.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";
import {FullWitness} from "./FullWitness.sol";

/// @title Every refusal, every verdict and every digest of the golden vectors
contract AdmissionsTest is ExecutorFixture {
    /// @dev More than a digest takes. Nobody has checked yet that rows are there whose fields are read.
    uint256 private constant DIGEST_GAS = 10_000_000;

    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
    }

    function test_every_case_is_admitted_or_refused_as_it_should_be() public view {
        string memory json = read("admissions.json");
        string[] memory cases = objects(json, "\n    ");
        vm.assertEq(cases.length, 254);
        FullWitness.Rows memory rows = readState(json);
        // The witness of every row leads to the state's root.
        (bytes32 root,) = bench.roots(FullWitness.encode(rows, "", 0), new bytes[](0));
        vm.assertEq(root, vm.parseJsonBytes32(json, ".state.root"));
        uint64 chainId = uint64(vm.parseJsonUint(json, ".chain.chain_id"));
        address rollup = vm.parseJsonAddress(json, ".chain.contract");
        for (uint256 i = 0; i < cases.length; i++) {
            this.checkCase(chainId, rollup, rows, cases[i]);
        }
    }

    function checkCase(uint64 chainId, address rollup, FullWitness.Rows memory common, string calldata json)
        external
        view
    {
        string memory name = vm.parseJsonString(json, ".name");
        FullWitness.Rows memory rows = vm.keyExistsJson(json, ".state") ? readState(json) : common;
        Bench.Admitted memory admitted = admit(chainId, rollup, rows, json);
        uint256 code = numberOf(json, ".refusal.code");
        uint256 event_ = numberOf(json, ".refusal.event");
        uint256 refusal = (code == NONE ? 0 : code) | (event_ == NONE ? 0 : (event_ + 1) << 8);
        vm.assertEq(admitted.refusal, refusal, name);
        if (code != NONE) return;
        uint256[] memory verdicts = vm.parseJsonUintArray(json, ".verdicts");
        vm.assertEq(keccak256(abi.encode(admitted.verdicts)), keccak256(abi.encode(verdicts)), name);
    }

    /// @dev Over every row of the state. Hints are put in one by one, for as long as more are asked for.
    function admit(uint64 chainId, address rollup, FullWitness.Rows memory rows, string calldata json)
        private
        view
        returns (Bench.Admitted memory)
    {
        bytes memory envelope = vm.parseJsonBytes(json, ".envelope");
        uint256 clock = vm.parseJsonUint(json, ".clock");
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

    function test_every_digest_is_what_its_signer_signs() public view {
        string memory json = read("digests.json");
        bytes memory witness = FullWitness.encode(readState(json), "", 0);
        uint64 chainId = uint64(vm.parseJsonUint(json, ".chain.chain_id"));
        address rollup = vm.parseJsonAddress(json, ".chain.contract");
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry(".cases", count)); count++) {
            string memory path = entry(".cases", count);
            uint256 role = vm.parseJsonUint(json, string.concat(path, ".role"));
            bytes memory envelope = vm.parseJsonBytes(json, string.concat(path, ".envelope"));
            (bytes32 identities, bytes32 digest) = bench.digestOf(chainId, rollup, role, envelope, witness);
            string memory name = vm.parseJsonString(json, string.concat(path, ".name"));
            vm.assertEq(identities, vm.parseJsonBytes32(json, string.concat(path, ".identities")), name);
            vm.assertEq(digest, vm.parseJsonBytes32(json, string.concat(path, ".digest")), name);
        }
        vm.assertEq(count, 15);
    }

    /// @dev Of each envelope of the digests, but for its signature. Changed, it is malformed, names what is not there, or
    /// is another one to whoever signs.
    function test_every_byte_of_an_envelope_is_signed() public view {
        string memory json = read("digests.json");
        bytes memory witness = FullWitness.encode(readState(json), "", 0);
        uint64 chainId = uint64(vm.parseJsonUint(json, ".chain.chain_id"));
        address rollup = vm.parseJsonAddress(json, ".chain.contract");
        uint256 others = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, entry(".cases", i)); i++) {
            string memory path = entry(".cases", i);
            uint256 role = vm.parseJsonUint(json, string.concat(path, ".role"));
            bytes memory envelope = vm.parseJsonBytes(json, string.concat(path, ".envelope"));
            bytes32 right = vm.parseJsonBytes32(json, string.concat(path, ".digest"));
            // A call for each: what it took of memory is free again.
            others += this.othersThan(right, chainId, rollup, role, envelope, witness);
        }
        vm.assertGe(others, 500);
    }

    /// @dev Of how many envelopes with another byte there is a digest; it is none of them `right`.
    function othersThan(
        bytes32 right,
        uint64 chainId,
        address rollup,
        uint256 role,
        bytes memory envelope,
        bytes memory witness
    ) external view returns (uint256 count) {
        for (uint256 place = 0; place < envelope.length; place++) {
            if (place >= Framing.SIGNATURE_AT && place < Framing.SIGNATURE_AT + 64) {
                continue;
            }
            envelope[place] ^= 0x01;
            try bench.digestOf{gas: DIGEST_GAS}(chainId, rollup, role, envelope, witness) returns (
                bytes32, bytes32 digest
            ) {
                vm.assertTrue(digest != right, string.concat("byte ", vm.toString(place)));
                count++;
            } catch {}
            envelope[place] ^= 0x01;
        }
    }

    function readState(string memory json) private pure returns (FullWitness.Rows memory rows) {
        rows.meta = vm.parseJsonBytes(json, ".state.meta");
        rows.frontier = vm.parseJsonBytes(json, ".state.frontier");
        string[4] memory tables = ["orgs", "principals", "patients", "consents"];
        for (uint256 i = 0; i < 4; i++) {
            rows.tables[i] = vm.parseJsonBytesArray(json, string.concat(".state.", tables[i]));
        }
    }
}
