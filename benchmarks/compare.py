"""Runs the trainer and its PyTorch peers in turn on the same batches and prints how they compare; compare.sh starts it."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TRAINER = os.path.join(ROOT, ".build", "release", "mtdnn")
MODES = ["across_rank_counts", "per_rank_count"]
PEERS = {"strong": "strongest PyTorch", "hf": "transformers + DDP"}
# Layers, hidden, heads; None is the real encoder. Steps of one run, minutes for all runs.
MODELS = {
    "tiny": dict(sizes=(2, 128, 2), steps=24, minutes=4),
    "minilm": dict(sizes=None, steps=24, minutes=8),
    "base": dict(sizes=(12, 768, 12), steps=4, minutes=12),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder with glue/CoLA, glue/STS-B, glue/RTE and glue/WNLI in their official form")
    parser.add_argument("models", nargs="*", metavar="model", help=f"any of {', '.join(MODELS)}; all unless given")
    parser.add_argument("--work", default=os.path.join(ROOT, ".build", "benchmarks"), help="where encoders, token files and results go")
    parser.add_argument("--steps", type=int, help="steps of one run, instead of the model's own number")
    parser.add_argument("--minutes", type=float, help="time for one model, instead of its own; the first round is always whole")
    parser.add_argument("--rounds", type=int, default=9, help="rounds at most")
    options = parser.parse_args()
    options.models = options.models or list(MODELS)
    for name in options.models:
        if name not in MODELS:
            parser.error(f"{name} is no model; there are {', '.join(MODELS)}")
    return options


def prepare_data(options):
    """A data folder with GLUE and the pairs of WNLI; returns its path."""
    glue = os.path.join(os.path.abspath(options.data), "glue")
    for part in ["CoLA", "STS-B", "RTE", "WNLI"]:
        if not os.path.exists(os.path.join(glue, part, "train.tsv")):
            sys.exit(f"compare: {glue}/{part}/train.tsv is not there; DATA must hold GLUE in its official form")
    folder = os.path.join(os.path.abspath(options.work), "data")
    os.makedirs(os.path.join(folder, "ranking"), exist_ok=True)
    link = os.path.join(folder, "glue")
    if os.path.islink(link):
        os.unlink(link)
    os.symlink(glue, link)
    for split in ["train", "dev"]:
        with open(os.path.join(glue, "WNLI", f"{split}.tsv"), encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file][1:]
        queries = {}
        for _, sentence, reading, label in rows:
            queries.setdefault(sentence, []).append((reading, label))
        with open(os.path.join(folder, "ranking", f"wnlipairs_{split}.tsv"), "w", encoding="utf-8") as file:
            for number, (sentence, readings) in enumerate(queries.items()):
                if len(readings) == 2 and sorted(label for _, label in readings) == ["0", "1"]:
                    labels = ",".join(label for _, label in readings)
                    print(number, f"{number}-0,{number}-1", labels, sentence, *(reading for reading, _ in readings), sep="\t", file=file)
    return folder


def prepare_encoder(options, name):
    """The folder of an encoder in Hugging Face's form; random weights but for MiniLM."""
    minilm = os.path.join(ROOT, "encoders", "minilm")
    if MODELS[name]["sizes"] is None:
        return minilm
    folder = os.path.join(os.path.abspath(options.work), "encoders", name)
    if not os.path.exists(os.path.join(folder, "vocab.txt")):
        import torch
        from transformers import BertConfig, BertModel
        layers, hidden, heads = MODELS[name]["sizes"]
        torch.manual_seed(1)
        model = BertModel(BertConfig(
            vocab_size=30522, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * hidden))
        model.save_pretrained(folder)
        for file in ["tokenizer_config.json", "vocab.txt"]:
            shutil.copy(os.path.join(minilm, file), folder)
    return folder


class Side:
    """One program in one layout, and what each of its runs reported."""

    def __init__(self, name, ranks, threads, command):
        self.name, self.ranks, self.threads, self.command = name, ranks, threads, command
        self.runs, self.failure = [], None

    @property
    def layout(self):
        return f"{self.ranks} x {self.threads}"

    def run(self):
        """Times it once; a failure is kept and the side left out from then on."""
        if self.failure:
            return
        print(f"  {self.name} {self.layout}", end=" ", file=sys.stderr, flush=True)
        start = time.monotonic()
        try:
            done = subprocess.run(self.command, capture_output=True, text=True, timeout=900)
            self.failure = done.stderr.strip() or "no reason given" if done.returncode else None
        except subprocess.TimeoutExpired:
            self.failure = "took more than 900 s"
        if self.failure:
            print(f"failed: {self.failure}", file=sys.stderr)
        else:
            self.runs.append(json.loads(done.stdout.strip().split("\n")[-1]))
            print(f"{self.runs[-1]['tokens_per_second']:.0f} tokens/s ({time.monotonic() - start:.0f} s)", file=sys.stderr)

    def median(self, figure):
        return statistics.median(figure(run) for run in self.runs)

    @property
    def speed(self):
        return self.median(lambda run: run["tokens_per_second"]) if self.runs else 0

    @property
    def memory(self):
        """MiB of the rank that needs most."""
        return self.median(lambda run: max(one.get("peak_pss") or one["peak_rss"] for one in run["memory"])) / 2**20


