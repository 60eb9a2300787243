#!/usr/bin/env bash
# A study in shards on Ray: on this machine alone, stopped by Ctrl-C on the way; and on a cluster of two nodes of which one
# dies. The tables are each time those of one undisturbed process, byte for byte.
#
#     TAUT=target/release/taut tests/engines/ray.sh
#
# Needs Python 3.11 to 3.13 with venv. Ray is fetched once (75 MB, 300 MB on disk) into ${TAUT_CI_CACHE:-~/.cache/taut}/ray.
# Exits with 77 if it cannot run here.
set -euo pipefail
# shellcheck source=tests/engines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
driver=
finish() {
    # A test that failed on the way leaves nobody behind; Ray's own processes end with their driver.
    [ -z "$driver" ] || kill -KILL -- "-$driver" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

ray_version=2.60.0
cache="${TAUT_CI_CACHE:-$HOME/.cache/taut}/ray/$ray_version"
python="$cache/bin/python"
# Nothing of the user's own Python gets in. Ray reports nothing to its makers, and leaves no token in the home folder.
unset PYTHONPATH PYTHONHOME RAY_ADDRESS
export PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Ray lets its workers give way to everything else: on a busy machine the test would take for ever.
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled RAY_TMPDIR="$work/ray"
export RAY_worker_niceness=0

if [ ! -e "$cache/complete" ]; then
    begun=$SECONDS
    rm -rf "$cache"
    "${PYTHON:-python3}" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
        skip "Python 3.11 to 3.13 with the module venv is needed; let PYTHON name one"
    "${PYTHON:-python3}" -m venv "$cache"
    "$python" -m pip install --quiet "ray==$ray_version" "polars==2.1.0" >"$work/pip.log" 2>&1 || {
        tail -5 "$work/pip.log" >&2
        skip "pip could not install ray $ray_version"
    }
    touch "$cache/complete"
    echo "ray $ray_version installed in $((SECONDS - begun)) s"
fi
"$python" -m pip install --quiet --no-deps --target "$work/reader" "$here/../../scripts/reader"
export PYTHONPATH="$work/reader" TAUT="$taut"
mkdir "$work/ray"
cd "$work"

reference

begun=$SECONDS
# A job in the background ignores Ctrl-C, which a terminal sends to the whole group.
setsid env --default-signal=INT "$python" -m taut.ray "$study" --shards 6 --out "$results/here" 2>"$work/said" &
driver=$!
process_of here 0 >/dev/null
sleep 1
kill -INT -- "-$driver"
code=0
wait "$driver" || code=$?
driver=
[ "$code" -eq 75 ] || fail "a driver that was stopped exits with $code: $(cat "$work/said")"
! pgrep -f -- "--out $results/here" >/dev/null || fail "a shard outlives its driver"
"$python" -m taut.ray "$study" --shards 6 --out "$results/here" 2>"$work/said" || fail "exit $?: $(cat "$work/said")"
same_tables here
echo "ray, stopped on this machine: the tables are those of one process ($((SECONDS - begun)) s)"

begun=$SECONDS
"$python" "$here/ray_node_dies.py" "$study" --shards 6 --out "$results/dies" >"$work/said" 2>&1 || fail "exit $?: $(cat "$work/said")"
grep -q 'was lost with its worker or node' "$work/said" || fail "no shard was on the node that died: $(cat "$work/said")"
same_tables dies
echo "ray, a node of two dies: the tables are those of one process ($((SECONDS - begun)) s)"
