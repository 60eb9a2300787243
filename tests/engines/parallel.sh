#!/usr/bin/env bash
# Shards under GNU parallel: one is killed, and --resume-failed runs that one alone; then the tables are those of one
# undisturbed process, byte for byte.
#
#     TAUT=target/release/taut tests/engines/parallel.sh
#
# Exits with 77 if it cannot run here.
set -euo pipefail
# shellcheck source=tests/engines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'rm -rf "$work"' EXIT

export PARALLEL_HOME="$work/parallel"
mkdir "$PARALLEL_HOME"
touch "$PARALLEL_HOME/will-cite"

shards() {
    parallel --quote -j2 --joblog "$work/joblog" "$@" "$taut" run "$study" --out "$results/parallel" --threads 1 --quiet \
        --shard '{}/6' ::: 0 1 2 3 4 5
}

install_for parallel parallel
reference
shards &
pool=$!
kill -KILL "$(process_of parallel 1)"
if wait "$pool"; then fail "a killed shard did not count as failed"; fi
"$taut" collect "$results/parallel" && fail "nothing is missing although a shard was killed"
shards --resume-failed
[ "$(wc -l <"$work/joblog")" -eq 8 ] || fail "more than the killed shard was run again: $(cat "$work/joblog")"
"$taut" collect "$results/parallel"
same_tables parallel
echo "GNU parallel: the tables are those of one process ($SECONDS s)"