class Comparison:
    """All sides of one model."""

    def __init__(self, options, name, data):
        self.options, self.name, self.data = options, name, data
        self.encoder = prepare_encoder(options, name)
        self.steps = options.steps or MODELS[name]["steps"]
        self.minutes = options.minutes or MODELS[name]["minutes"]
        self.batches = os.path.join(os.path.abspath(options.work), f"batches-{name}.json")
        self.ours = {mode: [self.trainer(mode, *layout) for layout in [(2, 1), (1, 2)]] for mode in MODES}
        self.alone = {mode: self.trainer(mode, 1, 1) for mode in MODES}
        self.strong = [self.peer("strong", *layout) for layout in [(2, 1), (1, 2)]]
        self.plain = [self.peer("hf", 2, 1)]

    def trainer(self, mode, ranks, threads, encoder=None):
        prepared = os.path.join(os.path.abspath(self.options.work), "prepared")
        settings = [f"encoder.from={encoder or self.encoder}", f"data={self.data}", f"prepared={prepared}", f"reproducible={mode}"]
        command = [TRAINER, "bench", os.path.join(HERE, "run.yml"), "--ranks", ranks, "--threads", threads, "--steps", self.steps, "--json"]
        command += [part for setting in settings for part in ("--set", setting)]
        return Side(f"mtdnn {mode}", ranks, threads, list(map(str, command)))

    def peer(self, script, ranks, threads):
        command = [sys.executable, os.path.join(HERE, "pytorch", f"{script}.py"), "--encoder", self.encoder, "--data", self.data,
                   "--batches", self.batches, "--ranks", str(ranks), "--threads", str(threads)]
        return Side(PEERS[script], ranks, threads, command)

    def run(self):
        """One round of every side in every layout; then rounds of each side's best, as long as there is time for another."""
        print(f"{self.name}: {self.steps} steps a run, about {self.minutes:.0f} minutes", file=sys.stderr)
        start = time.monotonic()
        self.list_batches()
        across, per_rank = (self.ours[mode] for mode in MODES)
        self.round([across[0], self.strong[0], per_rank[0], self.plain[0], across[1], self.strong[1], per_rank[1], *self.alone.values()])
        kept = [best(across), best(self.strong), best(per_rank), best(self.plain), across[0], self.strong[0], per_rank[0], self.alone[MODES[0]]]
        kept = [side for place, side in enumerate(kept) if side and side not in kept[:place]]
        last = 0.0
        for _ in range(self.options.rounds - 1):
            if time.monotonic() + last - start > 60 * self.minutes:
                break
            began = time.monotonic()
            self.round(kept)
            last = time.monotonic() - began

    def list_batches(self):
        """The rows of each batch, which the peers read: they are the same in every layout and mode, and with any encoder."""
        side = self.trainer(MODES[0], 1, 1, prepare_encoder(self.options, "tiny"))
        side.run()
        if side.failure:
            sys.exit("compare: the trainer does not run; the reason stands above")
        with open(self.batches, "w") as file:
            json.dump(side.runs[0], file)

    def round(self, sides):
        for side in sides:
            side.run()

    def sides(self):
        return [side for group in [*self.ours.values(), [*self.alone.values()], self.strong, self.plain] for side in group]


def best(sides):
    """The fastest of the layouts that ran, or None."""
    return max((side for side in sides if side.runs), key=lambda side: side.speed, default=None)


def ratio(one, other, figure):
    """The median over rounds of one side's figure over the other's, of runs in the same round; None where one did not run."""
    if not one or not other or not one.runs or not other.runs:
        return None
    return statistics.median(figure(a) / figure(b) for a, b in zip(one.runs, other.runs))


def save(comparison):
    path = os.path.join(os.path.abspath(comparison.options.work), f"results-{comparison.name}.json")
    with open(path, "w") as file:
        json.dump([dict(name=side.name, layout=side.layout, runs=side.runs, failure=side.failure) for side in comparison.sides()], file)
    return path


def main():
    import report
    options = arguments()
    os.makedirs(options.work, exist_ok=True)
    data, failures = prepare_data(options), []
    for name in options.models:
        comparison = Comparison(options, name, data)
        comparison.run()
        path = save(comparison)
        print(report.text(comparison, path))
        failures += [f"{name}: {side.name} {side.layout} failed: {side.failure.splitlines()[-1]}" for side in comparison.sides() if side.failure]
    if failures:
        sys.exit("compare: " + "\ncompare: ".join(failures))


if __name__ == "__main__":
    main()
