"""Masks (spec §11): page keys, pads, masked pages, and a period's tree of page keys."""

from keccak import keccak, keccak_many, node

PERIOD_SLOTS, PAGES_A_SLOT, DEPTH = 1024, 1024, 20


def _page_key_input(k, chain_id, contract, slot, page):
    return (b"\x07" + k + chain_id.to_bytes(8, "big") + contract + slot.to_bytes(8, "big") + page.to_bytes(4, "big"))


def page_key(k, chain_id, contract, slot, page):
    return keccak(_page_key_input(k, chain_id, contract, slot, page))


def mask(key, page):
    """Masks a page, or unmasks it: the claimed root stands, the other 960 bytes are XORed with the pad."""
    root, rest = page[:32], page[32:]
    pad = b"".join(keccak(b"\x06" + key + root + bytes([j])) for j in range(30))
    return root + bytes(a ^ b for a, b in zip(rest, pad, strict=True))


def key_leaf(key):
    return keccak(b"\x08" + key)


def period_path_holds(slot, page, leaf, path, root):
    """The path from the leaf up, left or right as the bits of its place say."""
    place = slot % PERIOD_SLOTS * PAGES_A_SLOT + page
    for t, sibling in enumerate(path):
        leaf = node(sibling, leaf) if place >> t & 1 else node(leaf, sibling)
    return len(path) == DEPTH and page < PAGES_A_SLOT and leaf == root


def period_root(k, chain_id, contract, period):
    """Three million hashes: minutes."""
    level = []
    for slot in range(period * PERIOD_SLOTS, (period + 1) * PERIOD_SLOTS):
        keys = keccak_many([_page_key_input(k, chain_id, contract, slot, page) for page in range(PAGES_A_SLOT)])
        level += keccak_many([b"\x08" + key for key in keys])
    while len(level) > 1:
        level = keccak_many([b"\x01" + level[i] + level[i + 1] for i in range(0, len(level), 2)])
    return level[0]
