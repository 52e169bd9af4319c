"""Takes the same steps as a run of the trainer, from the same first weights, and compares each step's loss and gradient norm.

The run was stopped after its first step and gone on with, so that its checkpoint of step 1 holds the first weights (the rate of the first step of a
warm-up is 0):

    mtdnn bench RUN.yml --steps 200 --json >batches.json    # or a run file with a smaller encoder of the same vocabulary: batches are the same
    mtdnn export --hdf5 first.h5 RUN/checkpoints/step-00000001
    peer/bin/python follow.py --weights first.h5 --batches batches.json --metrics RUN/metrics.jsonl --epochs 4 --rate 1e-4 \\
        --encoder ENCODER --data DATA --log /dev/null --task cola --task rte:batch=16,length=96 ...

Every step is compared, with the trainer's own dropout masks (`masks.py`; `--seed` is the run's), or with `--dropout 0` for a run with `dropout: 0`, `san: {prediction_dropout: 0}`
and tasks with `dropout_p: 0`. With `--masks own` PyTorch draws other masks, and what is compared are mean losses by task and epoch: batches are the same, so the difference
tells more than those of two seeds. At the end of an epoch its scores on the development rows are printed.

With `--weights RUN/checkpoints/STEP/shard-000-of-001.h5`, a checkpoint of a run on one rank, the optimizer's moments are taken from there too, and what is compared are the steps after it.
At each later checkpoint in that folder weights and moments are taken again. Rounding grows from step to step, a thousandfold in a hundred steps where the rate is high, and would hide a wrong step:
a run with `checkpoint_steps: 100` and `keep_last: 100` can be followed to its end.
"""
import collections
import json
import statistics

import torch

from data import pack, read, tokenise
from masks import TrainerDropout
from model import Dropout, Encoder
from train import arguments, evaluate, loss_of, make_optimizer
from weights import checkpoint_of, load_moments, load_tasks, load_weights, step_of


def main():
    options = arguments(
        ("--weights", "the trainer's first weights, by `mtdnn export --hdf5`, or a checkpoint's one shard"),
        ("--batches", "the trainer's batches, by `mtdnn bench --json`"),
        ("--metrics", "the run's metrics.jsonl"),
        ("--masks", "`trainer`: the trainer's dropout masks, `own`: others"))
    torch.manual_seed(options.seed)
    masks = dict(trainer=TrainerDropout, own=Dropout)[options.masks](options.seed)
    encoder = Encoder(options.encoder, masks)
    encoder.share = options.dropout
    has_dropout = options.dropout > 0
    tasks = load_tasks(options, encoder, options.weights)
    for task in tasks.values():
        for split in ["train", "dev"]:
            task[split] = tokenise(read(task["name"], options.data, split), options.encoder, task["length"])
    optimizer = make_optimizer(options, encoder, list(tasks.values()))
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    with open(options.metrics) as file:
        theirs = [line for line in map(json.loads, file) if "gradient_norm" in line]
    with open(options.batches) as file:
        batches = json.load(file)["steps"]
    steps = options.epochs * sum(-(-(task["max_examples"] or len(task["train"])) // task["batch"]) for task in tasks.values())
    warm = int(options.warmup * steps)
    losses = collections.defaultdict(list)
    start = step_of(options.weights)
    if start:
        load_moments(options.weights, optimizer, encoder, tasks, batches[:start])
    for step, (chosen, line) in list(enumerate(zip(batches, theirs)))[start:]:
        if step > start and (checkpoint := checkpoint_of(options.weights, step)).exists():
            load_weights(checkpoint, encoder, tasks)
            load_moments(checkpoint, optimizer, encoder, tasks, batches[:step])
        task = tasks[chosen["task"]]
        encoder.train(has_dropout), task["head"].train(has_dropout)
        batch = pack([task["train"][row] for row in chosen["rows"]], task["kind"])
        if options.masks == "trainer":
            masks.begin(step, batch)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(task, task["head"](encoder(batch, task["head"].first_only), batch), batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, options.clip)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * (step / warm if step < warm else (steps - step) / (steps - warm))
        optimizer.step()
        losses[1 + step * options.epochs // steps, chosen["task"]].append((loss.item(), line["loss"]))
        if options.masks == "trainer" or not has_dropout:
            pairs = [(loss.item(), line["loss"]), (norm.item(), line["gradient_norm"])]
            print(f"step {step + 1} {chosen['task']}: loss {pairs[0][0]:.6f}, norm {pairs[1][0]:.5f}; relative differences "
                  + ", ".join(f"{abs(a - b) / abs(a):.1e}" for a, b in pairs), flush=True)
        if (step + 1) * options.epochs % steps == 0:
            for name, task in tasks.items():
                print(f"after step {step + 1}: {name} {evaluate(task, encoder, task['dev'])}", flush=True)
    for (epoch, name), pairs in sorted(losses.items()):
        if len(pairs) > 1:
            differences = [b - a for a, b in pairs]
            print(f"epoch {epoch} {name}: mean loss {statistics.mean(a for a, _ in pairs):.4f} here, {statistics.mean(b for _, b in pairs):.4f} there, "
                  f"difference {statistics.mean(differences):.4f} ± {statistics.stdev(differences) / len(differences) ** 0.5:.4f} of {len(pairs)} steps")


if __name__ == "__main__":
    main()
