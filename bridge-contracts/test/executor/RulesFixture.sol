// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Admission} from "../../src/executor/Admission.sol";
import {Codes} from "../../src/executor/Codes.sol";
import {Events} from "../../src/executor/Events.sol";
import {Framing} from "../../src/executor/Framing.sol";
import {Memory} from "../../src/executor/Memory.sol";
import {Names} from "../../src/executor/Names.sol";
import {OrgItems} from "../../src/executor/OrgItems.sol";
import {Rights} from "../../src/executor/Rights.sol";
import {Rows} from "../../src/executor/Rows.sol";
import {Run} from "../../src/executor/Run.sol";
import {Witnesses} from "../../src/executor/Witnesses.sol";
import {Dirt} from "../utils/Dirt.sol";
import {IVm} from "./ExecutorFixture.sol";
import {FullWitness} from "./FullWitness.sol";

/// @title Rows that are made up, and events applied to them
/// @dev All of org 7. What lies in free memory, and behind a page, is never zero.
abstract contract RulesFixture {
    IVm internal constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint48 internal constant CLOCK = 1_800_000_000_000;
    uint32 internal constant ORG = 7;
    bytes32 internal constant ONE = keccak256("pseudonym one");
    bytes32 internal constant TWO = keccak256("pseudonym two");

    struct Patient {
        uint32 home;
        bytes32 pseudonym;
        bytes32 next;
        uint32 controller;
        uint32 pending;
        uint48 pendingAt;
        uint48 barred;
        uint32 proxy;
        uint8 flags;
        bytes16 blocked;
        uint32 continued;
        uint64 events;
        bytes32 head;
    }

    /// @dev Who signs which events, and the rows.
    struct Case {
        uint256 role;
        uint32 signer;
        uint48 base;
        uint8 count;
        bytes events;
        bytes witness;
    }

    /// @dev A refusal or 0; the rows as they are then; the events' words.
    struct Left {
        uint256 code;
        bytes32 digest;
        bytes[] rows;
        uint256[] words;
    }

    /// @dev Applies events until one is refused, whoever signed them. Leaves of rows as they came stay what they are.
    function applied(Case calldata given) external pure returns (Left memory left) {
        Run memory run = begin(given, new bytes(64));
        (run.role, run.org, run.signer) = (given.role, ORG, given.signer);
        (run.policy, run.digest) = (Codes.POLICY_IMPLIED, keccak256("what was signed"));
        bytes32[] memory leaves = leavesOf(run);
        for (uint256 ptr = run.events; ptr < run.eventsEnd && left.code == 0; ptr += 32) {
            left.code = Rights.apply_(run, ptr, Memory.word(ptr));
        }
        require(keccak256(abi.encode(leavesOf(run))) == keccak256(abi.encode(leaves)), "a leaf has changed");
        finish(run, left);
    }

    /// @dev Admits the envelope, signed as its signer must.
    function admitted(Case memory given) internal view returns (Left memory left) {
        left = this.admit(given, new bytes(64));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(given.signer, left.digest);
        return this.admit(given, abi.encode(r, uint256(s) | uint256(v - 27) << 255));
    }

    function admit(Case calldata given, bytes memory signature) external view returns (Left memory left) {
        Run memory run = begin(given, signature);
        left.code = Names.checkBudget(run, run.envelopes, run.envelopesEnd);
        if (left.code == 0) left.code = Admission.admit(run, Memory.word(run.envelopes));
        finish(run, left);
    }

    /// @dev Acts on an org item; the number of its skip, and the rows.
    function acted(bytes memory item, bytes calldata witness) external pure returns (Left memory left) {
        Dirt.spread();
        Run memory run;
        Witnesses.decode(run, witness);
        run.clock = CLOCK;
        bytes memory body = bytes.concat(item, new bytes(953 - item.length), bytes32(type(uint256).max));
        unchecked {
            run.page = placeOf(body) - Framing.BODY_AT;
        }
        left.code = OrgItems.act(run);
        finish(run, left);
    }

    /// @dev A run of these rows whose page ends with the envelope of these events.
    function begin(Case calldata given, bytes memory signature) internal pure returns (Run memory run) {
        Dirt.spread();
        Witnesses.decode(run, given.witness);
        run.clock = CLOCK;
        bytes memory head = abi.encodePacked(given.signer, uint64(0), given.base, bytes32(0), signature);
        bytes memory envelope = bytes.concat(head, bytes1(given.count), given.events);
        run.page = Memory.allocate(Framing.PAGE_BYTES + 32);
        uint256 start = run.page + Framing.PAGE_BYTES - envelope.length;
        Memory.putWord(run.page + Framing.PAGE_BYTES, type(uint256).max);
        Memory.copy(start, placeOf(envelope), envelope.length);
        Framing.begin(run);
        (, uint256 refusal) = Framing.envelope(run, start);
        require(refusal == 0, "framing");
    }

    function finish(Run memory run, Left memory left) internal pure {
        left.digest = run.digest;
        left.rows = new bytes[](run.count);
        for (uint256 i = 0; i < run.count; i++) {
            uint256 place = Memory.word(run.places + 32 * i) >> Witnesses.ROW_AT & Witnesses.POINTER;
            left.rows[i] = new bytes(Witnesses.lengthOf(place));
            Memory.copy(placeOf(left.rows[i]), place, left.rows[i].length);
        }
        left.words = new uint256[]((run.eventsEnd - run.events) / 32);
        Memory.copy(placeOf(left.words), run.events, run.eventsEnd - run.events);
    }

    function leavesOf(Run memory run) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](run.count);
        for (uint256 i = 0; i < run.count; i++) {
            uint256 place = Memory.word(run.places + 32 * i) >> Witnesses.ROW_AT & Witnesses.POINTER;
            leaves[i] = bytes32(Memory.word(place - 64));
        }
    }

    // Rows.

    function witnessOf(bytes[] memory rows, bytes memory hints) internal pure returns (bytes memory witness) {
        witness = abi.encodePacked(uint8(rows.length));
        for (uint256 i = 0; i < rows.length; i++) {
            witness = bytes.concat(witness, rows[i]);
        }
        return abi.encodePacked(witness, uint8(hints.length / 4), hints, uint16(0));
    }

    /// @dev Row 0 of meta, with so many of each table.
    function meta(uint32 orgs, uint32 principals, uint32 patients, uint32 consents)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory counts = abi.encodePacked(orgs, principals, patients, consents);
        return row(Codes.META, 0, bytes.concat(new bytes(22), counts, new bytes(32)));
    }

    /// @dev Of account 7 and policy implied.
    function org(uint32 admin_, uint256 status) internal pure returns (bytes memory) {
        return abi.encodePacked(address(7), admin_, uint8(1), uint8(status), new bytes(64));
    }

    function principal(uint32 number, uint256 role) internal pure returns (bytes memory) {
        return principal(number, role, 0, 0);
    }

    /// @dev With a key of secp256k1: its number is its secret.
    function principal(uint32 number, uint256 role, uint48 from, uint48 until) internal pure returns (bytes memory) {
        bytes memory start = abi.encodePacked(ORG, uint8(role), new bytes(64), uint8(1), uint64(0), from, until);
        return row(Codes.PRINCIPALS, number, abi.encodePacked(start, new bytes(12), uint8(1), vm.addr(number)));
    }

    /// @dev A patient of org 7, not bound.
    function someone() internal pure returns (Patient memory p) {
        (p.home, p.pseudonym, p.flags, p.events, p.head) = (ORG, bytes32(uint256(3)), 1, 2, keccak256("head"));
    }

    function bytesOf(Patient memory p) internal pure returns (bytes memory) {
        bytes memory start = abi.encodePacked(p.home, p.pseudonym, p.next, p.controller, p.pending, p.pendingAt);
        return abi.encodePacked(start, p.barred, p.proxy, p.flags, p.blocked, p.continued, p.events, p.head);
    }

    /// @dev Meta, org 7, its system 1, patient 3, who is principal 4 and not bound, consent 2.
    function hospital(Patient memory p, bytes memory consent, uint256 status)
        internal
        pure
        returns (bytes[] memory rows)
    {
        rows = new bytes[](6);
        (rows[0], rows[1]) = (meta(12, 7, 5, 5), row(Codes.ORGS, ORG, org(2, status)));
        (rows[2], rows[3]) = (principal(1, Codes.SYSTEM), principal(4, Codes.PATIENT));
        (rows[4], rows[5]) = (row(Codes.PATIENTS, 3, bytesOf(p)), row(Codes.CONSENTS, 2, consent));
    }

    function row(uint256 table, uint256 number, bytes memory bytes_) internal pure returns (bytes memory) {
        return FullWitness.row(table, number, bytes_);
    }

    function keyOf(uint32 home, bytes32 pseudonym) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(4), home, pseudonym));
    }

    function placeOf(bytes memory bytes_) internal pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := add(bytes_, 32)
        }
    }

    function placeOf(uint256[] memory words) internal pure returns (uint256 ptr) {
        assembly ("memory-safe") {
            ptr := add(words, 32)
        }
    }

    // New patients.

    /// @dev Patients 1 and 2 are the first and the last of three names, in the order of keys; this one is opened.
    function opening(bytes32[3] memory names, bytes32 pseudonym, uint32 hint) internal pure returns (Case memory) {
        bytes[] memory rows = new bytes[](6);
        rows[0] = meta(12, 7, 3, 5);
        rows[1] = principal(4, Codes.PATIENT);
        Patient memory p;
        p.next = keyOf(ORG, names[0]);
        rows[2] = row(Codes.PATIENTS, 0, bytesOf(p));
        (p.home, p.pseudonym, p.next) = (ORG, names[0], keyOf(ORG, names[2]));
        rows[3] = row(Codes.PATIENTS, 1, bytesOf(p));
        (p.pseudonym, p.next) = (names[2], 0);
        rows[4] = row(Codes.PATIENTS, 2, bytesOf(p));
        rows[5] = row(Codes.PATIENTS, 3, "");
        bytes memory event_ = abi.encodePacked(uint8(0x10), pseudonym, uint32(4));
        return Case(Codes.SYSTEM, 1, CLOCK, 1, event_, witnessOf(rows, abi.encodePacked(hint)));
    }

    /// @dev Three pseudonyms in the order of their keys.
    function ascending() internal pure returns (bytes32[3] memory names) {
        for (uint256 i = 0; i < 3; i++) {
            names[i] = keccak256(abi.encode(i));
            for (uint256 j = i; j > 0 && keyOf(ORG, names[j]) < keyOf(ORG, names[j - 1]); j--) {
                (names[j], names[j - 1]) = (names[j - 1], names[j]);
            }
        }
    }

    // Org items.

    function replacement(uint32 org_) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(3), address(7), org_, uint8(1), address(0xABCD), ONE, TWO);
    }

    /// @dev Org 7, whose admin is principal 2, and where the next principal is to stand.
    function ofOrg(bytes memory admin_) internal pure returns (bytes memory) {
        bytes[] memory rows = new bytes[](4);
        (rows[0], rows[1]) = (meta(8, 7, 5, 5), row(Codes.ORGS, ORG, org(2, Codes.ACTIVE)));
        (rows[2], rows[3]) = (row(Codes.PRINCIPALS, 2, admin_), row(Codes.PRINCIPALS, 7, ""));
        return witnessOf(rows, "");
    }

    function admin(uint8 status, uint48 revokedAt) internal pure returns (bytes memory) {
        bytes memory start = abi.encodePacked(ORG, uint8(1), ONE, ONE, status, uint64(0), uint96(0), revokedAt);
        return abi.encodePacked(start, uint48(0), uint8(1), address(2));
    }

    // Verdicts.

    /// @dev Of an actor valid until then, by a system of org 7, which needs a consent.
    function circumstances(Patient memory p, uint32 actorOrg, uint48 until, bytes memory consent)
        internal
        pure
        returns (Run memory run)
    {
        (run.clock, run.org, run.policy) = (CLOCK, ORG, 2);
        run.patientRow = placeOf(bytesOf(p));
        run.actorRow = placeOf(abi.encodePacked(actorOrg, new bytes(80), until, new bytes(12)));
        run.consentRow = consent.length == 0 ? 0 : placeOf(consent);
    }

    function accessAt(uint48 time) internal pure returns (uint256) {
        return uint256(0x80) << Events.HEAD_AT | 3 << Events.PATIENT_AT | 4 << Events.ACTOR_AT | time;
    }
}
