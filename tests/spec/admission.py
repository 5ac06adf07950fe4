"""Admission of an envelope (spec §6): stages 1 to 7 and 9, and what is logged (§8.1, §8.4). Rights are in rights.py.

`admit` gives an Admitted with the work done, or raises Refusal, and then nothing has changed.
"""

from dataclasses import dataclass

import codes
import eip712
import log
import rights
import rows
import units
from codes import Refusal
from curves import check_signature, split_signature
from units import ALONE, CONSENTS, PATIENTS, PRINCIPALS

NEW_ROW = {units.PATIENT_OPEN: PATIENTS, units.PRINCIPAL_ADD: PRINCIPALS, units.CONSENT_GRANT: CONSENTS}
NUMBERS_END = (1 << 32) - 1


@dataclass
class Admitted:
    work: object
    envelope: object
    verdicts: list


def check_budget(envelope):
    """Stage 2."""
    if len(envelope.events) > codes.EVENTS_PER_ENVELOPE_MAX:
        raise Refusal("TooManyEvents")
    if units.rows_of([envelope]) > codes.ROWS_PER_PAGE_MAX:
        raise Refusal("TooManyRows")


def check_status(work, signer, clock):
    """Stage 4."""
    if signer.status != codes.ACTIVE:
        raise Refusal("SignerRevoked")
    if clock < signer.valid_from:
        raise Refusal("SignerNotYetValid")
    if signer.valid_until != 0 and clock >= signer.valid_until:
        raise Refusal("SignerExpired")
    if signer.role in (codes.ADMIN, codes.SYSTEM, codes.OFFICER):
        if work.row(units.ORGS, signer.org).status == codes.SUSPENDED:
            raise Refusal("OrgSuspended")
    if signer.key_kind == 0:
        raise Refusal("NoKey")


def check_rows(work, envelope):
    """Stage 6 (§6.2): each number of an event, in the order of its fields, then Full."""
    if work.meta.next_sequence + len(envelope.events) > (1 << 64) - 1:
        raise Refusal("Full", 0)
    made = {PATIENTS: 0, PRINCIPALS: 0, CONSENTS: 0}
    for k, event in enumerate(envelope.events):
        for table, number, may_be_zero in event.meant:
            if number == 0 and not may_be_zero:
                raise Refusal("Reserved", k)
            end = work.count(table) + (made[PATIENTS] if table == PATIENTS else 0)
            if number != 0 and number >= end:
                raise Refusal("NoRow", k)
        table = NEW_ROW.get(event.kind)
        if table is not None:
            if work.count(table) + made[table] >= NUMBERS_END:
                raise Refusal("Full", k)
            made[table] += 1


def check_signed(work, chain, envelope, signer):
    """Stage 7; gives the digest that was signed."""
    eip712.struct_name(envelope, signer.role)  # Form
    if split_signature(signer.key_kind, envelope.signature) is None:
        raise Refusal("Malformed")  # before the identities: they need rows that a witness may lack
    struct_hash = eip712.envelope_struct_hash(envelope, signer.role, eip712.identities(work, envelope))
    digest = eip712.digest_of(chain, struct_hash)
    if check_signature(signer.key_kind, signer.key, digest, envelope.signature) != "ok":
        raise Refusal("Wrong")
    return digest


def admit(work, clock, chain, data, follows=ALONE):
    """§6: chain is (chain id, contract)."""
    envelope = units.decode_envelope(data, follows)
    check_budget(envelope)
    if envelope.signer >= work.count(PRINCIPALS):
        raise Refusal("NoSigner")
    signer = work.row(PRINCIPALS, envelope.signer)
    check_status(work, signer, clock)
    if envelope.nonce != signer.nonce or envelope.nonce == (1 << 64) - 1:
        raise Refusal("Nonce")
    check_rows(work, envelope)
    digest = check_signed(work, chain, envelope, signer)

    work = work.copy()
    verdicts = []
    for k in range(len(envelope.events)):
        verdicts.append(act(work, clock, envelope, k, digest))
    for k, event in enumerate(envelope.events):
        if event.time > clock + codes.FUTURE_MS_MAX:
            raise Refusal("Future", k)
    signer = work.row(PRINCIPALS, envelope.signer)
    signer.nonce += 1
    work.put(PRINCIPALS, envelope.signer, signer)
    return Admitted(work, envelope, verdicts)


def act(work, clock, envelope, k, digest):
    """One event: rights, fold, verdict, effect, entry, head; gives the verdict."""
    event = envelope.events[k]
    number = rights.check(work, clock, envelope, k)
    verdict = 0
    if number is not None and event.kind != units.PATIENT_OPEN:
        patient = work.row(PATIENTS, number)
        rows.fold(patient, clock)
        work.put(PATIENTS, number, patient)
    if event.kind == units.ACCESS:
        verdict = rights.verdict(work, clock, envelope, event, patient)
    rights.effect(work, clock, envelope, event, digest)
    leaf = work.append(log.entry(work.meta.next_sequence, clock, envelope, k, verdict))
    if number is not None:
        patient = work.row(PATIENTS, number)
        patient.head = log.next_head(patient.head, leaf)
        patient.events = (patient.events + 1) % (1 << 64)
        work.put(PATIENTS, number, patient)
    return verdict
