// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bench} from "./Bench.sol";
import {Big} from "./Big.sol";
import {IVm} from "./ExecutorFixture.sol";

/// @title Pages as large as they may be, signed, with their witnesses
abstract contract BigPages {
    using Big for Big.Held;

    IVm private constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant KEY = 0xC0FFEE;
    uint256 private constant P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    uint48 internal constant CLOCK = 1_000_500;
    /// @dev Ones in it: 21 peaks.
    uint64 internal constant SEQUENCE = (1 << 21) - 1;

    Bench internal bench;
    /// @dev What envelopes are signed for, on chain 31,337.
    address internal signedFor;

    /// @dev 44 accesses, each of another patient by another actor: 92 rows.
    function typical(uint256 bits) internal view returns (bytes memory page, bytes memory witness) {
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
        witness = held.witness(bits);
        page = whole(signed(Big.SIGNER, 44, events, witness, false));
    }

    /// @dev As much work as a page can hold: 96 rows, 89 heads moved, two P-256 signatures of two orgs; 254 events of which
    /// the second envelope's repeat one another, or 225 of which each is judged anew.
    function busiest(uint256 bits, bool areRepeated) internal view returns (bytes memory page, bytes memory witness) {
        Big.Held memory held = Big.room(96);
        begin(held, bits);
        held.hold(1, Big.ORG + 1, Big.org(address(0xACC1)));
        bytes memory key = publicKey();
        held.hold(2, Big.SIGNER, Big.principal(Big.SIGNER, 2, key));
        held.hold(2, Big.spread(0, 2, bits), Big.principal(Big.ORG + 1, 1, 2, key));
        held.hold(2, Big.spread(1, 2, bits), Big.principal(2, 3, ""));
        for (uint256 i = 0; i < 89; i++) {
            held.hold(3, Big.spread(i, 89, bits), Big.patient(i < 88 ? Big.ORG : Big.ORG + 1, i));
        }
        witness = held.witness(bits);
        uint32 actor = uint32(Big.spread(1, 2, bits));
        bytes memory events = abi.encodePacked(bytes1(0xE0), uint32(Big.spread(0, 89, bits)), actor);
        for (uint256 i = 1; i < 88; i++) {
            events = abi.encodePacked(events, bytes1(0xC0), uint32(Big.spread(i, 89, bits)));
        }
        bytes memory first = signed(Big.SIGNER, 127, abi.encodePacked(events, repeated(127 - 88)), witness, true);
        bytes memory head = abi.encodePacked(bytes1(0xE0), uint32(Big.spread(88, 89, bits)), actor);
        (uint8 count, bytes memory rest) = areRepeated ? (127, repeated(126)) : (98, later(97));
        uint32 other = uint32(Big.spread(0, 2, bits));
        page = whole(bytes.concat(first, signed(other, count, bytes.concat(head, rest), witness, true)));
    }

    /// @dev As many bytes as a page can ask for: 96 rows, far apart in three tables, actors with P-256 keys; 31 events.
    function widest(uint256 bits) internal view returns (bytes memory page, bytes memory witness) {
        Big.Held memory held = Big.room(96);
        begin(held, bits);
        bytes memory key = publicKey();
        held.hold(2, Big.SIGNER, Big.principal(Big.SIGNER, 2, key));
        for (uint256 i = 0; i < 31; i++) {
            held.hold(2, Big.spread(i, 31, bits), Big.principal(i, 3, key));
        }
        for (uint256 i = 0; i < 31; i++) {
            held.hold(3, Big.spread(i, 31, bits), Big.patient(i));
        }
        for (uint256 i = 0; i < 30; i++) {
            held.hold(4, Big.spread(i, 30, bits), Big.consent(Big.spread(i, 31, bits), Big.spread(i, 31, bits)));
        }
        witness = held.witness(bits);
        bytes memory events;
        for (uint256 i = 0; i < 31; i++) {
            events = abi.encodePacked(events, i == 0 ? bytes1(0xF8) : i < 30 ? bytes1(0xF0) : bytes1(0xE0));
            uint32 row = uint32(Big.spread(i, 31, bits));
            events = abi.encodePacked(
                events, row, row, i < 30 ? abi.encodePacked(uint32(Big.spread(i, 30, bits))) : bytes("")
            );
            if (i == 0) events = abi.encodePacked(events, hex"213601");
        }
        page = whole(signed(Big.SIGNER, 127, abi.encodePacked(events, repeated(96)), witness, true));
    }

    function whole(bytes memory envelopes) private pure returns (bytes memory page) {
        page = bytes.concat(bytes32(0), bytes6(CLOCK), hex"01", envelopes);
        return bytes.concat(page, new bytes(992 - page.length));
    }

    function begin(Big.Held memory held, uint256 bits) private pure {
        held.hold(0, 0, Big.meta(SEQUENCE, bits));
        held.hold(0, 1, Big.frontier(SEQUENCE));
        held.hold(1, Big.ORG, Big.org());
    }

    /// @dev The next envelope of a signer, its signature made over what the bench says is signed.
    function signed(uint256 signer, uint8 count, bytes memory events, bytes memory witness, bool isP256)
        private
        view
        returns (bytes memory)
    {
        bytes memory head = abi.encodePacked(uint32(signer), uint64(11), uint48(CLOCK - 5000), bytes32(0));
        bytes memory rest = abi.encodePacked(count, events);
        bytes memory unsigned = bytes.concat(head, new bytes(64), rest);
        bytes32 digest = bench.admit(31_337, signedFor, CLOCK, unsigned, witness).digest;
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
