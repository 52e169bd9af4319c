"""Makes labelling.safetensors: loss, scores and gradients of the head that labels tokens, on random packed encoder rows."""
import sys

import torch

from common import LENGTHS, draw, named, offsets_of, save

WIDTH, CLASSES = 32, 5
generator = torch.Generator().manual_seed(5)
offsets = offsets_of(LENGTHS)
total = int(offsets[-1])
rows = draw(total, WIDTH, generator=generator).requires_grad_()
parameters = {"classifier.weight": draw(CLASSES, WIDTH, generator=generator, std=0.3).requires_grad_(),
              "classifier.bias": draw(CLASSES, generator=generator, std=0.1).requires_grad_()}
labels = torch.randint(CLASSES, (total,), generator=generator)
# First and last tokens have no class, and no more have later pieces of words.
labels[torch.rand(total, generator=generator) < 0.3] = -1
labels[offsets[:-1]] = -1
labels[offsets[1:] - 1] = -1
scores = rows @ parameters["classifier.weight"].T + parameters["classifier.bias"]
loss = torch.nn.functional.cross_entropy(scores, labels, ignore_index=-1)  # the mean over tokens with a class
loss.backward()
save(sys.argv[1], "labelling.safetensors", dict(
    rows=rows.detach(), offsets=offsets, labels=labels, scores=scores.detach(), loss=loss.detach().reshape(1),
    **named("parameters", {name: value.detach() for name, value in parameters.items()}),
    **named("gradients", {name: value.grad for name, value in parameters.items()}), **{"gradients.rows": rows.grad}))
