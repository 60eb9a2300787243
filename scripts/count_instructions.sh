#!/usr/bin/env bash
# Counts the instructions of small pieces of work, one per kernel, and holds them against those of benches/instructions.json:
#
#     scripts/count_instructions.sh [--save] [NAME…]
#
# Fails where one takes a fifth more than was saved, which is more than compilers differ by; tells where one takes a fifth
# less. --save writes what was counted. Needs valgrind (exits with 77 without it, which is a test's word for: cannot be run
# here), python3 and cargo. valgrind knows no AVX-512, so kernels take AVX2 under it. A count is what three times the
# work takes more than once, halved: neither start-up nor preparing is in it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
command -v valgrind >/dev/null || { echo "count_instructions: SKIPPED, valgrind is not installed"; exit 77; }
save=
names=()
for word in "$@"; do
    case "$word" in
    --save) save=yes ;;
    -*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}" && exit 2 ;;
    *) names+=("$word") ;;
    esac
done

cargo build --release --quiet --locked --manifest-path benches/Cargo.toml
program="$CARGO_TARGET_DIR/release/instructions"
[ ${#names[@]} -gt 0 ] || mapfile -t names < <("$program")
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

count() {
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$program" "$1" "$2" 2>"$work/log" ||
        { cat "$work/log" >&2; exit 1; }
    sed -n 's/.*I *refs: *//p' "$work/log" | tr -d ,
}

for name in "${names[@]}"; do
    once="$(count "$name" 1)"
    thrice="$(count "$name" 3)"
    echo "$name $(((thrice - once) / 2))"
done >"$work/counts"

python3 - "$work/counts" "${save:-no}" <<'PYTHON'
import json
import pathlib
import platform
import sys

file = pathlib.Path("benches/instructions.json")
saved = json.loads(file.read_text()) if file.exists() else {}
here = saved.setdefault(platform.machine(), {})
worse = []
for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    name, count = line.split()[0], int(line.split()[1])
    before = here.get(name)
    share = f"{100 * (count / before - 1):+.1f} %" if before else "new"
    print(f"{name:24} {count:14,} {share}")
    if sys.argv[2] == "yes":
        here[name] = count
    elif before and count > 1.2 * before:
        worse.append(name)
    elif before and count < before / 1.2:
        print(f"    better than saved: scripts/count_instructions.sh --save {name}")
if sys.argv[2] == "yes":
    file.write_text(json.dumps(saved, indent=1, sort_keys=True) + "\n")
if worse:
    sys.exit(f"count_instructions: a fifth more than saved: {', '.join(worse)}")
PYTHON
