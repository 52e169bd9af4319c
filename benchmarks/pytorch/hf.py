"""The trainer as people write it: transformers' BertModel with SDPA, padding to the longest row, DDP over gloo, torch's Adamax."""
import common


def main():
    common.run(__doc__, Trainer, keeps_memory=False)


def make_model(options):
    import torch
    from model import Answer, Dropout, Pooled
    from torch import nn
    from transformers import BertModel

    class MultiTask(nn.Module):
        """BERT and a head for each task; one forward gives the loss of one task's batch."""

        def __init__(self):
            super().__init__()
            self.bert = BertModel.from_pretrained(
                options.encoder, attn_implementation="sdpa", hidden_dropout_prob=options.dropout, attention_probs_dropout_prob=options.dropout)
            self.width, self.pooler, self.dropout = self.bert.config.hidden_size, self.bert.pooler.dense, TorchDropout()
            self.bert.pooler = None  # pooled heads call it; BERT would for every head
            self.heads = nn.ModuleDict({name: (Answer if task["san"] else Pooled)(self, task["outputs"], options.dropout)
                                        for name, task in common.TASKS.items()})

        def forward(self, task, batch):
            states = self.bert(batch["tokens"], attention_mask=batch["mask"], token_type_ids=batch["segments_padded"]).last_hidden_state
            # The answer network takes the real tokens of all sequences one after another, pooled heads each sequence's first.
            rows = states[batch["mask"].bool()] if common.TASKS[task]["san"] else states[:, 0]
            return common.loss_sum(common.TASKS[task]["kind"], self.heads[task](rows, batch), batch) / len(batch["sizes"])

    class TorchDropout:
        def __call__(self, x, share, training, site=None, rows=None):
            return torch.nn.functional.dropout(x, share, training)

        def mask(self, shape, share, site=None, rows=None):
            return torch.nn.functional.dropout(torch.ones(shape), share)

        turns = Dropout.turns

    return MultiTask()


class Trainer:
    """Everything of one rank."""

    def __init__(self, options, rank):
        import torch
        self.torch, self.rank, self.ranks = torch, rank, options.ranks
        self.products = "PyTorch's own"
        model = make_model(options)
        self.parameters = list(model.parameters())
        self.optimizer = torch.optim.Adamax(self.parameters, lr=common.RATE, foreach=True)
        self.model = model
        if options.ranks > 1:
            self.model = torch.nn.parallel.DistributedDataParallel(model, find_unused_parameters=True, gradient_as_bucket_view=True)
        self.batches = common.read_batches(options)

    def collate(self, batch):
        """Every `ranks`-th example, as a distributed sampler gives them, padded to the longest."""
        torch = self.torch
        share = batch["examples"][self.rank::self.ranks]
        sequences = [sequence for candidates, _ in share for sequence in candidates]
        lengths = [len(ids) for ids, _ in sequences]
        longest = max(lengths)
        kind = common.TASKS[batch["task"]]["kind"]
        return dict(
            tokens=torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in sequences]),
            segments_padded=torch.tensor([segments + [0] * (longest - len(segments)) for _, segments in sequences]),
            mask=torch.tensor([[1] * length + [0] * (longest - length) for length in lengths]),
            # What the heads of model.py want to know: where sequences begin among real tokens, and their order.
            segments=torch.tensor([s for _, segments in sequences for s in segments]), lengths=lengths,
            starts=[sum(lengths[:i]) for i in range(len(lengths))], place=torch.arange(len(lengths)),
            sizes=[len(candidates) for candidates, _ in share],
            labels=torch.tensor([label for _, label in share], dtype=torch.float32 if kind == "regression" else torch.long))

    def step(self, batch, clock):
        clock.enter("sample")
        share = self.collate(batch)
        clock.enter("forward")
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model(batch["task"], share)
        clock.enter("backward")  # DDP exchanges gradients while it goes on
        loss.backward()
        clock.enter("update")
        self.torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return loss.detach()

    def time_exchange(self):
        return None


if __name__ == "__main__":
    main()
