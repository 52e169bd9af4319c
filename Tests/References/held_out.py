"""held_out.py FOLDER TOKENS.h5 [--whole-words]: masks the held-out texts of a prepared file as an evaluation of mtdnn does (`Masking.swift`, written out
anew here), and prints the scores that transformers compute for them from a folder that `mtdnn export --hugging-face` wrote, to be compared with those of
`metrics.jsonl`. Needs h5py."""
import sys

import h5py
import torch
from transformers import AutoTokenizer, BertForMaskedLM, BertForPreTraining

WORD = 0xFFFFFFFF
STEP = 0xFFFFFD00
folder, path = sys.argv[1:3]
whole_words = "--whole-words" in sys.argv


def philox(c0, c1, c2, c3, k0=0, k1=0):
    """The first word of a block, with the seed 0 of evaluation."""
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & WORD, (a >> 32) ^ c3 ^ k1, a & WORD
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0


def below(bound, site, row, number):
    return philox(0, site << 16 | row, number, STEP) * bound >> 32


tokenizer = AutoTokenizer.from_pretrained(folder)
model, info = BertForPreTraining.from_pretrained(folder, output_loading_info=True)
assert not any(info.values()), info
_, info = BertForMaskedLM.from_pretrained(folder, output_loading_info=True)
assert not info["missing_keys"], info
model.eval()
pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
special = set(tokenizer.all_special_ids)


def mask(tokens, number):
    """The chosen places, and the tokens with what stands there instead."""
    words, place = [], 0
    while place < len(tokens):
        end = place + 1
        while whole_words and end < len(tokens) and pieces[tokens[end]].startswith("##"):
            end += 1
        if tokens[place] not in special:
            words.append(list(range(place, end)))
        place = end
    count = sum(token not in special for token in tokens)
    wanted = max(1, (15 * count + 50) // 100) if count else 0
    chosen = []
    for drawn in range(len(words)):
        if len(chosen) >= wanted:
            break
        other = drawn + below(len(words) - drawn, 6, drawn, number)
        words[drawn], words[other] = words[other], words[drawn]
        if len(chosen) + len(words[drawn]) <= wanted:
            chosen += words[drawn]
    masked = list(tokens)
    for place in chosen:
        kind = below(10, 7, place, number)
        if kind == 1:
            masked[place] = below(len(pieces), 8, place, number)
        elif kind > 1:
            masked[place] = tokenizer.mask_token_id
    return sorted(chosen), masked


loss = hits = count = follows = 0
with h5py.File(path) as file, torch.no_grad():
    offsets = file["sequence_offsets"][:].tolist()
    for number, (start, end) in enumerate(zip(offsets, offsets[1:])):
        tokens = file["tokens"][start:end].tolist()
        segments = torch.tensor(file["segments"][start:end].tolist())[None]
        chosen, masked = mask(tokens, number)
        output = model(input_ids=torch.tensor([masked]), token_type_ids=segments)
        scores = output.prediction_logits[0][chosen].double()
        targets = torch.tensor([tokens[place] for place in chosen], dtype=torch.long)
        loss += torch.nn.functional.cross_entropy(scores, targets, reduction="sum").item()
        hits += (scores.argmax(-1) == targets).sum().item()
        count += len(chosen)
        follows += int(output.seq_relationship_logits[0].argmax().item() == int(file["labels"][number]))
print(f"ACC {hits / count:.6f}  NextACC {follows / (len(offsets) - 1):.6f}  MaskedLoss {loss / count:.6f}  ({count} masked pieces)")
