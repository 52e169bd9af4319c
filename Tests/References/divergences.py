"""mt-dnn's losses between two rows of scores, as functions of torch tensors in which what mt-dnn holds fixed is detached."""
import torch
import torch.nn.functional as F


def kl(scores, other):
    return F.kl_div(scores.log_softmax(-1), other.softmax(-1), reduction="none").sum(-1)


def symmetric_kl(scores, other):
    return kl(scores, other.detach()) + kl(other, scores.detach())


def stable(scores, other, epsilon=1e-6):
    """Of the first argument's shares only; what stands for the log-odds of both is fixed."""
    p, q = scores.softmax(-1), other.detach().softmax(-1)
    odds = [-(1 / (share + epsilon) - 1 + epsilon).log().detach() for share in (p, q)]
    return 2 * (p * (odds[0] - odds[1])).sum(-1)


def symmetric_stable(scores, other):
    return stable(scores, other) + stable(other, scores)


def jensen_shannon(scores, other):
    middle = ((scores.softmax(-1) + other.softmax(-1)) / 2).detach()
    return sum(F.kl_div(side.log_softmax(-1), middle, reduction="none").sum(-1) for side in (scores, other))


def hellinger(scores, other):
    """mt-dnn detaches both sides; here both are differentiated."""
    return (scores.softmax(-1).sqrt() - other.softmax(-1).sqrt()).square().mean(-1)


def squared_error(scores, other):
    return (scores - other).square().mean(-1)


DIVERGENCES = dict(
    kullbackLeibler=kl, symmetricKullbackLeibler=symmetric_kl, stable=stable, symmetricStable=symmetric_stable,
    jensenShannon=jensen_shannon, hellinger=hellinger, squaredError=squared_error)


def distil(divergence, scores, teacher, temperature):
    """One value for each row; the square of the temperature keeps the size of gradients (Hinton et al. 2015)."""
    return temperature ** 2 * DIVERGENCES[divergence](scores / temperature, teacher / temperature)
