#!/usr/bin/env bash
# Fuzzes the mapping of audit records: gateway/fuzz/run.sh SECONDS. Ends with a finding, status 1. Needs nightly and
# cargo-fuzz. Corpus and findings stay under the target directory; the corpus begins with the shipped records.
set -euo pipefail

seconds=${1:?usage: gateway/fuzz/run.sh SECONDS}
cd "$(dirname "$0")"
out=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$out
corpus=$out/fuzz/corpus/documents
findings=$out/fuzz/findings/documents
mkdir -p "$corpus" "$findings"
while IFS= read -r record; do
    cp -n "$record" "$corpus/$(sha256sum <"$record" | cut -c 1-16)"
done < <(find ../tests/data -type f ! -name '*.md')
echo "== documents, $seconds s"
# Without a sanitizer: no unsafe code of ours runs here, and C++ need not be compiled for it once more.
cargo +nightly fuzz run --fuzz-dir . --features libfuzzer --sanitizer none documents "$corpus" -- \
    -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=256 \
    -dict=documents.dict -artifact_prefix="$findings/" -print_final_stats=1 ||
    { echo "finding in documents, see $findings"; exit 1; }
