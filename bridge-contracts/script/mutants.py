#!/usr/bin/env python3
"""Changes the contracts in small ways, one at a time: does a test notice?

    script/mutants.py --shard 1/20      the first of 20 parts of all changes
    script/mutants.py --only Openings   of files whose path has this in it
    script/mutants.py --numbers 38,49   these, as --list numbers them
    script/mutants.py --list            what there is, and nothing is run

Works in a copy. All changes of a part are compiled into the code at once (`mutations.py`), without the optimizer; then
each is switched on in the bytecode that Forge built, and the tests of its file run. A change that no test notices is
printed as SURVIVED; docs/mutants.md says of those we know why.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from copies import CODE_BYTES_MAX, WITHOUT_CODE, compiled, copy_to, nodes, range_of, read_sources, read_trees
from mutations import CONSTANT, CONSTANT_FILE, MAGIC, Finder, numbered, written

# Tests that look at a file: the first entry that fits. Gas is not asked for, the code is not the one that ships.
TESTS = {
    "src/PageExecutor.sol": "{Construction,executor/CaseFaults,executor/Contradictions,executor/Faults}",
    "src/executor/Openings.sol": "executor/{CaseFaults,Openings,PageOpenings}",
    "src/executor/Cases.sol": "executor/{CaseFaults,Contradictions}",
    "src/executor/": "executor/{Admissions,Corners,Envelopes,Faults,Pages,Reach,Rules,Strictness,Tree}",
    "src/Court.sol": "{CourtHeaders,CourtReceipts,Receipts}",
    "src/Evidence.sol": "{Evidence,Vectors}",
    "src/libraries/Masks.sol": "{Masks,executor/Openings}",
    "src/libraries/LogProof.sol": "{Evidence,Receipts,Vectors,executor/Openings}",
    "src/libraries/Receipts.sol": "{CourtReceipts,Receipts}",
    "src/libraries/": "{Construction,CourtHeaders,DataReference,Evidence,Orgs,Periods,Posting,Queue,Vectors}",
    "src/": "{Commitments,Construction,CourtReceipts,Evidence,Office,Orgs,Pauses,Periods,Posting,Punishments,Queue"
    ",Rollbacks,Vectors}",
}
# What judges pages comes first, then the Rollup.
ORDER = ["src/PageExecutor.sol", "src/executor/Openings.sol", "src/executor/Cases.sol", "src/executor/"]
ORDER += ["src/Court.sol", "src/libraries/", "src/base/", "src/"]
# A change may make a loop endless: it ends with the gas, or with this.
SECONDS_MAX = 300
# Tests that take less run together; a run of Forge takes this long for itself.
SECONDS_QUICK = 0.1
START_SECONDS = 0.15
# Forge prepares the precompile of point evaluations for four seconds when it is first asked. Where a test holds without
# that, constructors do not ask it: in blocks of this coinbase.
CHECK = "Precompiles.check();"
UNASKING = "0x000000000000000000000000000000000000A51E"
ENVIRONMENT = {
    "FORGE_SNAPSHOT_CHECK": "false",
    "FOUNDRY_FUZZ_RUNS": "8",
    "FOUNDRY_INVARIANT_RUNS": "2",
    "FOUNDRY_GAS_LIMIT": "2000000000",
}


def first_fit(path, keys):
    return next(key for key in keys if path.startswith(key))


def find():
    """A finder of every file, in order, and all trees."""
    sources = read_sources()
    trees = read_trees(sources)
    paths = [path for path in sources if not path.startswith(WITHOUT_CODE)]
    paths.sort(key=lambda path: (ORDER.index(first_fit(path, ORDER)), path))
    return [Finder(path, sources[path].encode(), trees[path]) for path in paths], trees


def clones_of(finders, trees, chosen):
    """Of each modifier that is to be left out somewhere, one that can be, behind the one it is like."""
    definitions = {}
    for path, tree in trees.items():
        definitions.update({node["id"]: (path, node) for node in nodes(tree, "ModifierDefinition")})
    clones = {}
    sources = {finder.path: finder for finder in finders}
    for finder in finders:
        for made, node in finder.modifiers:
            if made.number not in chosen:
                continue
            path, definition = definitions[node["modifierName"]["referencedDeclaration"]]
            name, body = definition["name"] + str(made.number), sources[path].text(definition["body"])
            text = f" modifier {name}() {{ if (MUTANT == {made.number}) {{ _; }} else {body} }}"
            clones.setdefault(path, []).append((range_of(definition)[1], text.encode()))
    return clones


def schema(finders, trees, chosen):
    """Sources with these changes in them, and the numbers of those that do not compile."""
    refused = set()
    while True:
        clones = clones_of(finders, trees, chosen - refused)
        sources = {}
        for finder in finders:
            if finder.path in clones or any(made.number in chosen for _, made in finder.mutants):
                sources[finder.path] = written(finder, chosen - refused, clones.get(finder.path, [])).decode()
        sources[CONSTANT_FILE] = CONSTANT
        whole = {**read_sources(), **sources}
        said = compiled(whole, {"*": {"*": ["abi"]}}).get("errors", [])
        errors = [error for error in said if error["severity"] == "error"]
        if not errors:
            return sources, refused
        for error in errors:
            place = error["sourceLocation"]
            text = whole[place["file"]].encode()[place["start"] : place["end"]].decode()
            found = re.search(r"MUTANT [!=]= (\d+)", text) or re.search(r"\w+?(\d+)", text)
            if not found or int(found.group(1)) not in chosen - refused:
                sys.exit(error["formattedMessage"])
            refused.add(int(found.group(1)))


class Workshop:
    """A copy in which Forge has built the changes of one shard, and the tests of one pattern."""

    def __init__(self, folder, pattern, sources):
        self.home = copy_to(folder, sources)
        # Without a filter Forge compiles nothing to find out what there is to run.
        kept = set()
        for one in patterns(pattern):
            kept |= set(self.home.glob(f"test/{one}.t.sol"))
        for path in (self.home / "test").rglob("*.t.sol"):
            if path not in kept:
                path.unlink()
        for path in (self.home / "src").rglob("*.sol"):
            text = path.read_text()
            path.write_text(text.replace(CHECK, f"if (block.coinbase != {UNASKING}) {CHECK}"))
        self.artifacts, self.groups = {}, []
        # Forge asks for the version each time, and the compiler takes longer for it than many tests.
        real = os.environ["FOUNDRY_SOLC"]
        version = subprocess.run([real, "--version"], capture_output=True, text=True, check=True).stdout
        self.solc = Path(folder) / "solc"
        said = f"printf %s {shlex.quote(version)}"
        text = f'#!/bin/sh\nif [ "$1" = --version ]; then {said}; else exec {shlex.quote(real)} "$@"; fi\n'
        self.solc.write_text(text)
        self.solc.chmod(0o755)

    def forge(self, *arguments, is_asking=True, seconds_max=None):
        command = ["forge", "test", CODE_BYTES_MAX, "--threads=1", *arguments]
        environment = {**os.environ, **ENVIRONMENT, "FOUNDRY_SOLC": str(self.solc)}
        if not is_asking:
            environment["FOUNDRY_BLOCK_COINBASE"] = UNASKING
        return subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=seconds_max
        )

    def read(self):
        """What Forge has built with a change in it."""
        magic = f"{MAGIC:064x}"
        built = {path: path.read_text() for path in (self.home / "out").rglob("*.json")}
        self.artifacts = {path: text for path, text in built.items() if magic in text}

    def switch(self, number):
        for path, text in self.artifacts.items():
            path.write_text(text.replace(f"{MAGIC:064x}", f"{number:064x}"))

    def begin(self):
        """Finds out how long each test takes. Those that fail without any change, since they ask for gas or size, are
        left out; their names."""
        built = self.forge("--list")
        self.read()
        if built.returncode != 0 or not self.artifacts:
            sys.exit(f"not built:\n{built.stdout[-1500:]}{built.stderr[-1500:]}")
        self.switch(0)
        passed, failed = self.tried(is_asking=False)
        groups = grouped(passed, is_asking=False)
        left_out = []
        if failed:
            passed, left_out = self.tried("--match-test", pattern_of(failed))
            groups += grouped(passed, is_asking=True)
        self.groups = groups
        return left_out

    def tried(self, *arguments, is_asking=True):
        """Tests that pass with the seconds they take, and those that fail."""
        seconds, failed = {}, set()
        for suite in json.loads(self.forge("--json", *arguments, is_asking=is_asking).stdout).values():
            for test, ran in suite["test_results"].items():
                name = test.partition("(")[0]
                if name == "setUp":
                    sys.exit(f"no setup without a change: {ran['reason']}")
                if ran["status"] != "Success":
                    failed.add(name)
                seconds[name] = seconds.get(name, 0) + seconds_of(ran["duration"])
        return {name: took for name, took in seconds.items() if name not in failed}, sorted(failed)

    def copy(self, folder):
        """Another one, built already."""
        other = object.__new__(Workshop)
        shutil.copytree(self.home.parent, folder)
        other.home = Path(folder) / "bridge-contracts"
        other.artifacts = {other.home / path.relative_to(self.home): text for path, text in self.artifacts.items()}
        other.groups, other.solc = self.groups, self.solc
        return other

    def judge(self, number):
        self.switch(number)
        # What has noticed most in the least time comes first.
        for group in sorted(self.groups, key=lambda group: group.seconds / (group.kills + 1)):
            try:
                chosen = ("--fail-fast", "--match-test", pattern_of(group.tests))
                ran = self.forge(*chosen, is_asking=group.is_asking, seconds_max=SECONDS_MAX)
            except subprocess.TimeoutExpired:
                said = "1 failed"
            else:
                said = ran.stdout + ran.stderr
            if re.search(r"[1-9]\d* failed|Failing tests", said):
                group.kills += 1
                return "killed"
            if "0 failed" not in said:
                return "not run: " + said[-200:]
        return "SURVIVED"


@dataclass
class Group:
    """Tests that run together, the seconds that takes, and how many changes they have noticed."""

    tests: list
    seconds: float
    is_asking: bool
    kills: int = 0


def grouped(seconds, is_asking):
    """Those that take long each for itself."""
    quick = [name for name, took in seconds.items() if took < SECONDS_QUICK]
    parts = [quick] if quick else []
    parts += [[name] for name in seconds if name not in quick]
    return [Group(part, START_SECONDS + sum(seconds[name] for name in part), is_asking) for part in parts]


def pattern_of(tests):
    return f"^({'|'.join(tests)})(\\(|$)"


def seconds_of(duration):
    """Of Forge's `7s 293ms 905µs 696ns`."""
    units = {"m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)(\D+?)(?: |$)", duration))


