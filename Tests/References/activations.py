"""Makes activations.json: GELU, tanh, softmax, layer norm and their derivatives in double, at ordinary and extreme float32 inputs."""
import json
import math
import os
import sys

import torch

folder = sys.argv[1]


def single(value):
    """The nearest float32, as the Python number that JSON keeps exactly."""
    return torch.tensor(value, dtype=torch.float32).double().tolist()


def gelu(x):
    # erfc, not 1 + erf: the sum loses all digits below x = -6.
    return 0.5 * x * math.erfc(-x / math.sqrt(2))


def gelu_derivative(x):
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def tanh_derivative(x):
    return 0.0 if abs(x) > 350 else 1 / math.cosh(x) ** 2


extreme = [0.0, 1e-45, 1e-40, 1.1754944e-38, 1e-30, 1e-20, 1e-10, 1e-7, 1e-4, 1e-3, 10.0, 12.5, 20.0, 50.0, 88.0, 100.0, 1e4, 1e20, 3e38]
grid = [single(x) for x in extreme] + [single(-x) for x in extreme] + [single(-9.5 + 0.19 * i) for i in range(101)]

softmax = []
for x in [[0.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0], [100.0, -100.0, 0.0], [-100.0, -100.0, -101.0], [1e4, 0.0, -1e4],
          [1e-30, -1e-30, 1e-40], [88.0, 88.5, 87.0, -88.0], [-3e38, 0.0], [5.0, 0.25, -1.5, 2.0, 0.125, -7.0, 3.5, 0.0, 1.0]]:
    x = torch.tensor(single(x), dtype=torch.float64, requires_grad=True)
    cotangent = torch.tensor(single([math.cos(1.0 + i) for i in range(len(x))]), dtype=torch.float64)
    y = x.softmax(0)
    (y * cotangent).sum().backward()
    softmax.append(dict(x=x.tolist(), y=y.tolist(), cotangent=cotangent.tolist(), dx=x.grad.tolist()))

norms = []
width, base = 8, [0.5, -1.25, 3.0, 0.0, 2.0, -0.75, 1.0, -2.5]
for name, x in [("ordinary", base), ("constant", [0.75] * width), ("zero", [0.0] * width), ("shifted", [1000 + v for v in base]),
                ("large", [1e10 * v for v in base]), ("small", [1e-7 * v for v in base]), ("tiny", [1e-30 * v for v in base]),
                ("subnormal", [1e-40 * v for v in base]), ("one outlier", [0.0] * (width - 1) + [100.0])]:
    x = torch.tensor(single(x), dtype=torch.float64, requires_grad=True)
    weight = torch.tensor(single([1 + 0.1 * math.sin(i) for i in range(width)]), dtype=torch.float64, requires_grad=True)
    bias = torch.tensor(single([0.2 * math.cos(i) for i in range(width)]), dtype=torch.float64, requires_grad=True)
    cotangent = torch.tensor(single([math.sin(2.0 + 3 * i) for i in range(width)]), dtype=torch.float64)
    y = torch.nn.functional.layer_norm(x, (width,), weight, bias, eps=1e-12)
    (y * cotangent).sum().backward()
    norms.append(dict(name=name, eps=1e-12, x=x.tolist(), weight=weight.tolist(), bias=bias.tolist(), y=y.tolist(), cotangent=cotangent.tolist(),
                      dx=x.grad.tolist(), dweight=weight.grad.tolist(), dbias=bias.grad.tolist()))

os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "activations.json"), "w") as file:
    json.dump(dict(
        gelu=dict(x=grid, y=[gelu(x) for x in grid], derivative=[gelu_derivative(x) for x in grid]),
        tanh=dict(x=grid, y=[math.tanh(x) for x in grid], derivative=[tanh_derivative(x) for x in grid]),
        softmax=softmax, layer_norm=norms), file, indent=1)
    file.write("\n")
