"""The trainer's own dropout masks, from its counter-based generator (Philox 4x32-10, Salmon et al., SC 2011): with them PyTorch can take a step of a run that drops things."""
import numpy
import torch

WORD = numpy.uint64(0xFFFFFFFF)
HALF = numpy.uint64(32)
SITES = dict(embeddings=0, pooled=1, turns=2, summary=3, forced=4)


def site_number(name, *place):
    """The trainer's numbers of the places where something is dropped."""
    if name == "answer":
        kind, turn = place
        return 16 + 4 * turn + kind
    if name == "layer":
        layer, kind = place
        return 256 * (layer + 1) + kind
    return SITES[name]


def philox(counter, key):
    """The four words at each counter; all are arrays of 64-bit numbers below 2^32."""
    c0, c1, c2, c3 = counter
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        first, second = c0 * numpy.uint64(0xD2511F53), c2 * numpy.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (second >> HALF) ^ c1 ^ numpy.uint64(k0), second & WORD, (first >> HALF) ^ c3 ^ numpy.uint64(k1), first & WORD
        k0, k1 = k0 + 0x9E3779B9 & 0xFFFFFFFF, k1 + 0xBB67AE85 & 0xFFFFFFFF
    return c0, c1, c2, c3


class TrainerDropout:
    """Masks of one step after another: `begin` says which, and which batch."""

    def __init__(self, seed):
        self.seed = seed

    def begin(self, step, batch):
        """`batch` is packed; its sequences were numbered before they were sorted by length."""
        order = torch.argsort(batch["place"]).numpy()
        lengths = numpy.array(batch["lengths"])[order]
        self.step = step
        self.sequences = numpy.arange(len(order))
        self.sorted = order
        self.tokens = numpy.repeat(order, lengths), numpy.concatenate([numpy.arange(length) for length in lengths])

    def words(self, counters, sites, examples, rows):
        """Philox at all combinations that the shapes of the four span."""
        arrays = numpy.broadcast_arrays(counters, sites << 16 | rows, examples, self.step)
        return philox([array.astype(numpy.uint64) for array in arrays], self.seed)

    def mask(self, shape, share, site, rows="sequences"):
        """Factors of `shape`, whose last axis is a row's columns; for attention [sequences, heads, rows, keys] with `rows` the (start, count, asked) of its sequences."""
        threshold = min(65535, round(share * 65536))
        columns = shape[-1]
        blocks = numpy.arange(-(-columns // 32) * 4)
        number = numpy.int64(site_number(*site))
        if isinstance(rows, tuple):
            start, count, asked = rows
            examples = self.sorted[start:start + count][:, None, None, None]
            found = self.words(blocks, number + numpy.arange(shape[1])[:, None, None], examples, numpy.arange(asked)[:, None])
        elif rows == "tokens":
            found = self.words(blocks, number, self.tokens[0][:, None], self.tokens[1][:, None])
        else:
            found = self.words(blocks, number, (self.sorted if rows == "sorted" else self.sequences)[:, None], 0)
        # Of 32 columns word w of block l decides for 8w + 2l with its low half and for 8w + 2l + 1 with its high one.
        words = numpy.stack(found, -1)
        words = numpy.swapaxes(words.reshape(*words.shape[:-2], -1, 4, 4), -1, -2)
        decisions = numpy.stack([words & numpy.uint64(0xFFFF), words >> numpy.uint64(16)], -1).reshape(*words.shape[:-3], -1)[..., :columns]
        return torch.from_numpy((decisions >= threshold).astype(numpy.float32) * numpy.float32(65536 / (65536 - threshold))).view(shape)

    def __call__(self, x, share, training, site, rows="sequences"):
        return x * self.mask(x.shape, share, site, rows) if training and share > 0 else x

    def turns(self, count, turns, share):
        """Which turns' predictions are kept [count, turns], 1 or 0."""
        kept = (self.mask((count, turns), share, ("turns",)) > 0).float()
        word = self.words(numpy.zeros(1, int), numpy.int64(site_number("forced")), self.sequences, 0)[0]
        kept[torch.arange(count), torch.from_numpy((word * numpy.uint64(turns) >> HALF).astype(numpy.int64))] = 1
        return kept
