"""Makes tiny_config.json, encoder.safetensors and encoder-gradients.safetensors: a tiny random BERT, its output and all its gradients."""
import json
import os
import sys

import torch

from common import LENGTHS, TINY, draw, draw_pairs, encode, named, offsets_of, save, tiny_model

folder = sys.argv[1]
generator = torch.Generator().manual_seed(1)
model = tiny_model(generator)
offsets = offsets_of(LENGTHS)
tokens, segments = draw_pairs(LENGTHS, generator)
segments[offsets[2]:offsets[3]] = 0  # one sequence of a single segment

output = encode(model, tokens, segments, offsets)
pooled = model.pooler(output[offsets[:-1]][:, None])
output_cotangent = draw(*output.shape, generator=generator)
pooled_cotangent = draw(*pooled.shape, generator=generator)
((output * output_cotangent).sum() + (pooled * pooled_cotangent).sum()).backward()

save(folder, "encoder.safetensors", dict(
    tokens=tokens, segments=segments, offsets=offsets, output=output, pooled=pooled,
    output_cotangent=output_cotangent, pooled_cotangent=pooled_cotangent,
    **named("parameters", dict(model.named_parameters()))))
save(folder, "encoder-gradients.safetensors",
     named("gradients", {name: parameter.grad for name, parameter in model.named_parameters()}))
with open(os.path.join(folder, "tiny_config.json"), "w") as file:
    json.dump(TINY, file, indent=2)
    file.write("\n")
