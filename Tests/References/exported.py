"""exported.py FOLDER PREDICTIONS.jsonl TEXTS.tsv: compares the scores that `mtdnn predict --json` gave to the lines of TEXTS with the
logits that transformers compute from a folder that `mtdnn export --hugging-face` wrote. Prints the largest difference; where words are labelled, how many
labels differ. Of questions the scores of the answer and of [CLS] are compared, at the place that the prediction names; contexts must fit into one window."""

import json
import sys

import torch
from transformers import (AutoConfig, AutoModelForQuestionAnswering, AutoModelForSequenceClassification,
                          AutoModelForTokenClassification, AutoTokenizer)

folder, predictions, texts = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
architecture = AutoConfig.from_pretrained(folder).architectures[0]
labels_tokens = architecture == "BertForTokenClassification"
finds_answers = architecture == "BertForQuestionAnswering"
kind = (AutoModelForTokenClassification if labels_tokens else AutoModelForQuestionAnswering if finds_answers
        else AutoModelForSequenceClassification)
model, info = kind.from_pretrained(folder, output_loading_info=True)
problems = {name: found for name, found in info.items() if found}
assert not problems, problems
model.eval()


def label_words(words):
    """The label of each word's first piece."""
    encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt", truncation=True)
    best = model(**encoded).logits[0].argmax(-1).tolist()
    owners = encoded.word_ids()
    return [model.config.id2label[best[owners.index(word)]] for word in range(len(words))]


def answer_scores(question, context, prediction):
    """What the model gives to [CLS] and to the answer that the prediction names, if it names one."""
    encoded = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
    offsets, segments = encoded.pop("offset_mapping")[0].tolist(), encoded.sequence_ids()
    starts, ends = (logits[0].tolist() for logits in (model(**encoded).start_logits, model(**encoded).end_logits))
    scores = [starts[0] + ends[0]]
    if "answer_start" in prediction:
        begin, stop = prediction["answer_start"], prediction["answer_start"] + len(prediction["answer"])
        tokens = [index for index, segment in enumerate(segments) if segment == 1]
        assert context[begin:stop] == prediction["answer"]
        scores.append(max(starts[index] for index in tokens if offsets[index][0] == begin)
                      + max(ends[index] for index in tokens if offsets[index][1] == stop))
    return scores


largest = 0.0
count = differing = 0
with open(predictions) as ours, open(texts) as lines, torch.no_grad():
    for prediction, line in zip(map(json.loads, ours), lines, strict=True):
        count += 1
        if labels_tokens:
            theirs = label_words(line.split())
            assert len(theirs) == len(prediction["labels"])
            differing += sum(a != b for a, b in zip(theirs, prediction["labels"]))
            continue
        if finds_answers:
            theirs = answer_scores(*line.rstrip("\n").split("\t"), prediction)
            mine = [prediction.get("no_answer_score", theirs[0]), prediction["score"]][:len(theirs)]
            largest = max([largest] + [abs(a - b) for a, b in zip(mine, theirs)])
            continue
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
print(f"{count} rows, " + (f"{differing} labels differ" if labels_tokens else f"largest difference {largest:.2e}"))
