// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";

/// @title What the rules say of an access
/// @dev Source: docs/spec.md §6.5.
library Verdicts {
    uint256 private constant ACTOR_INACTIVE = 1;
    uint256 private constant SELF = 2;
    uint256 private constant EMERGENCY = 3;
    uint256 private constant EMERGENCY_FORBIDDEN = 4;
    uint256 private constant BLOCKED = 5;
    uint256 private constant CONSENT = 6;
    uint256 private constant IMPLIED = 7;
    uint256 private constant NO_BASIS = 8;
    uint256 private constant BASIS = 0x0F;
    uint256 private constant LATE = 0x40;
    uint256 private constant ASSERTED = 0x80;

    uint256 private constant EMERGENCY_FIRST = 57;
    uint256 private constant EMERGENCY_LAST = 59;

    /// @dev Basis and flags. Rows are pointers; `consent` is 0 if none is cited.
    function judge(Run memory run, uint256 e, uint256 patient, uint256 actor, uint256 consent)
        internal
        pure
        returns (uint256 verdict)
    {
        unchecked {
            uint256 judgedAt;
            (verdict, judgedAt) = _judgedAt(run.clock, Events.timeOf(e));
            uint256 actorOrg = Memory.u32(actor);
            if (actorOrg != run.org) verdict |= ASSERTED;
            if (!Rows.isActive(actor + Rows.PRINCIPAL_VALIDITY, judgedAt)) return verdict | ACTOR_INACTIVE;
            return verdict | _basis(run.policy, e, patient, actorOrg, consent, judgedAt);
        }
    }

    /// @dev The verdict where only the time differs from that of the access before, whose verdict was `last`. Without a
    /// consent, all but the actor's validity is as it was.
    function judgeAgain(Run memory run, uint256 e, uint256 last) internal pure returns (uint256 verdict) {
        unchecked {
            if (run.consentRow != 0 || last & BASIS == ACTOR_INACTIVE) {
                return judge(run, e, run.patientRow, run.actorRow, run.consentRow);
            }
            uint256 judgedAt;
            (verdict, judgedAt) = _judgedAt(run.clock, Events.timeOf(e));
            verdict |= last & ASSERTED;
            bool isActive = Rows.isActive(run.actorRow + Rows.PRINCIPAL_VALIDITY, judgedAt);
            return verdict | (isActive ? last & BASIS : ACTOR_INACTIVE);
        }
    }

    /// @dev The flag of a late access; the time at which actor and consent are judged.
    function _judgedAt(uint256 clock, uint256 time) private pure returns (uint256 late, uint256) {
        unchecked {
            if (time > clock) return (0, clock);
            uint256 age = clock - time;
            if (age > Codes.LATE_MS) late = LATE;
            return (late, age > Codes.JUDGED_AT_EVENT_MS_MAX ? clock : time);
        }
    }

    function _basis(uint256 policy, uint256 e, uint256 patient, uint256 actorOrg, uint256 consent, uint256 judgedAt)
        private
        pure
        returns (uint256)
    {
        unchecked {
            if (isGovernedBy(patient, Events.actorOf(e))) return SELF;
            uint256 flags = Memory.u8(patient + Rows.PATIENT_FLAGS);
            uint256 purpose = Events.codesOf(e) >> 8 & 0xFF;
            if (purpose >= EMERGENCY_FIRST && purpose <= EMERGENCY_LAST) {
                return flags & Rows.EMERGENCY_ALLOWED != 0 ? EMERGENCY : EMERGENCY_FORBIDDEN;
            }
            if (actorOrg != 0 && _isBlocked(patient + Rows.PATIENT_BLOCKED, actorOrg)) return BLOCKED;
            if (consent != 0 && _permits(consent, e, actorOrg, judgedAt)) return CONSENT;
            bool isImplied = policy == Codes.POLICY_IMPLIED && flags & Rows.EXPLICIT_CONSENT == 0;
            return isImplied ? IMPLIED : NO_BASIS;
        }
    }

    /// @dev Whether a principal is in control or acts for a patient, whose row is folded.
    function isGovernedBy(uint256 patient, uint256 principal) internal pure returns (bool) {
        unchecked {
            return principal != 0
                && (Memory.u32(patient + Rows.PATIENT_CONTROLLER) == principal
                    || Memory.u32(patient + Rows.PATIENT_PROXY) == principal);
        }
    }

    function _isBlocked(uint256 ptr, uint256 org) private pure returns (bool) {
        uint256 four = Memory.word(ptr);
        // Zeros stand last.
        if (four >> 224 == 0) return false;
        return four >> 224 == org || (four >> 192 & Codes.ROWS_MAX) == org || (four >> 160 & Codes.ROWS_MAX) == org
            || (four >> 128 & Codes.ROWS_MAX) == org;
    }

    function _permits(uint256 consent, uint256 e, uint256 actorOrg, uint256 judgedAt) private pure returns (bool) {
        unchecked {
            uint256 grantee = Memory.u8(consent + Rows.CONSENT_KIND) == 1 ? actorOrg : Events.actorOf(e);
            uint256 codes = Events.codesOf(e);
            return Memory.u32(consent) == Events.patientOf(e) && Memory.u32(consent + Rows.CONSENT_GRANTEE) == grantee
                && Memory.u64(consent + Rows.CONSENT_PURPOSES) >> (codes >> 8 & 0xFF) & 1 == 1
                && Memory.u8(consent + Rows.CONSENT_ACTIONS) >> (codes >> 20) & 1 == 1
                && Memory.u64(consent + Rows.CONSENT_CATEGORIES) >> (codes & 0xFF) & 1 == 1
                && Rows.isActive(consent + Rows.CONSENT_VALIDITY, judgedAt);
        }
    }
}
