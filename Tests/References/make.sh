#!/bin/sh
# Remakes every file of reference values: make.sh PYTHON MINILM_FOLDER
set -eu
python=$1
minilm=$2
cd "$(dirname "$0")"
for program in encoder heads labelling entities optimizers activations metrics philox training; do
    "$python" "$program.py" values
done
"$python" minilm.py values "$minilm"
