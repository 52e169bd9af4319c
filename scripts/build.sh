#!/usr/bin/env bash
# Builds in release; arguments are added to those of `swift build`. The output is shown only if it takes long or fails.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/configuration.sh
source "$root/scripts/configuration.sh"

# Passes lines on once some seconds have gone by, or where one is an error.
show_if_slow_or_failing() {
    local patience=8 held="" line
    SECONDS=0
    while IFS= read -r line; do
        held+="$line"$'\n'
        if ((SECONDS >= patience)) || [[ $line == *error:* ]]; then
            printf '%s' "$held"
            cat
            return
        fi
    done
}

mkdir -p "$root/.build"
if ! swift build "${configuration[@]}" "$@" 2>&1 | tee "$build_log" | show_if_slow_or_failing >&2; then
    echo "The build failed; its whole output is in $build_log" >&2
    exit 1
fi
