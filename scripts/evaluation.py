"""Writes what other people's programs make of small score tables.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 statsmodels==0.15.0 pandas==2.3.3 \
        dcurves==1.1.7 confidenceinterval==1.0.5
    python scripts/evaluation.py [FOLDER]

With the folder of the shared data `golden`, it also writes their figures of the two score tables of
other people's models there, without the tables. The small tables have ties, a single positive, classes without films, equal and certain probabilities, and
a model that ranks the wrong way round. AUROC, average precision, Brier score, F1, Matthews'
correlation, likelihood ratios, calibration curves, Platt scaling and isotonic regression are
scikit-learn's; the calibration slope, the temperature and Holm's correction statsmodels'; DeLong's
variance is that of the package `confidenceinterval`, in double precision; decision curves are those
of `dcurves`. Figures that these programs do not define for a table are null.
"""

import inspect
import json
import math
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from confidenceinterval import delong as published_delong
from dcurves import dca
from scipy import special, stats
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.multitest import multipletests

TESTS = Path(__file__).parent.parent / "crates/roentgen-eval/tests"
BINS = 15
PROBES = np.round(np.linspace(0.005, 0.995, 23), 6)
THRESHOLDS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9]

# The package computes in single precision, which is too coarse to compare with.
delong = types.ModuleType("delong")
exec(inspect.getsource(published_delong).replace("float32", "float64"), delong.__dict__)


def tables():
    """Yields the name, both models' probabilities and the labels of each table."""
    rng = np.random.default_rng(2018)

    def table(films, prevalence, shift, digits=6):
        y = (rng.random(films) < prevalence).astype(int)
        z = rng.normal(shift, 1.3, films) + 1.2 * y
        other = 0.6 * z + rng.normal(0, 0.9, films)
        return *(np.round(special.expit(logits), digits) for logits in (z, other)), y

    yield "plain", *table(240, 0.3, -1.0)
    yield "ties", *table(200, 0.4, -0.5, digits=1)
    # With 400 films a quantile is exactly a film, which numpy's rounding puts on either side.
    yield "rare", *table(402, 0.04, -3.0)
    p, q, y = table(60, 0.0, -2.0)
    y[17] = 1
    yield "single positive", p, q, y
    p, q, y = table(60, 1.0, 1.0)
    y[5] = 0
    yield "single negative", p, q, y
    yield "no positives", *table(40, 0.0, -1.0)
    yield "no negatives", *table(40, 1.1, 1.0)
    p, q, y = table(50, 0.3, -1.0)
    yield "constant", np.full(50, 0.3), q, y
    p, q, y = table(120, 0.5, 0.0)
    yield "reversed", np.round(1 - p, 6), q, y
    p, q, y = table(90, 0.4, 0.0)
    p[:4], p[-3:] = 0.0, 1.0
    yield "certain", p, q, y
    y = np.arange(30) % 3 == 0
    yield "separated", np.round(0.2 + 0.5 * y + np.arange(30) / 100, 6), p[:30], y.astype(int)


def number(value):
    """Returns a number for JSON, null where it is undefined."""
    return float(value) if value is not None and np.isfinite(value) else None


