"""MT-DNN without padding: linear layers see all real tokens as one matrix, attention sees sequences of equal length together."""
import json
import math
import os

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

TURNS = 5


class Dropout:
    """Dropout masks from raw 16-bit numbers: several times faster than torch.dropout on a processor; the share is exact to 1/65536.

    `site` and `rows` say which place and which rows are asked for: masks that must be those of the trainer depend on it (`masks.py`), these don't.
    """

    def __init__(self, seed):
        self.random = numpy.random.SFC64(seed)

    def mask(self, shape, share, site=None, rows=None):
        count = math.prod(shape)
        bits = torch.from_numpy(self.random.random_raw(count // 4 + 1).view(numpy.int16)[:count])
        return (bits >= round(share * 65536) - 32768).float().mul_(1 / (1 - share)).view(shape)

    def __call__(self, x, share, training, site=None, rows=None):
        return x * self.mask(x.shape, share, site, rows) if training and share > 0 else x

    def turns(self, count, turns, share):
        """Which turns' predictions are kept [count, turns], 1 or 0: one chosen turn per row always is."""
        kept = (torch.rand(count, turns) >= share).float()
        kept[torch.arange(count), torch.randint(turns, (count,))] = 1
        return kept


class Layer(nn.Module):
    """One Transformer block."""

    def __init__(self, width, heads, inner, eps):
        super().__init__()
        self.heads = heads
        self.qkv, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)

    def forward(self, rows, batch, drop, first_only):
        """`first_only` computes nothing but each sequence's first row: all that a pooled head reads of the last block."""
        width, read = rows.shape[1], "sorted" if first_only else "tokens"
        if first_only:
            kept = rows[batch["first"]]
            queries = F.linear(kept, self.qkv.weight[:width], self.qkv.bias[:width])
            keys_values = F.linear(rows, self.qkv.weight[width:], self.qkv.bias[width:])
        else:
            kept, queries, keys_values = rows, *self.qkv(rows).split([width, 2 * width], 1)
        mixed, done, sequences = [], 0, 0
        for start, count, length in batch["groups"]:
            asked = 1 if first_only else length
            q = queries[done:done + count * asked].view(count, asked, self.heads, -1).transpose(1, 2)
            k, v = keys_values[start:start + count * length].view(count, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
            weights = ((q * q.shape[-1] ** -0.5) @ k.transpose(2, 3)).softmax(3)
            mixed.append((drop(weights, (sequences, count, asked), 2) @ v).transpose(1, 2).reshape(count * asked, width))
            done, sequences = done + count * asked, sequences + count
        kept = self.norm1(kept + drop(self.merge(torch.cat(mixed)), read, 0))
        return self.norm2(kept + drop(self.contract(F.gelu(self.expand(kept))), read, 1))


class Encoder(nn.Module):
    def __init__(self, folder, dropout):
        super().__init__()
        with open(os.path.join(folder, "config.json")) as file:
            config = json.load(file)
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.word = nn.Embedding(config["vocab_size"], width)
        self.position = nn.Embedding(config["max_position_embeddings"], width)
        self.segment = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.layers = nn.ModuleList(Layer(width, config["num_attention_heads"], config["intermediate_size"], eps)
                                    for _ in range(config["num_hidden_layers"]))
        self.pooler = nn.Linear(width, width)
        self.dropout, self.share, self.width = dropout, 0.1, width
        self.load(load_file(os.path.join(folder, "model.safetensors")))

    @torch.no_grad()
    def load(self, found):
        for module, names in self.parts():
            if names == ["pooler.dense"] and "pooler.dense.weight" not in found:
                initialise(module)
                continue
            for part, parameter in module.named_parameters():
                parameter.copy_(torch.cat([found[f"{name}.{part}"] for name in names]))

    def parts(self):
        """Each module with Hugging Face's names of what it is made of."""
        for module, name in [(self.word, "word_embeddings"), (self.position, "position_embeddings"),
                             (self.segment, "token_type_embeddings"), (self.norm, "LayerNorm")]:
            yield module, ["embeddings." + name]
        for i, layer in enumerate(self.layers):
            base = f"encoder.layer.{i}."
            yield layer.qkv, [f"{base}attention.self.{name}" for name in ["query", "key", "value"]]
            for module, name in [(layer.merge, "attention.output.dense"), (layer.norm1, "attention.output.LayerNorm"),
                                 (layer.expand, "intermediate.dense"), (layer.contract, "output.dense"), (layer.norm2, "output.LayerNorm")]:
                yield module, [base + name]
        yield self.pooler, ["pooler.dense"]

    def forward(self, batch, first_only):
        def drop(x, rows, *site):
            return self.dropout(x, self.share, self.training, site, rows)

        rows = self.word(batch["tokens"]) + self.position(batch["positions"]) + self.segment(batch["segments"])
        rows = drop(self.norm(rows), "tokens", "embeddings")
        for index, layer in enumerate(self.layers):
            is_last = index + 1 == len(self.layers)
            rows = layer(rows, batch, lambda x, rows, kind: drop(x, rows, "layer", index, kind), first_only and is_last)
        return rows


def initialise(module):
    """Weights N(0, 0.02), biases 0."""
    for name, parameter in module.named_parameters():
        nn.init.zeros_(parameter) if "bias" in name else nn.init.normal_(parameter, std=0.02)


class Pooled(nn.Module):
    """Scores from the shared pooler's tanh output of the first token."""
    first_only = True

    def __init__(self, encoder, outputs, share):
        super().__init__()
        self.pooler, self.dropout, self.share = [encoder.pooler], encoder.dropout, share  # in a list: not this module's parameter
        self.classifier = nn.Linear(encoder.width, outputs)
        initialise(self)

    def forward(self, rows, batch):
        pooled = torch.tanh(self.pooler[0](rows[batch["place"]]))
        return self.classifier(self.dropout(pooled, self.share, self.training, ("pooled",), "sequences"))


class Answer(nn.Module):
    """SAN: five turns of attention over the first segment; scores are logs of the mean probabilities. The GRU starts with torch's own values, as mt-dnn's."""
    first_only = False

    def __init__(self, encoder, outputs, share):
        super().__init__()
        width = encoder.width
        self.dropout, self.share = encoder.dropout, share
        self.summary, self.attention = nn.Linear(width, 1), nn.Linear(width, width)
        self.classifier, self.recurrent = nn.Linear(4 * width, outputs), nn.GRUCell(width, width)
        initialise(self)
        self.recurrent.reset_parameters()

    def drop(self, x, *site):
        """One mask per sequence, shared by its positions."""
        if not self.training:
            return x
        mask = self.dropout.mask((x.shape[0], x.shape[-1]), self.share, site, "sequences")
        return x * (mask[:, None] if x.dim() == 3 else mask)

    def forward(self, rows, batch):
        parts = {0: [], 1: []}
        for start, length in zip(batch["starts"], batch["lengths"]):
            segments = batch["segments"][start:start + length]
            boundary = length - int(segments.sum())
            parts[0].append(rows[start:start + boundary])
            parts[1].append(rows[start + boundary:start + length])
        x, h = (nn.utils.rnn.pad_sequence(parts[segment], batch_first=True) for segment in [0, 1])
        x_outside, h_outside = (torch.arange(m.shape[1])[None] >= torch.tensor([len(p) for p in part])[:, None]
                                for m, part in [(x, parts[0]), (h, parts[1])])
        h = self.drop(h, "summary")
        weights = self.summary(h)[..., 0].masked_fill(h_outside, -torch.inf).softmax(1)
        state, found = (weights[:, None] @ h)[:, 0], []
        for turn in range(TURNS):
            query = self.attention(self.drop(state, "answer", 1, turn))
            weights = (self.drop(x, "answer", 0, turn) @ query[..., None])[..., 0].masked_fill(x_outside, -torch.inf).softmax(1)
            summary = (weights[:, None] @ x)[:, 0]
            merged = torch.cat([summary, state, (summary - state).abs(), summary * state], 1)
            found.append(self.classifier(self.drop(merged, "answer", 2, turn)).softmax(1))
            if turn + 1 < TURNS:
                state = self.recurrent(summary, self.drop(state, "answer", 3, turn))
        # Stochastic prediction dropout: some turns are left out.
        kept = self.dropout.turns(len(x), TURNS, 0.1) if self.training else torch.ones(len(x), TURNS)
        mean = (torch.stack(found, 1) * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
        return mean.clamp_min(1e-30).log()
