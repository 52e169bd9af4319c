"""The four heads of MT-DNN as plain functions of packed rows: used by heads.py and training.py."""
import torch
import torch.nn.functional as F

TURNS = 5


def pool(parameters, rows, offsets):
    """tanh(first token of each sequence . Wᵀ + b), BERT's own pooler."""
    first = rows[offsets[:-1]]
    return torch.tanh(F.linear(first, parameters["pooler.dense.weight"], parameters["pooler.dense.bias"]))


def linear_scores(parameters, rows, offsets):
    """One row of scores for each sequence."""
    return F.linear(pool(parameters, rows, offsets), parameters["classifier.weight"], parameters["classifier.bias"])


def classification(parameters, rows, offsets, labels):
    """Mean cross entropy; predictions are probabilities."""
    scores = linear_scores(parameters, rows, offsets)
    return F.cross_entropy(scores, labels), scores.softmax(1)


def regression(parameters, rows, offsets, labels):
    """Mean squared error; predictions are the scores."""
    scores = linear_scores(parameters, rows, offsets)[:, 0]
    return (scores - labels).square().mean(), scores


def ranking(parameters, rows, offsets, query_sizes, positives):
    """Mean over queries of -log softmax(scores of the query's candidates)[positive]; predictions are those probabilities."""
    scores = linear_scores(parameters, rows, offsets)[:, 0]
    queries = scores.split(query_sizes.tolist())
    losses = [-query.log_softmax(0)[positive] for query, positive in zip(queries, positives)]
    return torch.stack(losses).mean(), torch.cat([query.softmax(0) for query in queries])


def gru(parameters, x, state):
    """One GRU cell written out, gates in torch's order r, z, n."""
    xr, xz, xn = F.linear(x, parameters["recurrent.weight_ih"], parameters["recurrent.bias_ih"]).chunk(3, 1)
    sr, sz, sn = F.linear(state, parameters["recurrent.weight_hh"], parameters["recurrent.bias_hh"]).chunk(3, 1)
    r, z = torch.sigmoid(xr + sr), torch.sigmoid(xz + sz)
    n = torch.tanh(xn + r * sn)
    return (1 - z) * n + z * state


def san(parameters, rows, segments, offsets, labels, turn_masks=None, masks=None):
    """Stochastic answer network: loss = mean of -log(sum_k m_k p_k[label] / sum_k m_k); predictions are sum_k m_k p_k / sum_k m_k.

    A mask is one row per sequence, shared by all the sequence's tokens, and already divided by the share that is kept.
    """
    count, width = len(labels), rows.shape[1]
    if turn_masks is None:
        turn_masks = rows.new_ones(count, TURNS)

    def drop(name, sequence, value):
        return value if masks is None else value * masks[f"mask.{name}"][sequence]

    losses, predictions = [], []
    for i in range(count):
        row, segment = rows[offsets[i]:offsets[i + 1]], segments[offsets[i]:offsets[i + 1]]
        x, h = row[segment == 0], row[segment == 1]
        h = drop("summary", i, h)
        state = F.linear(h, parameters["summary.weight"], parameters["summary.bias"]).softmax(0).T @ h  # [1, d]
        total = rows.new_zeros(parameters["classifier.bias"].shape)
        for k in range(TURNS):
            query = F.linear(drop(f"attention_state.{k}", i, state), parameters["attention.weight"], parameters["attention.bias"])
            weights = (drop(f"attention_memory.{k}", i, x) @ query.T).softmax(0)
            summary = weights.T @ x
            merged = torch.cat([summary, state, (summary - state).abs(), summary * state], 1)
            scores = F.linear(drop(f"classifier.{k}", i, merged), parameters["classifier.weight"], parameters["classifier.bias"])
            total = total + turn_masks[i, k] * scores[0].softmax(0)
            if k + 1 < TURNS:  # nothing reads a state after the last turn
                state = gru(parameters, summary, drop(f"recurrent.{k}", i, state))
        probabilities = total / turn_masks[i].sum()
        predictions.append(probabilities)
        losses.append(-probabilities[labels[i]].log())
    return torch.stack(losses).mean(), torch.stack(predictions)


def san_shapes(width, classes):
    """Names and shapes of the parameters of a SAN head."""
    return {
        "summary.weight": (1, width), "summary.bias": (1,), "attention.weight": (width, width), "attention.bias": (width,),
        "classifier.weight": (classes, 4 * width), "classifier.bias": (classes,),
        "recurrent.weight_ih": (3 * width, width), "recurrent.weight_hh": (3 * width, width),
        "recurrent.bias_ih": (3 * width,), "recurrent.bias_hh": (3 * width,)}
