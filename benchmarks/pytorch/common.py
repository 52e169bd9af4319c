"""What both peers share: ranks as processes of one host, batches that the trainer listed, the clock, memory, and the report."""
import argparse
import ctypes.util
import json
import os
import socket
import statistics
import subprocess
import sys
import time

# Set for the ranks only: glibc gives freed memory back at once, and taking it anew costs more than the arithmetic on it.
KEPT_MEMORY = dict(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="17179869184", MALLOC_TOP_PAD_="268435456")
TCMALLOC = dict(TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES="1073741824", TCMALLOC_RELEASE_RATE="0")
PHASES = ["sample", "forward", "backward", "exchange", "update"]
TASKS = {
    "cola": dict(kind="classification", outputs=2, san=False),
    "rte": dict(kind="classification", outputs=2, san=True),
    "stsb": dict(kind="regression", outputs=1, san=False),
    "wnlipairs": dict(kind="ranking", outputs=1, san=False),
}
WARM_UP = 2
RATE = 5e-5


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--encoder", required=True, help="folder with config.json, model.safetensors, vocab.txt")
    parser.add_argument("--data", required=True, help="folder that holds glue/ and ranking/")
    parser.add_argument("--batches", required=True, help="what `mtdnn bench --json` printed: its steps name the rows of each batch")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--products", choices=["MKL", "oneDNN"], help="of strong.py, instead of the faster ones; PyTorch's own are MKL's")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def run(description, train, keeps_memory):
    """Starts the ranks, each bound to cores of its own where there are enough, and prints the first one's report."""
    options = arguments(description)
    if "RANK" in os.environ:
        return run_rank(options, train)
    environment = dict(os.environ, WORLD_SIZE=str(options.ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port(),
                       OMP_NUM_THREADS=str(options.threads), MKL_NUM_THREADS=str(options.threads), TOKENIZERS_PARALLELISM="false")
    if keeps_memory:
        library = ctypes.util.find_library("tcmalloc_minimal")
        environment |= TCMALLOC | dict(LD_PRELOAD=library) if library else KEPT_MEMORY
    ranks = [subprocess.Popen([sys.executable] + sys.argv, env=environment | dict(RANK=str(rank))) for rank in range(options.ranks)]
    while any(rank.poll() is None for rank in ranks):
        if any(rank.poll() for rank in ranks):  # one failed: the others would wait for it
            for rank in ranks:
                rank.terminate()
        time.sleep(0.05)
    sys.exit(max(abs(rank.returncode) for rank in ranks))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def run_rank(options, train):
    rank, cores = int(os.environ["RANK"]), sorted(os.sched_getaffinity(0))
    if options.ranks * options.threads <= len(cores):
        os.sched_setaffinity(0, cores[rank * options.threads:(rank + 1) * options.threads])
    import torch
    import torch.distributed
    torch.set_num_threads(options.threads)
    if options.ranks > 1:
        torch.distributed.init_process_group("gloo")
    torch.manual_seed(options.seed)
    report = measure(options, train(options, rank))
    if rank == 0:
        print(json.dumps(report))
    if options.ranks > 1:
        torch.distributed.destroy_process_group()


class Clock:
    """Seconds of each phase, and the tokens that were computed; `enter` ends one phase and begins another."""

    def __init__(self):
        self.seconds, self.phase, self.start = dict.fromkeys(PHASES, 0.0), None, 0.0

    def enter(self, phase):
        now = time.perf_counter()
        if self.phase:
            self.seconds[self.phase] += now - self.start
        self.phase, self.start = phase, now


def read_batches(options):
    """The steps as `mtdnn bench` listed them, each with its examples as token ids."""
    from data import read, tokenise
    with open(options.batches) as file:
        steps = json.load(file)["steps"]
    examples = {task: tokenise(read(task, options.data, "train"), options.encoder, 512) for task in {step["task"] for step in steps}}
    batches = []
    for step in steps:
        chosen = [examples[step["task"]][row] for row in step["rows"]]
        tokens = sum(len(ids) for candidates, _ in chosen for ids, _ in candidates)
        if tokens != step["tokens"]:
            sys.exit(f"a batch of {step['task']} has {tokens} tokens here and {step['tokens']} in {options.batches}")
        batches.append(dict(step, examples=chosen))
    return batches


def measure(options, trainer):
    """Runs the largest batches first, untimed, then all."""
    import torch
    batches = trainer.batches
    before = sgemm(options.ranks)
    reset_peak()
    for batch in sorted(batches, key=lambda batch: -batch["tokens"])[:WARM_UP]:
        trainer.step(batch, Clock())
    clock, seconds, losses = Clock(), [], []
    for batch in batches:
        start = time.perf_counter()
        loss = trainer.step(batch, clock)
        clock.enter(None)
        seconds.append(time.perf_counter() - start)
        losses.append(float(loss))
    mine = dict(memory=peak_memory(), phases=clock.seconds, sgemm=[before, sgemm(options.ranks)])
    all_ranks = [None] * options.ranks
    if options.ranks > 1:
        torch.distributed.all_gather_object(all_ranks, mine)
    else:
        all_ranks = [mine]
    total, whole = sum(seconds), sum(sum(one["phases"].values()) for one in all_ranks)
    return dict(
        ranks=options.ranks, threads=options.threads, products=trainer.products, median_step_seconds=statistics.median(seconds),
        examples_per_second=sum(len(batch["rows"]) for batch in batches) / total,
        tokens_per_second=sum(batch["tokens"] for batch in batches) / total,
        memory=[one["memory"] for one in all_ranks],
        phases={phase: sum(one["phases"][phase] for one in all_ranks) / whole for phase in PHASES},
        exchange=trainer.time_exchange() if options.ranks > 1 else None,
        sgemm_flops=[sum(one["sgemm"][i] for one in all_ranks) for i in range(2)],
        steps=[dict(task=batch["task"], tokens=batch["tokens"], seconds=second, loss=loss)  # the loss is the first rank's own
               for batch, second, loss in zip(batches, seconds, losses)])


def sgemm(ranks):
    """Operations per second of torch.mm, 2048 x 768 by 768 x 3072, with all threads of this rank and all ranks at once."""
    import torch
    m, n, k = 2048, 3072, 768
    a, b, c, times = torch.full((m, k), 0.5), torch.full((n, k), 0.5), torch.zeros(m, n), []
    if ranks > 1:
        torch.distributed.barrier()
    for _ in range(8):
        start = time.perf_counter()
        torch.mm(a, b.T, out=c)
        times.append(time.perf_counter() - start)
    return 2 * m * n * k / statistics.median(times[1:])


def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def fields(path):
    """The lines `NAME: NUMBER kB` of a file under /proc, in bytes."""
    with open(path) as file:
        words = [line.replace(":", " ").split() for line in file]
    return {line[0]: int(line[1]) * 1024 for line in words if len(line) == 3 and line[2] == "kB"}


def peak_memory():
    """The system keeps the peak of resident pages only; the excess of shared pages over their share is taken off as it is now."""
    now, resident = fields("/proc/self/smaps_rollup"), fields("/proc/self/status")["VmHWM"]
    return dict(peak_pss=resident - (now["Rss"] - now["Pss"]), peak_rss=resident)


def loss_sum(kind, scores, batch):
    """The sum over rows; of a ranking: over queries."""
    import torch.nn.functional as F
    if kind == "regression":
        return F.mse_loss(scores[:, 0], batch["labels"], reduction="sum")
    if kind == "ranking":
        queries = zip(scores[:, 0].split(batch["sizes"]), batch["labels"])
        return sum(-query.log_softmax(0)[label] for query, label in queries)
    return F.cross_entropy(scores, batch["labels"], reduction="sum")
