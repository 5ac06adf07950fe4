"""Checks every golden vector of core/vectors/ (spec §14) against this implementation.

    python3 check_vectors.py [folder]

One line a file, one line a mismatch, and at the end "N passed, M failed"; exits 1 on any failure, and where a file of
§14 is missing or has no case. payloads.json (§13, BLAKE3) is not looked at. FULL=1 also hashes a whole period (§11.2).
"""

import json
import os
import re
import sys
import traceback
from pathlib import Path

import admission
import batches
import check_primitives
import codes
import eip712
import log
import masks
import receipts
import rows
import state as states
import transition
import tree
import units
from codes import Refusal
from curves import check_signature
from keccak import keccak, leaf
from vectors import Checker, cases_of, chain_of, num, raw, state_rows


def same_refusal(check, what, expected, refusal):
    check.same(what, expected, None if refusal is None else refusal.json())


# The files


def plain(text):
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


CODE_TABLES = {
    "actions": codes.ACTIONS, "outcomes": codes.OUTCOMES, "purposes": codes.PURPOSES,
    "categories": codes.CATEGORIES, "roles": codes.ROLES, "keykinds": codes.KEY_KINDS,
    "granteekinds": codes.GRANTEE_KINDS, "relations": codes.RELATIONS, "annotations": codes.ANNOTATIONS,
    "revocationreasons": codes.REVOCATION_REASONS, "orgpolicies": codes.POLICIES, "orgstatus": codes.ORG_STATUS,
    "principalstatus": codes.PRINCIPAL_STATUS,
}
SINGULAR = {"category": "categories", "orgpolicy": "orgpolicies", "policies": "orgpolicies", "policy": "orgpolicies",
            "reasons": "revocationreasons", "reason": "revocationreasons", "orgstatuses": "orgstatus",
            "principalstatuses": "principalstatus"}


def table_of(name):
    name = plain(name)
    return next((n for n in (SINGULAR.get(name), name, name + "s") if n in CODE_TABLES), None)


def check_codes(check, data):
    """Both ways: each code of the file is the spec's, and each code of the spec's coded tables is in the file."""
    seen = {}
    for case in cases_of(data):
        name, number = table_of(case["table"]), num(case["number"])
        with check.case(f"{case['table']} {number}"):
            entry = case.get("system"), case.get("code")
            known = CODE_TABLES[name].get(number) if name else None
            if known is None:
                check.say("no such table or number")
            elif isinstance(known, str):  # Chartroll's own: the number is what counts
                seen.setdefault(name, set()).add(number)
            elif name == "roles" and entry in codes.ROLES_READ_ALSO.get(number, []):
                continue
            else:
                seen.setdefault(name, set()).add(number)
                check.same("system and code", known, entry)
    for name in CODE_TABLES:
        with check.case(f"all of {name}"):
            if name in seen or name in ("actions", "outcomes", "purposes", "categories", "roles"):
                check.same("numbers", sorted(CODE_TABLES[name]), sorted(seen.get(name, ())))


def check_envelopes(check, data):
    for case in cases_of(data):
        with check.case(case["name"]):
            try:
                envelope = units.decode_envelope(raw(case["bytes"]))
            except Refusal as refusal:
                same_refusal(check, "refusal", case.get("refusal"), refusal)
                continue
            same_refusal(check, "refusal", case.get("refusal"), None)
            for name in ("signer", "nonce", "base_time"):
                check.same(name, num(case[name]), getattr(envelope, name))
            for name in ("payloads_root", "signature", "digest"):
                check.same(name, raw(case[name]), getattr(envelope, name))
            check.same("rows", num(case["rows"]), units.rows_of([envelope]))
            check.same("count", len(case["events"]), len(envelope.events))
            for k, (wanted, event) in enumerate(zip(case["events"], envelope.events)):
                check.same(f"event {k}", [num(wanted["kind"]), num(wanted["time"]), raw(wanted["full"])],
                           [event.kind, event.time, event.full])


ROLE_NAMES = {"admin": 1, "system": 2, "practitioner": 3, "patient": 4, "proxy": 5, "officer": 6}


