#!/usr/bin/env python3
"""Writes artifacts/ from what Forge built, or with --check says whether they are what the sources give.

The artifacts are committed: Rust bindings are made from them, so that `cargo build` needs neither Forge nor npm.
"""

import json
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
CONTRACTS = ["Court", "Evidence", "PageExecutor", "Rollup"]
# EIP-170 and EIP-3860.
CODE_BYTES_MAX = 24_576
INITCODE_BYTES_MAX = 49_152


def artifact(name):
    """ABI, creation code and the size of the code, one entry of the ABI a line."""
    built = json.loads((HOME / "out" / f"{name}.sol" / f"{name}.json").read_text())
    creation, deployed = built["bytecode"]["object"], built["deployedBytecode"]["object"]
    size, initcode_size = len(deployed) // 2 - 1, len(creation) // 2 - 1
    if size > CODE_BYTES_MAX or initcode_size > INITCODE_BYTES_MAX:
        sys.exit(f"{name}: {size} bytes of code, {initcode_size} of initcode: too many")
    entries = ",\n".join("    " + json.dumps(entry) for entry in built["abi"])
    return (
        "{\n"
        f'  "contractName": "{name}",\n'
        f'  "codeBytes": {size},\n'
        f'  "abi": [\n{entries}\n  ],\n'
        f'  "bytecode": "{creation}"\n'
        "}\n"
    )


def main():
    stale = []
    for name in CONTRACTS:
        path = HOME / "artifacts" / f"{name}.json"
        text = artifact(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"not what the sources give: {', '.join(stale)}; run: make contracts")


if __name__ == "__main__":
    main()
