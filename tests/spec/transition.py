"""Pages applied (spec §9.1–§9.3, §9.5) to a full state or over a witness, and org items (§4.3).

`apply_page` gives an Outcome. Its `root` is None where the page is INVALID, and then the state is as it was.
"""

from dataclasses import dataclass, field

import codes
import rows
import units
from admission import admit
from codes import Refusal
from state import WitnessState, Work
from units import ORGS, PRINCIPALS

NUMBERS_END = (1 << 32) - 1


@dataclass
class Outcome:
    root: bytes = None
    invalid: str = None  # a name of §9.1
    refusal: Refusal = None  # with Framing, Refused
    place: int = None  # of the envelope, with Framing, Refused
    skip: object = None  # a Refusal (kind 2) or a number of §4.3 (kind 3)
    entries: list = field(default_factory=list)
    changes: dict = field(default_factory=dict)


def apply_page(state, chain, page_bytes, item_bytes):
    """`state` is a FullState or WitnessState; the item is the next of the queue, or None."""
    try:
        return _apply(state, chain, units.decode_page(page_bytes), item_bytes)
    finally:
        if isinstance(state, WitnessState):
            state.finish()


def _apply(state, chain, page, item_bytes):
    if page.kind not in (1, 2, 3):
        return Outcome(invalid="Kind")
    work = Work(state)
    if page.clock < work.meta.clock:
        return Outcome(invalid="Clock")
    skip = None
    if page.kind == 1:
        try:
            envelopes = units.decode_normal_body(page.body)
        except units.BadEnvelope as fault:
            return Outcome(invalid="Framing", refusal=fault.refusal, place=fault.place)
        except units.Padding:
            return Outcome(invalid="Padding")
        if (units.rows_of(envelopes) > codes.ROWS_PER_PAGE_MAX
                or any(len(one.events) > codes.EVENTS_PER_ENVELOPE_MAX for one in envelopes)):
            return Outcome(invalid="Budget")
        for place, envelope in enumerate(envelopes):
            try:
                work = admit(work, page.clock, chain, envelope.raw).work
            except Refusal as refusal:
                return Outcome(invalid="Refused", refusal=refusal, place=place)
    else:
        item = units.decode_item(item_bytes) if item_bytes is not None else None
        if item is None or item.type != page.kind or item.body != page.body or page.clock < item.time:
            return Outcome(invalid="Queue")
        if page.kind == 2:
            try:
                work = admit(work, page.clock, chain, page.body, units.ZEROS).work
            except Refusal as refusal:
                skip = refusal
        else:
            skip = org_item(work, page.clock, page.body)
        work.meta.cursor = (work.meta.cursor + 1) % (1 << 64)
    work.meta.clock = page.clock
    changes = work.finish()
    return Outcome(root=state.keep(changes), skip=skip, entries=work.entries, changes=changes)


def org_item(work, clock, body):
    """§4.3: acts and gives None, or gives the skip's number."""
    decoded = units.decode_org_item(body)
    if decoded is None:
        return 1
    op, f = decoded
    if op != 1:
        if f["org"] == 0 or f["org"] >= work.count(ORGS):
            return 2
        org = work.row(ORGS, f["org"])
        if op == 2:
            org.status, org.policy = f["status"], f["policy"]
            work.put(ORGS, f["org"], org)
            return None
        if org.account != f["account"]:
            return 3
    if work.count(PRINCIPALS) == NUMBERS_END or (op == 1 and work.count(ORGS) == NUMBERS_END):
        return 4
    number = work.count(ORGS) if op == 1 else f["org"]
    admin = work.add(PRINCIPALS, rows.new(
        PRINCIPALS, org=number, role=codes.ADMIN, status=codes.ACTIVE, valid_from=clock,
        **{name: f[name] for name in ("sealing_key", "tag", "key_kind", "key")}))
    if op == 1:
        work.add(ORGS, rows.new(
            ORGS, admin=admin, status=codes.ACTIVE,
            **{name: f[name] for name in ("account", "policy", "name_digest", "commitment")}))
        return None
    old = work.row(PRINCIPALS, org.admin)
    if old.status == codes.ACTIVE:
        old.status, old.revoked_at = codes.REVOKED, clock
        work.put(PRINCIPALS, org.admin, old)
    org.admin = admin
    work.put(ORGS, f["org"], org)
    return None
