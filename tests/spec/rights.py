"""Rights and effects of events (spec §6.3) and verdicts of accesses (§6.5).

`check` raises the first right that fails and gives the number of the patient whose head the event moves, or None.
`effect` runs after that patient was folded.
"""

import codes
import rows
import units
from codes import ADMIN, OFFICER, PATIENT, PRACTITIONER, PROXY, SYSTEM, Refusal
from units import CONSENTS, ORGS, PATIENTS, PRINCIPALS

TIME_END = (1 << 48) - 1


def check(work, clock, envelope, k):
    event, me = envelope.events[k], envelope.signer
    kind, f = event.kind, event.f
    signer = work.row(PRINCIPALS, me)

    def need(holds, name):
        if not holds:
            raise Refusal(name, k)

    def role_is(number, *roles):
        return work.row(PRINCIPALS, number).role in roles

    def need_controller_or_proxy(patient):
        need(me in (rows.effective_controller(patient, clock), patient.proxy), "NotEntitled")

    if kind == units.ACCESS:
        need(signer.role == SYSTEM, "Role")
        need(work.row(PATIENTS, f["patient"]).home_org == signer.org, "Org")
        return f["patient"]

    if kind == units.PATIENT_OPEN:
        need(signer.role == SYSTEM, "Role")
        key = rows.key_of(signer.org, f["pseudonym"])
        number, before = work.predecessor(key)
        need(before.next_key != key, "Taken")
        need(f["controller"] == 0 or role_is(f["controller"], PATIENT), "WrongRole")
        event.f["predecessor"] = number  # for the effect
        return work.count(PATIENTS)

    if kind == units.PATIENT_BIND:
        need(signer.role in (SYSTEM, PATIENT), "Role")
        patient = work.row(PATIENTS, f["patient"])
        controller = rows.effective_controller(patient, clock)
        if signer.role == SYSTEM:
            need(patient.home_org == signer.org, "Org")
        else:
            need(me == controller, "NotEntitled")
        need(f["controller"] == 0 or role_is(f["controller"], PATIENT), "WrongRole")
        need(f["proxy"] == 0 or role_is(f["proxy"], PATIENT, PROXY), "WrongRole")
        if signer.role == SYSTEM and bound(patient, clock):
            need(clock >= patient.barred_until, "Barred")
            need(f["controller"] not in (0, controller) and f["proxy"] == patient.proxy, "EmptyProposal")
        return f["patient"]

    if kind in (units.PATIENT_POLICY, units.CONSENT_GRANT):
        need(signer.role in (PATIENT, PROXY), "Role")
        need_controller_or_proxy(work.row(PATIENTS, f["patient"]))
        return f["patient"]

    if kind == units.PATIENT_LINK:
        need(signer.role == SYSTEM, "Role")
        patient = work.row(PATIENTS, f["patient"])
        need(patient.home_org == signer.org, "Org")
        need(f["other"] != f["patient"], "Link")
        if f["relation"] in (1, 2):
            need(work.row(PATIENTS, f["other"]).home_org == patient.home_org, "Link")
        return f["patient"]

    if kind == units.PRINCIPAL_ADD:
        need(signer.role == ADMIN, "Role")
        need(f["role"] != ADMIN, "WrongRole")
        return None

    if kind in (units.PRINCIPAL_ROTATE, units.PRINCIPAL_REVOKE):
        principal = work.row(PRINCIPALS, f["principal"])
        if f["principal"] != me:
            need(signer.role == ADMIN, "NotEntitled")
            need(principal.org == signer.org, "Org")
            need(principal.role in (SYSTEM, PRACTITIONER, OFFICER), "WrongRole")
        need(principal.status == codes.ACTIVE, "AlreadyRevoked")
        return None

    if kind == units.CONSENT_REVOKE:
        need(signer.role in (PATIENT, PROXY), "Role")
        consent = work.row(CONSENTS, f["consent"])
        need_controller_or_proxy(work.row(PATIENTS, consent.patient))
        need(consent.revoked_at == 0, "AlreadyRevoked")
        return consent.patient

    assert kind == units.ANNOTATE
    need(signer.role in (SYSTEM, OFFICER), "Role")
    need(work.row(PATIENTS, f["patient"]).home_org == signer.org, "Org")
    return f["patient"]


def bound(patient, clock):
    return rows.effective_controller(patient, clock) != 0 or patient.proxy != 0


