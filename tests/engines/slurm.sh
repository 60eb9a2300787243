#!/usr/bin/env bash
# A study in shards under a real Slurm of two nodes on this machine, hurt in every way; the tables are each time those of
# one undisturbed process, byte for byte.
#
#     TAUT=target/release/taut tests/engines/slurm.sh [CASE…]
#
# Needs root, and Debian for the packages slurm-wlm and munge, which it installs. Exits with 77 if it cannot run here.
set -euo pipefail
# shellcheck source=tests/engines/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cluster="$here/slurm_cluster.sh"
state="$work/cluster"
export SLURM_CONF="$state/slurm.conf"

finish() {
    local code=$?
    [ -d "$state" ] && "$cluster" down "$state"
    if [ "$code" -ne 0 ] && [ "$code" -ne 77 ]; then
        tail -n 5 "$results"/*/slurm/*.log >&2 2>/dev/null || true
        tail -n 15 "$state"/log/slurmctld.log >&2 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

# Submits a case in so many shards; `array` and `collect` are then the numbers of its jobs.
submit() {
    local name=$1 shards=$2
    shift 2
    "$taut" submit slurm "$study" --out "$results/$name" --shards "$shards" --go "$@" >"$work/numbers" 2>"$work/said" || {
        cat "$work/said" >&2
        fail "$name was not submitted"
    }
    array="$(awk '/^array /{print $2}' "$work/numbers")"
    collect="$(awk '/^collect /{print $2}' "$work/numbers")"
    [ -n "$array" ] && [ -n "$collect" ] || fail "$name: no numbers of jobs in: $(cat "$work/numbers")"
}

# Waits until the array and the job after it are done.
finished() {
    local left
    for _ in $(seq 900); do
        left="$(squeue -h -j "$array,$collect" 2>/dev/null || true)"
        [ -n "$left" ] || return 0
        sleep 0.2
    done
    fail "jobs are still in the queue after three minutes:"$'\n'"$left"
}

# A field of a job as `scontrol` shows it.
field() {
    scontrol show job "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -1
}

expect() {
    local found
    found="$(field "$1" "$2")"
    [ "$found" = "$3" ] || fail "$2 of job $1 is $found where $3 was expected"
}

# Waits until something of the array runs on a node, and lists its tasks there.
running_on() {
    local tasks
    for _ in $(seq 200); do
        tasks="$(squeue -h -j "$array" -t R -w "$1" -o %K)"
        if [ -n "$tasks" ]; then
            echo "$tasks"
            return
        fi
        sleep 0.1
    done
    fail "nothing of the array runs on $1"
}

case_clean() {
    submit clean 8
    finished
    expect "$collect" JobState COMPLETED
    same_tables clean
}

# A payload that is killed fails its task, Slurm does not start it again, and the job that collects says that cells are
# missing. Submitting what is missing names these shards alone, of as many as before.
case_killed() {
    local shard
    submit killed 4
    for shard in 1 3; do kill -KILL "$(process_of killed "$shard")"; done
    finished
    for shard in 1 3; do
        expect "${array}_$shard" JobState FAILED
        expect "${array}_$shard" ExitCode 137:0
    done
    expect "$collect" JobState FAILED
    submit killed 4 --missing
    grep -q '^#SBATCH --array=1,3$' "$results/killed/slurm/array.sh" || fail "killed: not these shards were missing: $(
        grep array= "$results/killed/slurm/array.sh"
    )"
    finished
    expect "$collect" JobState COMPLETED
    same_tables killed
    "$taut" submit slurm "$study" --out "$results/killed" --shards 4 --missing --go 2>&1 | grep -q 'nothing is missing' ||
        fail "killed: something is missing still"
}

case_requeue() {
    submit requeue 2
    process_of requeue 1 >/dev/null
    sleep 0.3
    scontrol requeue "${array}_1"
    finished
    expect "${array}_1" Restarts 1
    expect "${array}_0" Restarts 0
    same_tables requeue
}

# A machine dies with all that ran on it: Slurm starts its tasks elsewhere.
case_lose() {
    local tasks task
    submit lose 4
    tasks="$(running_on n2)"
    for task in $tasks; do process_of lose "$task" >/dev/null; done
    "$cluster" lose "$state" n2
    finished
    for task in $tasks; do expect "${array}_$task" Restarts 1; done
    same_tables lose
    "$cluster" heal "$state" n2
}

# The daemon of a node dies and what it had started lives on: two processes of one shard write at once.
case_orphan() {
    local tasks task orphans=() orphan
    submit orphan 4
    tasks="$(running_on n2)"
    for task in $tasks; do orphans+=("$(process_of orphan "$task")"); done
    # Time to let go of the folder's lock.
    sleep 0.5
    kill -STOP "${orphans[@]}"
    "$cluster" orphan "$state" n2
    for _ in $(seq 300); do
        [ "$(pgrep -fc -- "--out $results/orphan.* --shard ${tasks%%$'\n'*}/")" -lt 2 ] || break
        sleep 0.1
    done
    kill -CONT "${orphans[@]}"
    finished
    for orphan in "${orphans[@]}"; do
        for _ in $(seq 600); do
            alive "$orphan" || break
            sleep 0.1
        done
        alive "$orphan" && fail "orphan: process $orphan does not end"
    done
    # What orphans leave after the tables were collected is the same rows once more.
    "$taut" collect "$results/orphan"
    for task in $tasks; do expect "${array}_$task" Restarts 1; done
    same_tables orphan
    "$cluster" heal "$state" n2
}

# The time limit: warned in time, a shard writes what is finished, goes back into the queue by itself, and finishes there.
case_limit() {
    local slow
    submit limit 2 --time 1
    # A cell that takes long, for the price of none: it stands still until it was warned.
    slow="$(process_of limit 0)"
    sleep 0.5
    kill -STOP "$slow"
    for _ in $(seq 600); do
        warned "$slow" && break
        sleep 0.1
    done
    warned "$slow" || fail "limit: shard 0 was not warned in a minute"
    kill -CONT "$slow"
    finished
    grep -q 'back into the queue for start 2' "$results/limit/slurm/${array}_0.log" || fail "limit: not requeued by itself"
    expect "$collect" JobState COMPLETED
    same_tables limit
}

# Whether a TERM waits for this process.
warned() {
    local pending
    pending="$(awk '/^ShdPnd/{print $2}' "/proc/$1/status" 2>/dev/null)" && [ $((16#${pending:-0} & 1 << 14)) -ne 0 ]
}

# A cancelled array stays cancelled, although its shards stop as politely as at a time limit.
case_cancel() {
    local shard
    submit cancel 2
    for shard in 0 1; do process_of cancel "$shard" >/dev/null; done
    scancel "$array"
    finished
    for shard in 0 1; do
        expect "${array}_$shard" JobState CANCELLED
        expect "${array}_$shard" Restarts 0
    done
    expect "$collect" JobState FAILED
    submit cancel 2 --missing
    finished
    same_tables cancel
}

install_for "slurm-wlm munge" slurmctld slurmd munged sbatch
[ "$(id -u)" -eq 0 ] || skip "a Slurm of its own needs root"
reference
"$cluster" up "$state" || fail "Slurm did not start"
cases=("$@")
[ $# -gt 0 ] || cases=(clean killed requeue lose orphan limit cancel)
for name in "${cases[@]}"; do
    begun=$SECONDS
    "case_$name"
    echo "slurm, $name: the tables are those of one process ($((SECONDS - begun)) s)"
done
echo "${#cases[@]} passed, 0 failed"
