#!/usr/bin/env bash
# scripts/chaos.sh N [SEED]: trains a tiny run and kills it N times (a random rank, mtdnn, or all processes at once) at chosen moments,
# each time going on with the same command, often on another number of ranks. Prints how many kills met each phase; the run must end with
# the same weights as one that was left alone, and leave nothing in the temporary directory and in shared memory.
# Needs a build (scripts/build.sh) and Linux's /proc.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
mtdnn="$root/.build/release/mtdnn"
kills=${1:?usage: scripts/chaos.sh N [SEED]}
seed=${2:-$RANDOM}
RANDOM=$seed
phases=(start-up compute exchange evaluation shard-write commit)

folder=$(mktemp -d "${TMPDIR:-/tmp}/chaos-XXXXXX")
run="$folder/run"
export TMPDIR="$folder/tmp"
mkdir "$TMPDIR"
mkfifo "$folder/never"
exec {never}<>"$folder/never"
coordinator=0
trap 'kill_all 2>/dev/null || true; rm -rf "$folder"' EXIT

# Sleeps without starting a process, which would take longer than some of the moments to be met.
nap() { read -rt "$1" -u "$never" || true; }

# A few rows for each kind of head, the same for every seed.
write_suite() {
    { printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n'; printf 'w%d\n' {0..59}; } >vocab.txt
    cat >tasks.yml <<'YAML'
single: {n_class: 2, data_format: PremiseOnly, task_type: Classification, metric_meta: [ACC], enable_san: false}
score: {n_class: 1, data_format: PremiseAndOneHypothesis, task_type: Regression, metric_meta: [Pearson], enable_san: false}
pair: {n_class: 3, data_format: PremiseAndOneHypothesis, task_type: Classification, metric_meta: [ACC], enable_san: true}
query: {n_class: 1, data_format: PremiseAndMultiHypothesis, task_type: Ranking, metric_meta: [MRR], enable_san: false}
YAML
    cat >run.yml <<YAML
seed: 7
encoder: {hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 64,
  max_position_embeddings: 90, initializer_range: 0.1, vocab: vocab.txt}
tasks: tasks.yml
data: .
epochs: $((3 * kills + 10))
batch_size: 7
slices: 8
max_length: 90
learning_rate: 1.0e-4
checkpoint_steps: 7
YAML
    awk 'function number(bound) { state = (state * 1103515245 + 12345) % 2147483648; return int(state / 65536) % bound }
        function text(count,  words) { words = "w" number(60); while (--count > 0) words = words " w" number(60); return words }
        BEGIN {
            for (part = 0; part < 2; part++) {
                split_name = part ? "dev" : "train"; rows = part ? 60 : 40
                for (i = 0; i < rows; i++) {
                    print "s" i "\t" number(2) "\t" text(1 + number(60)) > ("single_" split_name ".tsv")
                    print "r" i "\t" number(12) / 2 "\t" text(1 + number(40)) "\t" text(1 + number(40)) > ("score_" split_name ".tsv")
                    print "p" i "\t" number(3) "\t" text(1 + number(40)) "\t" text(1 + number(40)) > ("pair_" split_name ".tsv")
                }
                for (i = 0; i < rows / 3; i++) {
                    count = 3 + number(6); right = number(count); ids = labels = candidates = ""
                    for (j = 0; j < count; j++) {
                        ids = ids (j ? "," : "") i "-" j; labels = labels (j ? "," : "") (j == right)
                        candidates = candidates "\t" text(1 + number(12))
                    }
                    print "q" i "\t" ids "\t" labels "\t" text(1 + number(8)) candidates > ("query_" split_name ".tsv")
                }
            }
        }'
}

# start FOLDER RANKS RESTARTS: starts a job in the background.
start() {
    : >"$folder/stamp"
    "$mtdnn" train "$folder/run.yml" --folder "$1" --ranks "$2" --set "max_restarts=$3" >>"$folder/log" 2>&1 &
    coordinator=$!
}

# Sets `mpirun` and `ranks` to the processes of the job as they are now.
find_processes() {
    mpirun="" ranks=""
    { read -r mpirun <"/proc/$coordinator/task/$coordinator/children"; } 2>/dev/null || true
    mpirun=${mpirun%% *}
    if [[ -n $mpirun ]]; then { read -r ranks <"/proc/$mpirun/task/$mpirun/children"; } 2>/dev/null || true; fi
}

kill_all() {
    if ((coordinator == 0)); then return; fi
    find_processes
    # shellcheck disable=SC2086
    kill -KILL "$coordinator" $mpirun $ranks
}

# Sets `step` and `phase` to what a rank says of itself.
look() {
    local process=none
    step=0 phase=startup
    { read -r _ process step phase _ <"$run/ranks/rank-00$1"; } 2>/dev/null || true
    # The record of an earlier job stays until this one has begun.
    if [[ " $ranks " != *" $process "* ]]; then step=0 phase=startup; fi
}

# Sets `found` to the phases that the job is in: a checkpoint's, as its files show it, which is written beside training, and what rank $1 says of itself.
find_phase() {
    local file writes=""
    # What an earlier job was writing when it was killed does not count.
    for file in "$run"/checkpoints/*.partial/{shard-*,model.h5}; do
        if [[ ! $file -nt $folder/stamp ]]; then continue; fi
        if [[ $file == */model.h5 ]]; then writes=commit; elif [[ -z $writes ]]; then writes=shard-write; fi
    done
    look "$1"
    case $phase in
        startup) found=start-up ;;
        sample | forward | backward | update | log) found=compute ;;
        exchange | gather) found=exchange ;;
        evaluate) found=evaluation ;;
        *) found=other ;;
    esac
    if [[ -n $writes ]]; then found="$writes $found"; fi
}

