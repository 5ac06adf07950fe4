"""Envelopes and events (spec §3), pages and queue items (§4): bytes in, meaning out, nothing that needs a state.

An event's `fields` are read left to right and checked as they are read; the first fault met is the refusal (§3.2).
`full` is the event as the log has it (§8.1). `written` are the row numbers its bytes write, in order, with their
tables, zeros included (§6.1, §7.2); `meant` are those that it means, with whether 0 may stand there (§6.2).
"""

from dataclasses import dataclass, field

import codes
from codes import Refusal
from curves import valid_key
from keccak import keccak

META, ORGS, PRINCIPALS, PATIENTS, CONSENTS = range(5)

PATIENT_OPEN, PATIENT_BIND, PATIENT_POLICY, PATIENT_LINK = 0x10, 0x11, 0x12, 0x13
PRINCIPAL_ADD, PRINCIPAL_ROTATE, PRINCIPAL_REVOKE = 0x20, 0x21, 0x22
CONSENT_GRANT, CONSENT_REVOKE = 0x30, 0x31
ANNOTATE = 0x40
ACCESS = 0x80

ALONE, ZEROS, OPEN = "alone", "zeros", "open"  # what may follow an envelope: nothing, zeros, anything


@dataclass
class Event:
    kind: int
    time: int = 0
    full: bytes = b""
    written: list = field(default_factory=list)
    meant: list = field(default_factory=list)
    f: dict = field(default_factory=dict)


@dataclass
class Envelope:
    raw: bytes
    signer: int
    nonce: int
    base_time: int
    payloads_root: bytes
    signature: bytes
    events: list

    @property
    def event_bytes(self):
        return self.raw[codes.ENVELOPE_HEAD_BYTES:]

    @property
    def digest(self):
        return keccak(self.raw)


class Reader:
    """Reads fields; a field past the end is Truncated at the event's index."""

    def __init__(self, data, at=0):
        self.data, self.at, self.event = data, at, None

    def bytes(self, n):
        if self.at + n > len(self.data):
            raise Refusal("Truncated", self.event)
        self.at += n
        return self.data[self.at - n:self.at]

    def u(self, n):
        return int.from_bytes(self.bytes(n), "big")

    def code(self, table):
        value = self.u(1)
        if value not in table:
            raise Refusal("UnknownCode", self.event)
        return value

    def bits(self, n, known):
        value = self.u(n)
        if value & ~known:
            raise Refusal("UnknownBits", self.event)
        return value

    def key(self):
        kind = self.code(codes.KEY_KINDS)
        key = self.bytes(codes.KEY_BYTES[kind])
        if not valid_key(kind, key):
            raise Refusal("Key", self.event)
        return {"key_kind": kind, "key": key}

    def interval(self):
        valid_from, valid_until = self.u(6), self.u(6)
        if valid_until != 0 and valid_until <= valid_from:
            raise Refusal("Interval", self.event)
        return {"valid_from": valid_from, "valid_until": valid_until}


def _blocked(reader):
    blocked = [int.from_bytes(word, "big") for word in _words(reader.bytes(16))]
    for before, after in zip(blocked, blocked[1:]):
        if after != 0 and (before == 0 or after <= before):
            raise Refusal("Order", reader.event)
    return blocked


def _words(data):
    return [data[i:i + 4] for i in range(0, len(data), 4)]


