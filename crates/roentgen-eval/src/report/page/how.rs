//! How the figures were made, for the templates: every convention of which the literature has two.

use crate::Evaluation;
use crate::format::count;

/// A word of the report and its definition.
type Definition = (&'static str, String);

/// Returns the definitions; those of fits only if one is used.
pub(super) fn how(evaluation: &Evaluation) -> Vec<Definition> {
    let intervals = format!(
        "{} resamples of the {} patients with all their films, seed {}; 2.5th to 97.5th percentile. \
         The bootstrap of average precision is biased upward, because a resample repeats films, so \
         its interval can lie above the figure. The mean over findings is computed on each resample.",
        count(evaluation.resamples),
        count(evaluation.patients),
        evaluation.seed
    );
    let is_fitted = evaluation.fit.as_ref().is_some_and(|fit| fit.is_used);
    let fitted: &[(&str, &str)] = if is_fitted { &FITTED } else { &[] };
    let others = ALWAYS.iter().chain(fitted).chain(&LAST);
    let others = others.map(|&(what, text)| (what, text.to_owned()));
    [("Intervals", intervals)].into_iter().chain(others).collect()
}

const ALWAYS: [(&str, &str); 8] = [
    (
        "AUROC",
        "The share of pairs of one positive and one negative film in which the positive film has the \
         higher probability; ties count half. For a finding without positive or without negative \
         films it is undefined (n/a), and the finding is left out of the mean.",
    ),
    (
        "Average precision",
        "The sum over distinct probabilities of the gain in recall times the precision there, without \
         interpolation.",
    ),
    ("Brier", "Brier score, the mean of (p − y)²."),
    (
        "ECE, equal width",
        "Expected calibration error of the probability of the finding in 15 equal bins, weighted by \
         number of films. A bin contains its upper limit but not its lower one; the first contains 0.",
    ),
    (
        "ECE, equal mass",
        "The same in 15 bins of about equally many films, with limits at the quantiles of the \
         probabilities, interpolated linearly. Films of equal probability are in one bin, so there \
         may be fewer bins.",
    ),
    (
        "Intercept and slope",
        "Of logistic regressions of the label on the logit of the probability: the intercept with the \
         slope fixed to 1, and the slope with an intercept of its own. In fits, probabilities closer \
         to 0 or 1 than 1e-7 count as that close.",
    ),
    (
        "Net benefit",
        "The share of all films that have the finding and a p of at least t, minus the \
         share that lack it and have one, times t / (1 − t); at 108 thresholds from 0.001 to 0.99.",
    ),
    (
        "Means of calls",
        "The macro mean of a figure is n/a if it is undefined for any of the findings; the micro mean \
         is of all their calls counted together.",
    ),
];

const FITTED: [(&str, &str); 4] = [
    (
        "Platt scaling",
        "sigmoid(a logit(p) + b) of least cross entropy on the films of the fit. As in Platt 1999, its \
         targets are not 0 and 1 but 1 / (negatives + 2) and (positives + 1) / (positives + 2). A fit \
         with a slope a of 0 or less is not used.",
    ),
    (
        "Temperature",
        "sigmoid(logit(p) / T) of least cross entropy, T above 0, with targets 0 and 1. In these fits, \
         too, probabilities closer to 0 or 1 than 1e-7 count as that close.",
    ),
    (
        "Isotonic",
        "The rising function of least squared error; linear between its points and constant outside.",
    ),
    (
        "Thresholds",
        "Chosen among the distinct probabilities of the films of the fit, before calibration; a film \
         is called positive if p ≥ threshold. Of equally good thresholds the highest is taken, which \
         has the highest specificity. For a sensitivity it is the highest threshold that reaches it, \
         for a specificity the lowest.",
    ),
];

const LAST: [(&str, &str); 2] = [
    ("Age", "Ages above 120 are errors in the label file and belong to no age group."),
    (
        "Numbers",
        "All numbers are in metrics.json and in CSV files next to this page, unrounded; the points of \
         the curves are in curves.csv.",
    ),
];