is_in() { [[ " $found " == *" $1 "* ]]; }

# wait_for_phase PHASE RANK: returns when the job is in it, or has passed by it too often; fails where the job ended before, or after two
# minutes.
wait_for_phase() {
    local deadline=$((SECONDS + 120)) first=$((RANDOM % 12))
    if [[ $1 == start-up ]]; then
        nap "0.$((RANDOM % 3))$((RANDOM % 10))"
        find_processes
        return
    fi
    find_processes
    look "$2"
    # Away from the start, by a few steps.
    while [[ $phase == startup ]]; do nap 0.01; find_processes; look "$2"; alive "$deadline" || return 1; done
    first=$((step + first))
    while ((step < first)); do nap 0.005; look "$2"; alive "$deadline" || return 1; done
    while find_processes; find_phase "$2"; ! is_in "$1"; do
        # The run must last for all kills.
        look "$2"
        if ((step > first + 60)); then return; fi
        nap 0.001
        alive "$deadline" || return 1
    done
}

alive() { ((SECONDS < $1)) && kill -0 "$coordinator" 2>/dev/null; }

# Notes which of the files in shared memory are of this job: mpirun's number is a part of their names.
note_family() {
    local file number
    for file in "$TMPDIR"/mtdnn-*/mpirun.uri; do
        if [[ -s $file ]]; then
            read -r number <"$file" || true
            printf '.%x0001.\n' $((${number%%.*} >> 16)) >>"$folder/families"
        fi
    done
}

cd "$folder"
write_suite
: >families
echo "chaos: seed $seed, $kills kills"
start "$folder/quiet" 2 0
wait "$coordinator" || { tail -n 20 log; echo "chaos: the run that nobody disturbs failed" >&2; exit 1; }
expected=$(tail -n 1 quiet/metrics.jsonl)

declare -A counts victims
passed=0 failed=0
fail() {
    failed=$((failed + 1))
    echo "chaos: kill $number: $1" >&2
    tail -n 3 log >&2
}

