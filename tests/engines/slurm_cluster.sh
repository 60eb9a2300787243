#!/usr/bin/env bash
# A Slurm cluster of two nodes on this one machine, for tests.
#
#     slurm_cluster.sh up STATE            starts it; its settings are then in STATE/slurm.conf
#     slurm_cluster.sh down STATE          ends everything that it started
#     slurm_cluster.sh lose STATE NODE     the whole machine is gone: managers and what they ran
#     slurm_cluster.sh orphan STATE NODE   only its daemon is gone; what runs there goes on unseen
#     slurm_cluster.sh heal STATE NODE     the node comes back
#
# Needs root and the Debian packages slurm-wlm and munge. Everything lies in the folder STATE: the key and the socket of
# munge, the spool of every node, logs and process ids. Nothing of an installed Slurm is read or changed.
set -euo pipefail

nodes=(n1 n2)
cpus=2
port="${TAUT_SLURM_PORT:-27170}"

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -ge 2 ] || usage
action=$1
mkdir -p "$2"
state="$(cd "$2" && pwd)"
node="${3:-}"
export SLURM_CONF="$state/slurm.conf"

# Starts a daemon in a session of its own and remembers its process.
daemon() {
    local name=$1
    shift
    setsid "$@" >>"$state/log/$name.out" 2>&1 </dev/null &
    echo $! >"$state/pid/$name"
}

# Whether a process runs; one that ended and that nobody asked about does not.
alive() {
    case "$(ps -o stat= -p "$1")" in "" | Z*) return 1 ;; esac
}

# Ends a daemon, by force if it does not go by itself or if that is asked.
end() {
    local file="$state/pid/$1" pid
    [ -s "$file" ] || return 0
    pid="$(cat "$file")"
    if [ "${2:-}" != KILL ]; then
        kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq 50); do
            alive "$pid" || break
            sleep 0.1
        done
    fi
    kill -KILL "$pid" 2>/dev/null || true
    rm -f "$file"
}

# Step managers (slurmstepd) of a node, or of all: known by the log of our own daemons that they hold open.
managers() {
    local process
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm" 2>/dev/null)" = slurmstepd ] || continue
        if readlink "$process"/fd/* 2>/dev/null | grep -q "^$state/log/slurmd-${1:-.*}\.log$"; then
            echo "${process#/proc/}"
        fi
    done
}

descendants() {
    local child
    for child in $(ps -o pid= --ppid "$1"); do
        echo "$child"
        descendants "$child"
    done
}

kill_all_of() {
    local manager found all=()
    found="$(managers "${1:-}")"
    for manager in $found; do
        # Managers first: alive, they would tell the controller how their jobs died.
        all=("$manager" "${all[@]}")
        for child in $(descendants "$manager"); do all+=("$child"); done
    done
    for process in "${all[@]}"; do kill -KILL "$process" 2>/dev/null || true; done
}

settings() {
    cat <<CONF
ClusterName=taut
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Credentials are short-lived, because a requeued job is held back as long as one lives.
AuthInfo=socket=$state/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/spool/%n
SlurmctldPidFile=$state/controller/pid
SlurmdPidFile=$state/spool/%n/pid
SlurmctldLogFile=$state/log/slurmctld.log
SlurmdLogFile=$state/log/slurmd-%n.log
# A container has no cgroups to give away.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=10
InactiveLimit=0
KillWait=3
MinJobAge=600
MaxArraySize=1001
NodeName=n[1-${#nodes[@]}] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + ${#nodes[@]}))] CPUs=$cpus RealMemory=512 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

# Waits until so many nodes are up and have nothing to do.
all_idle() {
    for _ in $(seq 300); do
        [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c '^idle$')" = "${#nodes[@]}" ] && return 0
        sleep 0.1
    done
    echo "slurm_cluster: the nodes are not idle; logs are in $state/log" >&2
    sinfo -N >&2 || true
    return 1
}

up() {
    local host one
    host="$(hostname -s)"
    for program in munged slurmctld slurmd sbatch; do
        PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || {
            echo "slurm_cluster: $program is missing; on Debian: apt-get install slurm-wlm munge" >&2
            exit 1
        }
    done
    mkdir -p "$state"/{pid,log,controller,munge}
    for one in "${nodes[@]}"; do mkdir -p "$state/spool/$one"; done
    head -c 1024 /dev/urandom >"$state/munge/key"
    chmod 600 "$state/munge/key"
    chmod 711 "$state/munge"
    daemon munged munged --foreground --force --key-file="$state/munge/key" --socket="$state/munge/socket" \
        --pid-file="$state/munge/pid" --log-file="$state/munge/log" --seed-file="$state/munge/seed"
    for _ in $(seq 100); do
        [ -S "$state/munge/socket" ] && break
        sleep 0.05
    done
    settings >"$SLURM_CONF"
    daemon slurmctld slurmctld -D -c
    for one in "${nodes[@]}"; do daemon "slurmd-$one" slurmd -D -N "$one"; done
    all_idle
}

down() {
    local one
    # Daemons before what they run, and the controller first: nothing is then started again.
    end slurmctld
    for one in "${nodes[@]}"; do end "slurmd-$one"; done
    kill_all_of
    end munged
}

export PATH="$PATH:/usr/sbin"
case "$action" in
up) up ;;
down) down ;;
lose | orphan)
    [ -n "$node" ] || usage
    end "slurmd-$node" KILL
    [ "$action" = orphan ] || kill_all_of "$node"
    scontrol update nodename="$node" state=down reason=test
    ;;
heal)
    [ -n "$node" ] || usage
    # What was orphaned there is gone when a machine starts again.
    kill_all_of "$node"
    daemon "slurmd-$node" slurmd -D -N "$node"
    sleep 1
    scontrol update nodename="$node" state=resume 2>/dev/null || true
    all_idle
    ;;
*) usage ;;
esac
