"""Makes training.safetensors and training-final.safetensors: ten multi-task training steps of the tiny BERT, their losses, norms and end values."""
import sys

import torch

from common import draw, draw_pairs, encode, named, offsets_of, save, tiny_model
from head_functions import classification, ranking, regression, san, san_shapes

RATE, STEPS, WIDTH = 2e-3, 10, 32
TASKS = ["classification", "regression", "ranking", "san"]


def make_batch(task, generator):
    """A few short sequences with labels of the task's kind."""
    count = 6 if task == "ranking" else 5
    lengths = torch.randint(3, 17, (count,), generator=generator).tolist()
    tokens, segments = draw_pairs(lengths, generator)
    batch = dict(tokens=tokens, segments=segments, offsets=offsets_of(lengths))
    if task == "ranking":
        return batch | dict(query_sizes=torch.tensor([3, 1, 2]), positives=torch.tensor([2, 0, 1]))
    if task == "regression":
        return batch | dict(labels=draw(count, generator=generator, std=1.0, mean=2.5))
    return batch | dict(labels=torch.randint(3, (count,), generator=generator))


def train(kind):
    """Runs the ten steps in the given precision from the same start."""
    generator = torch.Generator().manual_seed(5)
    encoder = tiny_model(generator)
    heads = {}
    for task, outputs in [("classification", 3), ("regression", 1), ("ranking", 1)]:
        heads[f"heads.{task}.classifier.weight"] = draw(outputs, WIDTH, generator=generator, std=0.2)
        heads[f"heads.{task}.classifier.bias"] = draw(outputs, generator=generator, std=0.1)
    for name, shape in san_shapes(WIDTH, 3).items():
        heads[f"heads.san.{name}"] = draw(*shape, generator=generator, std=0.2)
    batches = [make_batch(TASKS[step % len(TASKS)], generator) for step in range(STEPS)]

    encoder = encoder.to(kind)
    heads = {name: value.to(kind).requires_grad_() for name, value in heads.items()}
    parameters = dict(encoder.named_parameters()) | heads
    tensors = named("parameters", {name: value.detach().clone() for name, value in parameters.items()})
    optimizer = torch.optim.Adamax(parameters.values(), lr=RATE, eps=1e-8)
    losses, norms = [], []
    for step, batch in enumerate(batches):
        task = TASKS[step % len(TASKS)]
        optimizer.zero_grad(set_to_none=True)
        rows = encode(encoder, batch["tokens"], batch["segments"], batch["offsets"])
        read = {name.removeprefix(f"heads.{task}."): value for name, value in parameters.items()
                if name.startswith((f"heads.{task}.", "pooler."))}
        if task == "san":
            loss, _ = san(read, rows, batch["segments"], batch["offsets"], batch["labels"])
        elif task == "ranking":
            loss, _ = ranking(read, rows, batch["offsets"], batch["query_sizes"], batch["positives"])
        else:
            labels = batch["labels"].to(kind) if task == "regression" else batch["labels"]
            loss, _ = dict(classification=classification, regression=regression)[task](read, rows, batch["offsets"], labels)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0))
        optimizer.step()
        losses.append(loss.detach())
    given = {f"batch.{step}.{key}": value for step, batch in enumerate(batches) for key, value in batch.items()}
    return tensors | given | dict(losses=torch.stack(losses), norms=torch.stack(norms)), named("parameters", parameters)


if __name__ == "__main__":
    start, end = train(torch.float64)
    save(sys.argv[1], "training.safetensors", start)
    save(sys.argv[1], "training-final.safetensors", end)
    # How far single precision alone moves the result: what a tolerance must allow.
    single_start, single_end = train(torch.float32)
    print("float32 against float64: losses", float((single_start["losses"] - start["losses"]).abs().max()),
          "norms", float((single_start["norms"] / start["norms"] - 1).abs().max()))
    differences = {name: float((single_end[name] - end[name]).detach().abs().max()) for name in end}
    for name in sorted(differences, key=differences.get)[-8:]:
        print(f"  {name} {differences[name]:.1e}")
