"""Makes pretraining.safetensors: the loss of BertForPreTraining on a tiny random BERT with masked tokens, what it says, and all its gradients."""
import sys

import torch
from transformers import BertConfig, BertForPreTraining

from common import LENGTHS, TINY, draw, draw_pairs, named, offsets_of, save

generator = torch.Generator().manual_seed(6)
model = BertForPreTraining(BertConfig(**TINY)).double().eval()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        is_scale = name.endswith("LayerNorm.weight")
        is_vector = parameter.dim() == 1 and not is_scale
        parameter.copy_(draw(*parameter.shape, generator=generator, std=0.1 if is_vector else 0.2, mean=1.0 if is_scale else 0.0))
assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight

offsets = offsets_of(LENGTHS)
tokens, segments = draw_pairs(LENGTHS, generator)
# Any token but the first may be masked here; some sequences have none that is.
is_masked = torch.rand(len(tokens), generator=generator) < 0.25
is_masked[offsets[:-1]] = False
is_masked[offsets[3]:offsets[4]] = False
targets = torch.randint(TINY["vocab_size"], tokens.shape, generator=generator)
tokens[is_masked & (torch.rand(len(tokens), generator=generator) < 0.8)] = 4
labels = torch.randint(2, (len(LENGTHS),), generator=generator)

lengths = offsets.diff()
inside = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
padded = dict(input_ids=tokens, token_type_ids=segments, labels=torch.where(is_masked, targets, -100))
padded = {name: torch.full(inside.shape, -100 if name == "labels" else 0).masked_scatter(inside, value)
          for name, value in padded.items()}
output = model(attention_mask=inside.long(), next_sentence_label=labels, **padded)
output.loss.backward()

masked_scores = output.prediction_logits[inside][is_masked]
save(sys.argv[1], "pretraining.safetensors", dict(
    tokens=tokens, segments=segments, offsets=offsets, masked=is_masked.nonzero().flatten(), targets=targets[is_masked],
    next_labels=labels, loss=output.loss.reshape(1), scores=masked_scores, next_scores=output.seq_relationship_logits,
    # Summaries: each sequence's masked loss, and its own.
    masked_losses=torch.nn.functional.cross_entropy(masked_scores, targets[is_masked], reduction="none"),
    next_losses=torch.nn.functional.cross_entropy(output.seq_relationship_logits, labels, reduction="none"),
    **named("parameters", {name.removeprefix("bert."): value for name, value in model.named_parameters()}),
    **named("gradients", {name.removeprefix("bert."): value.grad for name, value in model.named_parameters()})))
