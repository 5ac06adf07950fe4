"""Keccak-256 with the original padding (spec §1.2), in pure Python.

The permutation is one function whose round is unrolled: its source is generated below, from the rotation offsets and
the order of the lanes, so that 25 lanes are 25 local variables. A block takes half a millisecond on a slow core.
`keccak` remembers its last answers, since the full tree and a witness's walk hash the same nodes; `keccak_many` puts
one lane of hundreds of messages into each variable, for the millions of hashes of a period (§11.2).
"""

import struct
from functools import lru_cache

RATE = 136


def _round_constants():
    """The 24 iota constants, from the linear feedback shift register of FIPS 202 §3.2.5."""
    constants, r = [], 1
    for _ in range(24):
        value = 0
        for j in range(7):
            if r & 1:
                value |= 1 << ((1 << j) - 1)
            r <<= 1
            if r & 0x100:
                r ^= 0x171
        constants.append(value)
    return tuple(constants)


def _rotations():
    """Rho's offset of lane x + 5y."""
    offsets, x, y = [0] * 25, 1, 0
    for t in range(24):
        offsets[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def _permutation(n):
    """Compile keccak-f[1600] over n states at once: 25 integers in, 25 out, each with one lane of every state."""
    offsets = _rotations()
    ones = sum(1 << 64 * i for i in range(n))
    scope = {"CONSTANTS": [constant * ones for constant in _round_constants()]}
    lanes = ", ".join(f"a{i}" for i in range(25))
    lines = ["def permute(state):", f"    {lanes} = state", "    for constant in CONSTANTS:"]

    def put(line):
        lines.append("        " + line)

    def rotated(name, r):
        scope[f"LOW{r}"], scope[f"HIGH{r}"] = ((1 << 64 - r) - 1) * ones, ((1 << r) - 1) * ones
        crossing = "" if n == 1 else f" & HIGH{r}"  # bits of the next state's lane
        return f"(({name} & LOW{r}) << {r} | {name} >> {64 - r}{crossing})"

    for x in range(5):
        put(f"c{x} = " + " ^ ".join(f"a{x + 5 * y}" for y in range(5)))
    for x in range(5):
        put(f"d{x} = c{(x + 4) % 5} ^ " + rotated(f"c{(x + 1) % 5}", 1))
    for x in range(5):
        for y in range(5):
            put(f"t = a{x + 5 * y} ^ d{x}")
            put(f"b{y + 5 * ((2 * x + 3 * y) % 5)} = " + rotated("t", offsets[x + 5 * y]))
    for y in range(0, 25, 5):
        for x in range(5):
            b, c = f"b{y + (x + 1) % 5}", f"b{y + (x + 2) % 5}"
            put(f"a{y + x} = b{y + x} ^ (({b} | {c}) ^ {b})")  # ¬b ∧ c, without negative numbers
    put("a0 ^= constant")
    lines.append(f"    return {lanes}")
    exec("\n".join(lines), scope)  # the text above and nothing else
    return scope["permute"]


_permute = _permutation(1)
_block = struct.Struct("<17Q")
_ZEROS = (0,) * 25


def keccak_uncached(data, padding=0x01):
    """Keccak-256 of bytes of any length. (With padding 0x06 it would be SHA3-256.)"""
    padded = bytearray(data)
    padded += bytes(RATE - len(data) % RATE)
    padded[len(data)] ^= padding
    padded[-1] ^= 0x80
    state = _ZEROS
    for at in range(0, len(padded), RATE):
        words = _block.unpack_from(padded, at)
        state = _permute(tuple(a ^ w for a, w in zip(state, words)) + state[17:])
    return struct.pack("<4Q", *state[:4])


@lru_cache(maxsize=1 << 17)
def keccak(data):
    """Keccak-256, remembered."""
    return keccak_uncached(data)


def node(left, right):
    """An inner node of every tree (§1.6, tag 01)."""
    return keccak(b"\x01" + left + right)


def leaf(data):
    """A leaf: a state row, a log entry, a page of calldata (§1.6, tag 00)."""
    return keccak(b"\x00" + data)


MANY = 256
_permute_many = lru_cache(None)(_permutation)


def keccak_many(messages):
    """Keccak-256 of many messages of one length under 136 bytes, some hundreds at once: thirty times as fast."""
    answers = []
    for at in range(0, len(messages), MANY):
        group = messages[at:at + MANY]
        n = len(group)
        padding = bytearray(RATE - len(group[0]))
        padding[0] ^= 0x01
        padding[-1] ^= 0x80
        words = struct.unpack(f"<{17 * n}Q", b"".join(message + padding for message in group))
        state = [int.from_bytes(struct.pack(f"<{n}Q", *words[lane::17]), "little") for lane in range(17)]
        state = _permute_many(n)(state + [0] * 8)
        columns = [struct.unpack(f"<{n}Q", lane.to_bytes(8 * n, "little")) for lane in state[:4]]
        answers += [struct.pack("<4Q", *row) for row in zip(*columns)]
    return answers
