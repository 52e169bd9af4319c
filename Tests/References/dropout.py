"""Makes dropout.safetensors: output and gradients of the tiny BERT of encoder.py with the trainer's own dropout masks at each of its places.

A decision depends on seed, step, sequence, site, row and column alone: Philox's key is the seed, its counter (block of columns, site and row, sequence, step).
"""
import sys

import torch
import torch.nn.functional as F

from common import LENGTHS, TINY, draw, draw_pairs, encode, named, offsets_of, save, tiny_model
from philox import philox

SEED, STEP, SHARE = 5 + (3 << 32), 70000, 0.1
THRESHOLD = round(SHARE * 65536)
HEADS, EPSILON = TINY["num_attention_heads"], TINY["layer_norm_eps"]


def row_factors(site, sequence, row, columns):
    """Of 32 columns word w of block l decides for 8w + 2l with its low half and for 8w + 2l + 1 with its high one."""
    factors = []
    for start in range(0, columns, 32):
        blocks = [philox([start // 8 + lane, site << 16 | row, sequence, STEP], [SEED & 0xFFFFFFFF, SEED >> 32]) for lane in range(4)]
        halves = [block[word] >> shift & 0xFFFF for word in range(4) for block in blocks for shift in (0, 16)]
        factors += [0.0 if half < THRESHOLD else 65536 / (65536 - THRESHOLD) for half in halves]
    return factors[:columns]


def drop(x, site, sequence):
    """x ∘ factors, rows numbered from the first token of the sequence."""
    return x * torch.tensor([row_factors(site, sequence, row, x.shape[1]) for row in range(len(x))], dtype=torch.float32).double()


def keep(x, site, sequence):
    return x


def forward(p, tokens, segments, sequence, drop):
    """BERT on one sequence [length] -> [length, width]."""
    def linear(x, name):
        return F.linear(x, p[name + ".weight"], p[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, x.shape[1:], p[name + ".weight"], p[name + ".bias"], EPSILON)

    embeddings = "embeddings."
    rows = (p[embeddings + "word_embeddings.weight"][tokens] + p[embeddings + "token_type_embeddings.weight"][segments]
            + p[embeddings + "position_embeddings.weight"][:len(tokens)])
    rows = drop(norm(rows, embeddings + "LayerNorm"), 0, sequence)
    for layer in range(TINY["num_hidden_layers"]):
        base, site = f"encoder.layer.{layer}.", 256 * (layer + 1)
        q, k, v = (linear(rows, base + f"attention.self.{name}").chunk(HEADS, 1) for name in ["query", "key", "value"])
        mixed = [drop((q[head] @ k[head].T / q[head].shape[1] ** 0.5).softmax(1), site + 2 + head, sequence) @ v[head] for head in range(HEADS)]
        attended = drop(linear(torch.cat(mixed, 1), base + "attention.output.dense"), site, sequence)
        rows = norm(rows + attended, base + "attention.output.LayerNorm")
        inner = F.gelu(linear(rows, base + "intermediate.dense"))
        rows = norm(rows + drop(linear(inner, base + "output.dense"), site + 1, sequence), base + "output.LayerNorm")
    return rows


def all_rows(p, drop):
    bounds = zip(offsets.tolist(), offsets.tolist()[1:])
    return torch.cat([forward(p, tokens[a:b], segments[a:b], number, drop) for number, (a, b) in enumerate(bounds)])


# The same model and batch as encoder.py's, which are in encoder.safetensors.
generator = torch.Generator().manual_seed(1)
model = tiny_model(generator)
offsets = offsets_of(LENGTHS)
tokens, segments = draw_pairs(LENGTHS, generator)
segments[offsets[2]:offsets[3]] = 0
parameters = {name: parameter for name, parameter in model.named_parameters() if not name.startswith("pooler")}
assert torch.allclose(all_rows(parameters, keep), encode(model, tokens, segments, offsets), atol=1e-12)  # what is written out here is BERT

output = all_rows(parameters, drop)
cotangent = draw(*output.shape, generator=generator)
(output * cotangent).sum().backward()
save(sys.argv[1], "dropout.safetensors", dict(
    output=output, cotangent=cotangent, **named("gradients", {name: parameter.grad for name, parameter in parameters.items()})))
