// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Events} from "../../src/executor/Events.sol";
import {Deploy} from "../utils/Deploy.sol";
import {Bench} from "./Bench.sol";
import {ExecutorFixture} from "./ExecutorFixture.sol";

/// @title Envelopes, signatures and digests as the golden vectors have them
contract EnvelopesTest is ExecutorFixture {
    Bench private bench;

    function setUp() public override {
        super.setUp();
        bench = Bench(Deploy.named("Bench"));
    }

    function test_every_envelope_decodes_or_has_its_fault() public view {
        string[] memory envelopes = objects(read("envelopes.json"), "\n  ");
        vm.assertEq(envelopes.length, 314);
        for (uint256 i = 0; i < envelopes.length; i++) {
            this.checkEnvelope(envelopes[i]);
        }
    }

    function checkEnvelope(string calldata json) external view {
        string memory name = vm.parseJsonString(json, ".name");
        (uint256 refusal, uint256[] memory words) = bench.decode(vm.parseJsonBytes(json, ".bytes"));
        uint256 code = numberOf(json, ".refusal.code");
        uint256 event_ = numberOf(json, ".refusal.event");
        vm.assertEq(refusal, (code == NONE ? 0 : code) | (event_ == NONE ? 0 : (event_ + 1) << 8), name);
        if (refusal != 0) return;
        for (uint256 i = 0; i < words.length; i++) {
            string memory place = entry(".events", i);
            vm.assertEq(Events.timeOf(words[i]), vm.parseJsonUint(json, string.concat(place, ".time")), name);
            if (!Events.isAccess(words[i])) continue;
            uint256 fields = words[i] >> Events.CODES_AT & ((1 << 120) - 1);
            bytes memory full = abi.encodePacked(uint8(0x80), uint120(fields));
            vm.assertEq(full, vm.parseJsonBytes(json, string.concat(place, ".full")));
        }
        vm.assertFalse(vm.keyExistsJson(json, entry(".events", words.length)));
    }

    function test_every_signature_verifies_or_has_its_fault() public view {
        string memory json = read("signatures.json");
        uint256 count = 0;
        for (; vm.keyExistsJson(json, entry("", count)); count++) {
            string memory path = entry("", count);
            uint256 kind = vm.parseJsonUint(json, string.concat(path, ".key_kind"));
            // Without a key nobody gets as far: stage 4.
            if (kind == 0) continue;
            uint256 refusal = bench.verify(
                kind,
                vm.parseJsonBytes(json, string.concat(path, ".key")),
                vm.parseJsonBytes32(json, string.concat(path, ".digest")),
                vm.parseJsonBytes(json, string.concat(path, ".signature"))
            );
            bytes32 result = keccak256(bytes(vm.parseJsonString(json, string.concat(path, ".result"))));
            uint256 expected = result == keccak256("ok") ? 0 : result == keccak256("Malformed") ? 0x71 : 0x72;
            vm.assertEq(refusal, expected, vm.parseJsonString(json, string.concat(path, ".name")));
        }
        vm.assertEq(count, 79);
    }

    /// @dev Nobody's, but a number below the order.
    function test_the_greatest_r_is_not_malformed() public view {
        uint256[2] memory orders = [
            0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141,
            0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
        ];
        for (uint256 kind = 1; kind <= 2; kind++) {
            uint256 order = orders[kind - 1];
            vm.assertEq(bench.verify(kind, new bytes(64), bytes32(0), abi.encode(order - 1, 1)), 0x72);
            vm.assertEq(bench.verify(kind, new bytes(64), bytes32(0), abi.encode(order, 1)), 0x71);
        }
    }

    /// @dev In one call: what the precompile answered before is still in memory.
    function test_a_wrong_signature_behind_a_right_one_is_wrong() public view {
        bytes32 digest = keccak256("digest");
        (uint256 x, uint256 y) = vm.publicKeyP256(1);
        (bytes32 r, bytes32 s) = vm.signP256(1, digest);
        uint256 order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
        if (uint256(s) > order / 2) s = bytes32(order - uint256(s));
        bytes memory key = abi.encode(x, y);
        bytes memory signature = abi.encode(r, s);
        (uint256 right, uint256 wrong) = bench.verifyTwo(2, key, [digest, ~digest], [signature, signature]);
        vm.assertEq(right, 0);
        vm.assertEq(wrong, 0x72);
        uint8 v;
        (v, r, s) = vm.sign(1, digest);
        key = abi.encodePacked(vm.addr(1), bytes12(0));
        signature = abi.encode(r, uint256(s) | uint256(v - 27) << 255);
        // No point has an x of 5.
        (right, wrong) = bench.verifyTwo(1, key, [digest, digest], [signature, abi.encode(5, 1)]);
        vm.assertEq(right, 0);
        vm.assertEq(wrong, 0x72);
    }

    function test_the_domain_is_the_one_of_the_vectors() public view {
        string memory json = read("digests.json");
        uint64 chainId = uint64(vm.parseJsonUint(json, ".chain.chain_id"));
        address rollup = vm.parseJsonAddress(json, ".chain.contract");
        vm.assertEq(bench.separator(chainId, rollup), vm.parseJsonBytes32(json, ".domain_separator"));
    }
}
