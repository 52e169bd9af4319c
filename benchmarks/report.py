"""What compare.py prints: Markdown tables and a few sentences."""
import platform
import statistics

from compare import MODES, best, ratio

PHASES = ["sample", "forward", "backward", "exchange", "update", "gather"]


def text(comparison, path):
    lines = [f"## {comparison.name}", "", machine(), "", *table(comparison), "", *ratios(comparison), "", *sentences(comparison), "",
             f"All figures: {path}", ""]
    return "\n".join(lines)


def machine():
    processor = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    return (f"{processor}. Medians. Layouts are ranks x threads. GFLOP/s counts the matrix products that the batches need; sgemm is 2048 x 3072 x 768 on all "
            "cores used, measured before and after in each run: OpenBLAS with mtdnn, torch.mm with PyTorch. Memory is the proportional set size.")


def table(comparison):
    lines = ["| program | layout | runs | step s | examples/s | tokens/s | GFLOP/s | of sgemm | peak MiB per rank |", "|---|---|---|---|---|---|---|---|---|"]
    operations = statistics.mean(step["operations"] for step in operations_of(comparison))
    tokens = statistics.mean(step["tokens"] for step in operations_of(comparison))
    for side in comparison.sides():
        if not side.runs:
            continue
        flops = [run["tokens_per_second"] * operations / tokens for run in side.runs]
        share = statistics.median(flop / statistics.mean(run["sgemm_flops"]) for flop, run in zip(flops, side.runs))
        examples = side.median(lambda run: run["examples_per_second"])
        step = side.median(lambda run: run["median_step_seconds"])
        lines.append(f"| {side.name} | {side.layout} | {len(side.runs)} | {step:.3f} | {examples:.1f} | {side.speed:.0f} | "
                     f"{statistics.median(flops) / 1e9:.1f} | {share:.0%} | {side.memory:.0f} |")
    return lines


def operations_of(comparison):
    """The steps with their operations, which only the trainer counts."""
    return next(side.runs[0]["steps"] for side in comparison.sides() if side.name.startswith("mtdnn") and side.runs)


def ratios(comparison):
    def speed(run):
        return run["tokens_per_second"]

    def memory(run):
        return max(one["peak_pss"] or one["peak_rss"] for one in run["memory"])

    def memory_with_checkpoint(run):
        return memory(run) + max(run.get("checkpoint_copy_bytes", [0]))

    ours = {mode: best(comparison.ours[mode]) for mode in MODES}
    rows = [
        ("tokens/s over the strongest PyTorch", [ratio(ours[mode], best(comparison.strong), speed) for mode in MODES]),
        ("tokens/s over transformers + DDP, 2 ranks", [ratio(ours[mode], comparison.plain[0], speed) for mode in MODES]),
        ("peak memory over the strongest, 2 ranks", [ratio(comparison.ours[mode][0], comparison.strong[0], memory) for mode in MODES]),
        ("the same with a checkpoint in flight, whose copy is added", [ratio(comparison.ours[mode][0], comparison.strong[0], memory_with_checkpoint) for mode in MODES]),
    ]
    lines = [f"| median ratio | {' | '.join(MODES)} |", "|---|---|---|"]
    for name, values in rows:
        lines.append(f"| {name} | " + " | ".join("-" if value is None else f"{value:.2f} x" for value in values) + " |")
    return lines


def sentences(comparison):
    lines = []
    for mode in MODES:
        two, one = comparison.ours[mode][0], comparison.alone[mode]
        scaling = ratio(two, one, lambda run: run["tokens_per_second"])
        if scaling:
            machine = ratio(two, one, lambda run: statistics.mean(run["sgemm_flops"]))
            lines.append(f"* 2 ranks over 1 rank, {mode}: {scaling:.2f} x the tokens/s, where sgemm gives {machine:.2f} x.")
        exchanges = [run["exchange"] for run in two.runs if run.get("exchange")]
        if exchanges:
            seconds = statistics.median(one["seconds"] for one in exchanges)
            passes = statistics.median(one["pass_seconds"] for one in exchanges)
            lines.append(f"* One exchange of {exchanges[0]['bytes'] / 1e6:.0f} MB of gradients between 2 ranks, {mode}: {1000 * seconds:.2f} ms; "
                         f"reading and writing those bytes once: {1000 * passes:.2f} ms ({seconds / passes:.2f} x).")
    for side in [best(comparison.strong), *(best(comparison.ours[mode]) for mode in MODES), best(comparison.plain)]:
        if side:
            phases = {phase: side.median(lambda run: run["phases"][phase]) for phase in PHASES if phase in side.runs[0]["phases"]}
            lines.append(f"* Phases of {side.name} {side.layout}: " + ", ".join(f"{phase} {share:.0%}" for phase, share in phases.items()) + ".")
    libraries = sorted({run["sgemm_library"] for sides in comparison.ours.values() for side in sides for run in side.runs})
    if libraries:
        lines.append(f"* mtdnn's sgemm is that of {' and '.join(libraries)}.")
    products = sorted({run["products"] for side in comparison.strong for run in side.runs})
    if products:
        lines.append(f"* The strongest PyTorch's products are those of {' and '.join(products)}, whichever a run found faster; transformers' are PyTorch's own.")
    strong = [run["exchange"] for run in comparison.strong[0].runs if run.get("exchange")]
    if strong:
        lines.append(f"* One all_reduce of {strong[0]['bytes'] / 1e6:.0f} MB by gloo: {1000 * statistics.median(one['seconds'] for one in strong):.2f} ms.")
    for side in comparison.sides():
        if side.failure:
            lines.append(f"* {side.name} {side.layout} did not run: {side.failure.splitlines()[-1]}")
    return lines