def check_digests(check, data):
    chain = chain_of(data)
    with check.case("domain separator"):
        check.same("hash", raw(data["domain_separator"]), eip712.domain_separator(*chain))
    hashes = data["type_hashes"]
    if isinstance(hashes, list):
        hashes = {one["name"]: one["hash"] for one in hashes}
    types = {**eip712.TYPES, "EIP712Domain": eip712.DOMAIN_TYPE}
    for name, value in hashes.items():
        with check.case(f"type {name}"):
            check.same("hash", raw(value), eip712.type_hash(types[name.split("(")[0]]))
    with check.case("all types"):
        check.same("missing", [], [name for name in eip712.TYPES if name not in {n.split("(")[0] for n in hashes}])
    found = [value for key, value in data.items()
             if key != "type_hashes" and isinstance(value, list) and value and isinstance(value[0], dict)]
    for case in found[0]:
        with check.case(case["name"]):
            full = states.FullState(state_rows(case.get("state") or data["state"]))
            work = states.Work(full)
            envelope = units.decode_envelope(raw(case["envelope"]))
            role = ROLE_NAMES.get(case["role"]) or num(case["role"])
            joined = eip712.identities(work, envelope)
            check.same("identities", raw(case["identities"]), joined)
            struct_hash = eip712.envelope_struct_hash(envelope, role, joined)
            check.same("struct hash", raw(case["struct_hash"]), struct_hash)
            check.same("digest", raw(case["digest"]), eip712.digest_of(chain, struct_hash))


def check_signatures(check, data):
    for case in cases_of(data):
        with check.case(case["name"]):
            result = check_signature(
                num(case["key_kind"]), raw(case["key"]), raw(case["digest"]), raw(case["signature"]))
            check.same("result", plain(case["result"]), plain(result))


def check_admissions(check, data):
    chain, base = chain_of(data), states.FullState(state_rows(data["state"]))
    with check.case("the state"):
        check.same("root", raw(data["state"]["root"]), base.root)
    named, bases = set(), set()
    for case in cases_of(data):
        with check.case(case["name"]):
            full = states.FullState(state_rows(case["state"])) if "state" in case else base
            refusal, verdicts = None, []
            try:
                admitted = admission.admit(states.Work(full), num(case["clock"]), chain, raw(case["envelope"]))
                verdicts = admitted.verdicts
            except Refusal as fault:
                refusal = fault
                named.add(fault.name)
            same_refusal(check, "refusal", case["refusal"], refusal)
            check.same("verdicts", [num(one) for one in case.get("verdicts") or []], verdicts)
            if refusal is None:
                bases |= {v & 0x3F for v, event in zip(verdicts, admitted.envelope.events)
                          if event.kind == units.ACCESS}
    with check.case("every refusal"):
        check.same("without a case", [], [name for name in codes.REFUSALS.values() if name not in named])
    with check.case("every verdict"):
        check.same("without a case", [], [value for value in range(1, 9) if value not in bases])


def skip_of(outcome):
    if outcome.skip is None:
        return None
    if isinstance(outcome.skip, Refusal):
        return outcome.skip.json()
    return {"code": outcome.skip, "name": codes.SKIPS[outcome.skip], "event": None}


def same_skip(check, wanted, outcome):
    """A skip may stand as an object, a code or a name."""
    actual = skip_of(outcome)
    if actual is not None and isinstance(wanted, dict):
        actual = {key: actual.get(key) for key in wanted}
    elif actual is not None and isinstance(wanted, (int, str)):
        actual = actual["name"] if isinstance(wanted, str) and plain(wanted).isalpha() else actual["code"]
        wanted = wanted if isinstance(actual, str) else num(wanted)
    check.same("skip", wanted, actual)


def same_outcome(check, case, outcome):
    check.same("outcome", case["outcome"], "invalid" if outcome.root is None else "root")
    check.same("invalid", plain(case.get("invalid") or ""), plain(outcome.invalid or ""))
    same_refusal(check, "refusal of an invalid page", case.get("invalid_refusal"), outcome.refusal)
    check.same("envelope", case.get("envelope"), outcome.place)
    if outcome.root is not None:
        check.same("root", raw(case["root"]), outcome.root)
        check.same("entries", case["entries"], outcome.entries)
    same_skip(check, case.get("skip"), outcome)


def check_pages(check, data):
    chains = data if isinstance(data, list) else data.get("chains") or [data]
    for number, one in enumerate(chains):
        chain = chain_of(one if "chain" in one else data)
        full = states.FullState(state_rows(one["state"]))
        with check.case(f"state before chain {number}"):
            check.same("root", raw(one["state"]["root"]), full.root)
        for case in one["steps"]:
            with check.case(case["name"]):
                page = raw(case["page"])
                item = raw(case["item"]) if case.get("item") else None
                if case.get("witness"):
                    lesser = states.WitnessState(raw(case["witness"]))
                    check.same("the witness's root", full.root, lesser.root)
                    over = transition.apply_page(lesser, chain, page, item)
                    same_outcome(check, case, over)
                outcome = transition.apply_page(full, chain, page, item)
                same_outcome(check, case, outcome)
        with check.case(f"state after chain {number}"):
            after = state_rows(one["state_after"])
            check.same("rows", {str(k): v for k, v in sorted(after.items())},
                       {str(k): v for k, v in sorted(full.rows.items())})
            check.same("root", raw(one["state_after"]["root"]), full.root)


