"""A copy of the contracts, changed and compiled without the optimizer, for scripts that look at the tests.

Never the checkout itself. What tests ask of gas and of the size of code does not hold there.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
# Nothing but declarations.
WITHOUT_CODE = ("src/interfaces/", "src/types/")
# As `forge coverage --ir-minimum`: nothing is optimized, and no stack is too deep.
PLAIN = """via_ir = true
optimizer = false
optimizer_details = { yul = true, yulDetails = { stackAllocation = true, optimizerSteps = "" } }
"""
CODE_BYTES_MAX = "--code-size-limit=10000000"


def read_sources():
    """Text of each file below src/, by its path from here."""
    return {str(path.relative_to(HOME)): path.read_text() for path in sorted((HOME / "src").rglob("*.sol"))}


def compiled(sources, selection):
    """The compiler's answer about these sources."""
    settings = {"evmVersion": "osaka", "viaIR": True, "outputSelection": selection}
    given = {"language": "Solidity", "sources": {path: {"content": text} for path, text in sources.items()}}
    solc = [os.environ["FOUNDRY_SOLC"], "--standard-json"]
    asked = json.dumps({**given, "settings": settings})
    return json.loads(subprocess.run(solc, input=asked, capture_output=True, text=True, check=True).stdout)


def read_trees(sources):
    """The compiler's syntax tree of each file."""
    answer = compiled(sources, {"*": {"": ["ast"]}})
    return {path: answer["sources"][path]["ast"] for path in sources}


def nodes(tree, *kinds):
    """All nodes of these kinds in a tree, a node before what is below it."""
    if isinstance(tree, list):
        for each in tree:
            yield from nodes(each, *kinds)
    elif isinstance(tree, dict):
        if tree.get("nodeType") in kinds:
            yield tree
        for each in tree.values():
            yield from nodes(each, *kinds)


def range_of(node):
    """First byte of a node in its file, and the byte behind its last."""
    start, length, _ = map(int, node["src"].split(":"))
    return start, start + length


def copy_to(folder, sources):
    """Copies the contracts and what their tests read, with these sources in the place of their own."""
    home = Path(folder) / "bridge-contracts"
    shutil.copytree(HOME, home, ignore=shutil.ignore_patterns("out", "cache"))
    shutil.copytree(HOME.parent / "core" / "vectors", Path(folder) / "core" / "vectors")
    for path, text in sources.items():
        (home / path).write_text(text)
    settings = (home / "foundry.toml").read_text()
    settings = re.sub(r"^(via_ir|optimizer|deny) = .*\n", "", settings, flags=re.M)
    (home / "foundry.toml").write_text(settings.replace("optimizer_runs = 200\n", PLAIN))
    return home
