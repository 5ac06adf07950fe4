// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PageExecutor} from "../../src/PageExecutor.sol";
import {IPageExecutor} from "../../src/interfaces/IPageExecutor.sol";
import {Bench} from "./Bench.sol";
import {Big} from "./Big.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title What large pages cost
/// @dev Gas of the call alone, without openings: 34 point evaluations and the unmasking come on top, and 16 gas a byte,
/// or what the floor asks. Figures are printed; limits are asserted.
contract FiguresTest {
    using Big for Big.Held;

    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant KEY = 0xC0FFEE;
    uint256 private constant P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    address private constant ROLLUP = address(0x4011);
    uint48 private constant CLOCK = 1_000_500;
    /// @dev Ones in it: 21 peaks.
    uint64 private constant SEQUENCE = (1 << 21) - 1;

    event log_named_uint(string name, uint256 value);

    PageExecutor private executor;
    Bench private bench;

    function setUp() public {
        executor = new PageExecutor();
        bench = new Bench();
    }

    /// @dev 44 accesses, each of another patient by another actor: 92 rows.
    function test_a_typical_full_page() public {
        uint8[4] memory sizes = [10, 20, 24, 32];
        for (uint256 i = 0; i < 4; i++) {
            this.runTypical(sizes[i]);
        }
    }

    function runTypical(uint256 bits) external {
        Big.Held memory held = Big.room(96);
        begin(held, bits);
        held.hold(2, Big.SIGNER, Big.principal(Big.SIGNER, 2, abi.encodePacked(vm.addr(KEY))));
        for (uint256 i = 0; i < 44; i++) {
            held.hold(2, Big.spread(i, 44, bits), Big.principal(i, 3, ""));
        }
        for (uint256 i = 0; i < 44; i++) {
            held.hold(3, Big.spread(i, 44, bits), Big.patient(i));
        }
        bytes memory events;
        for (uint256 i = 0; i < 44; i++) {
            events = abi.encodePacked(
                events,
                i == 0 ? bytes1(0xEA) : bytes1(0xE2),
                uint32(Big.spread(i, 44, bits)),
                uint32(Big.spread((i * 17) % 44, 44, bits)),
                i == 0 ? bytes(hex"213601") : bytes(""),
                uint16(1000 + i)
            );
        }
        bytes memory witness = held.witness(bits);
        bytes memory envelope = signed(Big.SIGNER, 44, events, witness, false);
        measure(string.concat("44 accesses, 92 rows, 2^", vm.toString(bits)), envelope, witness);
    }

    /// @dev As much of everything as a page can hold: 96 rows, 90 heads moved, 254 events, two P-256 signatures.
    function test_the_worst_page() public {
        uint8[3] memory sizes = [10, 24, 32];
        for (uint256 i = 0; i < 3; i++) {
            this.runWorst(sizes[i]);
        }
    }

    function runWorst(uint256 bits) external {
        Big.Held memory held = Big.room(96);
        begin(held, bits);
        bytes memory key = publicKey();
        held.hold(2, Big.SIGNER, Big.principal(Big.SIGNER, 2, key));
        held.hold(2, Big.spread(0, 2, bits), Big.principal(1, 2, key));
        held.hold(2, Big.spread(1, 2, bits), Big.principal(2, 3, ""));
        for (uint256 i = 0; i < 89; i++) {
            held.hold(3, Big.spread(i, 89, bits), Big.patient(i));
        }
        bytes memory witness = held.witness(bits);
        uint32 actor = uint32(Big.spread(1, 2, bits));
        bytes memory events = abi.encodePacked(bytes1(0xE0), uint32(Big.spread(0, 89, bits)), actor);
        for (uint256 i = 1; i < 89; i++) {
            events = abi.encodePacked(events, bytes1(0xC0), uint32(Big.spread(i, 89, bits)));
        }
        events = abi.encodePacked(events, repeated(127 - 89));
        bytes memory first = signed(Big.SIGNER, 127, events, witness, true);
        bytes memory head = abi.encodePacked(bytes1(0xE0), uint32(Big.spread(0, 89, bits)), actor);
        uint32 other = uint32(Big.spread(0, 2, bits));
        string memory tables = string.concat(" rows, 2^", vm.toString(bits));
        bytes memory second = signed(other, 127, bytes.concat(head, repeated(126)), witness, true);
        measure(string.concat("254 events, 95", tables), bytes.concat(first, second), witness);
        // Times that differ: fewer events, and each is judged anew.
        second = signed(other, 98, bytes.concat(head, later(97)), witness, true);
        measure(string.concat("225 events, 95", tables), bytes.concat(first, second), witness);
    }

    function begin(Big.Held memory held, uint256 bits) private pure {
        held.hold(0, 0, Big.meta(SEQUENCE, bits));
        held.hold(0, 1, Big.frontier(SEQUENCE));
        held.hold(1, Big.ORG, Big.org());
    }

    function measure(string memory name, bytes memory envelopes, bytes memory witness) private {
        bytes memory page = bytes.concat(bytes32(0), bytes6(CLOCK), hex"01", envelopes);
        page = bytes.concat(page, new bytes(992 - page.length));
        (bytes32 root,) = bench.roots(witness, new bytes[](0));
        bytes32[31] memory words = abi.decode(page, (bytes32[31]));
        uint256[7] memory parts = bench.profile(31_337, ROLLUP, words, witness);
        string[6] memory names = ["witness", "framing", "budget", "admission", "log", "tree"];
        for (uint256 i = 0; i < 6; i++) {
            emit log_named_uint(string.concat(name, ": ", names[i]), parts[i]);
        }
        IPageExecutor.Outcome memory outcome = executor.execute(31_337, ROLLUP, root, words, "", witness);
        emit log_named_uint(string.concat(name, ": gas"), vm.lastCallGas().gasTotalUsed);
        emit log_named_uint(string.concat(name, ": witness bytes"), witness.length);
        vm.assertEq(uint8(outcome.invalid), 0, name);
        vm.assertTrue(outcome.root != 0 && outcome.root != root);
    }

    /// @dev The next envelope of a signer, its signature made over what the bench says is signed.
    function signed(uint256 signer, uint8 count, bytes memory events, bytes memory witness, bool isP256)
        private
        view
        returns (bytes memory)
    {
        bytes memory head = abi.encodePacked(uint32(signer), uint64(11), uint48(CLOCK - 5000), bytes32(0));
        bytes memory rest = abi.encodePacked(count, events);
        bytes32 digest = bench.admit(31_337, ROLLUP, CLOCK, bytes.concat(head, new bytes(64), rest), witness).digest;
        return bytes.concat(head, isP256 ? signP256(digest) : sign(digest), rest);
    }

    function sign(bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
    }

    function signP256(bytes32 digest) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(KEY, digest);
        uint256 low = uint256(s) > P256_ORDER / 2 ? P256_ORDER - uint256(s) : uint256(s);
        return abi.encodePacked(r, low);
    }

    function publicKey() private pure returns (bytes memory) {
        (uint256 x, uint256 y) = vm.publicKeyP256(KEY);
        return abi.encodePacked(x, y);
    }

    /// @dev Accesses that differ from the one before by a millisecond.
    function later(uint256 count) private pure returns (bytes memory bytes_) {
        for (uint256 i = 0; i < count; i++) {
            bytes_ = bytes.concat(bytes_, hex"8101");
        }
    }

    /// @dev Accesses that repeat the one before.
    function repeated(uint256 count) private pure returns (bytes memory bytes_) {
        bytes_ = new bytes(count);
        for (uint256 i = 0; i < count; i++) {
            bytes_[i] = 0x80;
        }
    }
}
