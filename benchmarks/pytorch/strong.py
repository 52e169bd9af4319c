"""The fastest PyTorch form of the trainer that we found: no padding, cheap dropout masks, flat buffers, shares balanced by length."""
import common


def main():
    common.run(__doc__, Trainer, keeps_memory=True)


class Trainer:
    """Everything of one rank. Values, gradients and moments are one flat buffer each, and every parameter a view of them."""

    def __init__(self, options, rank):
        import torch
        from model import Answer, Dropout, Encoder, Pooled
        from packed import make_packed
        self.torch, self.rank, self.ranks = torch, rank, options.ranks
        dropout = Dropout(options.seed + 1000 * rank)
        self.encoder = Encoder(options.encoder, dropout)
        self.encoder.share = options.dropout
        self.heads = {name: (Answer if task["san"] else Pooled)(self.encoder, task["outputs"], options.dropout)
                      for name, task in common.TASKS.items()}
        self.flatten()
        self.products = make_packed(self.encoder, options.products)
        self.batches = [self.prepare(batch) for batch in common.read_batches(options)]
        self.counts = dict.fromkeys(["encoder", "pooler", *self.heads], 0)
        self.touched = torch.zeros(0, dtype=torch.long)

    def flatten(self):
        """Groups that are updated together lie together: the encoder, the pooler, each head."""
        torch = self.torch
        pooler = set(map(id, self.encoder.pooler.parameters()))
        groups = {"encoder": [p for p in self.encoder.parameters() if id(p) not in pooler], "pooler": list(self.encoder.pooler.parameters())}
        groups |= {name: list(head.parameters()) for name, head in self.heads.items()}
        count = sum(p.numel() for group in groups.values() for p in group)
        self.values, self.gradients, self.first, self.second = (torch.zeros(count) for _ in range(4))
        self.ranges, self.cleared, at = {}, {}, 0
        for name, group in groups.items():
            start = at
            for p in group:
                view = slice(at, at + p.numel())
                self.values[view].copy_(p.data.view(-1))
                p.data, p.grad = self.values[view].view_as(p), self.gradients[view].view_as(p)
                at += p.numel()
            self.ranges[name] = slice(start, at)
            # Those of the encoder's linear layers are written by the layers, those of word embeddings cleared row by row.
            kept = [self.encoder.position.weight, self.encoder.segment.weight, self.encoder.norm.weight, self.encoder.norm.bias]
            kept += [p for layer in self.encoder.layers for norm in [layer.norm1, layer.norm2] for p in norm.parameters()]
            self.cleared[name] = [p.grad for p in (kept if name == "encoder" else group)]

    def prepare(self, batch):
        """This rank's share, packed: what a loader would do beforehand, so outside of the clock. Longest first to the lightest rank."""
        from data import pack
        torch = self.torch
        sizes = [sum(len(ids) for ids, _ in candidates) for candidates, _ in batch["examples"]]
        shares, loads = [[] for _ in range(self.ranks)], [0] * self.ranks
        for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            lightest = loads.index(min(loads))
            shares[lightest].append(batch["examples"][i])
            loads[lightest] += sizes[i]
        share = pack(shares[self.rank], common.TASKS[batch["task"]]["kind"])
        every = [token for candidates, _ in batch["examples"] for ids, _ in candidates for token in ids]
        return dict(batch, share=share, touched=torch.tensor(sorted(set(every))))

    def step(self, batch, clock):
        torch = self.torch
        task, share = common.TASKS[batch["task"]], batch["share"]
        head = self.heads[batch["task"]]
        active = ["encoder"] + ([] if task["san"] else ["pooler"]) + [batch["task"]]
        clock.enter("forward")
        self.clear(active, batch["touched"])
        self.encoder.train(), head.train()
        scores = head(self.encoder(share, head.first_only), share)
        loss = common.loss_sum(task["kind"], scores, share) / len(batch["rows"])
        clock.enter("backward")
        loss.backward()
        clock.enter("exchange")
        with torch.no_grad():
            parts = self.joined(active)
            if self.ranks > 1:
                for part in parts:
                    torch.distributed.all_reduce(self.gradients[part])
            norm = torch.stack([torch.linalg.vector_norm(self.gradients[part]) for part in parts]).norm()
            clock.enter("update")
            scale = float(torch.clamp(1.0 / (norm + 1e-6), max=1.0))
            for name in active:
                self.counts[name] += 1
                self.update(self.ranges[name], scale, self.counts[name])
        return loss.detach()

    def clear(self, active, touched):
        torch = self.torch
        for name in active:
            torch._foreach_zero_(self.cleared[name])
        self.encoder.word.weight.grad.index_fill_(0, self.touched, 0)
        self.touched = touched

    def joined(self, active):
        """The ranges of the active groups, neighbours as one."""
        parts = []
        for name in active:
            part = self.ranges[name]
            if parts and parts[-1].stop == part.start:
                part = slice(parts.pop().start, part.stop)
            parts.append(part)
        return parts

    def update(self, part, scale, count, block=1 << 17):
        """Adamax, in blocks that stay in cache while the operations pass over them."""
        torch = self.torch
        rate = common.RATE / (1 - 0.9 ** count)
        for start in range(part.start, part.stop, block):
            place = slice(start, min(start + block, part.stop))
            value, gradient, first, second = self.values[place], self.gradients[place], self.first[place], self.second[place]
            scaled = gradient * scale
            first.lerp_(scaled, 0.1)
            torch.maximum(second.mul_(0.999), scaled.abs_().add_(1e-8), out=second)
            value.addcdiv_(first, second, value=-rate)

    def time_exchange(self):
        """One all_reduce of the flat gradient by itself."""
        import statistics
        import time
        torch, times = self.torch, []
        part = self.joined(["encoder", "pooler"])[0]
        for _ in range(6):
            torch.distributed.barrier()
            start = time.perf_counter()
            torch.distributed.all_reduce(self.gradients[part])
            times.append(time.perf_counter() - start)
        return dict(bytes=4 * (part.stop - part.start), seconds=statistics.median(times[1:]))


if __name__ == "__main__":
    main()
