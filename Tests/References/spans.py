"""Makes spans.safetensors: loss, scores and gradients of the head that finds spans, on random packed encoder rows."""
import sys

import torch

from common import LENGTHS, draw, named, offsets_of, save

WIDTH = 32
generator = torch.Generator().manual_seed(6)
offsets = offsets_of(LENGTHS)
total = int(offsets[-1])
rows = draw(total, WIDTH, generator=generator).requires_grad_()
parameters = {"qa_outputs.weight": draw(2, WIDTH, generator=generator, std=0.3).requires_grad_(),
              "qa_outputs.bias": draw(2, generator=generator, std=0.1).requires_grad_()}
places = [sorted(torch.randint(length, (2,), generator=generator).tolist()) for length in LENGTHS]
places[2] = [0, 0]  # no answer
scores = rows @ parameters["qa_outputs.weight"].T + parameters["qa_outputs.bias"]
# As transformers' BertForQuestionAnswering without padding, the mean over sequences.
losses = [(torch.nn.functional.cross_entropy(part[:, 0], torch.tensor(start)) + torch.nn.functional.cross_entropy(part[:, 1], torch.tensor(end))) / 2
          for part, (start, end) in zip(scores.split(LENGTHS), places)]
loss = torch.stack(losses).mean()
loss.backward()
save(sys.argv[1], "spans.safetensors", dict(
    rows=rows.detach(), offsets=offsets, places=torch.tensor(places), scores=scores.detach(), losses=torch.stack(losses).detach(),
    **named("parameters", {name: value.detach() for name, value in parameters.items()}),
    **named("gradients", {name: value.grad for name, value in parameters.items()}), **{"gradients.rows": rows.grad}))