def effect(work, clock, envelope, event, digest):
    kind, f = event.kind, event.f
    signer = work.row(PRINCIPALS, envelope.signer)

    if kind == units.PATIENT_OPEN:
        before = work.row(PATIENTS, f["predecessor"])
        work.add(PATIENTS, rows.new(
            PATIENTS, home_org=signer.org, pseudonym=f["pseudonym"], next_key=before.next_key,
            controller=f["controller"], flags=codes.ALLOWS_EMERGENCY))
        before.next_key = rows.key_of(signer.org, f["pseudonym"])
        work.put(PATIENTS, f["predecessor"], before)

    elif kind == units.PATIENT_BIND:
        patient = work.row(PATIENTS, f["patient"])
        if signer.role == SYSTEM and bound(patient, clock):
            patient.pending_controller = f["controller"]
            patient.pending_at = min(clock + codes.PROPOSAL_MS, TIME_END)
        else:
            if signer.role == PATIENT and patient.pending_controller != 0:
                patient.barred_until = min(clock + codes.BAR_MS, TIME_END)
            patient.controller, patient.proxy = f["controller"], f["proxy"]
            patient.pending_controller = patient.pending_at = 0
        work.put(PATIENTS, f["patient"], patient)

    elif kind == units.PATIENT_POLICY:
        patient = work.row(PATIENTS, f["patient"])
        patient.flags = f["flags"]
        patient.blocked_1, patient.blocked_2, patient.blocked_3, patient.blocked_4 = f["blocked"]
        work.put(PATIENTS, f["patient"], patient)

    elif kind == units.PATIENT_LINK:
        patient = work.row(PATIENTS, f["patient"])
        if f["relation"] == 1:
            patient.continued_in = f["other"]
        elif f["relation"] == 4 and patient.continued_in == f["other"]:
            patient.continued_in = 0
        work.put(PATIENTS, f["patient"], patient)

    elif kind == units.PRINCIPAL_ADD:
        names = "role", "sealing_key", "tag", "valid_from", "valid_until", "key_kind", "key"
        work.add(PRINCIPALS, rows.new(
            PRINCIPALS, org=signer.org, status=codes.ACTIVE, **{name: f[name] for name in names}))

    elif kind == units.PRINCIPAL_ROTATE:
        principal = work.row(PRINCIPALS, f["principal"])
        principal.key_kind, principal.key, principal.sealing_key = f["key_kind"], f["key"], f["sealing_key"]
        work.put(PRINCIPALS, f["principal"], principal)

    elif kind == units.PRINCIPAL_REVOKE:
        principal = work.row(PRINCIPALS, f["principal"])
        principal.status, principal.revoked_at = codes.REVOKED, clock
        principal.compromised_since = f["compromised_since"]
        work.put(PRINCIPALS, f["principal"], principal)

    elif kind == units.CONSENT_GRANT:
        work.add(CONSENTS, rows.new(CONSENTS, digest=digest, **f))

    elif kind == units.CONSENT_REVOKE:
        consent = work.row(CONSENTS, f["consent"])
        consent.revoked_at = clock
        work.put(CONSENTS, f["consent"], consent)


def verdict(work, clock, envelope, event, patient):
    """§6.5; the patient is folded."""
    actor = work.row(PRINCIPALS, event.f["actor"])
    signer = work.row(PRINCIPALS, envelope.signer)
    value = basis(work, clock, event, patient, actor, signer)
    if clock - event.time > codes.LATE_MS:
        value |= 0x40
    if actor.org != signer.org:
        value |= 0x80
    return value


def basis(work, clock, event, patient, actor, signer):
    f = event.f
    action, purpose, category = f["codes"][0] >> 4, f["codes"][1], f["codes"][2]
    t = event.time if clock - codes.JUDGED_AT_EVENT_MS_MAX <= event.time <= clock else clock
    if not rows.active(actor, t):
        return 1
    if f["actor"] in (rows.effective_controller(patient, clock), patient.proxy):
        return 2
    if purpose in codes.EMERGENCY:
        return 3 if patient.flags & codes.ALLOWS_EMERGENCY else 4
    if actor.org != 0 and actor.org in rows.blocked(patient):
        return 5
    if f["consent"] != 0:
        consent = work.row(CONSENTS, f["consent"])
        named = f["actor"] if consent.grantee_kind == 2 else actor.org
        if (consent.patient == f["patient"] and consent.grantee == named and consent.purposes >> purpose & 1
                and consent.actions >> action & 1 and consent.categories >> category & 1 and rows.active(consent, t)):
            return 6
    policy = work.row(ORGS, signer.org).policy
    if policy == codes.IMPLIED and not patient.flags & codes.EXPLICIT_CONSENT:
        return 7
    return 8
