"""Makes distillation.safetensors: values and gradients of every divergence, and of every head's loss with soft labels."""
import sys

import torch

from common import LENGTHS, draw, draw_pairs, named, offsets_of, save
from divergences import DIVERGENCES, distil
from head_functions import TURNS, classification, linear_scores, ranking, regression, san, san_shapes

WIDTH, TEMPERATURE, WEIGHT = 32, 2.5, 0.75
generator = torch.Generator().manual_seed(11)
tensors = {}

# Pairs of rows, among them equal ones and shares as small as 1e-17.
rows = torch.cat([draw(6, 4, generator=generator, std=2), torch.tensor([[0.0, 0, 0, 0], [20, -20, 0, 1], [3, 1, 4, 1]]).double()])
others = torch.cat([draw(6, 4, generator=generator, std=2), torch.tensor([[1.0, 0, 0, 0], [-20, 20, 0, 1], [3, 1, 4, 1]]).double()])
tensors |= {"pairs.input": rows, "pairs.target": others}
for name in DIVERGENCES:
    for temperature in (1.0, TEMPERATURE):
        a, b = rows.clone().requires_grad_(), others.clone().requires_grad_()
        values = distil(name, a, b, temperature)
        values.sum().backward()
        zeros = torch.zeros_like(b)
        tensors |= named(f"{name}.{temperature:g}", dict(values=values, dinput=a.grad, dtarget=zeros if b.grad is None else b.grad))

# Heads: loss = task + WEIGHT * mean over units of the divergence.
offsets = offsets_of(LENGTHS)
_, segments = draw_pairs(LENGTHS, generator)
count, total = len(LENGTHS), int(offsets[-1])
encoded = draw(total, WIDTH, generator=generator)
tensors |= dict(rows=encoded, segments=segments, offsets=offsets)


def linear_parameters(outputs):
    return {"pooler.dense.weight": draw(WIDTH, WIDTH, generator=generator, std=0.2),
            "pooler.dense.bias": draw(WIDTH, generator=generator, std=0.1),
            "classifier.weight": draw(outputs, WIDTH, generator=generator, std=0.3),
            "classifier.bias": draw(outputs, generator=generator, std=0.1)}


def add(case, parameters, given, function):
    parameters = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    x = encoded.clone().requires_grad_()
    loss = function(parameters, x)
    loss.backward()
    global tensors
    tensors |= named(case, dict(
        loss=loss.reshape(1), **given, **named("parameters", parameters), **{"gradients.rows": x.grad},
        **named("gradients", {name: value.grad for name, value in parameters.items()})))


for divergence in ("kullbackLeibler", "jensenShannon"):
    parameters, labels = linear_parameters(3), torch.randint(3, (count,), generator=generator)
    teacher = draw(count, 3, generator=generator, std=2)

    def classify(parameters, x):
        scores = linear_scores(parameters, x, offsets)
        return classification(parameters, x, offsets, labels)[0] + WEIGHT * distil(divergence, scores, teacher, TEMPERATURE).mean()

    add(f"classification.{divergence}", parameters, dict(labels=labels, softLabels=teacher), classify)

labels, teacher = draw(count, generator=generator, std=1.5, mean=2.5), draw(count, generator=generator, std=1.5, mean=2.5)
add("regression.squaredError", linear_parameters(1), dict(labels=labels, softLabels=teacher), lambda parameters, x:
    regression(parameters, x, offsets, labels)[0]
    + WEIGHT * distil("squaredError", linear_scores(parameters, x, offsets), teacher[:, None], TEMPERATURE).mean())

sizes, positives = torch.tensor([3, 1, 2, 1]), torch.tensor([2, 0, 1, 0])
for divergence in ("kullbackLeibler", "hellinger"):
    teacher = draw(count, generator=generator, std=2)

    def rank(parameters, x):
        queries = zip(linear_scores(parameters, x, offsets)[:, 0].split(sizes.tolist()), teacher.split(sizes.tolist()))
        values = [distil(divergence, scores, other, TEMPERATURE) for scores, other in queries]
        return ranking(parameters, x, offsets, sizes, positives)[0] + WEIGHT * torch.stack(values).mean()

    add(f"ranking.{divergence}", linear_parameters(1), dict(query_sizes=sizes, labels=positives, softLabels=teacher), rank)

turn_masks = (torch.rand(count, TURNS, generator=generator) < 0.75).double() / 0.75
turn_masks[:, 0] = 1 / 0.75
turn_masks = turn_masks.float().double()
for divergence in ("kullbackLeibler", "stable"):
    parameters = {name: draw(*shape, generator=generator, std=0.25) for name, shape in san_shapes(WIDTH, 3).items()}
    labels = torch.randint(3, (count,), generator=generator)
    teacher = draw(count, 3, generator=generator, std=2)

    def answer(parameters, x):
        loss, shares = san(parameters, x, segments, offsets, labels, turn_masks)
        return loss + WEIGHT * distil(divergence, shares.log(), teacher, TEMPERATURE).mean()

    add(f"answerNetwork.{divergence}", parameters, dict(labels=labels, softLabels=teacher, turn_masks=turn_masks), answer)

save(sys.argv[1], "distillation.safetensors", tensors)
