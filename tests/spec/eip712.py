"""What is signed (spec §7): the domain, the structs, `identities`, digests.

Words are 32 bytes; a struct's hash is keccak(type hash ‖ its words), `bytes` stand by their keccak and `uint32[4]` by
the keccak of its four words (§7.4).
"""

import re

import codes
import rows
import units
from codes import Refusal
from keccak import keccak

_COMMON = "uint32 signer,uint64 nonce,uint48 baseTime,bytes32 payloadsRoot"
TYPES = {
    "Envelope": f"Envelope({_COMMON},bytes events,bytes32 identities)",
    "PatientBind": f"PatientBind({_COMMON},uint32 patient,uint32 controller,uint32 proxy,bytes32 identities)",
    "PatientPolicy": f"PatientPolicy({_COMMON},uint32 patient,uint8 flags,uint32[4] blockedOrgs,bytes32 identities)",
    "PrincipalAdd": f"PrincipalAdd({_COMMON},uint8 role,uint8 keyKind,bytes key,bytes32 sealingKey,bytes32 tag,"
                    "uint48 validFrom,uint48 validUntil,bytes32 identities)",
    "PrincipalRotate": f"PrincipalRotate({_COMMON},uint32 principal,uint8 keyKind,bytes key,bytes32 sealingKey,"
                       "bytes32 identities)",
    "PrincipalRevoke": f"PrincipalRevoke({_COMMON},uint32 principal,uint8 reason,uint48 compromisedSince,"
                       "bytes32 identities)",
    "ConsentGrant": f"ConsentGrant({_COMMON},uint32 patient,uint8 granteeKind,uint32 grantee,uint64 purposes,"
                    "uint8 actions,uint64 categories,uint48 validFrom,uint48 validUntil,bytes32 identities)",
    "ConsentRevoke": f"ConsentRevoke({_COMMON},uint32 consent,bytes32 identities)",
    "Receipt": "Receipt(uint64 epoch,bytes32 groupRoot)",
}
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
STRUCT_OF_KIND = {
    units.PATIENT_BIND: "PatientBind", units.PATIENT_POLICY: "PatientPolicy", units.PRINCIPAL_ADD: "PrincipalAdd",
    units.PRINCIPAL_ROTATE: "PrincipalRotate", units.PRINCIPAL_REVOKE: "PrincipalRevoke",
    units.CONSENT_GRANT: "ConsentGrant", units.CONSENT_REVOKE: "ConsentRevoke",
}
SIGN_ENVELOPES = (codes.SYSTEM, codes.OFFICER)


def type_hash(text):
    return keccak(text.encode())


def word(value):
    return value.to_bytes(32, "big")


def encode_value(kind, value):
    if kind in ("bytes", "string"):
        return keccak(value.encode() if kind == "string" else value)
    if kind == "bytes32":
        assert len(value) == 32
        return value
    if kind == "address":
        return bytes(12) + value
    if kind.endswith("]"):
        return keccak(b"".join(word(one) for one in value))
    return word(value)


def hash_struct(text, values):
    """`text` is the type, without structs in it; `values` by field name."""
    fields = [item.split(" ") for item in re.fullmatch(r"\w+\((.*)\)", text)[1].split(",")]
    return keccak(type_hash(text) + b"".join(encode_value(kind, values[name]) for kind, name in fields))


def domain_separator(chain_id, contract):
    return hash_struct(DOMAIN_TYPE, {"name": "Chartroll", "version": "1", "chainId": chain_id,
                                     "verifyingContract": contract})


def digest_of(chain, struct_hash):
    return keccak(b"\x19\x01" + domain_separator(*chain) + struct_hash)


def identities(state, envelope):
    """§7.2. `state` gives row(table, number) and count(table); patients opened on the way count as they will be."""
    opened, joined = [], b""
    for event in envelope.events:
        for table, number in event.written:
            new = number - state.count(table)
            if number == 0:
                joined += bytes(32)
            elif table == units.PATIENTS and 0 <= new < len(opened):
                joined += opened[new]
            else:
                joined += rows.identity(table, number, state.row(table, number))
        if event.kind == units.PATIENT_OPEN:
            org = state.row(units.PRINCIPALS, envelope.signer).org
            opened.append(rows.key_of(org, event.f["pseudonym"]))
    return keccak(joined)


def struct_name(envelope, role):
    """§7.3: which struct the signer signs, or Form."""
    if role in SIGN_ENVELOPES:
        return "Envelope"
    if len(envelope.events) != 1 or envelope.events[0].kind not in STRUCT_OF_KIND:
        raise Refusal("Form")
    return STRUCT_OF_KIND[envelope.events[0].kind]


def envelope_struct_hash(envelope, role, joined_identities):
    name = struct_name(envelope, role)
    f = {} if name == "Envelope" else envelope.events[0].f
    values = {re.sub(r"_(\w)", lambda m: m[1].upper(), key): value for key, value in f.items()}
    values.update(
        signer=envelope.signer, nonce=envelope.nonce, baseTime=envelope.base_time,
        payloadsRoot=envelope.payloads_root, events=envelope.event_bytes, identities=joined_identities,
        blockedOrgs=f.get("blocked"))
    return hash_struct(TYPES[name], values)


def receipt_digest(chain, epoch, group_root):
    return digest_of(chain, hash_struct(TYPES["Receipt"], {"epoch": epoch, "groupRoot": group_root}))
