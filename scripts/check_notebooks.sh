#!/usr/bin/env bash
# Runs the reader's tests and every lesson in a virtual environment that holds what requirements.txt says and nothing
# else. Needs Python 3.11 or later and, in $TAUT, the program; works in a temporary folder and leaves the clone as it is.
#
#     TAUT=target/release/taut scripts/check_notebooks.sh [LESSON…]
#
# The environment is kept in ${TAUT_CI_CACHE:-~/.cache/taut}/venv under a name made of the versions that it holds.
set -euo pipefail

fail() {
    echo "check_notebooks: $*" >&2
    exit 1
}

[ -n "${TAUT:-}" ] || fail "TAUT must name the program, such as TAUT=target/release/taut"
TAUT="$(realpath "$TAUT")"
[ -x "$TAUT" ] || fail "TAUT=$TAUT is no program; build it with \`cargo build --release\`"
export TAUT

scripts="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Nothing of the user's own Python or Jupyter gets in, and nothing is left in the home folder.
unset PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE=1 IPYTHONDIR="$work/ipython" JUPYTER_CONFIG_DIR="$work/jupyter" \
    JUPYTER_DATA_DIR="$work/jupyter" JUPYTER_RUNTIME_DIR="$work/jupyter/runtime" TAUT_LESSONS="$work/lessons"

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && "$name" -c "$new_enough" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

# Debian has python3 without the module that makes environments.
install_python() {
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "check_notebooks: installing python3 and python3-venv"
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy python3 python3-venv; } >"$work/apt.log" 2>&1 ||
            { tail -20 "$work/apt.log" >&2; fail "apt-get could not install python3-venv"; }
    else
        fail "Python 3.11 or later with the module venv is needed; on Debian: apt-get install python3 python3-venv"
    fi
}

python="$(find_python)"
if [ -z "$python" ] || ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    install_python
    python="$(find_python)"
    [ -n "$python" ] || fail "there is no Python 3.11 or later; let PYTHON name one"
fi

versions="$({ "$python" -c 'import sys; print(sys.version, sys.base_prefix)'; cat "$scripts/requirements.txt" "$scripts/constraints.txt"; } |
    "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:16])')"
cache="${TAUT_CI_CACHE:-$HOME/.cache/taut}/venv"
venv="$cache/$versions"
begun=$SECONDS
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    mkdir -p "$cache"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --requirement "$scripts/requirements.txt" ||
        fail "pip could not install scripts/requirements.txt"
    touch "$venv/complete"
fi
touch "$venv/complete"
# Environments of other versions that nobody used for a month.
find "$cache" -mindepth 2 -maxdepth 2 -name complete -mtime +30 -printf '%h\0' | xargs -0r rm -rf
export MPLCONFIGDIR="$venv/matplotlib"
# The reader changes more often than the versions do, so it is installed beside them, as a wheel of its own.
"$venv/bin/python" -m pip install --quiet --no-deps --target "$work/reader" "$scripts/reader" ||
    fail "pip could not install scripts/reader"
export PYTHONPATH="$work/reader"
echo "$("$venv/bin/python" --version), environment ready after $((SECONDS - begun)) s"

cd "$work"
"$venv/bin/python" -m pytest -p no:cacheprovider --rootdir "$scripts/reader" "$scripts/reader/tests" || fail "a test of the reader failed"
"$venv/bin/python" "$scripts/notebooks/execute.py" "$@"