# Sets `aim` to the phase that has met the fewest kills so far: short ones have often become something else when the kill arrives.
choose_aim() {
    local phase fewest=$((kills + 1)) start=$((RANDOM % ${#phases[@]}))
    for phase in "${phases[@]:start}" "${phases[@]:0:start}"; do
        if ((${counts[$phase]:-0} < fewest)); then fewest=${counts[$phase]:-0} aim=$phase; fi
    done
}

rank_counts=(1 2 3 5)
is_running=false
for ((number = 1; number <= kills; number++)); do
    choose_aim
    if ! $is_running; then
        rank_count=${rank_counts[RANDOM % ${#rank_counts[@]}]}
        # One rank alone exchanges nothing.
        if [[ $aim == exchange ]] && ((rank_count == 1)); then rank_count=3; fi
        restarts=$((RANDOM % 2 * 3))
        start "$run" "$rank_count" "$restarts"
    fi
    victim=$((RANDOM % 3))
    rank=$((RANDOM % rank_count))
    if ! wait_for_phase "$aim" "$rank"; then
        fail "the job ended, or did not come to $aim in two minutes"
        kill_all 2>/dev/null || true
        wait "$coordinator" 2>/dev/null || true
        is_running=false
        continue
    fi
    find_processes
    if ((victim == 0)); then
        # In start-up there may be none yet.
        for ((tries = 0; tries < 1000; tries++)); do
            read -ra list <<<"$ranks"
            if ((${#list[@]} > rank)) || ! kill -0 "$coordinator" 2>/dev/null; then break; fi
            nap 0.005
            find_processes
        done
    fi
    find_phase "$rank"
    old_mpirun=$mpirun
    case $victim in
        0) kill -KILL "${list[rank]:-$coordinator}" 2>/dev/null || true ;;
        1) kill -KILL "$coordinator" 2>/dev/null || true ;;
        2) kill_all 2>/dev/null || true ;;
    esac
    # Of a job that was killed as a whole, and of a dead rank, this is the last word; mtdnn's job goes on to its own end.
    if ((victim != 1)); then find_phase "$rank"; fi
    note_family
    is_running=false
    code=0
    if ((victim == 0 && restarts > 0)); then
        # mtdnn starts the next job, or says that it gives up.
        for ((tries = 0; tries < 6000; tries++)); do
            find_processes
            if ! kill -0 "$coordinator" 2>/dev/null; then break; fi
            if [[ -n $mpirun && $mpirun != "$old_mpirun" ]]; then is_running=true && : >"$folder/stamp" && break; fi
            nap 0.01
        done
    fi
    if ! $is_running; then
        wait "$coordinator" 2>/dev/null || code=$?
        if ((victim == 0 && code != 70 && code != 137)); then
            fail "mtdnn ended with code $code"
            continue
        fi
    fi
    names=(rank mtdnn all)
    # A kill counts once: for the phase that it was meant for where the job was in it.
    if is_in "$aim"; then met=$aim; else met=${found%% *}; fi
    counts[$met]=$((${counts[$met]:-0} + 1))
    victims[${names[victim]}]=$((${victims[${names[victim]}]:-0} + 1))
    passed=$((passed + 1))
done

if ! $is_running; then start "$run" 2 3; fi
code=0
wait "$coordinator" || code=$?
note_family
coordinator=0
number=end
if ((code != 0)); then fail "the last job ended with code $code"; fi
if [[ $(tail -n 1 "$run/metrics.jsonl") != "$expected" ]]; then fail "the weights are not those of the quiet run"; fi
if [[ $(grep -v parameters_sha256 "$run/metrics.jsonl" | sed 's/,"timing":{[^}]*}//') != $(grep -v parameters_sha256 quiet/metrics.jsonl | sed 's/,"timing":{[^}]*}//') ]]; then
    fail "the log is not that of the quiet run"
fi
if [[ -n $(ls -A "$TMPDIR") ]]; then fail "left in the temporary directory: $(ls -A "$TMPDIR")"; fi
left=$(find /dev/shm -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | grep -F -f families || true)
if [[ -s families && -n $left ]]; then fail "left in /dev/shm: $left"; fi

printf '%-12s %s\n' phase kills
for name in "${phases[@]}" other; do
    if [[ $name != other || -n ${counts[other]:-} ]]; then printf '%-12s %5d\n' "$name" "${counts[$name]:-0}"; fi
done
echo "victims: ${victims[rank]:-0} ranks, ${victims[mtdnn]:-0} times mtdnn, ${victims[all]:-0} times all processes"
echo "$passed passed, $failed failed"
((failed == 0))
