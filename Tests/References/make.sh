#!/bin/sh
# Remakes the files of reference values: make.sh PYTHON MINILM_FOLDER; those of tokenizer.py and questions.py are made by these themselves.
set -eu
python=$1
minilm=$2
cd "$(dirname "$0")"
for program in encoder heads pretraining labelling spans distillation perturbation entities optimizers activations metrics philox dropout training; do
    "$python" "$program.py" values
done
"$python" minilm.py values "$minilm"
