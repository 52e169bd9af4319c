#!/usr/bin/env bash
# Runs the trainer and its PyTorch peers in turn on the same batches and prints how they compare.
#
#     benchmarks/compare.sh DATA [tiny] [minilm] [base]       all three where none is named
#
# DATA holds glue/CoLA, glue/STS-B, glue/RTE and glue/WNLI in their official form. PYTHON names a Python that has torch,
# transformers and what else benchmarks/pytorch/README.md lists (default: peer/bin/python there). Options go to compare.py.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(dirname "$here")
python=${PYTHON:-$here/pytorch/peer/bin/python}

if (($# == 0)); then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
if ! "$python" -c 'import torch, transformers' 2>/dev/null; then
    echo "compare: $python has no torch and transformers; set PYTHON, or make it as benchmarks/pytorch/README.md says" >&2
    exit 1
fi
"$root/scripts/setup.sh"
"$root/scripts/build.sh"
"$root/scripts/fetch-minilm.sh" >&2
exec "$python" "$here/compare.py" "$@"
