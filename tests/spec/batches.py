"""Batches (spec §12): the header's bytes and content hash, data references, and how pages lie in a blob."""

import log
from keccak import keccak, keccak_uncached, leaf

# §12.1: name and width in bytes; each stands in a word of 32.
HEADER = (
    ("mode", 1), ("data_reference", 32), ("parent", 32), ("number", 8), ("epoch", 8), ("slot", 8), ("pages", 2),
    ("post_root", 32), ("clock", 6), ("next_sequence", 8), ("cursor", 8),
)
BLOB_BYTES, ELEMENT_BYTES, PAGE_ELEMENTS = 131_072, 32, 32


def decode_header(data):
    """The fields, or ValueError."""
    if len(data) != 32 * len(HEADER):
        raise ValueError("a header is 352 bytes")
    fields = {}
    for i, (name, width) in enumerate(HEADER):
        word = data[32 * i:32 * i + 32]
        if any(word[:32 - width]):
            raise ValueError(f"{name} past its width")
        fields[name] = word if width == 32 else int.from_bytes(word, "big")
    if fields["mode"] > 3:
        raise ValueError("mode")
    return fields


def encode_header(fields):
    """abi.encode: eleven words."""
    return b"".join(fields[name] if width == 32 else fields[name].to_bytes(32, "big") for name, width in HEADER)


def content_hash(header_bytes):
    return keccak(header_bytes)


def genesis_header(root):
    """§12.4."""
    fields = {name: bytes(32) if width == 32 else 0 for name, width in HEADER}
    return {**fields, "post_root": root}


def blob_reference(versioned_hashes):
    return keccak(b"".join(versioned_hashes))


def calldata_reference(pages):
    return log.root_of([leaf(page) for page in pages])


def blob(pages):
    """§12.3: 131,072 bytes."""
    elements = b"".join(b"\0" + page[i:i + 31] for page in pages for i in range(0, len(page), 31))
    if len(elements) > BLOB_BYTES:
        raise ValueError("too many pages")
    return elements + bytes(BLOB_BYTES - len(elements))


def pages_of_blob(data, count):
    """Reading ignores each high byte."""
    stripped = b"".join(data[i + 1:i + 32] for i in range(0, len(data), 32))
    return [stripped[992 * i:992 * i + 992] for i in range(count)]


def blob_keccak(pages):
    return keccak_uncached(blob(pages))
