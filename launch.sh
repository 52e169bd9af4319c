#!/usr/bin/env bash
# ./launch.sh ARGS: installs what is missing, builds what has changed, and runs `mtdnn ARGS`; without arguments the demo.
# Works from any working directory: paths in ARGS start from there.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
"$root/scripts/setup.sh"
"$root/scripts/build.sh"
if (($# == 0)); then set -- demo; fi
exec "$root/.build/release/mtdnn" "$@"