def _plain(kind, r):
    """The fields of an event other than access (§3.3). Dictionaries are evaluated in the order of the bytes."""
    if kind == PATIENT_OPEN:
        return {"pseudonym": r.bytes(32), "controller": r.u(4)}
    if kind == PATIENT_BIND:
        return {"patient": r.u(4), "controller": r.u(4), "proxy": r.u(4)}
    if kind == PATIENT_POLICY:
        return {"patient": r.u(4), "flags": r.bits(1, codes.FLAG_BITS), "blocked": _blocked(r)}
    if kind == PATIENT_LINK:
        return {"patient": r.u(4), "other": r.u(4), "relation": r.code(codes.RELATIONS)}
    if kind == PRINCIPAL_ADD:
        return {"role": r.code(codes.ROLES), **r.key(), "sealing_key": r.bytes(32), "tag": r.bytes(32), **r.interval()}
    if kind == PRINCIPAL_ROTATE:
        return {"principal": r.u(4), **r.key(), "sealing_key": r.bytes(32)}
    if kind == PRINCIPAL_REVOKE:
        return {"principal": r.u(4), "reason": r.code(codes.REVOCATION_REASONS), "compromised_since": r.u(6)}
    if kind == CONSENT_GRANT:
        return {"patient": r.u(4), "grantee_kind": r.code(codes.GRANTEE_KINDS), "grantee": r.u(4),
                "purposes": r.bits(8, codes.PURPOSE_BITS), "actions": r.bits(1, codes.ACTION_BITS),
                "categories": r.bits(8, codes.CATEGORY_BITS), **r.interval()}
    if kind == CONSENT_REVOKE:
        return {"consent": r.u(4)}
    if kind == ANNOTATE:
        return {"patient": r.u(4), "sequence": r.u(8), "what": r.code(codes.ANNOTATIONS), "digest": r.bytes(32)}
    raise Refusal("UnknownKind", r.event)


def _meant(kind, f):
    """(table, number, may it be 0) of an event other than access, in the order of its fields (§6.2)."""
    if kind == PATIENT_OPEN:
        return [(PRINCIPALS, f["controller"], True)]
    if kind == PRINCIPAL_ADD:
        return []
    if kind in (PRINCIPAL_ROTATE, PRINCIPAL_REVOKE):
        return [(PRINCIPALS, f["principal"], False)]
    if kind == CONSENT_REVOKE:
        return [(CONSENTS, f["consent"], False)]
    meant = [(PATIENTS, f["patient"], False)]
    if kind == PATIENT_BIND:
        meant += [(PRINCIPALS, f["controller"], True), (PRINCIPALS, f["proxy"], True)]
    if kind == PATIENT_POLICY:
        meant += [(ORGS, org, True) for org in f["blocked"]]
    if kind == PATIENT_LINK:
        meant.append((PATIENTS, f["other"], False))
    if kind == CONSENT_GRANT:
        meant.append((ORGS if f["grantee_kind"] == 1 else PRINCIPALS, f["grantee"], False))
    return meant


NO_ACCESS = {"patient": 0, "actor": 0, "consent": 0, "codes": bytes(3)}


def _access(head, r, before):
    """§3.4: (fields, written, offset) of an access after `before`."""
    length = head & 7
    if length > 4:
        raise Refusal("UnknownBits", r.event)
    f, written = dict(before), []
    if head & 0x40:
        f["patient"] = r.u(4)
        if f["patient"] <= before["patient"]:
            raise Refusal("Order", r.event)
        written.append((PATIENTS, f["patient"]))
    for bit, name, table in ((0x20, "actor", PRINCIPALS), (0x10, "consent", CONSENTS)):
        if head & bit:
            f[name] = r.u(4)
            if f[name] == before[name]:
                raise Refusal("Same", r.event)
            written.append((table, f[name]))
    if head & 0x08:
        triple = f["codes"] = r.bytes(3)
        tables = ((triple[0] >> 4, codes.ACTIONS), (triple[0] & 15, codes.OUTCOMES), (triple[1], codes.PURPOSES),
                  (triple[2], codes.CATEGORIES))
        if any(code != 0 and code not in table for code, table in tables):
            raise Refusal("UnknownCode", r.event)
        if triple == before["codes"]:
            raise Refusal("Same", r.event)
    offset = r.bytes(length)
    if offset[:1] == b"\0":
        raise Refusal("LeadingZero", r.event)
    return f, written, int.from_bytes(offset, "big")


