"""The state's sparse tree (spec §5.1) and the walk over a witness's multiproof (§9.4).

`SparseTree` keeps every node that is not an empty subtree, so that a change rehashes the touched paths alone.
`Witness` decodes strictly; `root` walks the stack over the rows as they were, or over new rows.
"""

import rows
from keccak import leaf, node

DEPTH = 35
EMPTY = [bytes(32)]
for _height in range(DEPTH):
    EMPTY.append(node(EMPTY[-1], EMPTY[-1]))


def index_of(table, number):
    return (table << 32) + number


def row_leaf(data):
    """A row's leaf; an absent row (None) is 32 zero bytes."""
    return bytes(32) if data is None else leaf(data)


class SparseTree:
    def __init__(self):
        self.levels = [{} for _ in range(DEPTH + 1)]

    @property
    def root(self):
        return self.levels[DEPTH].get(0, EMPTY[DEPTH])

    def update(self, changes):
        """Set leaves: {(table, number): row bytes or None}; gives the root."""
        touched = set()
        for (table, number), data in changes.items():
            index = index_of(table, number)
            self.levels[0][index] = row_leaf(data)
            touched.add(index)
        for height in range(DEPTH):
            level, above, empty = self.levels[height], self.levels[height + 1], EMPTY[height]
            touched = {index >> 1 for index in touched}
            for index in touched:
                above[index] = node(level.get(2 * index, empty), level.get(2 * index + 1, empty))
        return self.root

    def copy(self):
        other = SparseTree()
        other.levels = [dict(level) for level in self.levels]
        return other

    def witness(self, state_rows, keys, hints=()):
        """Encode a witness of the given (table, number)s, in §9.4's bytes; for tests of this code itself."""
        keys = sorted(keys)
        indices = [index_of(*key) for key in keys]
        out, siblings = bytes([len(keys)]), []
        for i, key in enumerate(keys):
            flags, top = 0, DEPTH if i + 1 == len(keys) else (indices[i] ^ indices[i + 1]).bit_length() - 1
            for t in range(top):
                left = any(other >> t == (indices[i] >> t) ^ 1 for other in indices[:i])
                sibling = self.levels[t].get((indices[i] >> t) ^ 1, EMPTY[t])
                if not left and sibling != EMPTY[t]:
                    flags |= 1 << t
                    siblings.append(sibling)
            data = state_rows.get(key) or b""
            out += bytes([key[0]]) + key[1].to_bytes(4, "big") + flags.to_bytes(5, "big")
            out += len(data).to_bytes(2, "big") + data
        out += bytes([len(hints)]) + b"".join(hint.to_bytes(4, "big") for hint in hints)
        return out + len(siblings).to_bytes(2, "big") + b"".join(siblings)


class BadWitness(Exception):
    """Malformed (§9.4), or an error of §9.5."""


class Witness:
    """§9.4: decoded; malformed ones raise BadWitness here already."""

    def __init__(self, data):
        self._data, self._at = data, 0
        self.keys, self.flags, self.rows = [], [], {}
        count = self._u(1)
        if count == 0:
            raise BadWitness("no rows")
        for _ in range(count):
            key = self._u(1), self._u(4)
            self.flags.append(self._u(5))
            length = self._u(2)
            row = self._bytes(length) if length else None
            if key[0] > 4:
                raise BadWitness(f"table {key[0]}")
            if self.keys and key <= self.keys[-1]:
                raise BadWitness("rows do not ascend")
            if row is not None:
                try:
                    meta = self.rows.get((0, 0))
                    rows.check(*key, row, meta and rows.decode(0, meta).next_sequence)
                except rows.BadRow as fault:
                    raise BadWitness(f"row {key}: {fault}") from None
            self.keys.append(key)
            self.rows[key] = row
        self.hints = [self._u(4) for _ in range(self._u(1))]
        self.siblings = [self._bytes(32) for _ in range(self._u(2))]
        if self._at != len(data):
            raise BadWitness("bytes left over")
        self.root_before = self.root()

    def _bytes(self, n):
        if self._at + n > len(self._data):
            raise BadWitness("truncated")
        self._at += n
        return self._data[self._at - n:self._at]

    def _u(self, n):
        return int.from_bytes(self._bytes(n), "big")

    def root(self, changes=None):
        """The root over the rows as they were, with `changes` ({key: bytes or None}) laid over them."""
        state_rows = {**self.rows, **(changes or {})}
        indices = [index_of(*key) for key in self.keys]
        stack, used = [], 0
        for i, (key, index, flags) in enumerate(zip(self.keys, indices, self.flags)):
            top = DEPTH if i + 1 == len(indices) else (index ^ indices[i + 1]).bit_length() - 1
            if flags >> top:
                raise BadWitness("flags at or above the meeting")
            current = row_leaf(state_rows[key])
            for t in range(top):
                flag = flags >> t & 1
                if stack and stack[-1][0] == t:
                    if flag:
                        raise BadWitness("a flag where a node waits")
                    current = node(stack.pop()[1], current)
                    continue
                sibling = EMPTY[t]
                if flag:
                    if used == len(self.siblings):
                        raise BadWitness("too few siblings")
                    sibling = self.siblings[used]
                    used += 1
                current = node(sibling, current) if index >> t & 1 else node(current, sibling)
            stack.append((top, current))
        if used != len(self.siblings) or len(stack) != 1:
            raise BadWitness("siblings left over")
        return stack[0][1]
