#!/usr/bin/env python3
"""Which lines of the contracts do the tests run? A table; fails where PageExecutor or Openings stay below 98 in 100.

Compiled over Yul, assembly has no places in Forge's maps, and a call without arguments has none either. So a copy of
the sources is marked: before each statement stands an instruction that does nothing, with a number that no program has,
and on each side of a condition. Forge counts instructions (`--report bytecode`), and the numbers say where they stood.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

from copies import WITHOUT_CODE, copy_to, nodes, range_of, read_sources, read_trees

PERCENT_MIN = 98
REQUIRED = ("src/PageExecutor.sol", "src/executor/Openings.sol")
MARK = "C4A77011C0DEFACEB00CAB1EDECAFBADF00DFEEDD15EA5ED0B5E55ED"
STATEMENTS = {
    "Break",
    "Continue",
    "EmitStatement",
    "ExpressionStatement",
    "ForStatement",
    "IfStatement",
    "Return",
    "VariableDeclarationStatement",
    "WhileStatement",
}
YUL_STATEMENTS = {
    "YulAssignment",
    "YulBreak",
    "YulExpressionStatement",
    "YulForLoop",
    "YulIf",
    "YulSwitch",
    "YulVariableDeclaration",
}
# Of test/utils/Deploy.sol, and what is written before and below it.
PLAINLY = "        bytes memory code = creation(name, arguments);\n"
PLACED = """        if (arguments.length <= 32) {
            account = address(uint160(uint256(keccak256(bytes(name)))));
            bytes memory placed = ICodes(address(vm)).getDeployedCode(string.concat(name, ".sol:", name));
            // An immutable is a zero that is pushed as a word.
            for (uint256 i = 32; arguments.length > 0 && i + 33 < placed.length; i++) {
                assembly {
                    let at := add(placed, i)
                    if and(eq(byte(31, mload(at)), 0x7f), iszero(mload(add(at, 32)))) {
                        mstore(add(at, 32), mload(add(arguments, 32)))
                    }
                }
            }
            vm.etch(account, placed);
            return account;
        }
"""
CODES = """
interface ICodes {
    function getDeployedCode(string calldata artifact) external view returns (bytes memory);
}
"""
# What a copy without the optimizer cannot hold.
LEFT_OUT = "the_code_fits|test_costs"


class Marker:
    """Writes marks into one file. `marks` are places of all files: (file, line, what)."""

    def __init__(self, path, source, tree, marks):
        self.path, self.source, self.marks = path, source.encode(), marks
        self.inserts = []
        for node in nodes(tree, "FunctionDefinition", "ModifierDefinition"):
            if node.get("body"):
                self.visit(node["body"])
        self.text = self.written()

    def mark(self, node, what, is_yul=False):
        """The text that marks a place."""
        line = self.source.count(b"\n", 0, range_of(node)[0]) + 1
        self.marks.append((self.path, line, what))
        # No byte is copied: nothing happens, but the compiler keeps it.
        text = f"calldatacopy(0, 0x{MARK}{len(self.marks):08x}, 0)"
        return text if is_yul else f'assembly ("memory-safe") {{ {text} }}'

    def insert(self, place, text):
        self.inserts.append((place, len(self.inserts), text))

    def end_of(self, node):
        """Behind a statement's semicolon, which the tree leaves out."""
        end = range_of(node)[1]
        return end + 1 if self.source[end : end + 1] == b";" else end

    def visit(self, node):
        """Marks statements, and both sides of conditions."""
        if isinstance(node, list):
            for each in node:
                self.visit(each)
            return
        kind = node["nodeType"]
        if kind in ("Block", "UncheckedBlock"):
            self.visit(node["statements"])
            return
        if kind in STATEMENTS:
            self.insert(range_of(node)[0], self.mark(node, "line") + " ")
        if kind == "IfStatement":
            self.visit_side(node["trueBody"], node)
            if node.get("falseBody"):
                self.visit_side(node["falseBody"], node)
            else:
                self.insert(self.end_of(node["trueBody"]), f" else {{ {self.mark(node, 'branch')} }}")
        elif kind in ("ForStatement", "WhileStatement"):
            self.visit_side(node["body"], node)
        elif kind == "InlineAssembly":
            self.visit_yul(node["AST"])
        elif kind == "ExpressionStatement" and node["expression"].get("expression", {}).get("name") == "require":
            start, end = range_of(node["expression"]["arguments"][0])
            condition = self.source[start:end].decode()
            self.insert(range_of(node)[0], f"if (!({condition})) {{ {self.mark(node, 'branch')} }} ")

    def visit_side(self, body, node):
        """What is done on one side of a condition, or in a loop, with braces or without."""
        start = range_of(body)[0]
        if body["nodeType"] == "Block":
            self.insert(start + 1, " " + self.mark(node, "branch"))
            self.visit(body)
        else:
            self.insert(start, "{ " + self.mark(node, "branch") + " ")
            self.visit(body)
            self.insert(self.end_of(body), " }")

    def visit_yul(self, node):
        """Marks statements of assembly, and both sides of its conditions."""
        if isinstance(node, list):
            for each in node:
                self.visit_yul(each)
            return
        kind = node["nodeType"]
        if kind == "YulBlock":
            self.visit_yul(node["statements"])
            return
        if kind in YUL_STATEMENTS:
            self.insert(range_of(node)[0], self.mark(node, "line", True) + " ")
        if kind == "YulIf":
            start, end = range_of(node["condition"])
            condition = self.source[start:end].decode()
            self.insert(range_of(node)[0], f"if iszero({condition}) {{ {self.mark(node, 'branch', True)} }} ")
            self.insert(range_of(node["body"])[0] + 1, " " + self.mark(node, "branch", True))
            self.visit_yul(node["body"])
        elif kind == "YulForLoop":
            self.visit_yul(node["body"])
        elif kind == "YulSwitch":
            for case in node["cases"]:
                self.insert(range_of(case["body"])[0] + 1, " " + self.mark(case, "branch", True))
                self.visit_yul(case["body"])

    def written(self):
        text, last = b"", 0
        for place, _, inserted in sorted(self.inserts):
            text += self.source[last:place] + inserted.encode()
            last = place
        return (text + self.source[last:]).decode()


