"""Makes metrics.json: accuracy, F1, Matthews, Pearson, Spearman (scikit-learn, scipy) and ranking scores on ordinary and degenerate inputs."""
import json
import os
import sys
import warnings

import numpy
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

folder = sys.argv[1]
random = numpy.random.default_rng(4)
warnings.simplefilter("ignore")  # degenerate inputs are the point


def classes(name, labels, predictions):
    labels, predictions = [int(v) for v in labels], [int(v) for v in predictions]
    case = dict(name=name, labels=labels, predictions=predictions, accuracy=float(accuracy_score(labels, predictions)),
                matthews=float(matthews_corrcoef(labels, predictions)))
    if set(labels + predictions) <= {0, 1}:
        case["f1"] = float(f1_score(labels, predictions, pos_label=1, zero_division=0))
    return case


def correlation(function, labels, predictions):
    """Undefined (a constant side) counts as 0: a model that says nothing has earned nothing."""
    value = float(function(labels, predictions)[0])
    return value if numpy.isfinite(value) else 0.0


def scores(name, labels, predictions):
    # float32-exact numbers, so that a single-precision reader sees the same ties.
    labels, predictions = [[float(numpy.float32(v)) for v in side] for side in (labels, predictions)]
    return dict(name=name, labels=labels, predictions=predictions, pearson=correlation(pearsonr, labels, predictions),
                spearman=correlation(spearmanr, labels, predictions))


def queries(name, rows):
    """A tie counts against the model: rank of the positive = number of candidates that score at least as high, itself included."""
    ranks = [sum(score >= row["scores"][row["positive"]] for score in row["scores"]) for row in rows]
    return dict(name=name, queries=rows, ranks=ranks, accuracy_at_1=sum(rank == 1 for rank in ranks) / len(ranks),
                mean_reciprocal_rank=sum(1 / rank for rank in ranks) / len(ranks))


labels = random.integers(0, 2, 200)
noisy = numpy.where(random.random(200) < 0.3, 1 - labels, labels)
three = random.integers(0, 3, 120)
classification = [
    classes("binary", labels, noisy), classes("three classes", three, numpy.where(random.random(120) < 0.4, random.integers(0, 3, 120), three)),
    classes("perfect", labels[:20], labels[:20]), classes("all wrong", labels[:20], 1 - labels[:20]),
    classes("constant prediction 0", labels[:20], [0] * 20), classes("constant prediction 1", labels[:20], [1] * 20),
    classes("one class in labels", [1] * 10, noisy[:10]), classes("only negatives everywhere", [0] * 10, [0] * 10),
    classes("only positives everywhere", [1] * 10, [1] * 10), classes("one row", [1], [1])]

x = random.random(300) * 5
y = x + random.normal(0, 1, 300)
correlations = [
    scores("noisy", x, y), scores("ties on both sides", numpy.round(x), numpy.round(y)), scores("anticorrelated", x[:50], -x[:50]),
    scores("monotone but not linear", x[:50], numpy.exp(x[:50])), scores("constant predictions", x[:20], [1.5] * 20),
    scores("constant labels", [2.0] * 20, x[:20]), scores("both constant", [2.0] * 5, [2.0] * 5), scores("two rows", [1.0, 2.0], [3.0, 1.0]),
    scores("large offset", x[:50] + 1000, y[:50] + 1000)]


def draw_queries(count, rounded):
    rows = []
    for _ in range(count):
        size = int(random.integers(1, 13))
        values = random.normal(0, 1, size)
        values = numpy.round(values) if rounded else values.astype(numpy.float32).astype(float)
        rows.append(dict(scores=[float(v) for v in values], positive=int(random.integers(0, size))))
    return rows


ranking = [queries("random", draw_queries(60, False)), queries("with ties", draw_queries(60, True)),
           queries("all scores equal", [dict(scores=[0.5] * 4, positive=2), dict(scores=[0.0] * 3, positive=0)]),
           queries("one candidate", [dict(scores=[-1.0], positive=0)])]

os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "metrics.json"), "w") as file:
    json.dump(dict(classification=classification, correlation=correlations, ranking=ranking), file)
    file.write("\n")
