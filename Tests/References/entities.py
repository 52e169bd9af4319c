"""Makes entities.json: sentences of labels, predicted and right, with the entity F1 that seqeval gives them."""
import json
import random
import sys
import warnings

from seqeval.metrics import f1_score

warnings.filterwarnings("ignore")
random.seed(11)


def sentence(tags, length):
    return [random.choice(tags) for _ in range(length)]


def case(tags, lengths, agreement):
    right = [sentence(tags, length) for length in lengths]
    found = [[label if random.random() < agreement else random.choice(tags) for label in labels] for labels in right]
    return found, right


plain = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
mixed = plain + ["E-PER", "S-LOC", "E-LOC", "S-PER", "I-MISC", "B-MISC", "I-X-Y"]
cases = [case(tags, lengths, agreement) for tags in (plain, mixed, ["O", "I-PER", "I-LOC", "B-LOC"])
         for lengths in ([1], [7, 3, 12, 1, 5], [20] * 8) for agreement in (0.3, 0.8, 1.0)]
cases += [([["O", "O"]], [["O", "B-PER"]]), ([["B-PER", "O"]], [["O", "O"]]), ([["O"]], [["O"]]),
          ([["I-PER"], ["I-PER"]], [["I-PER"], ["B-PER"]]), ([["B-PER", "I-LOC"]], [["B-PER", "I-PER"]])]
with open(f"{sys.argv[1]}/entities.json", "w") as file:
    json.dump([dict(predictions=found, labels=right, f1=f1_score(right, found, zero_division=0)) for found, right in cases], file)
    file.write("\n")
