#!/usr/bin/env bash
# Trains on two hosts that this machine plays, network namespaces with names and addresses of their own, and does to them what happens to hosts:
# a batch system ends the job, Open MPI's daemon on one is killed, the network of one goes down. Each time the weights must be those of one rank that
# nobody disturbed. Ends with `N passed, M failed`. Needs a build (scripts/build.sh), Linux, root and iproute2.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
mtdnn="$root/.build/release/mtdnn"
network=198.18.0  # for tests of networks (RFC 2544)
if ((EUID != 0)) || ! command -v ip >/dev/null; then
    echo "hosts.sh: needs root and \`ip\` (Debian: iproute2), to make network namespaces" >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/hosts-XXXXXX")
trap 'clean_up 2>/dev/null || true' EXIT

make_hosts() {
    ip link add mtdnn-bridge type bridge
    ip address add "$network.254/24" dev mtdnn-bridge
    ip link set mtdnn-bridge up
    local number
    for number in 1 2; do
        ip netns add "mtdnn-$network.$number"
        ip link add "mtdnn-$number" type veth peer name eth0 netns "mtdnn-$network.$number"
        ip link set "mtdnn-$number" master mtdnn-bridge up
        ip -n "mtdnn-$network.$number" address add "$network.$number/24" dev eth0
        ip -n "mtdnn-$network.$number" link set eth0 up
        ip -n "mtdnn-$network.$number" link set lo up
        echo "$network.$number slots=2"
    done >"$folder/hostfile"
    cat >"$folder/remote-shell" <<'SH'
#!/bin/sh
# remote-shell HOST COMMAND...: what ssh would do.
host=$1
shift
exec ip netns exec "mtdnn-$host" unshare --uts sh -c "hostname 'host-${host##*.}'; $*"
SH
    chmod +x "$folder/remote-shell"
    export OMPI_MCA_plm_rsh_agent="$folder/remote-shell"
    export OMPI_MCA_oob_tcp_if_include="$network.0/24" OMPI_MCA_btl_tcp_if_include="$network.0/24"
}

clean_up() {
    pkill -KILL -f -- "$folder"
    ip netns delete "mtdnn-$network.1"
    ip netns delete "mtdnn-$network.2"
    ip link delete mtdnn-bridge
    rm -rf "$folder"
}

# train NAME RANKS [OPTION...]: an epoch of the demo's tasks.
train() {
    local name=$1 ranks=$2
    shift 2
    "$mtdnn" train "$folder/demo/run.yml" --folder "$folder/$name" --ranks "$ranks" --set epochs=1 --set checkpoint_steps=50 \
        --set stall_timeout=20 "$@" >>"$folder/$name.log" 2>&1
}

# start NAME: the same on both hosts, in the background, until it is well under way.
start() {
    train "$1" 3 --hostfile "$folder/hostfile" &
    job=$!
    until [[ -e $folder/$1/checkpoints/step-00000100 ]]; do
        if ! kill -0 "$job" 2>/dev/null; then break; fi
        sleep 0.2
    done
}

# processes PROGRAM NAME: those of a job; Open MPI's daemons on both hosts name no folder.
processes() {
    if [[ $1 == orted ]]; then
        for number in 1 2; do ip netns pids "mtdnn-$network.$number"; done | xargs -r ps -o pid=,comm= -p | awk '$2 == "orted" { print $1 }'
    else
        pgrep -f "^[^ ]*$1 .*$folder/$2( |\$)"
    fi
}

passed=0 failed=0
# check NAME CODE SENTENCE: whether the run ended as it should, with the right weights, and had said on the way that it was interfered with.
check() {
    if (($2 == 0)) && [[ $(tail -n 1 "$folder/$1/metrics.jsonl") == "$expected" ]] && grep -q "$3" "$folder/$1.log"; then
        passed=$((passed + 1))
        echo "$1: the weights of one rank alone"
    else
        failed=$((failed + 1))
        echo "$1: FAILED with code $2" >&2
        tail -n 20 "$folder/$1.log" >&2
    fi
}

if ip link show mtdnn-bridge >/dev/null 2>&1; then
    trap - EXIT
    rm -rf "$folder"
    echo "hosts.sh: its network is there already: another one runs, or one was killed (\`ip link delete mtdnn-bridge\` and \`ip netns delete mtdnn-$network.1\`, \`.2\` remove it)" >&2
    exit 1
fi
make_hosts
"$mtdnn" demo --folder "$folder/demo" >"$folder/demo.log" 2>&1
train alone 1
expected=$(tail -n 1 "$folder/alone/metrics.jsonl")

code=0
train undisturbed 3 --hostfile "$folder/hostfile" || code=$?
check undisturbed "$code" "steps in"

for signal in TERM INT; do
    start "all-get-$signal"
    for program in "mtdnn train" mpirun orted mtdnn-worker; do
        processes "$program" "all-get-$signal" | xargs -r kill "-$signal"
    done
    code=0
    wait "$job" || code=$?
    # Stopped with a checkpoint; anything else is a failure.
    if ((code == 75)); then
        code=0
        train "all-get-$signal" 2 --hostfile "$folder/hostfile" || code=$?
    fi
    check "all-get-$signal" "$code" "as asked; the same command goes on from there"
done

start daemon-killed
processes orted daemon-killed | head -n 1 | xargs -r kill -KILL
code=0
wait "$job" || code=$?
check daemon-killed "$code" "restart 1 of"

start network-down
ip -n "mtdnn-$network.2" link set eth0 down
until grep -q restart "$folder/network-down.log" || ! kill -0 "$job" 2>/dev/null; do sleep 0.2; done
ip -n "mtdnn-$network.2" link set eth0 up
code=0
wait "$job" || code=$?
check network-down "$code" "restart 1 of"

echo "$passed passed, $failed failed"
((failed == 0))
