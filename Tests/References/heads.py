"""Makes heads.safetensors and san.safetensors: loss, predictions and gradients of every head on random packed encoder rows."""
import sys

import torch

from common import LENGTHS, draw, draw_pairs, named, offsets_of, save
from head_functions import TURNS, classification, gru, ranking, regression, san, san_shapes

WIDTH = 32
folder = sys.argv[1]
generator = torch.Generator().manual_seed(2)
offsets = offsets_of(LENGTHS)
_, segments = draw_pairs(LENGTHS, generator)
count, total = len(LENGTHS), int(offsets[-1])


def gradients(function, parameters, rows, *arguments):
    """Runs one head; returns its loss, predictions and gradients by name."""
    parameters = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    rows = rows.clone().requires_grad_()
    loss, predictions = function(parameters, rows, *arguments)
    loss.backward()
    return dict(loss=loss.reshape(1), predictions=predictions, **{"gradients.rows": rows.grad},
                **named("gradients", {name: value.grad for name, value in parameters.items()}))


def linear_parameters(outputs):
    return {"pooler.dense.weight": draw(WIDTH, WIDTH, generator=generator, std=0.2),
            "pooler.dense.bias": draw(WIDTH, generator=generator, std=0.1),
            "classifier.weight": draw(outputs, WIDTH, generator=generator, std=0.3),
            "classifier.bias": draw(outputs, generator=generator, std=0.1)}


rows = draw(total, WIDTH, generator=generator)
heads = dict(rows=rows, segments=segments, offsets=offsets)
for name, function, outputs, labels in [
        ("classification", classification, 3, dict(labels=torch.randint(3, (count,), generator=generator))),
        ("regression", regression, 1, dict(labels=draw(count, generator=generator, std=1.5, mean=2.5))),
        ("ranking", ranking, 1, dict(query_sizes=torch.tensor([3, 1, 2, 1]), positives=torch.tensor([2, 0, 1, 0])))]:
    parameters = linear_parameters(outputs)
    result = gradients(function, parameters, rows, offsets, *labels.values())
    heads |= named(name, dict(**labels, **named("parameters", parameters), **result))
save(folder, "heads.safetensors", heads)

# The written-out GRU must be torch's own.
parameters = {name: draw(*shape, generator=generator, std=0.25) for name, shape in san_shapes(WIDTH, 3).items()}
cell = torch.nn.GRUCell(WIDTH, WIDTH).double()
cell.load_state_dict({name.removeprefix("recurrent."): value for name, value in parameters.items() if "recurrent" in name})
assert torch.allclose(cell(rows[:4], rows[4:8]), gru(parameters, rows[:4], rows[4:8]), atol=1e-14)

labels = torch.randint(3, (count,), generator=generator)


def draw_mask(*shape, keep):
    return (torch.rand(*shape, generator=generator) < keep).float().div(keep).double()


turn_masks = draw_mask(count, TURNS, keep=0.75)
turn_masks[torch.arange(count), torch.randint(TURNS, (count,), generator=generator)] = 1 / 0.75  # one turn is always kept
turn_masks = turn_masks.float().double()
masks = {"mask.summary": draw_mask(count, WIDTH, keep=0.75)}
for k in range(TURNS):
    masks[f"mask.attention_memory.{k}"] = draw_mask(count, WIDTH, keep=0.75)
    masks[f"mask.attention_state.{k}"] = draw_mask(count, WIDTH, keep=0.75)
    masks[f"mask.classifier.{k}"] = draw_mask(count, 4 * WIDTH, keep=0.75)
    if k + 1 < TURNS:
        masks[f"mask.recurrent.{k}"] = draw_mask(count, WIDTH, keep=0.75)

plain = gradients(san, parameters, rows, segments, offsets, labels)
masked = gradients(san, parameters, rows, segments, offsets, labels, turn_masks, masks)
save(folder, "san.safetensors", dict(
    rows=rows, segments=segments, offsets=offsets, labels=labels, **named("parameters", parameters), **named("plain", plain),
    **named("masked", {"turn_masks": turn_masks, **masks, **masked})))
