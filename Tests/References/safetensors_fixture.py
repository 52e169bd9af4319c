"""Writes the safetensors files that StorageTests reads, with the `safetensors` package (and torch for BF16).

    python Tests/References/safetensors_fixture.py

Each file holds the same numbers, in one floating-point type per file; the last also has integers.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

values = Path(__file__).parent / "values"
values.mkdir(exist_ok=True)

# Exact in every type, or rounded in a way that the test repeats: signs, both zeros, tiny and large numbers, infinities.
numbers = torch.tensor(
    [0.0, -0.0, 1.0, -2.5, 0.333251953125, 6.103515625e-05, 5.9604644775390625e-08, 65504.0,
     float("inf"), float("-inf"), float("nan"), 3.140625], dtype=torch.float64)

for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16), ("f32", torch.float32), ("f64", torch.float64)]:
    tensors = {"encoder.weight": numbers.reshape(3, 4).to(dtype), "scalar": torch.tensor(-7.0, dtype=dtype),
               "empty": torch.zeros(0, 4, dtype=dtype)}
    if name == "f64":
        tensors["integers.32"] = torch.tensor([-(2**31), 0, 2**31 - 1], dtype=torch.int32)
        tensors["integers.64"] = torch.tensor([[-(2**63), -1], [0, 2**63 - 1]], dtype=torch.int64)
        tensors["flags"] = torch.tensor([True, False])
    save_file(tensors, values / f"safetensors_{name}.safetensors", metadata={"format": "pt", "made by": "\"fixture\" é"})