def decode_envelope(data, follows=ALONE):
    """The envelope at the start of `data` (§3.1, §3.2), or Refusal."""
    if follows == ALONE and len(data) > codes.ENVELOPE_BYTES_MAX:
        raise Refusal("Length")
    r = Reader(data)
    if len(data) < codes.ENVELOPE_HEAD_BYTES:
        raise Refusal("Truncated")
    signer, nonce, base_time, payloads_root, signature, count = (
        r.u(4), r.u(8), r.u(6), r.bytes(32), r.bytes(64), r.u(1))
    if signer == 0:
        raise Refusal("Signer")
    if count == 0:
        raise Refusal("Count")
    events, before, time = [], NO_ACCESS, base_time
    for r.event in range(count):
        start, head = r.at, r.u(1)
        if head < ACCESS:
            f = _plain(head, r)
            meant = _meant(head, f)
            events.append(Event(head, time, data[start:r.at], [m[:2] for m in meant], meant, f))
            continue
        f, written, offset = _access(head, r, before)
        before = f
        time = (base_time if head & 0x40 else time) + offset
        if time >= 1 << 48:
            raise Refusal("Time", r.event)
        full = b"\x80" + b"".join(f[name].to_bytes(4, "big") for name in ("patient", "actor", "consent")) + f["codes"]
        meant = [(PATIENTS, f["patient"], False), (PRINCIPALS, f["actor"], False), (CONSENTS, f["consent"], True)]
        events.append(Event(ACCESS, time, full, written, meant, f))
    rest = data[r.at:]
    if follows == ALONE and rest or follows == ZEROS and any(rest):
        raise Refusal("Trailing")
    return Envelope(data[:r.at], signer, nonce, base_time, payloads_root, signature, events)


# The extra rows of a kind (§6.1).
EXTRA_ROWS = {PATIENT_OPEN: 2, PRINCIPAL_ADD: 1, CONSENT_GRANT: 1, CONSENT_REVOKE: 1}


def rows_of(envelopes):
    """§6.1: the rows of one envelope or of a page's: distinct numbers over all, the extras of each, 2 once."""
    named, extras = set(), 2
    for envelope in envelopes:
        named.add((PRINCIPALS, envelope.signer))
        extras += 1
        for event in envelope.events:
            named.update(pair for pair in event.written if pair[1] != 0)
            extras += EXTRA_ROWS.get(event.kind, 0)
    return len(named) + extras


@dataclass
class Page:
    claimed_root: bytes
    clock: int
    kind: int
    body: bytes


def decode_page(data):
    """§4.1; every 992 bytes are one."""
    if len(data) != codes.PAGE_BYTES:
        raise ValueError("a page is 992 bytes")
    return Page(data[:32], int.from_bytes(data[32:38], "big"), data[38], data[39:])


class Padding(Exception):
    """A byte of a normal page's body that should be zero and is not."""


class BadEnvelope(Exception):
    """An envelope of a normal page does not decode: its place and its refusal."""

    def __init__(self, place, refusal):
        super().__init__(place, refusal)
        self.place, self.refusal = place, refusal


def decode_normal_body(body):
    """§4.2: the envelopes, or Padding or BadEnvelope, whichever is met first."""
    envelopes, at = [], 0
    while True:
        rest = body[at:]
        if len(rest) < 4 or rest[:4] == bytes(4):
            if any(rest):
                raise Padding
            return envelopes
        try:
            envelopes.append(decode_envelope(rest, OPEN))
        except Refusal as refusal:
            raise BadEnvelope(len(envelopes), refusal) from None
        at += len(envelopes[-1].raw)


@dataclass
class Item:
    type: int
    time: int
    body: bytes
    hash: bytes


def decode_item(data):
    """§4.3: a queue item."""
    if len(data) != 960:
        raise ValueError("a queue item is 960 bytes")
    return Item(data[0], int.from_bytes(data[1:7], "big"), data[7:], keccak(b"\x09" + data))


def decode_org_item(body):
    """§4.3: (op, fields), or None where the item is Malformed."""
    r = Reader(body)

    def credentials():
        key = r.key()
        if key["key_kind"] == 0:
            raise Refusal("Key")
        return {**key, "sealing_key": r.bytes(32), "tag": r.bytes(32)}

    try:
        op = r.u(1)
        if op == 1:
            f = {"account": r.bytes(20), "policy": r.code(codes.POLICIES), "name_digest": r.bytes(32),
                 "commitment": r.bytes(32), **credentials()}
        elif op == 2:
            f = {"org": r.u(4), "status": r.code(codes.ORG_STATUS), "policy": r.code(codes.POLICIES)}
        elif op == 3:
            f = {"account": r.bytes(20), "org": r.u(4), **credentials()}
        else:
            return None
    except Refusal:
        return None
    return None if any(body[r.at:]) else (op, f)