def hide_creation(home):
    """Has tests place the code of contracts, and not make them: all but the Rollup, whose constructor does much.

    Forge counts what ran while a contract was made and later as if they were one code (`beginning_of`).
    """
    path = home / "test" / "utils" / "Deploy.sol"
    text = path.read_text()
    if text.count(PLAINLY) != 1:
        sys.exit(f"{path.name} makes contracts in another way")
    path.write_text(text.replace(PLAINLY, PLACED + PLAINLY) + CODES)


def run(home, pattern):
    """Runs the tests once. Some fail, of gas: what is asked here is where they come by."""
    command = ["forge", "coverage", "--ir-minimum", "--report=bytecode"]
    command += [f"--match-path={pattern}", f"--no-match-test={LEFT_OUT}"]
    environment = {"FOUNDRY_FUZZ_RUNS": "32", "FOUNDRY_INVARIANT_RUNS": "4", "FORGE_SNAPSHOT_CHECK": "false"}
    ran = subprocess.run(command, cwd=home, env={**os.environ, **environment}, capture_output=True, text=True)
    if not (home / "bytecode-coverage").exists():
        sys.exit(ran.stdout[-5000:] + ran.stderr[-5000:])
    print("\n".join(re.findall(r"^(?:Ran \d+ test suites.*|\[FAIL.*)$", ran.stdout.split("Failing tests")[0], re.M)))


def hits_of(home):
    """How often each mark was passed, of those that stand in some contract's code."""
    counts = {}
    for path in (home / "bytecode-coverage").glob("*.asm"):
        found = re.findall(r"^\s*(?:\[(\d+)\])?\s*([0-9a-f]{8}): (\w+(?: 0x[0-9a-f]+)?)", path.read_text(), re.M)
        code = {int(place, 16): (int(hits or 0), name) for hits, place, name in found}
        begins = beginning_of(code)
        for place, (hits, name) in code.items():
            if not name.startswith(f"PUSH32 0x{MARK.lower()}"):
                continue
            if place >= begins > 0:
                # Counted where it runs; what is listed there is something else, and may begin a byte before or after.
                runs = place - begins
                known = [code[near][0] for near in (runs - 1, runs, runs + 33, runs + 34, runs + 35) if near in code]
                if not known:
                    continue
                hits = max(known)
            number = int(name[-8:], 16)
            counts[number] = counts.get(number, 0) + hits
    return counts


def beginning_of(code):
    """Where the code that runs begins in what is listed: not at 0 if that is the code which makes the contract.

    Forge counts both as one, place by place, and lists either.
    """
    places = list(code)
    for before, first, second in zip(places, places[1:], places[2:]):
        if code[before][1] == "INVALID" and (code[first][1], code[second][1]) == ("PUSH1 0x80", "PUSH1 0x40"):
            return first
    return 0


def report(marks, counts):
    """Prints the table; whether it is enough. A line is reached if all statements that begin on it are."""
    places = {}
    for number, (path, line, what) in enumerate(marks, 1):
        # Constructors, and what only they call, are in no contract's code; nor is what the compiler left out.
        if number in counts:
            key = line if what == "line" else number
            places.setdefault((path, what), {}).setdefault(key, []).append(counts[number] > 0)
    is_enough = True
    for path in dict.fromkeys(path for path, _, _ in marks):
        cells = []
        for what in ("line", "branch"):
            found = places.get((path, what), {})
            reached = sum(all(hits) for hits in found.values())
            cells.append(f"{reached:4}/{len(found):<4} {100 * reached / len(found):6.2f} %" if found else " " * 18)
            if what == "line" and path in REQUIRED and 100 * reached < PERCENT_MIN * max(1, len(found)):
                is_enough = False
        print(f"{path:34} lines {cells[0]}  branches {cells[1]}")
    for (path, what), found in places.items():
        missed = [key if what == "line" else marks[key - 1][1] for key, hits in found.items() if not all(hits)]
        if missed:
            print(f"not reached: {path}, {what}: {', '.join(map(str, sorted(missed)))}")
    made = {}
    for number, (path, line, what) in enumerate(marks, 1):
        if what == "line" and number not in counts:
            made.setdefault(path, []).append(line)
    for path, lines in made.items():
        print(f"in no code that was listed, not counted: {path}: {', '.join(map(str, lines))}")
    return is_enough


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--match-path", default="test/**", help="run these tests only")
    given = parser.parse_args()
    sources = read_sources()
    marks, marked = [], {}
    for path, tree in read_trees(sources).items():
        if not path.startswith(WITHOUT_CODE):
            marked[path] = Marker(path, sources[path], tree, marks).text
    with tempfile.TemporaryDirectory() as folder:
        home = copy_to(folder, marked)
        hide_creation(home)
        run(home, given.match_path)
        counts = hits_of(home)
    if not report(marks, counts):
        sys.exit(f"below {PERCENT_MIN} in 100 of the lines of {' or '.join(REQUIRED)}")


if __name__ == "__main__":
    main()
