"""Tokenises the same sentence pairs with `mtdnn prepare` and with Hugging Face's tokenizers, in turn, one core each.

    scripts/fetch-minilm.sh && scripts/build.sh
    peer/bin/python benchmarks/tokenizer.py --data PATH        # PATH holds glue/QNLI/train.tsv and dev.tsv

On our side the clock runs for the whole command: start, reading and checking the files, tokenising, writing all ids as JSON lines. On
theirs it runs for `encode_batch_fast` alone. The ids are compared.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402 - reads the environment

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENCODER = ROOT / "encoders" / "minilm"
LENGTH = 512


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder that holds glue/QNLI")
    parser.add_argument("--copies", type=int, default=10, help="how often the training rows are repeated")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pairs = copy_rows(options, folder)
        rounds = [(ours(folder), theirs(pairs)) for _ in range(options.rounds)]
        ids = [json.loads(line)["token_id"] for split in ("train", "dev") for line in open(folder / f"qnli_{split}.json")]
    tokens = sum(map(len, ids))
    same = all(a == b.ids for a, b in zip(ids, rounds[-1][1][1], strict=True))
    mine, other = [first for first, _ in rounds], [second[0] for _, second in rounds]
    print(f"{len(ids)} pairs, {tokens} tokens, ids {'equal' if same else 'DIFFERENT'}")
    for label, seconds in (("mtdnn prepare", mine), ("tokenizers", other)):
        print(f"{label:14} {statistics.median(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), {tokens / statistics.median(seconds) / 1e6:.2f} million tokens/s")
    ratios = [b / a for a, b in zip(mine, other)]
    print(f"median ratio of rounds: {statistics.median(ratios):.2f} x")
    if not same:
        raise SystemExit(1)


def copy_rows(options, folder):
    """Writes the files that ours reads; returns the pairs of both splits."""
    target = folder / "data" / "glue" / "QNLI"
    target.mkdir(parents=True)
    pairs = []
    for split, copies in (("train", options.copies), ("dev", 1)):
        header, *rows = (options.data / "glue" / "QNLI" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
        (target / f"{split}.tsv").write_text("\n".join([header, *rows * copies]) + "\n", encoding="utf-8")
        pairs += [tuple(row.split("\t")[1:3]) for row in rows] * copies
    settings = dict(
        encoder={"from": str(ENCODER)}, tasks=str(ROOT / "tasks" / "glue.yml"), data=str(folder / "data"), train=["qnli"],
        epochs=1, max_length=LENGTH)
    (folder / "run.yml").write_text(json.dumps(settings))  # JSON is YAML
    return pairs


def ours(folder):
    """Seconds of the command."""
    start = time.perf_counter()
    subprocess.run([ROOT / ".build/release/mtdnn", "prepare", folder / "run.yml", "--json-lines", folder], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def theirs(pairs):
    """Seconds of the call, and its result."""
    tokenizer = Tokenizer.from_file(str(ENCODER / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTH)
    start = time.perf_counter()
    encoded = tokenizer.encode_batch_fast(pairs)
    return time.perf_counter() - start, encoded


if __name__ == "__main__":
    main()
