"""Makes minilm.safetensors and minilm.json: token ids of five texts and what the real all-MiniLM-L6-v2 encoder answers, in double."""
import json
import os
import sys

import torch
from tokenizers import BertWordPieceTokenizer
from transformers import BertModel, BertTokenizerFast

from common import encode, offsets_of, save

TEXTS = [
    ["The sailor dogs barmaids."],
    ["A man is playing a large flute.", "Someone plays the flute on a stage."],
    ["No weapons of mass destruction were found in 2003.", "Weapons were found."],
    ["Café owners in Zürich don't charge 5.50 for tea; they ask for more!"],
    ["Which river flows through the city?", "The Danube, Europe's second-longest river, flows through four capitals."],
]

folder, source = sys.argv[1:3]
model = BertModel.from_pretrained(source).double().eval()
# transformers 5 ignores `vocab_file=` without a word and answers [UNK] for everything: hence `vocab=`, and a second tokenizer as witness.
vocabulary = os.path.join(source, "vocab.txt")
tokenizer = BertTokenizerFast(vocab=vocabulary, do_lower_case=True)
witness = BertWordPieceTokenizer(vocabulary, lowercase=True)
rows = [tokenizer(*texts) for texts in TEXTS]
for texts, row in zip(TEXTS, rows):
    assert row["input_ids"] == witness.encode(*texts).ids and tokenizer.unk_token_id not in row["input_ids"]
offsets = offsets_of([len(row["input_ids"]) for row in rows])
tokens = torch.tensor([token for row in rows for token in row["input_ids"]])
segments = torch.tensor([segment for row in rows for segment in row["token_type_ids"]])
with torch.no_grad():
    output = encode(model, tokens, segments, offsets)
    pooled = model.pooler(output[offsets[:-1]][:, None])
save(folder, "minilm.safetensors", dict(tokens=tokens, segments=segments, offsets=offsets, output=output, pooled=pooled))
with open(os.path.join(folder, "minilm.json"), "w") as file:
    json.dump([dict(texts=texts, tokens=row["input_ids"], segments=row["token_type_ids"]) for texts, row in zip(TEXTS, rows)],
              file, ensure_ascii=False, indent=1)
    file.write("\n")
