# Chartroll: `make` lists what there is. Everything is built in the release profile, tests and demo included, so that
# dependencies are compiled once; Cargo.lock is never changed on the way (`--locked`).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO_FLAGS := --release --locked
HOST := x86_64-unknown-linux-gnu
# Where what is built lies.
RELEASE := $(or $(CARGO_TARGET_DIR),target)/release
# The features of dependencies follow from what is built together. So that nothing is compiled twice, everything is
# built as the tests need it: of the whole workspace, and with a test.
BINARIES := cargo build $(CARGO_FLAGS) --workspace --bins --test tidy
# Where `.ci/setup foundry geth s3` puts Forge, Anvil, Cast and solc, geth, and an S3 server.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/chartroll/tools
export PATH := $(TOOLS)/bin:$(TOOLS)/go:$(PATH)
FORGE := cd bridge-contracts && FOUNDRY_SOLC="$(TOOLS)/bin/solc"
# How long `make fuzz` looks at each target.
SECONDS ?= 600

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

.PHONY: setup
setup: ## install what is missing to build and test
	@.ci/setup cargo-deny foundry geth s3

.PHONY: toolchain
toolchain:
	@.ci/setup

.PHONY: binaries
binaries: toolchain
	$(BINARIES)

.PHONY: build
build: toolchain ## compile everything
	cargo build $(CARGO_FLAGS) --workspace --all-targets

.PHONY: demo
demo: binaries ## watch the whole chain at work: L1, contract, sequencer, verifier, three hospitals, a patient
	@.ci/setup foundry
	$(RELEASE)/demo

# What `make fraud` plays: a mode of docs/convictions.md, or all of them. DATA=calldata puts pages there, L1=geth plays
# on geth.
MODE ?= all
ONCE ?=
DATA ?=
L1 ?=

.PHONY: fraud
fraud: binaries ## watch a sequencer cheat, and what comes of it (MODE=all ONCE=1: every way once, with a table)
	@.ci/setup foundry $(filter geth,$(L1))
	MODE='$(MODE)' ONCE='$(ONCE)' DATA='$(DATA)' L1='$(L1)' $(RELEASE)/fraud

.PHONY: test
test: setup fmt deny lint-and-contracts unit vectors-check contracts-test ## everything that must hold before a change is taken

.PHONY: fmt
fmt: ## check the formatting
	cargo fmt --all --check

.PHONY: lint
lint: ## clippy, warnings are errors
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings

# The Solidity compiler has one thread for its minutes: beside clippy they cost nothing. What it says is said again by
# `contracts-test`, which finds it done.
.PHONY: lint-and-contracts
lint-and-contracts:
	@.ci/setup foundry
	($(FORGE) forge build --quiet) & forge=$$!; lint=0; \
	    $(MAKE) --no-print-directory lint || lint=$$?; wait $$forge && exit $$lint

# A test of the chain waits for blocks most of the time: more run at once than there are cores.
.PHONY: unit
unit: ## the Rust tests
	@.ci/setup foundry geth s3
	$(BINARIES)
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} cargo test $(CARGO_FLAGS) --workspace --no-fail-fast

.PHONY: vectors-check
vectors-check: ## the golden vectors, read by the second implementation (Python)
	python3 tests/spec/check_vectors.py

.PHONY: vectors
vectors: binaries ## write the golden vectors anew, and check them
	$(RELEASE)/vectors
	python3 tests/spec/check_vectors.py

.PHONY: contracts
contracts: ## build the contracts, write their artifacts and gas snapshots
	@.ci/setup foundry
	$(FORGE) forge build --skip test
	bridge-contracts/script/artifacts.py
	$(FORGE) FORGE_SNAPSHOT_CHECK=false FORGE_SNAPSHOT_EMIT=true forge test --match-contract GasTest

.PHONY: contracts-test
contracts-test: ## the contracts: formatting, tests, gas, and whether the artifacts are what the sources give
	@.ci/setup foundry
	$(FORGE) forge fmt --check
	$(FORGE) forge build --skip test
	bridge-contracts/script/artifacts.py --check
	$(FORGE) forge test

# Which part of the mutants `make contracts-mutants` tries.
SHARD ?= 1/20

.PHONY: contracts-coverage
contracts-coverage: ## which lines of the contracts the tests run; below 98 % of PageExecutor or Openings fails
	@.ci/setup foundry
	FOUNDRY_SOLC="$(TOOLS)/bin/solc" bridge-contracts/script/coverage.py

.PHONY: contracts-mutants
contracts-mutants: ## change the contracts in small ways: does a test notice? (SHARD=1/20, minutes each)
	@.ci/setup foundry
	FOUNDRY_SOLC="$(TOOLS)/bin/solc" bridge-contracts/script/mutants.py --shard $(SHARD)

# What `make bench` loads the whole chain with; more with LOADTEST='--verifier --calldata'.
PATIENTS ?= 1000000
EVENTS ?= 2000000
LOADTEST ?=

.PHONY: bench
bench: binaries ## measure the rules, then a whole chain under load (PATIENTS, EVENTS, LOADTEST)
	@.ci/setup foundry
	cargo bench --locked --workspace --benches
	$(RELEASE)/loadtest bench --patients $(PATIENTS) --events $(EVENTS) --json $(RELEASE)/loadtest.json $(LOADTEST)

.PHONY: soak
soak: binaries ## ten minutes of load; every receipt and many proofs verified, memory watched
	@.ci/setup foundry
	$(RELEASE)/loadtest soak --minutes $${MINUTES:-10}

.PHONY: fuzz
fuzz: ## fuzz core and the gateway's mapping, SECONDS=600 a target
	@.ci/setup cargo-fuzz
	core/fuzz/run.sh $(SECONDS)
	gateway/fuzz/run.sh $(SECONDS)

.PHONY: mutants
mutants: ## change core's code in small ways: does a test notice? (hours)
	@.ci/setup cargo-mutants
	cargo mutants --package chartroll-core --test-workspace true --profile mutants --copy-vcs true

.PHONY: coverage
coverage: ## which lines of core the tests run (an HTML page)
	@.ci/setup cargo-tarpaulin
	mkdir -p "$${CARGO_TARGET_DIR:-target}/coverage"
	cargo tarpaulin $(CARGO_FLAGS) --workspace --engine llvm --include-files 'core/src/*' \
	    --out Stdout --out Html --output-dir "$${CARGO_TARGET_DIR:-target}/coverage"

.PHONY: deny
deny: ## licences, bans and sources of what we link
	cargo fetch --locked --target $(HOST)
	cargo deny --offline check --hide-inclusion-graph bans licenses sources

.PHONY: audit
audit: setup ## known vulnerabilities of what we link (needs the network)
	cargo deny check advisories
