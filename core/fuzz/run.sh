#!/usr/bin/env bash
# Fuzzes targets one after another: core/fuzz/run.sh SECONDS [TARGET…]. Ends with the first finding, status 1.
# Needs nightly and cargo-fuzz. Corpora and findings stay under the target directory.
set -euo pipefail

seconds=${1:?usage: core/fuzz/run.sh SECONDS [TARGET…]}
shift
cd "$(dirname "$0")"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(units rows witness proofs payloads apply_page)
out=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$out

for target in "${targets[@]}"; do
    corpus=$out/fuzz/corpus/$target
    findings=$out/fuzz/findings/$target
    mkdir -p "$corpus" "$findings"
    cp -n seeds/"$target"/* "$corpus"/ 2>/dev/null || true
    # One document opens to at most 16 MiB: a single allocation above that is a finding.
    options=(-malloc_limit_mb=17)
    # What hashes all day gains a factor of ten without instrumented comparisons, and has no C but libsecp256k1.
    plain=()
    case $target in
        units) length=1100 ;;
        rows) length=512 ;;
        payloads) length=4096 ;;
        proofs) length=2048 plain=(--sanitizer none --no-trace-compares) options=() ;;
        witness) length=4096 plain=(--sanitizer none --no-trace-compares) options=() ;;
        apply_page) length=1000 plain=(--sanitizer none --no-trace-compares) options=() ;;
        *) echo "no target $target" && exit 2 ;;
    esac
    echo "== $target, $seconds s"
    cargo +nightly fuzz run --fuzz-dir . --features libfuzzer "${plain[@]}" "$target" "$corpus" -- \
        -max_total_time="$seconds" -max_len="$length" -timeout=10 -rss_limit_mb=2048 "${options[@]}" \
        -artifact_prefix="$findings/" -print_final_stats=1 || { echo "finding in $target, see $findings"; exit 1; }
done
