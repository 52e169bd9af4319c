#!/usr/bin/env bash
# Reads files that were made to hurt their readers: mutants of safetensors, JSON, YAML, TSV, vocabularies and HDF5.
#
#   scripts/fuzz.sh [SECONDS [SEED]]
#
# Goes on for SECONDS (60 by default) with the mutants from SEED on (a random number by default), a round of ten thousand after another.
# A reader fails that crashes, hangs, asks for more than 1 GiB or gives an error that names no file; its line begins with the words that
# do it again. HDF5 itself may crash on a file whose checksum was made to fit, in a process of its own. Ends with `N passed, M failed`.
# Needs a build with tests (scripts/build.sh --build-tests).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
program="$root/.build/release/HostileFiles"
seconds=${1:-60}
seed=${2:-$((RANDOM * 32768 + RANDOM))}

# A crash of HDF5 is no news.
export SWIFT_BACKTRACE=enable=no
folder=$(mktemp -d "${TMPDIR:-/tmp}/fuzz-XXXXXX")
log="$folder/log"
files="$folder/files"
trap 'rm -rf "$folder"' EXIT

"$program" prepare "$files"
echo "seed $seed"
passed=0
failed=0
SECONDS=0
while ((SECONDS < seconds)); do
    while read -r format count; do
        if ((SECONDS >= seconds)); then break; fi
        "$program" "$format" "$seed" "$count" "$files" 2>"$log" || true
        # Warnings of the C library, such as those of a corrupt heap, are no failures.
        bad=$(grep -c '^HostileFiles: ' "$log" || true)
        grep '^HostileFiles: ' "$log" | sort -u || true
        failed=$((failed + bad))
        passed=$((passed + count - bad))
    done < <("$program" formats)
    seed=$((seed + 10000))
done
echo "$passed passed, $failed failed"
((failed == 0))