def check_tree(check, data):
    with check.case("empty"):
        check.same("subtrees", data["empty"], tree.EMPTY)
    for case in data["roots"]:
        with check.case(case["name"]):
            changes = {(num(one["table"]), num(one["row"])): raw(one["bytes"]) or None for one in case["rows"]}
            check.same("root", raw(case["root"]), tree.SparseTree().update(changes))
    for case in data["witnesses"]:
        with check.case(case["name"]):
            witness = tree.Witness(raw(case["witness"]))
            check.same("root before", raw(case["root_before"]), witness.root_before)
            check.same("number of rows", len(case["rows_after"]), len(witness.keys))
            changes = {key: raw(text) or None for key, text in zip(witness.keys, case["rows_after"])}
            check.same("root after", raw(case["root_after"]), witness.root(changes))
    for case in data["malformed"]:
        with check.case(case["name"]):
            try:
                tree.Witness(raw(case["witness"]))
                check.say("decodes, and should not")
            except tree.BadWitness:
                pass


def check_log(check, data):
    leaves = [leaf(raw(text)) for text in data["entries"]]
    for case in data["sizes"]:
        size = num(case["size"])
        with check.case(f"size {size}"):
            frontier = log.frontier_of(leaves[:size])
            wanted = case["frontier"]
            wanted = "0x" + "".join(one[2:] for one in wanted) if isinstance(wanted, list) else wanted
            check.same("frontier", raw(wanted), b"".join(frontier))
            check.same("root", raw(case["root"]), log.frontier_root(frontier))
    for case in data["inclusion"]:
        with check.case(case["name"]):
            proof = log.decode_proof(raw(case["proof"]))
            one = raw(case["leaf"])
            one = one if len(one) == 32 else leaf(one)
            holds = proof is not None and log.inclusion_holds(one, *proof, raw(case["root"]))
            check.same("valid", case["valid"], holds)
            if holds and proof[1] <= len(leaves) and raw(case["root"]) == log.root_of(leaves[:proof[1]]):
                made = log.encode_proof(*proof[:2], log.inclusion_path(leaves[:proof[1]], proof[0]))
                check.same("the proof", raw(case["proof"]), made)
    for case in data["consistency"]:
        with check.case(case["name"]):
            proof = log.decode_proof(raw(case["proof"]))
            roots = raw(case["first_root"]), raw(case["second_root"])
            holds = proof is not None and log.consistency_holds(proof[0], roots[0], proof[1], roots[1], proof[2])
            check.same("valid", case["valid"], holds)
            if holds and proof[1] <= len(leaves) and roots[1] == log.root_of(leaves[:proof[1]]):
                made = log.encode_proof(*proof[:2], log.consistency_path(leaves[:proof[1]], proof[0]))
                check.same("the proof", raw(case["proof"]), made)


def check_histories(check, data):
    for case in cases_of(data):
        with check.case(case["name"]):
            complete = log.history_is_complete(
                num(case["patient"]), raw(case["root"]), [raw(text) for text in case["histories"]])
            check.same("complete", case["complete"], complete)


