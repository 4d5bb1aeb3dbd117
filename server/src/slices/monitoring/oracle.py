"""Figures of scikit-learn and scipy for cases read from stdin, one JSON object per line in, one per line out."""

import json
import sys
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics

warnings.simplefilter("ignore")


def plain(value):
    value = float(value)
    return value if np.isfinite(value) else None


def binary(case):
    y, s, a = (np.array(case[key], dtype=float) for key in ("labels", "scores", "answers"))
    w = np.array(case["weights"]) if case.get("weights") else None
    both = len(set(y[w > 0] if w is not None else y)) == 2
    return {
        "roc_auc": plain(metrics.roc_auc_score(y, s, sample_weight=w)) if both else None,
        "log_loss": plain(metrics.log_loss(y, s, sample_weight=w)) if both and s.min() >= 0 and s.max() <= 1 else None,
        "accuracy": plain(metrics.accuracy_score(y, a, sample_weight=w)),
        "precision": plain(metrics.precision_score(y, a, sample_weight=w, zero_division=0)),
        "recall": plain(metrics.recall_score(y, a, sample_weight=w, zero_division=0)),
        "f1": plain(metrics.f1_score(y, a, sample_weight=w, zero_division=0)),
    }


def regression(case):
    t, a = np.array(case["truths"]), np.array(case["answers"])
    return {
        "mae": plain(metrics.mean_absolute_error(t, a)),
        "rmse": plain(metrics.root_mean_squared_error(t, a)),
        "r2": plain(metrics.r2_score(t, a)),
    }


def classes(case):
    t, a = case["truths"], case["answers"]
    p, r, f, _ = metrics.precision_recall_fscore_support(t, a, average="macro", zero_division=0)
    return {"accuracy": plain(metrics.accuracy_score(t, a)), "precision": plain(p), "recall": plain(r), "f1": plain(f)}


def ks(case):
    result = stats.ks_2samp(case["a"], case["b"], method="auto")
    return {"statistic": plain(result.statistic), "p": plain(result.pvalue)}


def psi(case):
    # Deciles as numpy's inverted_cdf tells them, shares by pandas' right-closed intervals, clipped at 1e-4.
    reference, current = np.array(case["a"]), np.array(case["b"])
    inner = np.unique(np.quantile(reference, np.arange(1, 10) / 10, method="inverted_cdf"))
    share = lambda values: np.clip(
        np.bincount(np.searchsorted(inner, values, side="left"), minlength=len(inner) + 1) / len(values), 1e-4, None
    )
    r, c = share(reference), share(current)
    return {"edges": inner.tolist(), "psi": plain(((r - c) * np.log(r / c)).sum())}


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps(globals()[case["kind"]](case)), flush=True)
