"""Reads the golden vectors (spec §14): JSON to bytes and numbers, and counts what holds."""

import traceback
from pathlib import Path

import state as states
import units

def num(value):
    """A JSON number, or hex."""
    return int(value, 16) if isinstance(value, str) else value


def raw(text):
    """Bytes of a hex string."""
    assert isinstance(text, str) and (text == "" or text.startswith("0x")), f"no hex: {text!r}"
    return bytes.fromhex(text[2:])


def shown(value):
    if isinstance(value, (bytes, bytearray)):
        return "0x" + value.hex()
    if isinstance(value, (list, tuple)):
        return [shown(one) for one in value]
    if isinstance(value, dict):
        return {key: shown(one) for key, one in value.items()}
    return value


def chain_of(data):
    return num(data["chain"]["chain_id"]), raw(data["chain"]["contract"])


def state_rows(data):
    """A `state` of §14 as {(table, number): bytes}."""
    found = {(units.META, 0): raw(data["meta"])}
    if raw(data["frontier"]):
        found[units.META, 1] = raw(data["frontier"])
    for name, table in states.TABLES.items():
        for number, text in enumerate(data[name]):
            if raw(text):
                found[table, number] = raw(text)
    return found


def cases_of(data):
    """The list of cases: the file itself, or the member that is a list of objects."""
    if isinstance(data, list):
        return data
    lists = [value for value in data.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    assert len(lists) == 1, f"no single list of cases among {list(data)}"
    return lists[0]


class Checker:
    """Counts cases; a case fails once however many of its parts differ."""

    def __init__(self):
        self.passed = self.failed = 0
        self.file, self.name, self.good = "", "", True

    def say(self, text):
        self.good = False
        print(f"{self.file} {self.name}: {text}")

    def same(self, what, expected, actual):
        expected, actual = shown(expected), shown(actual)
        if expected != actual:
            self.say(f"{what}: expected {expected}, actual {actual}")

    def case(self, name):
        self.name, self.good = name, True
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, fault, trace):
        if fault is not None and isinstance(fault, Exception):
            where = traceback.extract_tb(trace)[-1]
            self.say(f"{kind.__name__}: {fault} ({Path(where.filename).name}:{where.lineno})")
        if self.good:
            self.passed += 1
        else:
            self.failed += 1
        return isinstance(fault, Exception)
