#!/usr/bin/env bash
#SBATCH --job-name=@NAME@
#SBATCH --array=@ARRAY@
#SBATCH --output=@LOG@
#SBATCH --open-mode=append
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=@CPUS@
#SBATCH --requeue
#SBATCH --signal=B:TERM@@WARNING@
@ASKED@#
# One study in @SHARDS@ shards under Slurm, written by taut @PROGRAM@.
#
#     bash FILE submit               puts the shards into the queue, and after them a job that collects the tables
#     sbatch --array=3,17 FILE       these shards alone

run=(@RUN@)
collect=(@COLLECT@)
collect_asked=(@COLLECT_ASKED@)
logs=@LOG_FOLDER@
# Never SLURM_ARRAY_TASK_COUNT: where only some shards are submitted, that says how many these are.
shards=@SHARDS@
most_restarts=@MOST_RESTARTS@

say() {
    echo "taut under Slurm, $(date '+%F %T'), ${SLURMD_NODENAME:-$(uname -n)}: $*"
}

submit() {
    local array after by_hand
    # Set in the environment, these would win over the lines above.
    unset SBATCH_ARRAY_INX SBATCH_NO_REQUEUE SBATCH_OPEN_MODE SBATCH_OUTPUT SBATCH_SIGNAL SBATCH_WAIT
    # Slurm fails a job whose log it cannot open.
    mkdir -p -- "$logs" || exit 1
    array=$(sbatch --parsable -- "$0") || exit 1
    array=${array%%;*}
    echo "array $array"
    by_hand=$(printf '%q ' "${collect[@]}")
    if ! after=$(printf '#!/usr/bin/env bash\nexec %s\n' "$by_hand" |
        sbatch --parsable --dependency="afterany:$array" "${collect_asked[@]}"); then
        echo "the array is in the queue, but the job that collects is not; when the array is done: $by_hand" >&2
        exit 1
    fi
    echo "collect ${after%%;*}"
}

# Whether Slurm counts this task as running: `scontrol requeue` would bring back one that was cancelled.
running() {
    [[ "$(scontrol show job "$task" 2>/dev/null)" == *" JobState=RUNNING "* ]]
}

# Back into the queue: what is finished is kept, and the next start goes on from there.
requeue() {
    local restarts=${SLURM_RESTART_COUNT:-0}
    if [ "$restarts" -ge "$most_restarts" ]; then
        say "stopped early, and started $((restarts + 1)) times: not tried again"
        return
    fi
    # However early a shard stops, it does not make Slurm spin.
    sleep @PAUSE@
    if ! running; then
        say "stopped early by Slurm, which does not count this task as running any more: not requeued"
        return
    fi
    say "stopped early, back into the queue for start $((restarts + 2))"
    if scontrol requeue "$task"; then
        # Slurm ends this shell.
        sleep 300
    fi
    say "could not go back into the queue; \`taut submit slurm --missing\` goes on from here"
}

run_shard() {
    local warned told pid code
    task="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    "${run[@]}" --shard "$SLURM_ARRAY_TASK_ID/$shards" &
    pid=$!
    told=
    # Slurm warns this shell and nobody else.
    trap 'warned=yes told=yes; kill -TERM "$pid" 2>/dev/null' TERM INT
    while :; do
        warned=
        wait "$pid"
        code=$?
        # A signal ends the wait, not the program: wait again for what the program says.
        [ -n "$warned" ] || break
    done
    trap - TERM INT
    # Told to stop before it could listen, it ended by the signal itself.
    if [ -n "$told" ] && [ "$code" -eq 143 ]; then code=75; fi
    case $code in
    0) ;;
    3)
        say "some cells failed or diverged: their rows say why, and running again would change nothing"
        code=0
        ;;
    75) requeue ;;
    *) say "shard $SLURM_ARRAY_TASK_ID ended with $code; what it had finished is kept" ;;
    esac
    exit "$code"
}

if [ "${1:-}" = submit ]; then
    submit
elif [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    run_shard
else
    echo "this is a script for Slurm: bash ${0##*/} submit" >&2
    exit 2
fi
