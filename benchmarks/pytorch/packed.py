"""The encoder of `model.py` with gradients written straight into the parameters' own `grad`, which nothing else touches in a step."""
import time

import torch
import torch.nn.functional as F

from model import Encoder, Layer


def product_by_mkl(x, weight, bias=None, out=None):
    """x·Wᵀ + b as every PyTorch program has it. MKL leaves AVX-512 to Intel's processors."""
    if out is not None:
        return torch.mm(x, weight.T, out=out)
    return x @ weight.T if bias is None else torch.addmm(bias, x, weight.T)


def product_by_onednn(x, weight, bias=None, out=None):
    """The same through oneDNN, which PyTorch has inside for compiled inference and does not use for float32 in training."""
    product = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product if out is None else out.copy_(product)


@torch.no_grad()
def faster_product(weight):
    """That of the two which is faster on this machine for 512 rows and a weight."""
    x, out, seconds = torch.randn(512, weight.shape[1]), torch.empty(512, weight.shape[0]), {}
    for product in [product_by_mkl, product_by_onednn]:
        try:
            product(x, weight, out=out)
            start = time.perf_counter()
            for _ in range(20):
                product(x, weight, out=out)
            seconds[product] = time.perf_counter() - start
        except (AttributeError, RuntimeError):  # a PyTorch without oneDNN
            pass
    return min(seconds, key=seconds.get)


product = product_by_mkl


class DirectLinear(torch.autograd.Function):
    """x·Wᵀ + b for some rows of W and b; autograd's own way would make each gradient anew and add it to the old one."""

    @staticmethod
    def forward(context, x, weight, bias, weight_gradient, bias_gradient):
        context.save_for_backward(x, weight)
        context.gradients = weight_gradient, bias_gradient
        return product(x, weight, bias)

    @staticmethod
    def backward(context, dy):
        x, weight = context.saved_tensors
        weight_gradient, bias_gradient = context.gradients
        product(dy.T, x.T, out=weight_gradient)
        torch.sum(dy, 0, out=bias_gradient)
        return product(dy, weight.T), None, None, None, None


def linear(layer, x, rows=slice(None)):
    weight, bias = layer.weight, layer.bias
    return DirectLinear.apply(x, weight.detach()[rows], bias.detach()[rows], weight.grad[rows], bias.grad[rows])


class DirectEmbedding(torch.autograd.Function):
    """Rows of the word embeddings; their gradients are added where they belong, with no table of zeros around them."""

    @staticmethod
    def forward(context, anchor, tokens, table):
        context.places = tokens, table.grad
        return table.detach()[tokens]

    @staticmethod
    def backward(context, dx):
        tokens, gradient = context.places
        gradient.index_add_(0, tokens, dx)
        return None, None, None


class PackedLayer(Layer):
    """One Transformer block."""

    def forward(self, rows, batch, drop, first_only):
        width = rows.shape[1]
        if first_only:
            kept = rows[batch["first"]]
            queries, keys_values = linear(self.qkv, kept, slice(0, width)), linear(self.qkv, rows, slice(width, None))
        else:
            kept, (queries, keys_values) = rows, linear(self.qkv, rows).split([width, 2 * width], 1)
        context = self.attend(queries, keys_values, batch, drop, first_only)
        kept = self.norm1(kept + drop(linear(self.merge, context)))
        return self.norm2(kept + drop(linear(self.contract, F.gelu(linear(self.expand, kept)))))

    def attend(self, queries, keys_values, batch, drop, first_only):
        """Sequences of equal length together."""
        mixed, done, width = [], 0, queries.shape[1]
        queries = queries * (width // self.heads) ** -0.5
        for start, count, length in batch["groups"]:
            asked = 1 if first_only else length
            q = queries[done:done + count * asked].view(count, asked, self.heads, -1).transpose(1, 2)
            k, v = keys_values[start:start + count * length].view(count, length, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
            mixed.append((drop((q @ k.transpose(2, 3)).softmax(3)) @ v).transpose(1, 2).reshape(count * asked, width))
            done += count * asked
        return torch.cat(mixed)


class PackedEncoder(Encoder):
    def forward(self, batch, first_only):
        def drop(x):
            return self.dropout(x, self.share, self.training)

        anchor = torch.empty(0, requires_grad=True)  # without a leaf among its inputs a function has no backward
        rows = DirectEmbedding.apply(anchor, batch["tokens"], self.word.weight)
        rows = drop(self.norm(rows + self.position(batch["positions"]) + self.segment(batch["segments"])))
        for layer in self.layers[:-1]:
            rows = layer(rows, batch, drop, False)
        return self.layers[-1](rows, batch, drop, first_only)


def make_packed(encoder, products=None):
    """Turns an encoder of `model.py` into this one; all its parameters must have a `grad`. Returns whose products it uses: the faster ones unless named."""
    global product
    named = dict(MKL=product_by_mkl, oneDNN=product_by_onednn)
    product = named[products] if products else faster_product(encoder.layers[0].expand.weight)
    encoder.__class__ = PackedEncoder
    for layer in encoder.layers:
        layer.__class__ = PackedLayer
    return next(name for name, known in named.items() if known is product)
