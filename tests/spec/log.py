"""The log and the patients' chains (spec §8): entries, frontier and root, inclusion and consistency proofs in
RFC 9162's manner (made and checked), heads, and when a patient's history is complete (§8.5).
"""

import rows
from codes import Refusal
from keccak import keccak, leaf, node
from tree import BadWitness, Witness
from units import PATIENT_LINK, PATIENTS

ENTRY_HEAD_BYTES = 74


def blind(signature, k):
    return keccak(b"\x05" + signature + bytes([k]))[:16]


def entry(sequence, clock, envelope, k, verdict):
    """§8.1."""
    event = envelope.events[k]
    return (sequence.to_bytes(8, "big") + clock.to_bytes(6, "big") + event.time.to_bytes(6, "big")
            + envelope.signer.to_bytes(4, "big") + envelope.payloads_root + bytes([k])
            + blind(envelope.signature, k) + bytes([verdict]) + event.full)


def next_head(head, entry_leaf):
    """§8.4."""
    return keccak(b"\x02" + head + entry_leaf)


# §8.2


def append(frontier, size, new_leaf):
    """The frontier of `size` + 1 leaves, from that of `size`."""
    frontier = list(frontier)
    while size & 1:
        new_leaf = node(frontier.pop(), new_leaf)
        size >>= 1
    return frontier + [new_leaf]


def frontier_root(frontier):
    if not frontier:
        return keccak(b"")
    root = frontier[-1]
    for peak in reversed(frontier[:-1]):
        root = node(peak, root)
    return root


def frontier_of(leaves):
    frontier = []
    for size, one in enumerate(leaves):
        frontier = append(frontier, size, one)
    return frontier


def root_of(leaves):
    """The tree of §8.2's shape over leaf hashes."""
    return frontier_root(frontier_of(leaves))


# §8.3


def _split(n):
    return 1 << (n - 1).bit_length() - 1


def inclusion_path(leaves, index):
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return inclusion_path(leaves[:k], index) + [root_of(leaves[k:])]
    return inclusion_path(leaves[k:], index - k) + [root_of(leaves[:k])]


def consistency_path(leaves, first):
    if first == 0:
        return []

    def sub(part, m, whole):
        if m == len(part):
            return [] if whole else [root_of(part)]
        k = _split(len(part))
        if m <= k:
            return sub(part[:k], m, whole) + [root_of(part[k:])]
        return sub(part[k:], m - k, False) + [root_of(part[:k])]

    return sub(leaves, first, True)


def encode_proof(one, two, path):
    return one.to_bytes(8, "big") + two.to_bytes(8, "big") + bytes([len(path)]) + b"".join(path)


def decode_proof(data):
    """(index or first, size or second, path), or None."""
    if len(data) < 17 or len(data) != 17 + 32 * data[16]:
        return None
    return (int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big"),
            [data[i:i + 32] for i in range(17, len(data), 32)])


def inclusion_root(one_leaf, index, size, path):
    """RFC 9162 §2.1.3.2: the root that the path leads to, or None where it does not fit index and size."""
    if index >= size:
        return None
    fn, sn, r = index, size - 1, one_leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def inclusion_holds(one_leaf, index, size, path, root):
    return inclusion_root(one_leaf, index, size, path) == root


def consistency_holds(first, first_root, second, second_root, path):
    """RFC 9162 §2.1.4.2, with §8.3's two empty proofs."""
    if first > second:
        return False
    if first == 0:
        return not path
    if first == second:
        return not path and first_root == second_root
    if not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root] + path
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


# §8.5


class BadHistory(Exception):
    pass


def decode_history(data):
    """(patient, witness, entries), or BadHistory."""
    at = 0

    def take(n):
        nonlocal at
        if at + n > len(data):
            raise BadHistory("truncated")
        at += n
        return data[at - n:at]

    def u(n):
        return int.from_bytes(take(n), "big")

    patient = u(4)
    try:
        witness = Witness(take(u(4)))
    except BadWitness as fault:
        raise BadHistory(str(fault)) from None
    entries = [take(u(2)) for _ in range(u(4))]
    if at != len(data):
        raise BadHistory("bytes left over")
    return patient, witness, entries


def _check_own(patient, witness, entries, root):
    """One history without its links."""
    if witness.keys != [(PATIENTS, patient)] or witness.hints:
        raise BadHistory("the witness is not of this row alone")
    data = witness.rows[(PATIENTS, patient)]
    if witness.root_before != root or data is None or patient == 0:
        raise BadHistory("the row is not proved")
    row = rows.decode(PATIENTS, data)
    if len(entries) != row.events:
        raise BadHistory("number of entries")
    if any(len(one) <= ENTRY_HEAD_BYTES for one in entries):
        raise BadHistory("an entry is too short")
    sequences = [one[:8] for one in entries]
    if any(one >= two for one, two in zip(sequences, sequences[1:])):
        raise BadHistory("sequences do not ascend")
    head = bytes(32)
    for one in entries:
        head = next_head(head, leaf(one))
    if head != row.head:
        raise BadHistory("head")


def links(entries):
    """The others that links of relation 1, 2, not undone later, lead to."""
    standing = set()
    for one in entries:
        event = one[ENTRY_HEAD_BYTES:]
        if event[0] != PATIENT_LINK:
            continue
        if len(event) != 10:
            raise BadHistory("an entry is no event")
        other, relation = int.from_bytes(event[5:9], "big"), event[9]
        if relation in (1, 2):
            standing.add(other)
        elif relation == 4:
            standing.discard(other)
    return standing


def history_is_complete(patient, root, encoded):
    """Of `patient` under `root`, with the histories at hand. Those that nothing leads to are not looked at."""
    try:
        at_hand = {}
        for data in encoded:
            one = decode_history(data)
            at_hand.setdefault(one[0], one)
        wanted, done = [patient], set()
        while wanted:
            number = wanted.pop()
            if number in done:
                continue
            if number not in at_hand:
                raise BadHistory(f"no history of {number}")
            _check_own(*at_hand[number], root)
            done.add(number)
            wanted += links(at_hand[number][2])
    except (BadHistory, Refusal):
        return False
    return True