def logit(p):
    """Returns the logit to fit on, where certain probabilities count as 1e-7 less than certain."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def error(p, y, bins):
    return number(sum(abs(y[bins == b].mean() - p[bins == b].mean()) * (bins == b).sum()
                      for b in np.unique(bins)) / len(p))


def calibration(p, y):
    equal = np.searchsorted(np.arange(1, BINS) / BINS, p)
    mass = np.searchsorted(np.percentile(p, np.linspace(0, 1, BINS + 1) * 100)[1:-1], p)
    # The bins by mass are those of scikit-learn.
    observed, _ = calibration_curve(y, p, n_bins=BINS, strategy="quantile", pos_label=1)
    assert np.allclose(observed, [y[mass == b].mean() for b in np.unique(mass)], atol=1e-15)
    prevalence = y.mean()
    weight = [(equal == b).mean() for b in np.unique(equal)]
    means = [(p[equal == b].mean(), y[equal == b].mean()) for b in np.unique(equal)]
    return {
        "brier": number(np.mean((p - y) ** 2)),
        "reliability": number(sum(w * (f - o) ** 2 for w, (f, o) in zip(weight, means))),
        "resolution": number(sum(w * (o - prevalence) ** 2 for w, (_, o) in zip(weight, means))),
        "uncertainty": number(prevalence * (1 - prevalence)),
        "ece": error(p, y, equal),
        "ece_equal_mass": error(p, y, mass),
    }


def binomial(y, design, offset=None):
    model = sm.GLM(y, design, family=sm.families.Binomial(), offset=offset)
    return model.fit(tol=1e-14, maxiter=200).params


def fits(p, y):
    """Fits that need both classes."""
    z = logit(p)
    is_constant = len(np.unique(p)) == 1
    is_separated = z[y == 0].max() <= z[y == 1].min() or z[y == 1].max() <= z[y == 0].min()
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    out = {
        "isotonic": isotonic.predict(PROBES).tolist(),
        "intercept": number(binomial(y, np.ones((len(y), 1)), offset=z)[0]),
        "slope": None if is_separated else number(binomial(y, sm.add_constant(z))[1]),
        "platt": None,
        "temperature": None,
    }
    if not is_constant:
        a, b = _sigmoid_calibration(z, y)
        out["platt_sklearn"] = special.expit(-(a * logit(PROBES) + b)).tolist()
        positives, negatives = y.sum(), (1 - y).sum()
        targets = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
        intercept, slope = binomial(targets, sm.add_constant(z))
        out["platt"] = {"slope": number(slope), "intercept": number(intercept)}
    if np.any(np.where(y == 1, z < 0, z > 0)):
        slope = binomial(y, z[:, None])[0]
        out["temperature"] = number(1 / slope) if slope > 0 else None
    return out


def calls(p, y, threshold):
    called = (p >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(y, called, labels=[0, 1]).ravel()
    positives, negatives = tp + fn, tn + fp
    share = lambda part, whole: number(part / whole) if whole else None
    both = positives and negatives
    ratios = (None, None)
    if both:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ratios = metrics.class_likelihood_ratios(y, called)
    odds_of = lambda sensitivity, specificity, prevalence: [
        share(sensitivity * prevalence,
              sensitivity * prevalence + (1 - specificity) * (1 - prevalence)),
        share(specificity * (1 - prevalence),
              specificity * (1 - prevalence) + (1 - sensitivity) * prevalence),
    ]
    is_varied = both and tp + fp and tn + fn
    return {
        "threshold": threshold,
        "sensitivity": share(tp, positives),
        "specificity": share(tn, negatives),
        "ppv": share(tp, tp + fp),
        "npv": share(tn, tn + fn),
        "f1": number(metrics.f1_score(y, called)) if positives + tp + fp else None,
        "balanced_accuracy": number(metrics.balanced_accuracy_score(y, called)) if both else None,
        "mcc": number(metrics.matthews_corrcoef(y, called)) if is_varied else None,
        "lr_positive": number(ratios[0]),
        "lr_negative": number(ratios[1]),
        "at_two_percent": odds_of(tp / positives, tn / negatives, 0.02) if both else [None, None],
    }


def thresholds(p, y):
    """Operating points from scikit-learn's curve; of equal ones the highest threshold."""
    fpr, tpr, at = (values[1:] for values in metrics.roc_curve(y, p, drop_intermediate=False))
    positives, negatives = y.sum(), (1 - y).sum()
    tp, fp = np.rint(tpr * positives), np.rint(fpr * negatives)
    f1 = 2 * tp / (tp + fp + positives)
    reaches = lambda which: number(at[np.nonzero(which)[0][0]]) if which.any() else None
    specific = np.nonzero((negatives - fp) / negatives >= 0.9)[0]
    return {
        "youden": number(at[np.argmax(tp * negatives - fp * positives)]),
        "max-f1": number(at[np.argmax(f1)]),
        "sensitivity-0.90": reaches(tp / positives >= 0.9),
        "sensitivity-0.95": reaches(tp / positives >= 0.95),
        "specificity-0.90": number(at[specific[-1]]) if len(specific) else None,
    }


