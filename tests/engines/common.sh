# What the tests of engines share; sourced, not run.
#
# Needs TAUT, the program, and may have STUDY, a study of some seconds. Sets `taut`, `study`, `work` (a temporary folder,
# removed in the end) and `reference`, the tables of one undisturbed process.

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The code with which a test says that it could not be run here.
skip() {
    echo "${0##*/}: SKIPPED, nothing was tested: $*" >&2
    exit 77
}

# Installs Debian packages unless these programs are there.
install_for() {
    local packages=$1 program
    shift
    for program in "$@"; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || break
        program=
    done
    [ -n "$program" ] || return 0
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null ||
        skip "$program is missing and cannot be installed here; on Debian: apt-get install $packages"
    echo "installing $packages"
    # shellcheck disable=SC2086 # several packages
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $packages; } \
        >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; skip "apt-get could not install $packages"; }
}

[ -n "${TAUT:-}" ] || fail "TAUT must name the program, such as TAUT=target/release/taut"
taut="$(realpath "$TAUT")"
[ -x "$taut" ] || fail "TAUT=$TAUT is no program; build it with \`cargo build --release\`"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
study="$(realpath "${STUDY:-$here/../studies/shards.toml}")"
work="$(mktemp -d)"
# What shells and Slurm could misread, in every path that is handed on.
results="$work/it's 100% #1"
mkdir "$results"

reference() {
    reference="$results/reference"
    "$taut" run "$study" --out "$reference" --threads 2 --quiet || fail "the undisturbed run ended with $?"
}

# Expects a folder's tables to be those of the undisturbed run, byte for byte; `timing` alone says how they came about.
same_tables() {
    diff -r --brief --exclude=timing --exclude=slurm "$reference" "$results/$1" >"$work/differences" || {
        cat "$work/differences" >&2
        fail "$1: the tables are not those of one undisturbed process"
    }
}

# The process of a shard in a folder, once it is there.
process_of() {
    local found
    for _ in $(seq 2400); do
        found="$(pgrep -f -- "--out $results/$1.* --shard $2/" | head -1 || true)"
        if [ -n "$found" ]; then
            echo "$found"
            return
        fi
        sleep 0.05
    done
    fail "$1: shard $2 was not seen running"
}

# Whether a process runs; one that ended and that nobody asked about does not.
alive() {
    case "$(ps -o stat= -p "$1")" in "" | Z*) return 1 ;; esac
}
