"""Trains MT-DNN on GLUE and ranking files with PyTorch on a processor: the peer that recipes are found with and the trainer is compared to."""
import argparse
import json
import time

import numpy
import torch
import torch.nn.functional as F
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, matthews_corrcoef

from data import pack, read, tokenise
from model import Answer, Dropout, Encoder, Pooled

# Published settings of MT-DNN: dropout 0.05 for CoLA, 0.1 else. `--task NAME:key=value,...` replaces any of these.
DEFAULTS = dict(batch=32, length=128, max_examples=0, dropout=0.1, san=0)
TASKS = {
    "cola": dict(kind="classification", outputs=2, dropout=0.05),
    "rte": dict(kind="classification", outputs=2, san=1),
    "mrpc": dict(kind="classification", outputs=2, san=1),
    "stsb": dict(kind="regression", outputs=1),
    "squadrank": dict(kind="ranking", outputs=1, batch=8),
}


def arguments(*files):
    """The options; `files` are the names and meanings of further ones, which must be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, meaning in files:
        parser.add_argument(name, required=True, help=meaning)
    parser.add_argument("--encoder", required=True, help="folder with config.json, model.safetensors, vocab.txt")
    parser.add_argument("--data", required=True, help="folder that holds glue/ and ranking/")
    parser.add_argument("--log", required=True, help="file of JSON lines, one per evaluation")
    parser.add_argument("--task", action="append", required=True, help="NAME[:batch=,length=,max_examples=,dropout=,san=]")
    parser.add_argument("--optimizer", choices=["adamw", "adamax"], default="adamw")
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--head-rate", type=float, default=1.0, help="heads (and the pooler) learn this many times faster")
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--stop-after", type=int, default=0, help="leave after this epoch, with the schedule of all epochs")
    parser.add_argument("--dropout", type=float, default=0.1, help="of the encoder")
    parser.add_argument("--pooler-init", type=float, default=0.0, help="standard deviation of a new pooler; 0 keeps the pre-trained one")
    parser.add_argument("--head-init", type=float, default=0.02, help="standard deviation of the pooled heads' weights")
    parser.add_argument("--centre", action="store_true", help="start a regression's bias at the mean training label, not 0")
    parser.add_argument("--progress", type=int, default=0, help="also log the mean loss of each task's last 20 batches, every so many steps")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def parse_task(text):
    name, _, changes = text.partition(":")
    task = dict(DEFAULTS) | TASKS[name] | dict(name=name)
    for change in filter(None, changes.split(",")):
        key, value = change.split("=")
        task[key] = type(task[key])(value)
    return task


def loss_of(task, scores, batch):
    """Mean over rows; of a ranking: over queries."""
    if task["kind"] == "regression":
        return F.mse_loss(scores[:, 0], batch["labels"])
    if task["kind"] == "ranking":
        queries = zip(scores[:, 0].split(batch["sizes"]), batch["labels"])
        return torch.stack([-query.log_softmax(0)[label] for query, label in queries]).mean()
    return F.cross_entropy(scores, batch["labels"])


def metrics_of(task, scores, labels):
    if task["kind"] == "regression":
        guess = scores[:, 0].numpy()
        return dict(pearson=float(pearsonr(guess, labels)[0]), spearman=float(spearmanr(guess, labels)[0]))
    if task["kind"] == "ranking":
        ranks = numpy.array([int((query >= query[label]).sum()) for query, label in zip(scores, labels)])
        return dict(accuracy_at_1=float((ranks == 1).mean()), mean_reciprocal_rank=float((1 / ranks).mean()))
    guess = scores.argmax(1).numpy()
    return dict(accuracy=float((guess == labels).mean()), f1=float(f1_score(labels, guess)), matthews=float(matthews_corrcoef(labels, guess)))


@torch.no_grad()
def evaluate(task, encoder, examples):
    """Metrics on all rows of dev, longest batches last: rows of like length share a batch."""
    encoder.eval(), task["head"].eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i][0][0][0]))
    scores = [None] * len(examples)
    for at in range(0, len(order), task["batch"]):
        chosen = order[at:at + task["batch"]]
        batch = pack([examples[i] for i in chosen], task["kind"])
        found = task["head"](encoder(batch, task["head"].first_only), batch)
        for i, score in zip(chosen, found[:, 0].split(batch["sizes"]) if task["kind"] == "ranking" else found):
            scores[i] = score
    labels = numpy.array([label for _, label in examples])
    return metrics_of(task, scores if task["kind"] == "ranking" else torch.stack(scores), labels)


def make_optimizer(options, encoder, tasks):
    """Four groups: encoder or heads, with decay (matrices) or without (biases, LayerNorm)."""
    heads = [p for task in tasks for p in task["head"].parameters()] + list(encoder.pooler.parameters())
    fast = set(map(id, heads))
    body = [p for p in encoder.parameters() if id(p) not in fast]
    groups = []
    for parameters, scale in [(body, 1.0), (heads, options.head_rate)]:
        groups += [dict(params=[p for p in parameters if p.dim() > 1], weight_decay=options.decay, scale=scale),
                   dict(params=[p for p in parameters if p.dim() == 1], weight_decay=0.0, scale=scale)]
    if options.optimizer == "adamax":
        return torch.optim.Adamax([dict(group, weight_decay=0.0) for group in groups], eps=1e-8, foreach=True)
    return torch.optim.AdamW(groups, eps=1e-8, fused=True)


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    random = numpy.random.default_rng(options.seed)
    encoder = Encoder(options.encoder, Dropout(options.seed))
    encoder.share = options.dropout
    if options.pooler_init:
        torch.nn.init.normal_(encoder.pooler.weight, std=options.pooler_init)
        torch.nn.init.zeros_(encoder.pooler.bias)
    tasks = [parse_task(text) for text in options.task]
    for task in tasks:
        task["head"] = (Answer if task["san"] else Pooled)(encoder, task["outputs"], task["dropout"])
        for split in ["train", "dev"]:
            task[split] = tokenise(read(task["name"], options.data, split), options.encoder, task["length"])
        if task["max_examples"]:
            task["train"] = task["train"][:task["max_examples"]]
        if not task["san"]:
            torch.nn.init.normal_(task["head"].classifier.weight, std=options.head_init)
        if options.centre and task["kind"] == "regression":
            torch.nn.init.constant_(task["head"].classifier.bias, numpy.mean([label for _, label in task["train"]]))
    optimizer = make_optimizer(options, encoder, tasks)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    steps = options.epochs * sum(-(-len(task["train"]) // task["batch"]) for task in tasks)
    step, tokens, seconds = 0, 0, 0.0
    with open(options.log, "a") as log:
        print(json.dumps(dict(options=vars(options), steps=steps)), file=log, flush=True)
        for epoch in range(1, options.epochs + 1):
            batches = []
            for task in tasks:
                order = random.permutation(len(task["train"]))
                batches += [(task, order[at:at + task["batch"]]) for at in range(0, len(order), task["batch"])]
            losses, began = {task["name"]: [] for task in tasks}, time.perf_counter()
            for place in random.permutation(len(batches)):
                task, chosen = batches[place]
                encoder.train(), task["head"].train()
                batch = pack([task["train"][i] for i in chosen], task["kind"])
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(task, task["head"](encoder(batch, task["head"].first_only), batch), batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, options.clip)
                warm = options.warmup * steps
                rate = options.rate * (step / warm if step < warm else (steps - step) / (steps - warm))
                for group in optimizer.param_groups:
                    group["lr"] = rate * group["scale"]
                optimizer.step()
                losses[task["name"]].append(loss.item())
                step, tokens = step + 1, tokens + len(batch["tokens"])
                if options.progress and step % options.progress == 0:
                    recent = {name: round(float(numpy.mean(found[-20:])), 4) for name, found in losses.items() if found}
                    print(json.dumps(dict(step=step, tokens=tokens, recent_loss=recent)), file=log, flush=True)
            seconds += time.perf_counter() - began
            line = dict(epoch=epoch, step=step, tokens=tokens, training_seconds=round(seconds, 1), tokens_per_second=round(tokens / seconds))
            for task in tasks:
                line[task["name"]] = dict(loss=float(numpy.mean(losses[task["name"]]))) | evaluate(task, encoder, task["dev"])
            print(json.dumps(line), file=log, flush=True)
            if epoch == options.stop_after:
                break


if __name__ == "__main__":
    main()
