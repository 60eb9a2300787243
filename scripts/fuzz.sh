#!/usr/bin/env bash
# Fuzzes the readers of studies, parts and users' tables: scripts/fuzz.sh [--seconds N] [TARGET…]
#
# Runs every target of fuzz/ in turn, two hours each unless told otherwise, with a limit of 2 GB of memory, 512 MB in
# one piece and 10 seconds for one input; stops at the first input that breaks one of them, and leaves it in
# fuzz/artifacts/. Needs the stable toolchain and a C++ compiler; shares the product's build of polars.
# `scripts/fuzz.sh --keep` adds what was found to the kept corpora (see fuzz/README.md).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
work="${TAUT_FUZZ_WORK:-$CARGO_TARGET_DIR/fuzz}"
# Parts go through files.
[ -d /dev/shm ] && export TMPDIR=/dev/shm
seconds=7200
keep=
targets=()
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds) seconds="$2" && shift ;;
    --keep) keep=yes ;;
    -*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}" && exit 2 ;;
    *) targets+=("$1") ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || targets=(study_parser part_reader input_table)

RUSTC_WRAPPER="$PWD/fuzz/instrument.sh" cargo build --release --locked --manifest-path fuzz/Cargo.toml
"$CARGO_TARGET_DIR/release/seeds" "$work/seeds"

for target in "${targets[@]}"; do
    found="$work/$target"
    kept="fuzz/corpus/$target"
    mkdir -p "$found" "$kept" "fuzz/artifacts/$target"
    run=("$CARGO_TARGET_DIR/release/$target" -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=10 -max_len=3000)
    if [ -n "$keep" ]; then
        # The fewest inputs that reach every edge that all of them reach, however often; kept ones stay.
        "${run[@]}" -use_counters=0 -use_cmp=0 -set_cover_merge=1 "$kept" "$found" "$work/seeds/$target"
        continue
    fi
    dictionary=()
    [ -f "$work/seeds/$target.dict" ] && dictionary=("-dict=$work/seeds/$target.dict")
    echo "== $target: $seconds s"
    nice -n 19 "${run[@]}" "${dictionary[@]}" "-max_total_time=$seconds" -print_final_stats=1 \
        "-artifact_prefix=fuzz/artifacts/$target/" "$found" "$kept" "$work/seeds/$target"
done
