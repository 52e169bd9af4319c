"""Reads official GLUE files and mt-dnn's ranking TSV into token ids, and packs batches without padding."""
import os

import torch
from transformers import BertTokenizerFast

# Columns (from 0) of the texts and the label in the official files; whether the file opens with a header line.
GLUE = {
    "cola": dict(folder="CoLA", header=False, texts=[3], label=1, kind="classification"),
    "rte": dict(folder="RTE", header=True, texts=[1, 2], label=3, kind="classification", names=["not_entailment", "entailment"]),
    "mrpc": dict(folder="MRPC", header=True, texts=[3, 4], label=0, kind="classification"),
    "stsb": dict(folder="STS-B", header=True, texts=[7, 8], label=-1, kind="regression"),
}
# Queries with candidates in mt-dnn's ranking form.
RANKING = ["squadrank", "wnlipairs"]


def lines(path):
    """Tab-separated fields; quotes are plain characters, a byte-order mark is dropped."""
    with open(path, encoding="utf-8-sig", newline="\n") as file:
        return [line.rstrip("\r\n").split("\t") for line in file.read().split("\n") if line]


def read(task, folder, split):
    """Examples as (list of text tuples, label); a ranking query has one tuple per candidate."""
    if task in RANKING:
        return [([(row[3], candidate) for candidate in row[4:]], row[2].split(",").index("1"))
                for row in lines(os.path.join(folder, "ranking", f"{task}_{split}.tsv"))]
    form = GLUE[task]
    rows = lines(os.path.join(folder, "glue", form["folder"], f"{split}.tsv"))[1 if form["header"] else 0:]
    label = float if form["kind"] == "regression" else form["names"].index if "names" in form else int
    return [([tuple(row[column] for column in form["texts"])], label(row[form["label"]])) for row in rows]


def tokenise(examples, encoder, length):
    """Examples as (list of (token ids, segment ids), label), cut to `length` from the longer text's end."""
    # `vocab=`: transformers 5 ignores `vocab_file=` without a word and answers [UNK] for everything.
    tokenizer = BertTokenizerFast(vocab=os.path.join(encoder, "vocab.txt"), do_lower_case=True)
    texts = [text for candidates, _ in examples for text in candidates]
    columns = [list(column) for column in zip(*texts)]
    found = tokenizer(*columns, truncation="longest_first", max_length=length)
    unknown = sum(ids.count(tokenizer.unk_token_id) for ids in found["input_ids"]) / sum(map(len, found["input_ids"]))
    if unknown > 0.02:
        raise ValueError(f"{unknown:.0%} of the tokens are unknown: does vocab.txt in {encoder} belong to this text?")
    pairs = iter(zip(found["input_ids"], found["token_type_ids"]))
    return [([next(pairs) for _ in candidates], label) for candidates, label in examples]


def pack(examples, kind):
    """One batch: sequences sorted by length, so that attention takes sequences of equal length together as one view."""
    sequences = [sequence for candidates, _ in examples for sequence in candidates]
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i][0]))
    starts, groups, row = [0] * len(sequences), [], 0
    for i in order:
        length = len(sequences[i][0])
        if groups and groups[-1][2] == length:
            groups[-1][1] += 1
        else:
            groups.append([row, 1, length])
        starts[i] = row
        row += length
    place = torch.empty(len(sequences), dtype=torch.long)
    place[torch.tensor(order)] = torch.arange(len(sequences))
    return dict(
        tokens=torch.tensor([t for i in order for t in sequences[i][0]]), segments=torch.tensor([s for i in order for s in sequences[i][1]]),
        positions=torch.tensor([p for i in order for p in range(len(sequences[i][0]))]),
        groups=groups, first=torch.tensor([starts[i] for i in order]), place=place, starts=starts,
        lengths=[len(sequence[0]) for sequence in sequences], sizes=[len(candidates) for candidates, _ in examples],
        labels=torch.tensor([label for _, label in examples], dtype=torch.float32 if kind == "regression" else torch.long))
