// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Codes} from "./Codes.sol";
import {Events} from "./Events.sol";
import {Framing} from "./Framing.sol";
import {Memory} from "./Memory.sol";
import {Rows} from "./Rows.sol";
import {Run} from "./Run.sol";
import {Witnesses} from "./Witnesses.sol";

/// @title What is signed: EIP-712
/// @dev Source: docs/spec.md §7.1–§7.4. A type string stands on one line, as it does there. Structs are built word by
/// word after the free memory, which nothing else takes meanwhile.
library Signing {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ENVELOPE = keccak256(
        "Envelope(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,bytes events,bytes32 identities)"
    );
    bytes32 private constant PATIENT_BIND = keccak256(
        "PatientBind(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 patient,uint32 controller,uint32 proxy,bytes32 identities)"
    );
    bytes32 private constant PATIENT_POLICY = keccak256(
        "PatientPolicy(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 patient,uint8 flags,uint32[4] blockedOrgs,bytes32 identities)"
    );
    bytes32 private constant PRINCIPAL_ADD = keccak256(
        "PrincipalAdd(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint8 role,uint8 keyKind,bytes key,bytes32 sealingKey,bytes32 tag,uint48 validFrom,uint48 validUntil,bytes32 identities)"
    );
    bytes32 private constant PRINCIPAL_ROTATE = keccak256(
        "PrincipalRotate(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 principal,uint8 keyKind,bytes key,bytes32 sealingKey,bytes32 identities)"
    );
    bytes32 private constant PRINCIPAL_REVOKE = keccak256(
        "PrincipalRevoke(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 principal,uint8 reason,uint48 compromisedSince,bytes32 identities)"
    );
    bytes32 private constant CONSENT_GRANT = keccak256(
        "ConsentGrant(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 patient,uint8 granteeKind,uint32 grantee,uint64 purposes,uint8 actions,uint64 categories,uint48 validFrom,uint48 validUntil,bytes32 identities)"
    );
    bytes32 private constant CONSENT_REVOKE = keccak256(
        "ConsentRevoke(uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot,uint32 consent,bytes32 identities)"
    );
    /// @dev Admin, practitioner, patient, proxy.
    uint256 private constant PERSONS =
    // forge-lint: disable-next-line(incorrect-shift): a set of roles.
        1 << Codes.ADMIN | 1 << Codes.PRACTITIONER | 1 << Codes.PATIENT | 1 << Codes.PROXY;

    function separator(uint256 chainId, address rollup) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, keccak256("Chartroll"), keccak256("1"), chainId, rollup));
    }

    /// @dev What the signer of an envelope signs; zero if a person's envelope is not one event of a kind that has a
    /// struct.
    function digest(Run memory run, uint256 envelope, bytes32 identities) internal pure returns (bytes32) {
        unchecked {
            uint256 start = envelope & Witnesses.POINTER;
            uint256 from = envelope >> 64 & Witnesses.POINTER;
            uint256 ptr;
            assembly ("memory-safe") {
                ptr := mload(0x40)
            }
            uint256 cursor = ptr + 32;
            cursor = _word(cursor, Memory.u32(start));
            cursor = _word(cursor, Memory.u64(start + Framing.NONCE_AT));
            cursor = _word(cursor, Memory.u48(start + Framing.BASE_TIME_AT));
            cursor = _word(cursor, Memory.word(start + Framing.PAYLOADS_AT));
            bytes32 typeHash;
            if (Codes.isOneOf(run.role, PERSONS)) {
                if ((envelope >> 96 & Witnesses.POINTER) - from != 32) return 0;
                (typeHash, cursor) = _fields(cursor, Memory.word(from));
                if (typeHash == 0) return 0;
            } else {
                typeHash = ENVELOPE;
                uint256 events = start + Framing.ENVELOPE_HEAD_BYTES;
                cursor = _word(cursor, Memory.hash(events, (envelope >> 32 & Witnesses.POINTER) - events));
            }
            Memory.putWord(ptr, uint256(typeHash));
            cursor = _word(cursor, uint256(identities));
            uint256 structHash = Memory.hash(ptr, cursor - ptr);
            return keccak256(abi.encodePacked(hex"1901", run.separator, structHash));
        }
    }

    /// @dev An event's own fields, and the type of the struct.
    function _fields(uint256 to, uint256 e) private pure returns (bytes32 typeHash, uint256) {
        unchecked {
            uint256 head = Events.headOf(e);
            uint256 ptr = Events.fieldsOf(e);
            if (head == Codes.PRINCIPAL_ADD) return _principalAdd(to, ptr);
            if (head == Codes.CONSENT_GRANT) return _consentGrant(to, ptr);
            // All others begin with a row number.
            to = _word(to, Memory.u32(ptr));
            if (head == Codes.PATIENT_BIND) {
                to = _word(to, Memory.u32(ptr + 4));
                return (PATIENT_BIND, _word(to, Memory.u32(ptr + 8)));
            }
            if (head == Codes.PATIENT_POLICY) {
                to = _word(to, Memory.u8(ptr + 4));
                for (uint256 i = 0; i < 4; i++) {
                    Memory.putWord(to + 32 * i, Memory.u32(ptr + 5 + 4 * i));
                }
                return (PATIENT_POLICY, _word(to, Memory.hash(to, 128)));
            }
            if (head == Codes.PRINCIPAL_ROTATE) {
                (to, ptr) = _key(to, ptr + 4);
                return (PRINCIPAL_ROTATE, _word(to, Memory.word(ptr)));
            }
            if (head == Codes.PRINCIPAL_REVOKE) {
                to = _word(to, Memory.u8(ptr + 4));
                return (PRINCIPAL_REVOKE, _word(to, Memory.u48(ptr + 5)));
            }
            if (head == Codes.CONSENT_REVOKE) typeHash = CONSENT_REVOKE;
            return (typeHash, to);
        }
    }

    function _principalAdd(uint256 to, uint256 ptr) private pure returns (bytes32, uint256) {
        unchecked {
            to = _word(to, Memory.u8(ptr));
            (to, ptr) = _key(to, ptr + 1);
            to = _word(to, Memory.word(ptr));
            to = _word(to, Memory.word(ptr + 32));
            to = _word(to, Memory.u48(ptr + 64));
            return (PRINCIPAL_ADD, _word(to, Memory.u48(ptr + 70)));
        }
    }

    function _consentGrant(uint256 to, uint256 ptr) private pure returns (bytes32, uint256) {
        unchecked {
            to = _word(to, Memory.u32(ptr));
            to = _word(to, Memory.u8(ptr + 4));
            to = _word(to, Memory.u32(ptr + 5));
            to = _word(to, Memory.u64(ptr + 9));
            to = _word(to, Memory.u8(ptr + 17));
            to = _word(to, Memory.u64(ptr + 18));
            to = _word(to, Memory.u48(ptr + 26));
            return (CONSENT_GRANT, _word(to, Memory.u48(ptr + 32)));
        }
    }

    /// @dev Kind and hash of a key; pointer past it.
    function _key(uint256 to, uint256 ptr) private pure returns (uint256, uint256) {
        unchecked {
            uint256 kind = Memory.u8(ptr++);
            uint256 length = Rows.keyBytes(kind);
            to = _word(to, kind);
            return (_word(to, Memory.hash(ptr, length)), ptr + length);
        }
    }

    function _word(uint256 to, uint256 value) private pure returns (uint256) {
        unchecked {
            Memory.putWord(to, value);
            return to + 32;
        }
    }
}
