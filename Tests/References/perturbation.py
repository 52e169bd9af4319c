"""Makes perturbation.safetensors: noise that climbs on the embeddings of the tiny BERT, and the loss and gradients that it leads to.

The model is that of encoder.safetensors; the first noise is given, so that nothing is random.
"""
import os
import sys

import torch
from safetensors.torch import load_file

from common import draw, draw_pairs, encode, named, offsets_of, save, tiny_model
from divergences import DIVERGENCES
from head_functions import linear_scores, ranking, regression, san, san_shapes
from head_functions import classification as classify

WIDTH, LENGTHS = 32, [3, 14, 7, 9, 5]
ALPHA, STEPS, STEP_SIZE, RADIUS, EPSILON = 0.8, 2, 3.0, 0.7, 1e-6
generator = torch.Generator().manual_seed(13)
model = tiny_model(generator)
stored = load_file(os.path.join(sys.argv[1], "encoder.safetensors"))
model.load_state_dict({name: stored[f"parameters.{name}"].double() for name, _ in model.named_parameters()}, strict=False)
offsets = offsets_of(LENGTHS)
tokens, segments = draw_pairs(LENGTHS, generator)
count, total = len(LENGTHS), int(offsets[-1])
first_noise = draw(total, WIDTH, generator=generator, std=0.05)
sizes, positives = torch.tensor([3, 2]), torch.tensor([1, 0])
classes, numbers = torch.randint(3, (count,), generator=generator), draw(count, generator=generator, std=1.0)


def encoded(noise=None):
    """The encoder's output; noise [tokens, width] is added to the output of its embeddings."""
    if noise is None:
        return encode(model, tokens, segments, offsets)
    inside = torch.arange(max(LENGTHS))[None, :] < offsets.diff()[:, None]

    def add(module, arguments, output):
        padded = torch.zeros_like(output)
        padded[inside] = noise
        return output + padded

    handle = model.embeddings.register_forward_hook(add)
    try:
        return encode(model, tokens, segments, offsets)
    finally:
        handle.remove()


def heads():
    def linear(outputs):
        return {"classifier.weight": draw(outputs, WIDTH, generator=generator, std=0.3),
                "classifier.bias": draw(outputs, generator=generator, std=0.1)}
    return dict(
        classification=linear(3), regression=linear(1), ranking=linear(1),
        san={name: draw(*shape, generator=generator, std=0.25) for name, shape in san_shapes(WIDTH, 3).items()})


def outputs(task, head, rows):
    """The task's loss, and for each unit the scores that are compared."""
    read = head | {name: value for name, value in model.named_parameters() if name.startswith("pooler.")}
    if task == "classification":
        return classify(read, rows, offsets, classes)[0], list(linear_scores(read, rows, offsets))
    if task == "regression":
        return regression(read, rows, offsets, numbers)[0], list(linear_scores(read, rows, offsets))
    if task == "ranking":
        scores = linear_scores(read, rows, offsets)[:, 0].split(sizes.tolist())
        return ranking(read, rows, offsets, sizes, positives)[0], list(scores)
    loss, shares = san(read, rows, segments, offsets, classes)
    return loss, list(shares.log())


def step(noise, gradient, norm):
    moved = noise + STEP_SIZE * gradient
    if norm == "l1":
        return RADIUS * moved.sign()
    size = moved.norm(dim=-1, keepdim=True) if norm == "l2" else moved.abs().max(-1, keepdim=True)[0]
    return RADIUS * moved / (size + EPSILON)


KEPT = ["embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight", "embeddings.LayerNorm.bias",
        "encoder.layer.0.attention.self.query.weight", "encoder.layer.2.output.dense.bias", "pooler.dense.bias"]
tensors = dict(tokens=tokens, segments=segments, offsets=offsets, noise=first_noise, classes=classes, numbers=numbers,
               query_sizes=sizes, positives=positives)
for task, parameters in heads().items():
    divergence, norm = dict(classification=("symmetricKullbackLeibler", "inf"), regression=("squaredError", "l2"),
                            ranking=("jensenShannon", "l1"), san=("kullbackLeibler", "inf"))[task]
    climbed = DIVERGENCES["squaredError" if task == "regression" else "stable"]
    head = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    noise = first_noise
    fixed = [scores.detach() for scores in outputs(task, head, encoded())[1]]
    for _ in range(STEPS):
        noise = noise.detach().requires_grad_()
        found = outputs(task, head, encoded(noise))[1]
        value = sum(climbed(scores, other) for scores, other in zip(found, fixed))
        noise = step(noise, torch.autograd.grad(value, noise)[0], norm)
    noise = noise.detach()
    loss, scores = outputs(task, head, encoded())
    perturbed = outputs(task, head, encoded(noise))[1]
    loss = loss + ALPHA * torch.stack([DIVERGENCES[divergence](*pair) for pair in zip(scores, perturbed)]).mean()
    model.zero_grad()
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()
                 if parameter.grad is not None and (task == "classification" or name in KEPT)}
    tensors |= named(task, dict(noise=noise, loss=loss.reshape(1), **named("parameters", head), **named("gradients", gradients),
                                **named("gradients", {name: value.grad for name, value in head.items()})))
save(sys.argv[1], "perturbation.safetensors", tensors)
