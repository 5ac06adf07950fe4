"""The state (spec §5): a full one with its tree, one behind a witness (§9.5), and `Work`, the changes that a page or an
envelope makes to either before they are kept.

A backend has `get(table, number)` -> row bytes or None, and `predecessor(work, key)` -> (number, row), §5.4.
"""

from copy import copy

import log
import rows
from keccak import keccak
from tree import BadWitness, SparseTree, Witness
from units import CONSENTS, META, ORGS, PATIENTS, PRINCIPALS


class Work:
    """Rows as they are now: the backend's, with changes laid over them. Decoded rows are copies; `put` keeps them."""

    def __init__(self, backend):
        self.backend, self.changes = backend, {}
        self.meta = rows.decode(META, backend.get(META, 0))
        self.frontier = None  # read when the first event comes
        self.entries = []

    def copy(self):
        other = copy(self)
        other.changes, other.meta, other.entries = dict(self.changes), copy(self.meta), list(self.entries)
        return other

    def count(self, table):
        return getattr(self.meta, rows.COUNTS[table])

    def get(self, table, number):
        key = table, number
        return self.changes[key] if key in self.changes else self.backend.get(table, number)

    def row(self, table, number):
        data = self.get(table, number)
        if data is None:
            raise LookupError(f"row {number} of table {table} is absent")
        return rows.decode(table, data)

    def put(self, table, number, row):
        self.backend.get(table, number)  # a witness that lacks the row cannot give the new root
        self.changes[table, number] = rows.encode(table, row)

    def add(self, table, row):
        """A new row at the table's count, which rises; gives its number."""
        number = self.count(table)
        self.put(table, number, row)
        setattr(self.meta, rows.COUNTS[table], number + 1)
        return number

    def predecessor(self, key):
        return self.backend.predecessor(self, key)

    def append(self, entry):
        """The entry into the log; gives its leaf."""
        if self.frontier is None:
            self.frontier = rows.decode_frontier(self.backend.get(META, 1))
        leaf = log.leaf(entry)
        self.frontier = log.append(self.frontier, self.meta.next_sequence, leaf)
        self.meta.next_sequence += 1
        self.entries.append(entry)
        return leaf

    def finish(self):
        """Bring up meta; gives all changes."""
        if self.frontier is not None:
            self.meta.log_root = log.frontier_root(self.frontier)
            self.backend.get(META, 1)
            self.changes[META, 1] = b"".join(self.frontier)
        self.changes[META, 0] = rows.encode(META, self.meta)
        return self.changes


class FullState:
    def __init__(self, state_rows):
        self.rows = {key: data for key, data in state_rows.items() if data is not None}
        self.tree = SparseTree()
        self.tree.update(self.rows)

    @classmethod
    def genesis(cls):
        """§5.3."""
        meta = rows.new(META, orgs=1, principals=1, patients=1, consents=1, log_root=keccak(b""))
        return cls({(META, 0): rows.encode(META, meta), (PATIENTS, 0): rows.PATIENT_SENTINEL})

    @property
    def root(self):
        return self.tree.root

    def copy(self):
        other = copy(self)
        other.rows, other.tree = dict(self.rows), self.tree.copy()
        return other

    def get(self, table, number):
        return self.rows.get((table, number))

    def predecessor(self, work, key):
        numbers = {n for t, n in (*self.rows, *work.changes) if t == PATIENTS}
        for number in numbers:
            row = work.row(PATIENTS, number)
            if rows.is_predecessor(number, row, key):
                return number, row
        raise LookupError("no predecessor")

    def keep(self, changes):
        """Take the changes; gives the new root."""
        self.rows.update(changes)
        return self.tree.update(changes)


class WitnessState:
    """§9.5: what a witness shows. A row that it lacks and a hint that is wrong are BadWitness."""

    def __init__(self, data):
        self.witness = Witness(data)
        self.root = self.witness.root_before
        self.hints = list(self.witness.hints)

    def get(self, table, number):
        if (table, number) not in self.witness.rows:
            raise BadWitness(f"lacks row {number} of table {table}")
        return self.witness.rows[table, number]

    def predecessor(self, work, key):
        if not self.hints:
            raise BadWitness("too few hints")
        number = self.hints.pop(0)
        data = work.get(PATIENTS, number)
        if data is None:
            raise BadWitness("a hint to an absent row")
        row = rows.decode(PATIENTS, data)
        if not rows.is_predecessor(number, row, key):
            raise BadWitness("a hint that is not the predecessor")
        return number, row

    def finish(self):
        if self.hints:
            raise BadWitness("hints left over")

    def keep(self, changes):
        self.root = self.witness.root(changes)
        return self.root


TABLES = {"orgs": ORGS, "principals": PRINCIPALS, "patients": PATIENTS, "consents": CONSENTS}
