"""Receipts (spec §10): leaves, a group's root, and whether a receipt holds under a sequencer's address."""

import log
from curves import check_signature
from eip712 import receipt_digest
from keccak import keccak

HEAD_BYTES = 8 + 8 + 1 + 6 + 32
SIGNATURE_BYTES = 64


def receipt_leaf(epoch, first_sequence, events, clock, envelope_digest):
    """§10.1."""
    return keccak(b"\x03" + epoch.to_bytes(8, "big") + first_sequence.to_bytes(8, "big") + bytes([events])
                  + clock.to_bytes(6, "big") + envelope_digest)


def group_root(leaves):
    return log.root_of(leaves)


def receipt_holds(chain, data, address):
    """§10.2: its bytes are exact, its path leads to a root, and the address signed that root for that epoch."""
    if len(data) < HEAD_BYTES + 9:
        return False
    count = data[HEAD_BYTES + 8]
    if len(data) != HEAD_BYTES + 9 + 32 * count + SIGNATURE_BYTES:
        return False
    index = int.from_bytes(data[HEAD_BYTES:HEAD_BYTES + 4], "big")
    size = int.from_bytes(data[HEAD_BYTES + 4:HEAD_BYTES + 8], "big")
    at = HEAD_BYTES + 9
    path = [data[at + 32 * i:at + 32 * i + 32] for i in range(count)]
    root = log.inclusion_root(keccak(b"\x03" + data[:HEAD_BYTES]), index, size, path)
    if root is None:
        return False
    digest = receipt_digest(chain, int.from_bytes(data[:8], "big"), root)
    return check_signature(1, address, digest, data[-SIGNATURE_BYTES:]) == "ok"
