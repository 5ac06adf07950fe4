// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Framing} from "./Framing.sol";
import {Memory} from "./Memory.sol";
import {Names} from "./Names.sol";
import {Rights} from "./Rights.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Signatures} from "./Signatures.sol";
import {Signing} from "./Signing.sol";
import {Verdicts} from "./Verdicts.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title Admission: stages 3 to 9
/// @dev Source: docs/spec.md §6. Framing and budget have been looked at. Rows are changed in place; after a refusal they
/// are half changed, and the caller restores them or needs them no more.
library Admission {
    // forge-lint: disable-next-line(incorrect-shift): a set of roles.
    uint256 private constant OF_ORG = 1 << Codes.ADMIN | 1 << Codes.SYSTEM | 1 << Codes.OFFICER;

    /// @dev 0, or the refusal.
    function admit(Run memory run, uint256 envelope) internal view returns (uint256 refusal) {
        unchecked {
            uint256 start = envelope & Witnesses.POINTER;
            uint256 from = envelope >> 64 & Witnesses.POINTER;
            uint256 to = envelope >> 96 & Witnesses.POINTER;
            refusal = _findSigner(run, start);
            if (refusal != 0) return refusal;
            refusal = Names.check(run, envelope);
            if (refusal != 0) return refusal;
            refusal = _checkSignature(run, envelope);
            if (refusal != 0) return refusal;
            refusal = _judge(run, from, to);
            if (refusal != 0) return refusal;
            uint256 nonce = run.principal + Rows.PRINCIPAL_NONCE;
            Memory.put64(nonce, Memory.u64(nonce) + 1);
            return 0;
        }
    }

    /// @dev Stages 8 and 9.
    function _judge(Run memory run, uint256 from, uint256 to) private pure returns (uint256 refusal) {
        unchecked {
            uint256 latest = run.clock + Codes.FUTURE_MS_MAX;
            uint256 future = 0;
            uint256 last = 0;
            for (uint256 ptr = from; ptr < to; ptr += 32) {
                uint256 e = Memory.word(ptr);
                if (Events.isAccess(last) && Events.meansSame(e)) {
                    // Nothing has changed since the last event, whose signer had the right: only the time may differ.
                    uint256 verdict = Events.verdictOf(last);
                    if (!Events.isRepeated(e)) verdict = Verdicts.judgeAgain(run, e, verdict);
                    Memory.putWord(ptr, e | verdict << Events.VERDICT_AT);
                } else {
                    refusal = Rights.apply_(run, ptr, e);
                    if (refusal != 0) return Codes.inEvent(refusal, (ptr - from) >> 5);
                }
                if (future == 0 && Events.timeOf(e) > latest) future = Codes.inEvent(Codes.FUTURE, (ptr - from) >> 5);
                last = Memory.word(ptr);
            }
            return future;
        }
    }

    /// @dev Stages 3 to 5: the signer exists, may sign now, and this is its next nonce.
    function _findSigner(Run memory run, uint256 start) private pure returns (uint256) {
        unchecked {
            uint256 signer = Memory.u32(start);
            if (signer >= Rows.countOf(run.meta, Codes.PRINCIPALS)) return Codes.NO_SIGNER;
            uint256 principal = Witnesses.get(run, Codes.PRINCIPALS, signer);
            run.signer = signer;
            run.principal = principal;
            run.org = Memory.u32(principal);
            run.role = Memory.u8(principal + Rows.PRINCIPAL_ROLE);
            uint256 org = Witnesses.get(run, Codes.ORGS, run.org);
            run.policy = Memory.u8(org + Rows.ORG_POLICY);
            if (Memory.u8(principal + Rows.PRINCIPAL_STATUS) != Codes.ACTIVE) return Codes.SIGNER_REVOKED;
            if (run.clock < Memory.u48(principal + Rows.PRINCIPAL_VALIDITY)) return Codes.SIGNER_NOT_YET_VALID;
            uint256 until = Memory.u48(principal + Rows.PRINCIPAL_VALIDITY + 6);
            if (until != 0 && run.clock >= until) return Codes.SIGNER_EXPIRED;
            bool isSuspended = Memory.u8(org + Rows.ORG_STATUS) == Codes.SUSPENDED;
            if (isSuspended && Codes.isOneOf(run.role, OF_ORG)) return Codes.ORG_SUSPENDED;
            if (Memory.u8(principal + Rows.PRINCIPAL_KEY_KIND) == 0) return Codes.NO_KEY;
            uint256 nonce = Memory.u64(start + Framing.NONCE_AT);
            bool isNext = nonce == Memory.u64(principal + Rows.PRINCIPAL_NONCE) && nonce != type(uint64).max;
            return isNext ? 0 : Codes.NONCE;
        }
    }

    function _checkSignature(Run memory run, uint256 envelope) private view returns (uint256) {
        unchecked {
            uint256 start = envelope & Witnesses.POINTER;
            bytes32 digest = Signing.digest(run, envelope, Names.identities(run, envelope));
            if (digest == 0) return Codes.FORM;
            run.digest = digest;
            uint256 principal = run.principal;
            uint256 kind = Memory.u8(principal + Rows.PRINCIPAL_KEY_KIND);
            return Signatures.verify(kind, principal + Rows.PRINCIPAL_KEY, digest, start + Framing.SIGNATURE_AT);
        }
    }
}
