"""exported.py FOLDER PREDICTIONS.jsonl TEXTS.tsv: compares the scores that `mtdnn predict --json` gave to the lines of TEXTS with the
logits that transformers compute from a folder that `mtdnn export --hugging-face` wrote. Prints the largest difference."""

import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, predictions, texts = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
problems = {name: found for name, found in info.items() if found}
assert not problems, problems
model.eval()
largest = 0.0
count = 0
with open(predictions) as ours, open(texts) as lines, torch.no_grad():
    for prediction, line in zip(map(json.loads, ours), lines, strict=True):
        first, *others = line.rstrip("\n").split("\t")
        rows = [tokenizer(first, other, return_tensors="pt", truncation=True) for other in others] or [
            tokenizer(first, return_tensors="pt", truncation=True)]
        logits = torch.cat([model(**row).logits for row in rows]).double()
        if "probabilities" in prediction:
            theirs = logits.softmax(-1)[0].tolist()
            assert prediction["prediction"] == model.config.id2label[int(logits.argmax())], (prediction, theirs)
            mine = prediction["probabilities"]
        else:
            theirs = logits.flatten().tolist()
            mine = prediction.get("scores") or [prediction["score"]]
        assert len(mine) == len(theirs)
        largest = max([largest] + [abs(a - b) for a, b in zip(mine, theirs)])
        count += 1
print(f"{count} rows, largest difference {largest:.2e}")