def patterns(pattern):
    """A pattern with one pair of braces, as the patterns that it stands for."""
    before, _, rest = pattern.partition("{")
    inner, _, behind = rest.partition("}")
    return [before + one + behind for one in inner.split(",")]


def run(finders, trees, mutants, pattern, jobs):
    """Builds these mutants, tries each; how many of which fate."""
    counts = {}
    sources, refused = schema(finders, trees, {made.number for made in mutants})
    with tempfile.TemporaryDirectory() as folder:
        first = Workshop(Path(folder) / "0", pattern, sources)
        left_out = first.begin()
        print(f"# {len(mutants)} changes, {pattern}, without {', '.join(left_out) or 'none'}", flush=True)
        free = Queue()
        free.put(first)
        for number in range(1, jobs):
            free.put(first.copy(Path(folder) / str(number)))

        def try_one(made):
            if made.number in refused:
                return made, "does not compile"
            workshop = free.get()
            try:
                return made, workshop.judge(made.number)
            finally:
                free.put(workshop)

        with ThreadPoolExecutor(jobs) as pool:
            for made, fate in pool.map(try_one, mutants):
                counts[fate] = counts.get(fate, 0) + 1
                print(f"{fate}: {made.file}:{made.line} #{made.number}: {made.was} -> {made.now}", flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--numbers", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    part, parts = map(int, given.shard.split("/"))
    finders, trees = find()
    mutants = [made for made in numbered(finders) if given.only in made.file]
    numbers = {int(number) for number in given.numbers.split(",") if number}
    mutants = [made for made in mutants if not numbers or made.number in numbers]
    mutants = mutants[len(mutants) * (part - 1) // parts : len(mutants) * part // parts]
    if given.list:
        for made in mutants:
            print(f"{made.file}:{made.line} #{made.number}: {made.was} -> {made.now}")
        return
    total = {}
    for pattern in dict.fromkeys(TESTS[first_fit(made.file, TESTS)] for made in mutants):
        chosen = [made for made in mutants if TESTS[first_fit(made.file, TESTS)] == pattern]
        # Where a modifier is left out its text is copied, and what is changed in the modifier is not in the copy.
        apart = {id(made) for finder in finders for made, _ in finder.modifiers}
        for part in ([it for it in chosen if id(it) not in apart], [it for it in chosen if id(it) in apart]):
            if not part:
                continue
            for fate, count in run(finders, trees, part, pattern, given.jobs).items():
                total[fate] = total.get(fate, 0) + count
    print(f"# {len(mutants)} changes: " + ", ".join(f"{count} {fate}" for fate, count in sorted(total.items())))


if __name__ == "__main__":
    main()
