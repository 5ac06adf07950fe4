"""The rows of the state's tables (spec §5.2): strict codecs; keys, identities and times of rows (§5.4–§5.7).

A decoded row is a SimpleNamespace of its fields. Strict: the length is exact, codes and bits are known (§9.4).
"""

from types import SimpleNamespace

import codes
from keccak import keccak
from units import CONSENTS, META, ORGS, PATIENTS, PRINCIPALS

# name, kind (u integer, b bytes), width
LAYOUTS = {
    META: "next_sequence u8, clock u6, cursor u8, orgs u4, principals u4, patients u4, consents u4, log_root b32",
    ORGS: "account b20, admin u4, policy u1, status u1, name_digest b32, commitment b32",
    PRINCIPALS: "org u4, role u1, sealing_key b32, tag b32, status u1, nonce u8, valid_from u6, valid_until u6, "
                "revoked_at u6, compromised_since u6, key_kind u1",
    PATIENTS: "home_org u4, pseudonym b32, next_key b32, controller u4, pending_controller u4, pending_at u6, "
              "barred_until u6, proxy u4, flags u1, blocked_1 u4, blocked_2 u4, blocked_3 u4, blocked_4 u4, "
              "continued_in u4, events u8, head b32",
    CONSENTS: "patient u4, grantee_kind u1, grantee u4, purposes u8, actions u1, categories u8, valid_from u6, "
              "valid_until u6, revoked_at u6, digest b32",
}
LAYOUTS = {
    table: [(name, kind[0], int(kind[1:])) for name, kind in (item.split() for item in text.split(", "))]
    for table, text in LAYOUTS.items()
}
CODED = {
    ORGS: {"policy": codes.POLICIES, "status": codes.ORG_STATUS},
    PRINCIPALS: {"role": codes.ROLES, "status": codes.PRINCIPAL_STATUS, "key_kind": codes.KEY_KINDS},
    CONSENTS: {"grantee_kind": codes.GRANTEE_KINDS},
}
BITS = {
    PATIENTS: {"flags": codes.FLAG_BITS},
    CONSENTS: {"purposes": codes.PURPOSE_BITS, "actions": codes.ACTION_BITS, "categories": codes.CATEGORY_BITS},
}
COUNTS = {ORGS: "orgs", PRINCIPALS: "principals", PATIENTS: "patients", CONSENTS: "consents"}
PATIENT_SENTINEL = bytes(153)


class BadRow(Exception):
    """The bytes are no valid row of their table."""


def decode(table, data):
    """A row of any table but meta 1."""
    row, at = SimpleNamespace(), 0
    for name, kind, width in LAYOUTS[table]:
        piece = data[at:at + width]
        at += width
        setattr(row, name, piece if kind == "b" else int.from_bytes(piece, "big"))
    if table == PRINCIPALS and len(data) >= at:
        row.key = data[at:]
        at += codes.KEY_BYTES.get(row.key_kind, 0)
    if len(data) != at:
        raise BadRow(f"table {table}: {len(data)} bytes")
    for name, known in CODED.get(table, {}).items():
        if getattr(row, name) not in known:
            raise BadRow(f"table {table}: {name}")
    for name, known in BITS.get(table, {}).items():
        if getattr(row, name) & ~known:
            raise BadRow(f"table {table}: {name}")
    return row


def encode(table, row):
    parts = []
    for name, kind, width in LAYOUTS[table]:
        value = getattr(row, name)
        if kind == "u":
            value = value.to_bytes(width, "big")
        assert len(value) == width
        parts.append(value)
    if table == PRINCIPALS:
        assert len(row.key) == codes.KEY_BYTES[row.key_kind]
        parts.append(row.key)
    return b"".join(parts)


def decode_frontier(data):
    """Meta 1 (§5.2): the peaks; absent (None) while the log is empty."""
    if data is None:
        return []
    if len(data) == 0 or len(data) % 32 or len(data) > 64 * 32:
        raise BadRow("meta 1")
    return [data[i:i + 32] for i in range(0, len(data), 32)]


def check(table, number, data, size=None):
    """Raise BadRow unless the bytes are a valid row in that place; `size`: the log's, where meta 0 came before."""
    if table == META and number == 1:
        if size is None or len(decode_frontier(data)) != size.bit_count():
            raise BadRow("meta 1 does not fit the log's size")
    elif table not in LAYOUTS or (table == META and number > 1):
        raise BadRow(f"no row {number} of table {table}")
    else:
        decode(table, data)


def new(table, **fields):
    """A row whose other fields are zero."""
    row = SimpleNamespace(**{name: bytes(width) if kind == "b" else 0 for name, kind, width in LAYOUTS[table]})
    if table == PRINCIPALS:
        row.key = b""
    for name, value in fields.items():
        assert hasattr(row, name), name
        setattr(row, name, value)
    return row


def blocked(patient):
    return [patient.blocked_1, patient.blocked_2, patient.blocked_3, patient.blocked_4]


def key_of(home_org, pseudonym):
    return keccak(b"\x04" + home_org.to_bytes(4, "big") + pseudonym)


def patient_key(number, row):
    """§5.4."""
    return bytes(32) if number == 0 else key_of(row.home_org, row.pseudonym)


def is_predecessor(number, row, key):
    """§5.4: key < k and (k ≤ next or next = 0)."""
    return patient_key(number, row) < key and (key <= row.next_key or row.next_key == bytes(32))


def identity(table, number, row):
    """§5.5. The row of number 0 is not looked at."""
    if number == 0:
        return bytes(32)
    if table == PATIENTS:
        return patient_key(number, row)
    if table == PRINCIPALS:
        return keccak(row.org.to_bytes(4, "big") + row.tag)
    return row.name_digest if table == ORGS else row.digest


def pending_is_due(patient, clock):
    return patient.pending_controller != 0 and clock >= patient.pending_at


def effective_controller(patient, clock):
    """§5.6."""
    return patient.pending_controller if pending_is_due(patient, clock) else patient.controller


def fold(patient, clock):
    """§5.6, in place."""
    if pending_is_due(patient, clock):
        patient.controller, patient.pending_controller, patient.pending_at = patient.pending_controller, 0, 0


def active(row, t):
    """§5.7, of a principal or a consent."""
    within = row.valid_from <= t and (row.valid_until == 0 or t < row.valid_until)
    return within and (row.revoked_at == 0 or t < row.revoked_at)
