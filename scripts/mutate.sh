#!/usr/bin/env bash
# Breaks one line of Kernels or Model at a time, as Tests/Mutants/list.txt says, and checks that the tests of both notice.
#
#   scripts/mutate.sh [PATTERN [FOLDER]]
#   scripts/mutate.sh --check
#
# PATTERN chooses mutants by name (a regular expression of bash; all by default). The work is done in a copy, FOLDER (.build/mutants
# by default), whose build stays there and makes the next run quicker. Ends with `N passed, M failed`: a mutant fails
# that no test noticed, that does not compile, or whose line is no longer in the sources. The last is all that --check looks for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
list=$root/Tests/Mutants/list.txt
# Calls a function for each mutant, with its `name`, `file`, `old` and `new`.
for_each() {
    local line name file old new
    while IFS= read -r line <&3; do
        [[ $line == '## '* ]] || continue
        name=${line#'## '}
        IFS= read -r file <&3 && IFS= read -r old <&3 && IFS= read -r new <&3
        "$1"
    done 3<"$list"
}

if [[ ${1:-} == --check ]]; then
    failed=0
    check() {
        [[ $(grep -cF -- "$old" "$root/$file") == 1 ]] && return
        echo "$list: $name: its line is not exactly once in $file" >&2
        failed=1
    }
    for_each check
    exit "$failed"
fi
pattern=${1:-.}
copy=${2:-$root/.build/mutants}

mkdir -p "$copy/Sources" "$copy/Tests"
copy=$(cd "$copy" && pwd)
# Only what differs, so that what is already built stays built.
rm -f "$copy/Package.swift"
cp -p Tests/Mutants/Package.swift "$copy/"
for part in Sources/{COpenBLAS,CProcessor,CVector,Kernels,Model,Storage} Tests/{KernelsTests,ModelTests,TestSupport,References}; do
    rm -rf "${copy:?}/$part"
    cp -Rp "$part" "$copy/$part"
done
cd "$copy"

options=(-c release -Xswiftc -enable-testing)
log=$copy/log.txt
build() { swift build "${options[@]}" --build-tests >"$log" 2>&1; }
# The tests by differences take longest: they run only where the others notice nothing. A test that hangs has noticed, too.
pass() {
    timeout 600 swift test "${options[@]}" --skip-build --skip GradientTests >"$log" 2>&1 &&
        timeout 600 swift test "${options[@]}" --skip-build --filter GradientTests >"$log" 2>&1
}

if ! build; then
    cat "$log"
    echo "the sources without a mutant do not compile"
    exit 1
fi
if ! pass; then
    cat "$log"
    echo "the tests fail without a mutant"
    exit 1
fi

passed=0
failed=0
# Prints the verdict on a mutant: `new` takes the place of `old`.
try() {
    local text before after by
    [[ $name =~ $pattern ]] || return 0
    text=$(cat "$root/$file" && echo .)
    before=${text%%"$old"*}
    after=${text#*"$old"}
    if [[ $before == "$text" || $after == *"$old"* ]]; then
        echo "ERROR     $name: its line is not exactly once in $file"
        failed=$((failed + 1))
        return
    fi
    text=$before$new$after
    printf '%s' "${text%.}" >"$file"
    if ! build; then
        echo "ERROR     $name: does not compile"
        grep -m 3 'error:' "$log" || true
        failed=$((failed + 1))
    elif pass; then
        echo "SURVIVED  $name"
        failed=$((failed + 1))
    else
        # Named, so that a test that fails for another reason is not taken for one that noticed.
        by=$(grep -o -m 1 '✘ Test [^ ]*' "$log" || true)
        echo "caught    $name (${by:-no test ended: a crash or a hang})"
        passed=$((passed + 1))
    fi
    cp "$root/$file" "$file"
}

for_each try
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
