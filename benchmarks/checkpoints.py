"""Takes the first steps of a run with and without checkpoints, in turn, and says what a checkpoint costs beside 200 steps.

    python3 benchmarks/checkpoints.py runs/glue-small.yml --ranks 2 --set data=PATH

Both runs of a pair have the same steps, so each step has a twin without checkpoints, and the ratio of the two is a sample. A machine that is shared is uneven by more than a
checkpoint costs: of each step after a checkpoint's beginning the median over all checkpoints of all pairs is taken, over that of the steps between.
What these medians are above 1 adds up to the cost of a checkpoint, in steps. The end of the writing is seen when the folder gets its name. `dd` writes as
many bytes, and waits for the disk as a checkpoint does. What no program can save is what the bytes alone take from loops that only count, on as many cores as there are ranks.
"""

import argparse
import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="run file")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--every", type=int, default=30, help="steps between checkpoints")
    parser.add_argument("--window", type=int, default=22, help="steps after a checkpoint's beginning in which it may cost something")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "run"
        take(options, folder, 0)  # prepares the data
        sizes, pairs = zip(*(pair(options, folder, number) for number in range(options.pairs)))
        size = max(sizes)
        lost = statistics.median(taken_by_writing(folder, size, options.ranks) for _ in range(3))
    quiet = statistics.median(ratio for ratios in pairs for step, ratio in enumerate(ratios) if place(step, options) is None)
    after = [[] for _ in range(options.window)]
    for ratios in pairs:
        for step, ratio in enumerate(ratios):
            if place(step, options) is not None:
                after[place(step, options)].append(ratio / quiet)
    medians = [statistics.median(ratios) for ratios in after]
    cost = sum(medians) - len(medians)
    print(f"steps after a checkpoint's beginning over their twins, medians of {len(after[0])}: {', '.join(f'{median:.3f}' for median in medians)}")
    print(f"a checkpoint costs {cost:.2f} steps: {cost / 2:.2f} % of 200; the slowest of these steps takes {max(medians):.2f} times its twin")
    print(f"as many bytes that dd writes past the system's cache take {lost:.2f} s from each of {options.ranks} cores that count")


def place(step, options):
    """How many steps after a checkpoint's beginning a step comes; None between checkpoints and before the first."""
    place = step % options.every
    return place if step >= options.every and place < options.window else None


def pair(options, folder, number):
    """A checkpoint's bytes, and the ratios of all steps. Which kind of run goes first changes from pair to pair."""
    runs = {every: take(options, folder, every) for every in ((options.every, 0) if number % 2 else (0, options.every))}
    (with_them, writing, size), (without, _, _) = runs[options.every], runs[0]
    print(f"pair {number + 1}: {sum(with_them):.2f} s with checkpoints, {sum(without):.2f} s without; {size / 1e6:.0f} MB written in "
          f"{statistics.median(writing):.2f} s beside training ({size / 1e6 / statistics.median(writing):.0f} MB/s), by dd alone at {dd(folder, size):.0f} MB/s", flush=True)
    return size, [a / b for a, b in zip(with_them, without)]


def take(options, folder, every):
    """Seconds of each step, seconds that each checkpoint was being written, and its bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = [f"checkpoint_steps={every}", f"folder={folder}", f"prepared={folder.parent / 'prepared'}", *options.settings]
    job = subprocess.Popen(
        [str(ROOT / ".build/release/mtdnn"), "train", options.run, "--ranks", str(options.ranks), *(part for setting in settings for part in ("--set", setting))],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    began, whole = {}, {}
    log = folder / "metrics.jsonl"
    while job.poll() is None and not (log.exists() and log.read_bytes().count(b"gradient_norm") >= options.steps):
        for path in (folder / "checkpoints").glob("step-*"):
            seen = began if path.suffix == ".partial" else whole
            seen.setdefault(path.stem, time.monotonic())
        time.sleep(0.02)
    size = max((sum(file.stat().st_size for file in path.iterdir()) for path in (folder / "checkpoints").glob("step-*") if not path.suffix), default=0)
    job.send_signal(signal.SIGTERM)
    complaint = job.communicate()[1]
    if job.returncode not in (0, 75):
        raise SystemExit(complaint)
    lines = map(json.loads, log.read_text().splitlines())
    seconds = [line["timing"]["seconds"] for line in lines if "gradient_norm" in line]
    return seconds[:options.steps], [whole[name] - began[name] for name in whole if name in began], size


def dd(folder, size):
    """Megabytes a second, the disk included."""
    start = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={folder.parent / 'dd'}", "bs=1M", f"count={size // 2**20}", "conv=fsync"], check=True, stderr=subprocess.DEVNULL)
    return size / 1e6 / (time.monotonic() - start)


COUNT = """
import sys, time
end, rounds = time.monotonic() + float(sys.argv[1]), 0
while time.monotonic() < end:
    rounds += 1
print(rounds)
"""


def taken_by_writing(folder, size, ranks, seconds=4.0):
    """Seconds that each core loses to `dd` writing a checkpoint's bytes beside it, a part for each rank."""
    def rounds(writes):
        loops = [subprocess.Popen(["python3", "-c", COUNT, str(seconds)], stdout=subprocess.PIPE, text=True) for _ in range(ranks)]
        parts = [subprocess.Popen(["nice", "dd", "if=/dev/zero", f"of={folder.parent / f'dd-{part}'}", "bs=4M", f"count={size // ranks // 2**22}",
                                   "oflag=direct", "conv=fsync"], stderr=subprocess.DEVNULL) for part in range(ranks if writes else 0)]
        if any(part.wait() for part in parts):
            raise SystemExit(f"dd cannot write past the cache in {folder.parent}; set TMPDIR to a folder on a disk")
        return sum(int(loop.communicate()[0]) for loop in loops)
    return seconds * (1 - rounds(True) / rounds(False))


if __name__ == "__main__":
    main()
