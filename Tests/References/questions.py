"""Reference values for questions about contexts, from the programs that SQuAD's recipes are made of.

Usage: python questions.py VALUES_FOLDER MINILM_FOLDER [SHARED_DATA]

VALUES_FOLDER holds tokenizer-small-vocabulary.txt and tokenizer-small.jsonl already (tokenizer.py). Writes

  token-ranges.json      where in a text each token stands: the offsets of Hugging Face's tokenizers
  question-windows.json  windows of contexts: ids, segments, offsets, start, end, and which tokens no other window shows better
  answer-search.json     answers that transformers' squad_metrics finds in random scores of windows
  answer-scores.json     exact match and F1 by SQuAD's official programs, as allennlp (1.1) and transformers (2.0) carry them
  question-corpus.json   a digest of the windows of the real file (only with SHARED_DATA)

Needs requirements-questions.txt: the official code left transformers with version 5. allennlp's is one file, which is
loaded without the rest.
"""

import hashlib
import importlib.util
import json
import random
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy
from transformers import BertTokenizerFast
from transformers.data.metrics import squad_metrics
from transformers.data.processors.squad import _new_check_is_max_context

QUESTION_LIMIT = 64
rng = random.Random(20261127)


def official_first():
    """The official program of SQuAD 1.1."""
    place = Path(importlib.util.find_spec("allennlp").submodule_search_locations[0]) / "tools/squad_eval.py"
    spec = importlib.util.spec_from_file_location("squad_eval", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def vocabulary(path):
    return {token: number for number, token in enumerate(Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n"))}


def tokenizer(path, options="lsc"):
    fast = BertTokenizerFast(
        str(path), do_lower_case="l" in options, strip_accents="s" in options, tokenize_chinese_chars="c" in options)
    fast.model_max_length = 10**9
    return fast


def write(folder, name, value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace('},{', '},\n{')
    (folder / name).write_text(text + "\n", encoding="utf-8")


def ranges(folder):
    cases, backends = [], {}
    lines = (folder / "tokenizer-small.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n")
    for line in lines[::4]:
        line = json.loads(line)
        fast = backends.setdefault(line["o"], tokenizer(folder / "tokenizer-small-vocabulary.txt", line["o"]))
        for text in line["t"]:
            encoded = fast(text, add_special_tokens=False, return_offsets_mapping=True)
            cases.append(dict(o=line["o"], t=text, i=encoded["input_ids"],
                              r=[place for pair in encoded["offset_mapping"] for place in pair]))
    return cases


def windows(fast, question, context, answer, maximum, stride):
    """The windows of a context; `answer` is (start, length) in characters, or None."""
    words = fast(question, add_special_tokens=False)["input_ids"][:min(QUESTION_LIMIT, (maximum - 3) // 2)]
    room = maximum - 3 - len(words)
    # BERT's stride is the distance of windows, Hugging Face's how much they overlap.
    encoded = fast(context, add_special_tokens=False, return_offsets_mapping=True, truncation=True, max_length=room,
                   stride=room - min(stride, room), return_overflowing_tokens=True)
    whole = fast(context, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    spans, first = [], 0
    for ids in encoded["input_ids"]:
        spans.append(dict(start=first, length=len(ids)))
        first += min(stride, room)
    result = []
    for number, (ids, offsets) in enumerate(zip(encoded["input_ids"], encoded["offset_mapping"])):
        head = [fast.cls_token_id, *words, fast.sep_token_id]
        start = end = 0
        if answer:
            # As in transformers' run_qa.py, but that of the pieces of one character, which all stand where it does, it takes the last as the
            # start and the first as the end; here a window holds an answer if it holds all of its pieces.
            begin, stop = answer[0], answer[0] + answer[1]
            opening = max(offset for offset in whole if offset[0] <= begin)
            closing = min((offset for offset in whole if offset[1] >= stop), key=lambda offset: offset[1])
            opening, closing = whole.index(opening), len(whole) - 1 - whole[::-1].index(closing)
            shown = range(spans[number]["start"], spans[number]["start"] + spans[number]["length"])
            if opening in shown and closing in shown:
                start, end = (index - shown.start + len(head) for index in (opening, closing))
        result.append(dict(
            ids=head + ids + [fast.sep_token_id], segments=[0] * len(head) + [1] * (len(ids) + 1),
            offsets=[0, 0] * len(head) + [place for pair in offsets for place in pair] + [0, 0], start=start, end=end,
            widest=[0] * len(head) + [int(_new_check_is_max_context(spans, number, spans[number]["start"] + index))
                                      for index in range(len(ids))] + [0]))
    return result


def window_cases(folder):
    fast = tokenizer(folder / "tokenizer-small-vocabulary.txt")
    words = "the harbour master kept his ledgers in a tin box, and nobody (but he) knew – naïve café 각 中文 whale! 214 x-ray".split()
    cases = []
    for number in range(60):
        context = " ".join(rng.choice(words) for _ in range(rng.choice([1, 5, 20, 60, 90])))
        question = " ".join(rng.choice(words) for _ in range(rng.choice([1, 4, 12, 80])))
        pieces = context.split(" ")
        first = rng.randrange(len(pieces))
        last = min(len(pieces) - 1, first + rng.randrange(6))
        text = " ".join(pieces[first:last + 1])
        start = len(" ".join(pieces[:first])) + (1 if first else 0)
        answer = (start, len(text)) if number % 4 else None
        maximum, stride = rng.choice([(16, 3), (24, 8), (40, 16), (40, 100), (200, 128)])
        cases.append(dict(question=question, context=context, answer=text if answer else None, answer_start=start,
                          maximum=maximum, stride=stride,
                          windows=windows(fast, question, context, answer, maximum, stride)))
    return cases


def found(words, spans, question_length, scores, may_be_none):
    """The answer of transformers' compute_predictions_logits, each word of the context being one token."""
    features, results = [], []
    for number, (span, (starts, ends)) in enumerate(zip(spans, scores)):
        head = ["[CLS]"] + ["q"] * question_length + ["[SEP]"]
        places = range(span["start"], span["start"] + span["length"])
        features.append(SimpleNamespace(
            example_index=0, unique_id=number, tokens=head + [words[place] for place in places] + ["[SEP]"],
            token_to_orig_map={len(head) + index: place for index, place in enumerate(places)},
            token_is_max_context={len(head) + index: _new_check_is_max_context(spans, number, place)
                                  for index, place in enumerate(places)}))
        results.append(SimpleNamespace(unique_id=number, start_logits=starts, end_logits=ends))
    example = SimpleNamespace(qas_id="q", doc_tokens=words)
    joined = SimpleNamespace(convert_tokens_to_string=" ".join)
    with tempfile.TemporaryDirectory() as folder:
        answers = squad_metrics.compute_predictions_logits(
            [example], features, results, 20, 30, False, f"{folder}/a", f"{folder}/b", f"{folder}/c", False,
            may_be_none, 0.0, joined)
    return answers["q"]


def search_cases():
    cases = []
    # Words are kept whole where texts are put together again.
    squad_metrics.get_final_text = lambda predicted, original, lower, verbose: original
    for number in range(80):
        count = rng.choice([3, 20, 60, 90])
        words = [f"w{rng.randrange(10**6)}" for _ in range(count)]
        question_length, length, stride = rng.choice([(2, 30, 10), (5, 25, 8), (1, 70, 50), (3, 50, 7)])
        spans, first = [], 0
        while True:
            spans.append(dict(start=first, length=min(length, count - first)))
            if spans[-1]["start"] + spans[-1]["length"] == count:
                break
            first += stride
        # Few values make ties.
        grain = [0.5, 2.0**-10][number % 2]
        bias = rng.choice([-2, 0, 3])
        scores = []
        for span in spans:
            size = span["length"] + question_length + 3
            pair = [[round(rng.gauss(0, 2) / grain) * grain for _ in range(size)] for _ in range(2)]
            pair[0][0] += bias
            pair[1][0] += bias
            scores.append(pair)
        cases.append(dict(words=words, windows=[[span["start"], span["length"]] for span in spans],
                          question_length=question_length, scores=scores,
                          answer=found(words, spans, question_length, scores, False),
                          answer_or_none=found(words, spans, question_length, scores, True)))
    return cases


PIECES = ["the", "a", "An", "THE", "of", "Paris", "paris.", "U.S.A.", "it's", "its", "“quoted”", "—", "a—b", "an-other", "x_y", "_a_",
          "naïve", "nai\u0308ve", "É", "é", "ΑΣ", "ας", "ασ", "Σ", "ΑΣ.", "İ", "i̇", "ß", "½", "٣", "the\u0301", "\u0301the", "a\u200bb", "a’s",
          "\u00a0", "\u3000", "\x1c", "\x85", "中文", "中", "。", "１", "²", "", " ", "\t", "\n", "$5", "5", "5.0", "a/the", "theatre", "ana"]


def text():
    return rng.choice([" ", " ", "", "  "]).join(rng.choice(PIECES) for _ in range(rng.choice([0, 1, 2, 3, 3, 6])))


def score_cases():
    first = official_first()
    cases = []
    for _ in range(400):
        right = [text() for _ in range(rng.choice([1, 1, 2, 4]))]
        answer = rng.choice(right) if rng.random() < 0.4 else text()
        if rng.random() < 0.5:
            answer = " ".join([answer, rng.choice(PIECES)])
        dataset = [dict(paragraphs=[dict(qas=[dict(id="1", answers=[dict(text=entry) for entry in right])])])]
        scores = first.evaluate(dataset, {"1": answer})
        kept = right if rng.random() < 0.8 else []
        example = SimpleNamespace(qas_id="1", answers=[dict(text=entry) for entry in kept])
        exact, f1 = squad_metrics.get_raw_scores([example], {"1": answer})
        cases.append(dict(answer=answer, right=right, exact=scores["exact_match"] / 100, f1=scores["f1"] / 100,
                          right_or_none=kept, exact_or_none=float(exact["1"]), f1_or_none=float(f1["1"])))
    return cases


def corpus(path, fast):
    """The hash of all windows of a file, at most 384 tokens each, every 128: ids, offsets in characters, start, end, all as little-endian int32."""
    digest, count, answered = hashlib.sha256(), 0, 0
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                answer = next(((entry["answer_start"], len(entry["text"])) for entry in question["answers"]), None)
                for window in windows(fast, question["question"], paragraph["context"], answer, 384, 128):
                    numbers = [*window["ids"], *window["offsets"], window["start"], window["end"], *window["widest"]]
                    digest.update(numpy.array(numbers, dtype="<i4").tobytes())
                    count += 1
                    answered += window["start"] > 0
    return dict(windows=count, answered=answered, sha256=digest.hexdigest())


values, minilm = Path(sys.argv[1]), Path(sys.argv[2])
write(values, "token-ranges.json", ranges(values))
write(values, "question-windows.json", window_cases(values))
write(values, "answer-search.json", search_cases())
write(values, "answer-scores.json", score_cases())
if len(sys.argv) > 3:
    write(values, "question-corpus.json", corpus(Path(sys.argv[3]) / "squad/dev-v2.0.json", tokenizer(minilm / "vocab.txt")))
