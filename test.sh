#!/usr/bin/env bash
# ./test.sh [PATTERN...]: installs what is missing, builds, checks formatting, warnings and the list of mutants, and runs all tests, or
# those whose names match a pattern. With CI=true a skipped test fails it unless Tests/allowed-skips.txt names it.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
root=$(pwd -P)
# shellcheck source=scripts/configuration.sh
source scripts/configuration.sh
readonly test_log="$root/.build/test.log"
failures=()
closing_lines=()

# A file with a warning counts as changed, so that the next build compiles it again and repeats the warning.
check_warnings() {
    local warnings
    warnings=$(grep -F ': warning: ' "$build_log" | grep -E "^$root/(Sources|Tests)/" | sort -u || true)
    if [[ -z $warnings ]]; then return; fi
    printf 'Warnings:\n%s\n' "$warnings"
    failures+=("warnings")
    cut -d: -f1 <<<"$warnings" | sort -u | xargs -r -d '\n' touch
}

check_format() {
    swift format lint --strict --recursive --configuration .swift-format Sources Tests Package.swift \
        || failures+=("formatting")
}

# run_tests NAME OPTIONS...: runs what the options select and notes the minutes and the runner's closing line.
run_tests() {
    local name=$1 log="$root/.build/test-$1.log" closing
    shift
    SECONDS=0
    echo
    echo "== $name"
    swift test "${configuration[@]}" --skip-build --disable-xctest "$@" 2>&1 | tee "$log" \
        || failures+=("$name")
    closing=$(grep -E 'Test run with .* (passed|failed) after' "$log" | tail -n 1 || true)
    if [[ -z $closing || $closing == *" with 0 tests "* ]]; then failures+=("$name: no test was run"); fi
    closing_lines+=("$(printf '%-14s %2d:%02d min  %s' "$name" $((SECONDS / 60)) $((SECONDS % 60)) "${closing:-no closing line}")")
    cat "$log" >>"$test_log"
}

# The tests that were skipped, each with its reason behind a tab.
skipped_tests() {
    sed -nE 's/^[^[:alnum:]]*Test (.*) skipped(: "(.*)"|\.)$/\1\t\3/p' "$test_log" | sort -u
}

check_skipped() {
    local name reason
    while IFS=$'\t' read -r name reason; do
        echo "Skipped: $name: ${reason:-no reason given}"
        if [[ ${CI:-} == true ]] && ! grep -Fqx -- "$name" Tests/allowed-skips.txt; then
            failures+=("skipped, but not in Tests/allowed-skips.txt: $name")
        fi
    done < <(skipped_tests)
}

scripts/setup.sh
scripts/setup.sh strace || echo "test: the test of what reaches the disk in which order will be skipped" >&2
scripts/fetch-minilm.sh || echo "test: tests that need the MiniLM encoder will be skipped" >&2
scripts/build.sh --build-tests
check_warnings
check_format
scripts/mutate.sh --check || failures+=("mutants")

: >"$test_log"
if (($# > 0)); then
    patterns=()
    for pattern in "$@"; do patterns+=(--filter "$pattern"); done
    run_tests selection --no-parallel "${patterns[@]}"
else
    for folder in Tests/*Tests; do
        name=${folder#Tests/}
        if [[ $name != JobTests ]]; then run_tests "$name" --filter "^$name\\."; fi
    done
    # Every job has several ranks of its own: one at a time.
    run_tests JobTests --no-parallel --filter '^JobTests\.'
fi

echo
check_skipped
if ((${#failures[@]} > 0)); then printf 'Failed: %s\n' "${failures[@]}"; fi
printf '%s\n' "${closing_lines[@]}"
((${#failures[@]} == 0))