def check_masks(check, data):
    for case in data["keys"]:
        with check.case(case["name"]):
            key = masks.page_key(
                raw(case["k"]), num(case["chain_id"]), raw(case["contract"]), num(case["slot"]), num(case["page"]))
            check.same("page key", raw(case["page_key"]), key)
    for case in data["pages"]:
        with check.case(case["name"]):
            key, page, masked = (raw(case[name]) for name in ("page_key", "page", "masked"))
            check.same("masked", masked, masks.mask(key, page))
            check.same("unmasked", page, masks.mask(key, masked))
    period = data["period"]
    k, chain_id, contract = raw(period["k"]), num(period["chain_id"]), raw(period["contract"])
    for case in data.get("period_leaves") or period["period_leaves"]:
        slot, page = num(case["slot"]), num(case["page"])
        with check.case(f"slot {slot} page {page}"):
            check.same("period", num(period["period"]), slot // masks.PERIOD_SLOTS)
            one = masks.key_leaf(masks.page_key(k, chain_id, contract, slot, page))
            check.same("leaf", raw(case["leaf"]), one)
            path = [raw(text) for text in case["path"]]
            if not masks.period_path_holds(slot, page, one, path, raw(period["root"])):
                check.say("the path does not lead to the root")
    if os.environ.get("FULL") == "1":
        with check.case("the period"):
            check.same("root", raw(period["root"]), masks.period_root(k, chain_id, contract, num(period["period"])))


def check_receipts(check, data):
    chain = chain_of(data)
    for case in data["leaves"]:
        with check.case(f"leaf of sequence {case['first_sequence']}"):
            made = receipts.receipt_leaf(*(num(case[name]) for name in ("epoch", "first_sequence", "events", "clock")),
                                         raw(case["envelope_digest"]))
            check.same("leaf", raw(case["leaf"]), made)
    for case in data["groups"]:
        with check.case(f"group of {len(case['leaves'])}"):
            check.same("root", raw(case["root"]), receipts.group_root([raw(text) for text in case["leaves"]]))
    for case in data["receipts"]:
        with check.case(case["name"]):
            holds = receipts.receipt_holds(chain, raw(case["receipt"]), raw(case["address"]))
            check.same("valid", case["valid"], holds)


ALIASES = {"parent_content_hash": "parent", "data": "data_reference", "reference": "data_reference",
           "number_of_pages": "pages", "page_count": "pages"}


def check_headers(check, data):
    for case in data["headers"]:
        with check.case(case["name"]):
            fields = batches.decode_header(raw(case["bytes"]))
            wanted = {}
            for name, value in case["fields"].items():
                name = ALIASES.get(name, name)
                wanted[name] = raw(value) if dict(batches.HEADER)[name] == 32 else num(value)
            check.same("fields", wanted, {name: fields[name] for name in wanted})
            check.same("all fields", sorted(fields), sorted(wanted))
            check.same("encoded", raw(case["bytes"]), batches.encode_header(wanted))
            check.same("content hash", raw(case["content_hash"]), batches.content_hash(raw(case["bytes"])))
            if case["name"].lower() == "genesis":
                genesis = batches.genesis_header(states.FullState.genesis().root)
                check.same("genesis", batches.encode_header(genesis), raw(case["bytes"]))
    for case in data["malformed"]:
        with check.case(case["name"]):
            try:
                batches.decode_header(raw(case["bytes"]))
                check.say("decodes, and should not")
            except ValueError:
                pass
    for case in data["calldata_references"]:
        with check.case(f"calldata of {len(case['pages'])} pages"):
            made = batches.calldata_reference([raw(text) for text in case["pages"]])
            check.same("reference", raw(case["reference"]), made)
    for case in data["blob_references"]:
        with check.case(f"{len(case['versioned_hashes'])} blobs"):
            made = batches.blob_reference([raw(text) for text in case["versioned_hashes"]])
            check.same("reference", raw(case["reference"]), made)
    for case in data["blobs"]:
        with check.case(f"blob of {len(case['pages'])} pages"):
            pages = [raw(text) for text in case["pages"]]
            check.same("keccak", raw(case["blob_keccak"]), batches.blob_keccak(pages))
            check.same("pages", pages, batches.pages_of_blob(batches.blob(pages), len(pages)))


FILES = {
    "codes.json": check_codes, "envelopes.json": check_envelopes, "digests.json": check_digests,
    "signatures.json": check_signatures, "admissions.json": check_admissions, "pages.json": check_pages,
    "tree.json": check_tree, "log.json": check_log, "histories.json": check_histories, "masks.json": check_masks,
    "receipts.json": check_receipts, "headers.json": check_headers,
}


def main():
    check_primitives.main()
    here = Path(__file__).resolve().parent
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "../../core/vectors"
    check = Checker()
    for name, run in FILES.items():
        before, check.file = check.passed + check.failed, name
        path = folder / name
        if path.is_file():
            # What goes wrong outside of a case (a missing member, say) fails the file.
            try:
                run(check, json.loads(path.read_text()))
                fault = None
            except Exception as problem:
                where = traceback.extract_tb(problem.__traceback__)[-1]
                fault = f"{type(problem).__name__}: {problem} ({Path(where.filename).name}:{where.lineno})"
        else:
            fault = "is missing"
        checked = check.passed + check.failed - before
        if fault is None and checked == 0:
            fault = "has no case"
        if fault is not None:
            with check.case("the file"):
                check.say(fault)
        print(f"{name}: {checked} checked", flush=True)
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
