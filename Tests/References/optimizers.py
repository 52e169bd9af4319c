"""Makes optimizers.safetensors: ten updates of Adamax, AdamW, RAdam, SGD, LAMB and mt-dnn v0.1's Adamax, with clipping, warm-up and an idle head."""
import sys

import torch
from timm.optim.lamb import Lamb

from common import draw, named, save

STEPS, RATE, DECAY = 10, 5e-3, 0.01
folder = sys.argv[1]
generator = torch.Generator().manual_seed(3)
# Warm-up over the first tenth of the steps, then linear decay; as in mt-dnn and transformers the first step has rate 0.
rates = [RATE * (step / 1 if step < 1 else (STEPS - step) / (STEPS - 1)) for step in range(STEPS)]


class FirstAdamax(torch.optim.Optimizer):
    """mt-dnn v0.1: m = b1 m + (1-b1) g; u = max(b2 u, |g| + eps); p -= rate (m / (u + eps) + decay p): eps twice, no bias correction."""

    def __init__(self, groups):
        super().__init__(groups, dict(lr=0.0, weight_decay=0.0))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is None:
                    continue
                state = self.state[value]
                first = 0.9 * state.get("first", torch.zeros_like(value)) + (1 - 0.9) * value.grad
                norm = torch.maximum(0.999 * state.get("norm", torch.zeros_like(value)), value.grad.abs() + 1e-6)
                state["first"], state["norm"] = first, norm
                value -= group["lr"] * (first / (norm + 1e-6) + group["weight_decay"] * value)


class OwnCounts:
    """A Lamb for each tensor, so that steps without a gradient do not count for its bias correction, as in torch's own optimizers."""

    def __init__(self, groups):
        self.parts = [Lamb([dict(group, params=[value])], lr=RATE, eps=1e-6, max_grad_norm=None)
                      for group in groups for value in group["params"]]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def step(self):
        for part in self.parts:
            if part.param_groups[0]["params"][0].grad is not None:
                part.step()


OPTIMIZERS = {
    "adamax": lambda groups: torch.optim.Adamax([dict(group, weight_decay=0.0) for group in groups], lr=RATE, eps=1e-8),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=RATE, eps=1e-8),
    "first_adamax": FirstAdamax,
    "radam": lambda groups: torch.optim.RAdam(groups, lr=RATE, eps=1e-8, decoupled_weight_decay=True),
    "lamb": OwnCounts,
    "sgd": lambda groups: torch.optim.SGD(groups, lr=RATE, momentum=0.9),
}


def run(initial, gradients):
    """Values after every step and the gradient norm before clipping, for each optimizer."""
    results = {}
    for name, make in OPTIMIZERS.items():
        values = {key: value.clone().requires_grad_() for key, value in initial.items()}
        optimizer = make([
            dict(params=[value for key, value in values.items() if key.endswith("weight")], weight_decay=DECAY),
            dict(params=[value for key, value in values.items() if key.endswith("bias")], weight_decay=0.0)])
        norms = []
        for step in range(STEPS):
            for key, value in values.items():
                gradient = gradients[step].get(key)  # none for a head whose task does not have this step
                value.grad = None if gradient is None else gradient.clone()
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
            norms.append(torch.nn.utils.clip_grad_norm_(values.values(), 1.0))
            optimizer.step()
            results |= named(f"{name}.values.{step}", {key: value.detach().clone() for key, value in values.items()})
        results["norms"] = torch.stack(norms)  # equal for all: gradients are given
    return results


def case(name, initial, gradients):
    given = {f"gradients.{step}.{key}": value for step, found in enumerate(gradients) for key, value in found.items()}
    return named(name, dict(**named("initial", initial), **given, **run(initial, gradients)))


shapes = {"encoder.weight": (6, 8), "encoder.bias": (6,), "head.a.weight": (3, 8), "head.a.bias": (3,),
          "head.b.weight": (2, 8), "head.b.bias": (2,)}
initial = {key: draw(*shape, generator=generator, std=0.5) for key, shape in shapes.items()}
gradients = []
for step in range(STEPS):
    idle = "head.b" if step % 2 == 0 else "head.a"
    size = [0.05, 0.5, 0.02, 2.0, 0.1][step % 5]  # norms on both sides of the clipping bound
    gradients.append({key: draw(*shape, generator=generator, std=size) for key, shape in shapes.items() if not key.startswith(idle)})
tensors = dict(rates=torch.tensor(rates).double(), **case("groups", initial, gradients))

table, rows = draw(50, 8, generator=generator, std=0.5), []
for step in range(STEPS):
    gradient = torch.zeros(50, 8).double()
    touched = torch.randperm(30, generator=generator)[:5]  # rows 30 to 49 never get a gradient
    gradient[touched] = draw(5, 8, generator=generator, std=0.3)
    rows.append({"table.weight": gradient})
tensors |= case("embedding", {"table.weight": table}, rows)
save(folder, "optimizers.safetensors", tensors)