def of_delong(p, q, y):
    order = np.argsort(-y, kind="stable")
    (area, other), covariance = delong.fastDeLong(
        np.vstack((p, q))[:, order], int(y.sum()), None)
    variance = covariance[0, 0]
    out = {"auroc": number(area), "variance": number(variance), "interval": None}
    if 1e-12 < area < 1 - 1e-12:
        half = stats.norm.ppf(0.975) * math.sqrt(variance) / (area * (1 - area))
        out["interval"] = special.expit(special.logit(area) + np.array([-half, half])).tolist()
    of_difference = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    out["difference"] = number(other - area)
    out["p"] = number(2 * stats.norm.sf(abs(other - area) / math.sqrt(of_difference)))
    return out


def decision_curve(p, y):
    frame = pd.DataFrame({"label": y, "model": p})
    curve = dca(data=frame, outcome="label", modelnames=["model"], thresholds=THRESHOLDS)
    of = lambda model: curve[curve.model == model].sort_values("threshold").net_benefit.tolist()
    return {"model": of("model"), "treat_all": of("all")}


def main():
    out = {"probes": PROBES.tolist(), "thresholds": THRESHOLDS, "tables": []}
    p_values = []
    for name, p, q, y in tables():
        both = 0 < y.sum() < len(y)
        entry = {
            "name": name,
            "probabilities": p.tolist(),
            "other": q.tolist(),
            "labels": y.tolist(),
            "auroc": number(metrics.roc_auc_score(y, p)) if both else None,
            "average_precision": number(metrics.average_precision_score(y, p)) if both else None,
            "calibration": calibration(p, y),
            "calls": [calls(p, y, threshold) for threshold in THRESHOLDS],
            "fits": fits(p, y) if both else None,
            "operating_points": thresholds(p, y) if both else None,
            "delong": of_delong(p, q, y) if 1 < y.sum() < len(y) - 1 else None,
            "decision_curve": decision_curve(p, y) if both else None,
        }
        if entry["delong"]:
            p_values.append(entry["delong"]["p"])
        out["tables"].append(entry)
    out["p_values"] = p_values
    out["holm"] = multipletests(p_values, method="holm")[1].tolist()
    (TESTS / "reference.json").write_text(json.dumps(out) + "\n")


def golden(folder):
    """Writes the figures of each finding of the shared tables; the other model of DeLong's test is
    the mean of the probabilities of the finding and of the next one."""
    out = {"probes": PROBES.tolist()}
    for path in sorted(Path(folder).glob("*.scores.csv")):
        table = pd.read_csv(path)
        names = [name[:-len(".truth")] for name in table.columns if name.endswith(".truth")]
        of = out[path.name] = {}
        for name, following in zip(names, names[1:] + names[:1]):
            y = table[f"{name}.truth"].to_numpy()
            p, q = (table[column].to_numpy() for column in (name, following))
            of[name] = {
                "delong": of_delong(p, 0.5 * p + 0.5 * q, y),
                "calibration": calibration(p, y),
                "fits": fits(p, y),
                "calls": [calls(p, y, threshold) for threshold in (0.02, 0.3)],
                "operating_points": thresholds(p, y),
                "decision_curve": decision_curve(p, y),
            }
    (TESTS / "golden.json").write_text(json.dumps(out) + "\n")


main()
for folder in sys.argv[1:]:
    golden(folder)
