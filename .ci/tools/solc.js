#!/usr/bin/env node
// Lets Forge take the compiler of the npm package for the native one: it answers `--version` in solc's two lines, and
// reads standard JSON from stdin whatever other arguments come (Forge also gives --allow-paths, which needs no answer:
// every source is in the JSON). The package's own solcjs adds a line of its own to the JSON and cuts long output off.
"use strict";
const solc = require("solc");

if (process.argv.includes("--version")) {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else {
    process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
}
