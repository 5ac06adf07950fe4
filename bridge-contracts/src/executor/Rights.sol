// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPageExecutor} from "../interfaces/IPageExecutor.sol";
import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Verdicts} from "./Verdicts.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title Stage 8: who may do what, and what it changes
/// @dev Source: docs/spec.md §6.3. Each event sees the rows as earlier ones left them. Functions answer 0 or a refusal's
/// code; `ptr` points to an event's fields.
library Rights {
    // forge-lint: disable-next-line(incorrect-shift): a set of roles.
    uint256 private constant PATIENT_SIDE = 1 << Codes.PATIENT | 1 << Codes.PROXY;
    // forge-lint: disable-next-line(incorrect-shift): a set of roles.
    uint256 private constant MANAGED = 1 << Codes.SYSTEM | 1 << Codes.PRACTITIONER | 1 << Codes.OFFICER;
    uint256 private constant REPLACED_BY = 1;
    uint256 private constant REPLACES = 2;
    uint256 private constant UNDONE = 4;

    /// @dev Applies one event, and notes in its word the verdict and the patient whose head it moves.
    function apply_(Run memory run, uint256 event_, uint256 e) internal pure returns (uint256) {
        unchecked {
            if (Events.isAccess(e)) return _access(run, event_, e);
            uint256 head = Events.headOf(e);
            uint256 ptr = Events.fieldsOf(e);
            uint256 patient = Memory.u32(ptr);
            uint256 code;
            if (head == Codes.PATIENT_OPEN) (code, patient) = _open(run, ptr);
            else if (head == Codes.PATIENT_BIND) code = _bind(run, ptr);
            else if (head == Codes.PATIENT_POLICY) code = _setPolicy(run, ptr);
            else if (head == Codes.PATIENT_LINK) code = _link(run, ptr);
            else if (head == Codes.PRINCIPAL_ADD) (code, patient) = (_addPrincipal(run, ptr), 0);
            else if (head == Codes.PRINCIPAL_ROTATE) (code, patient) = (_rotate(run, ptr), 0);
            else if (head == Codes.PRINCIPAL_REVOKE) (code, patient) = (_revoke(run, ptr), 0);
            else if (head == Codes.CONSENT_GRANT) code = _grant(run, ptr);
            else if (head == Codes.CONSENT_REVOKE) (code, patient) = _revokeConsent(run, ptr);
            else code = _annotate(run, ptr);
            Memory.putWord(event_, e | patient << Events.PATIENT_AT);
            return code;
        }
    }

    function _access(Run memory run, uint256 event_, uint256 e) private pure returns (uint256) {
        unchecked {
            if (run.role != Codes.SYSTEM) return Codes.ROLE;
            uint256 patient = _folded(run, Events.patientOf(e));
            if (Memory.u32(patient) != run.org) return Codes.ORG;
            run.patientRow = patient;
            run.actorRow = Witnesses.get(run, Codes.PRINCIPALS, Events.actorOf(e));
            uint256 cited = Events.consentOf(e);
            run.consentRow = cited == 0 ? 0 : Witnesses.get(run, Codes.CONSENTS, cited);
            uint256 verdict = Verdicts.judge(run, e, patient, run.actorRow, run.consentRow);
            Memory.putWord(event_, e | verdict << Events.VERDICT_AT);
            return 0;
        }
    }

    function _open(Run memory run, uint256 ptr) private pure returns (uint256 code, uint256 number) {
        unchecked {
            if (run.role != Codes.SYSTEM) return (Codes.ROLE, 0);
            uint256 pseudonym = Memory.word(ptr);
            uint256 controller = Memory.u32(ptr + 32);
            uint256 key = Rows.patientKey(run.org, pseudonym);
            (uint256 before, bool isTaken) = _placeOf(run, key);
            if (isTaken) return (Codes.TAKEN, 0);
            // forge-lint: disable-next-line(incorrect-shift): a set of roles.
            if (!_hasRole(run, controller, 1 << Codes.PATIENT)) return (Codes.WRONG_ROLE, 0);
            number = Rows.takeNumber(run.meta, Codes.PATIENTS);
            uint256 patient = Witnesses.find(run, Codes.PATIENTS, number);
            Witnesses.setLength(patient, Rows.PATIENT_BYTES);
            for (uint256 i = 0; i < Rows.PATIENT_BYTES; i += 32) {
                Memory.putWord(patient + i, 0);
            }
            Memory.put32(patient, run.org);
            Memory.putWord(patient + Rows.PATIENT_PSEUDONYM, pseudonym);
            Memory.putWord(patient + Rows.PATIENT_NEXT, Memory.word(before + Rows.PATIENT_NEXT));
            Memory.put32(patient + Rows.PATIENT_CONTROLLER, controller);
            Memory.put8(patient + Rows.PATIENT_FLAGS, Rows.EMERGENCY_ALLOWED);
            Memory.putWord(before + Rows.PATIENT_NEXT, key);
        }
    }

    /// @dev The row of a new key's predecessor, which the witness hints at, and whether the key is taken.
    function _placeOf(Run memory run, uint256 key) private pure returns (uint256 row, bool) {
        unchecked {
            uint256 number = Witnesses.nextHint(run);
            row = Witnesses.get(run, Codes.PATIENTS, number);
            uint256 least = number == 0 ? 0 : Rows.keyOfPatient(row);
            uint256 next = Memory.word(row + Rows.PATIENT_NEXT);
            require(least < key && (next == 0 || key <= next), IPageExecutor.WrongHint());
            return (row, key == next);
        }
    }

    function _bind(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            bool bySystem = run.role == Codes.SYSTEM;
            if (!bySystem && run.role != Codes.PATIENT) return Codes.ROLE;
            uint256 patient = _folded(run, Memory.u32(ptr));
            uint256 current = Memory.u32(patient + Rows.PATIENT_CONTROLLER);
            if (bySystem) {
                if (Memory.u32(patient) != run.org) return Codes.ORG;
            } else if (current != run.signer) {
                return Codes.NOT_ENTITLED;
            }
            uint256 controller = Memory.u32(ptr + 4);
            uint256 proxy = Memory.u32(ptr + 8);
            // forge-lint: disable-next-line(incorrect-shift): a set of roles.
            if (!_hasRole(run, controller, 1 << Codes.PATIENT)) return Codes.WRONG_ROLE;
            if (!_hasRole(run, proxy, PATIENT_SIDE)) return Codes.WRONG_ROLE;
            uint256 currentProxy = Memory.u32(patient + Rows.PATIENT_PROXY);
            if (bySystem && (current != 0 || currentProxy != 0)) {
                // A proposal: of another controller, and nothing else.
                if (run.clock < Memory.u48(patient + Rows.PATIENT_BARRED)) return Codes.BARRED;
                if (controller == 0 || controller == current || proxy != currentProxy) return Codes.EMPTY_PROPOSAL;
                Memory.put32(patient + Rows.PATIENT_PENDING, controller);
                Memory.put48(patient + Rows.PATIENT_PENDING_AT, Codes.later(run.clock, Codes.PROPOSAL_MS));
                return 0;
            }
            if (!bySystem && Memory.u32(patient + Rows.PATIENT_PENDING) != 0) {
                Memory.put48(patient + Rows.PATIENT_BARRED, Codes.later(run.clock, Codes.BAR_MS));
            }
            _setController(patient, controller);
            Memory.put32(patient + Rows.PATIENT_PROXY, proxy);
            return 0;
        }
    }

    function _setPolicy(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            (uint256 code, uint256 patient) = _governed(run, Memory.u32(ptr));
            // Flags and blocked orgs stand together in row and event.
            if (code == 0) Memory.copy(patient + Rows.PATIENT_FLAGS, ptr + 4, 17);
            return code;
        }
    }

    function _link(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            if (run.role != Codes.SYSTEM) return Codes.ROLE;
            uint256 patient = _folded(run, Memory.u32(ptr));
            if (Memory.u32(patient) != run.org) return Codes.ORG;
            uint256 number = Memory.u32(ptr + 4);
            uint256 other = Witnesses.get(run, Codes.PATIENTS, number);
            uint256 relation = Memory.u8(ptr + 8);
            if (other == patient) return Codes.LINK;
            if (relation <= REPLACES && Memory.u32(other) != Memory.u32(patient)) return Codes.LINK;
            uint256 continued = patient + Rows.PATIENT_CONTINUED;
            if (relation == REPLACED_BY) Memory.put32(continued, number);
            if (relation == UNDONE && Memory.u32(continued) == number) Memory.put32(continued, 0);
            return 0;
        }
    }

    function _addPrincipal(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            if (run.role != Codes.ADMIN) return Codes.ROLE;
            uint256 role = Memory.u8(ptr);
            if (role == Codes.ADMIN) return Codes.WRONG_ROLE;
            uint256 row = newPrincipal(run, run.org, role, ptr + 1);
            // Behind kind, key, sealing key and tag.
            uint256 validity = ptr + 66 + Rows.keyBytes(Memory.u8(ptr + 1));
            Memory.copy(row + Rows.PRINCIPAL_VALIDITY, validity, 12);
            return 0;
        }
    }

    /// @dev A new principal, active, its key, sealing key and tag as they stand at `ptr`, valid without bounds.
    function newPrincipal(Run memory run, uint256 org, uint256 role, uint256 ptr) internal pure returns (uint256 row) {
        unchecked {
            row = Witnesses.find(run, Codes.PRINCIPALS, Rows.takeNumber(run.meta, Codes.PRINCIPALS));
            for (uint256 i = 0; i < Rows.ROOM; i += 32) {
                Memory.putWord(row + i, 0);
            }
            Memory.put32(row, org);
            Memory.put8(row + Rows.PRINCIPAL_ROLE, role);
            Memory.put8(row + Rows.PRINCIPAL_STATUS, Codes.ACTIVE);
            ptr = _setKey(row, ptr);
            Memory.copy(row + Rows.PRINCIPAL_SEALING_KEY, ptr, 64);
        }
    }

    /// @dev Key kind and key; pointer past them in the event.
    function _setKey(uint256 row, uint256 ptr) private pure returns (uint256) {
        unchecked {
            uint256 length = Rows.keyBytes(Memory.u8(ptr));
            Memory.copy(row + Rows.PRINCIPAL_KEY_KIND, ptr, 1 + length);
            Witnesses.setLength(row, Rows.PRINCIPAL_BYTES + length);
            return ptr + 1 + length;
        }
    }

    function _rotate(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            (uint256 code, uint256 row) = _managed(run, Memory.u32(ptr));
            if (code != 0) return code;
            ptr = _setKey(row, ptr + 4);
            Memory.putWord(row + Rows.PRINCIPAL_SEALING_KEY, Memory.word(ptr));
            return 0;
        }
    }

    function _revoke(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            (uint256 code, uint256 row) = _managed(run, Memory.u32(ptr));
            if (code != 0) return code;
            revoke(row, run.clock);
            Memory.copy(row + Rows.PRINCIPAL_COMPROMISED, ptr + 5, 6);
            return 0;
        }
    }

    /// @dev Ends a principal.
    function revoke(uint256 row, uint256 clock) internal pure {
        unchecked {
            Memory.put8(row + Rows.PRINCIPAL_STATUS, Codes.REVOKED);
            Memory.put48(row + Rows.PRINCIPAL_REVOKED_AT, clock);
        }
    }

    function _grant(Run memory run, uint256 ptr) private pure returns (uint256) {
        unchecked {
            (uint256 code,) = _governed(run, Memory.u32(ptr));
            if (code != 0) return code;
            uint256 row = Witnesses.find(run, Codes.CONSENTS, Rows.takeNumber(run.meta, Codes.CONSENTS));
            Witnesses.setLength(row, Rows.CONSENT_BYTES);
            // Patient to valid until stand in the row as in the event; then revoked at.
            Memory.copy(row, ptr, Rows.CONSENT_REVOKED_AT);
            Memory.put48(row + Rows.CONSENT_REVOKED_AT, 0);
            Memory.putWord(row + Rows.CONSENT_DIGEST, uint256(run.digest));
            return 0;
        }
    }

    function _revokeConsent(Run memory run, uint256 ptr) private pure returns (uint256 code, uint256 patient) {
        unchecked {
            if (!Codes.isOneOf(run.role, PATIENT_SIDE)) return (Codes.ROLE, 0);
            uint256 row = Witnesses.get(run, Codes.CONSENTS, Memory.u32(ptr));
            patient = Memory.u32(row);
            (code,) = _governed(run, patient);
            if (code != 0) return (code, 0);
            if (Memory.u48(row + Rows.CONSENT_REVOKED_AT) != 0) return (Codes.ALREADY_REVOKED, 0);
            Memory.put48(row + Rows.CONSENT_REVOKED_AT, run.clock);
        }
    }

    function _annotate(Run memory run, uint256 ptr) private pure returns (uint256) {
        // forge-lint: disable-next-line(incorrect-shift): a set of roles.
        if (!Codes.isOneOf(run.role, 1 << Codes.SYSTEM | 1 << Codes.OFFICER)) return Codes.ROLE;
        uint256 patient = _folded(run, Memory.u32(ptr));
        return Memory.u32(patient) == run.org ? 0 : Codes.ORG;
    }

    /// @dev The patient, a controller that has taken effect written.
    function _folded(Run memory run, uint256 number) private pure returns (uint256 patient) {
        unchecked {
            patient = Witnesses.get(run, Codes.PATIENTS, number);
            uint256 pending = Memory.u32(patient + Rows.PATIENT_PENDING);
            if (pending != 0 && run.clock >= Memory.u48(patient + Rows.PATIENT_PENDING_AT)) {
                _setController(patient, pending);
            }
        }
    }

    /// @dev Nothing is pending any more.
    function _setController(uint256 patient, uint256 controller) private pure {
        unchecked {
            Memory.put32(patient + Rows.PATIENT_CONTROLLER, controller);
            Memory.put32(patient + Rows.PATIENT_PENDING, 0);
            Memory.put48(patient + Rows.PATIENT_PENDING_AT, 0);
        }
    }

    /// @dev The patient, folded, if the signer is its controller or proxy.
    function _governed(Run memory run, uint256 number) private pure returns (uint256 code, uint256 patient) {
        if (!Codes.isOneOf(run.role, PATIENT_SIDE)) return (Codes.ROLE, 0);
        patient = _folded(run, number);
        if (!Verdicts.isGovernedBy(patient, run.signer)) code = Codes.NOT_ENTITLED;
    }

    /// @dev The principal, if the signer may rotate or revoke it.
    function _managed(Run memory run, uint256 number) private pure returns (uint256 code, uint256 row) {
        unchecked {
            row = Witnesses.get(run, Codes.PRINCIPALS, number);
            if (number != run.signer) {
                if (run.role != Codes.ADMIN) return (Codes.NOT_ENTITLED, 0);
                if (Memory.u32(row) != run.org) return (Codes.ORG, 0);
                if (!Codes.isOneOf(Memory.u8(row + Rows.PRINCIPAL_ROLE), MANAGED)) return (Codes.WRONG_ROLE, 0);
            }
            if (Memory.u8(row + Rows.PRINCIPAL_STATUS) != Codes.ACTIVE) code = Codes.ALREADY_REVOKED;
        }
    }

    /// @dev Whether `number` is 0 or a principal of one of these roles.
    function _hasRole(Run memory run, uint256 number, uint256 roles) private pure returns (bool) {
        unchecked {
            if (number == 0) return true;
            uint256 row = Witnesses.get(run, Codes.PRINCIPALS, number);
            return Codes.isOneOf(Memory.u8(row + Rows.PRINCIPAL_ROLE), roles);
        }
    }
}
