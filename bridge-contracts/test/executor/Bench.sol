// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Admission} from "../../src/executor/Admission.sol";
import {Codes} from "../../src/executor/Codes.sol";
import {Events} from "../../src/executor/Events.sol";
import {Framing} from "../../src/executor/Framing.sol";
import {Log} from "../../src/executor/Log.sol";
import {Memory} from "../../src/executor/Memory.sol";
import {Names} from "../../src/executor/Names.sol";
import {Run} from "../../src/executor/Run.sol";
import {Signatures} from "../../src/executor/Signatures.sol";
import {Signing} from "../../src/executor/Signing.sol";
import {Tree} from "../../src/executor/Tree.sol";
import {Witnesses} from "../../src/executor/Witnesses.sol";

/// @title The executor's parts, laid open one by one
contract Bench {
    /// @dev What a page's root does not show at a glance: what was signed, each event's verdict.
    struct Admitted {
        uint256 refusal;
        bytes32 digest;
        uint256[] verdicts;
    }

    /// @dev As intake decodes an envelope: it ends where the bytes end.
    function decode(bytes calldata envelope) external pure returns (uint256 refusal, uint256[] memory words) {
        Run memory run;
        refusal = _decode(run, envelope);
        words = _words(run);
    }

    function admit(uint64 chainId, address rollup, uint256 clock, bytes calldata envelope, bytes calldata witness)
        external
        view
        returns (Admitted memory admitted)
    {
        Run memory run;
        run.separator = Signing.separator(chainId, rollup);
        run.clock = clock;
        Witnesses.decode(run, witness);
        admitted.refusal = _decode(run, envelope);
        if (admitted.refusal == 0) admitted.refusal = Names.checkBudget(run, run.envelopes, run.envelopesEnd);
        if (admitted.refusal == 0) admitted.refusal = Admission.admit(run, Memory.word(run.envelopes));
        require(run.asked == run.hints, "hints are left");
        admitted.digest = run.digest;
        uint256[] memory words = _words(run);
        admitted.verdicts = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; i++) {
            admitted.verdicts[i] = Events.verdictOf(words[i]);
        }
    }

    /// @dev What a signer of this role signs, and the identities in it, whether or not it is admitted.
    function digestOf(uint64 chainId, address rollup, uint256 role, bytes calldata envelope, bytes calldata witness)
        external
        pure
        returns (bytes32 identities, bytes32 digest)
    {
        Run memory run;
        run.separator = Signing.separator(chainId, rollup);
        Witnesses.decode(run, witness);
        require(_decode(run, envelope) == 0, "framing");
        uint256 word = Memory.word(run.envelopes);
        run.role = role;
        uint256 signer = Memory.u32(word & Witnesses.POINTER);
        run.org = Memory.u32(Witnesses.get(run, Codes.PRINCIPALS, signer));
        identities = Names.identities(run, word);
        digest = Signing.digest(run, word, identities);
    }

    /// @dev Gas of the parts: witness, framing, budget, admission, log, tree.
    function profile(uint64 chainId, address rollup, bytes32[31] memory page, bytes calldata witness)
        external
        view
        returns (uint256[7] memory gas_)
    {
        Run memory run;
        uint256 ptr;
        assembly ("memory-safe") {
            ptr := page
        }
        run.page = ptr;
        run.clock = Memory.u48(ptr + 32);
        run.separator = Signing.separator(chainId, rollup);
        gas_[0] = gasleft();
        Witnesses.decode(run, witness);
        gas_[1] = gasleft();
        Framing.begin(run);
        ptr += 39;
        while (Memory.u32(ptr) != 0) (ptr,) = Framing.envelope(run, ptr);
        gas_[2] = gasleft();
        Names.checkBudget(run, run.envelopes, run.envelopesEnd);
        gas_[3] = gasleft();
        for (ptr = run.envelopes; ptr < run.envelopesEnd; ptr += 32) {
            Admission.admit(run, Memory.word(ptr));
        }
        gas_[4] = gasleft();
        Log.append(run);
        gas_[5] = gasleft();
        Tree.roots(run);
        gas_[6] = gasleft();
        for (uint256 i = 0; i < 6; i++) {
            gas_[i] -= gas_[i + 1];
        }
    }

    /// @dev Roots of a witness, and with these rows in place of its own.
    function roots(bytes calldata witness, bytes[] calldata rows) external pure returns (bytes32, bytes32) {
        Run memory run;
        Witnesses.decode(run, witness);
        for (uint256 i = 0; i < rows.length; i++) {
            uint256 row = Memory.word(run.places + 32 * i) >> Witnesses.ROW_AT & Witnesses.POINTER;
            bytes memory given = rows[i];
            uint256 from;
            assembly ("memory-safe") {
                from := add(given, 32)
            }
            Memory.copy(row, from, given.length);
            Witnesses.setLength(row, given.length);
        }
        return Tree.roots(run);
    }

    function indices(bytes calldata witness) external pure returns (uint256[] memory list) {
        Run memory run;
        Witnesses.decode(run, witness);
        list = new uint256[](run.count);
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = Memory.word(run.places + 32 * i) & Witnesses.INDEX;
        }
    }

    function verify(uint256 kind, bytes memory key, bytes32 digest, bytes memory signature)
        external
        view
        returns (uint256)
    {
        return _verify(kind, key, digest, signature);
    }

    /// @dev Two signatures in one call, as in a page.
    function verifyTwo(uint256 kind, bytes memory key, bytes32[2] memory digests, bytes[2] memory signatures)
        external
        view
        returns (uint256 first, uint256 second)
    {
        first = _verify(kind, key, digests[0], signatures[0]);
        second = _verify(kind, key, digests[1], signatures[1]);
    }

    function _verify(uint256 kind, bytes memory key, bytes32 digest, bytes memory signature)
        private
        view
        returns (uint256)
    {
        uint256 keyAt;
        uint256 signatureAt;
        assembly ("memory-safe") {
            keyAt := add(key, 32)
            signatureAt := add(signature, 32)
        }
        return Signatures.verify(kind, keyAt, digest, signatureAt);
    }

    function separator(uint64 chainId, address rollup) external pure returns (bytes32) {
        return Signing.separator(chainId, rollup);
    }

    function _decode(Run memory run, bytes calldata envelope) private pure returns (uint256 refusal) {
        if (envelope.length > 953) return 0x10;
        // The bytes end with the page.
        uint256 page = Memory.allocate(Framing.PAGE_BYTES + 32);
        run.page = page;
        uint256 start = page + Framing.PAGE_BYTES - envelope.length;
        assembly ("memory-safe") {
            calldatacopy(start, envelope.offset, envelope.length)
            // What follows a page must not matter.
            mstore(add(page, 992), not(0))
        }
        Framing.begin(run);
        uint256 end;
        (end, refusal) = Framing.envelope(run, start);
        if (refusal == 0 && end != page + Framing.PAGE_BYTES) refusal = Codes.TRAILING;
    }

    function _words(Run memory run) private pure returns (uint256[] memory words) {
        words = new uint256[]((run.eventsEnd - run.events) / 32);
        for (uint256 i = 0; i < words.length; i++) {
            words[i] = Memory.word(run.events + 32 * i);
        }
    }
}
