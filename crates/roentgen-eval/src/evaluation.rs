//! All metrics of a score table, in the form of `metrics.json`.
//!
//! The names of the fields are a contract that scripts rely on. A metric without a meaning is
//! `null`: a finding without positives has no AUROC and is left out of the mean, whose `findings`
//! says how many are included.

mod fitted_films;
mod given;

use std::collections::{BTreeMap, HashSet};

use serde::{Serialize, Serializer};

use crate::{
    BootstrapOptions, CoOccurrence, Error, FindingFigures, Identity, Interval, Intervals,
    MeanFigures, MeanPoint, Measured, OperatingRule, Scores, TrainingMarks, bootstrap,
    co_occurrence::co_occurrence,
    cohort::{self, Cohort, numbers},
    confusion::Pairs,
    counted_calls::CountedCalls,
    leakage,
    mean::mean,
    operating_point::Threshold,
    split::{Split, rows_in},
    subgroups::{Gaps, Subgroups, subgroups},
};

pub use fitted_films::FittedFilms;
pub use given::{FittedOn, Given};
use given::{check_prevalence, fit, thresholds};

/// The metrics of a score table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of films.
    pub images: usize,
    /// Number of patients.
    pub patients: usize,
    /// The split of the films, if the table names it.
    pub split: Option<String>,
    /// The data set of the films, if the table names it.
    pub dataset: Option<String>,
    /// Identity of the model, if the table says.
    pub model: Option<Identity>,
    /// Identity of the data set, if the table says.
    pub dataset_id: Option<Identity>,
    /// Number of resamples for the intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Number of patients that the model was trained on, if the table says so of every film.
    pub patients_in_training: Option<usize>,
    /// How many films say whether their patient was trained on.
    pub training_marks: TrainingMarks,
    /// Number of films of the training split, if the table names a split. Not zero only if the
    /// split is named as leaky.
    pub films_in_training: Option<usize>,
    /// Number of films of the validation split, if the table names a split. They choose the model.
    pub films_in_validation: Option<usize>,
    /// Metrics of each finding, in table order.
    #[serde(serialize_with = "by_name")]
    pub findings: Vec<FindingFigures>,
    /// Means over the findings that have both classes.
    pub mean: MeanFigures,
    /// Fraction of all pairs of film and finding that are correct at 0.5. Never shown without
    /// `binary_accuracy_all_negative`.
    pub binary_accuracy: Option<f64>,
    /// The same fraction for always answering no.
    pub binary_accuracy_all_negative: Option<f64>,
    /// Mean of `|p - y|` over all pairs.
    pub mean_absolute_error: Option<f64>,
    /// Films with two findings, by label and by call.
    pub co_occurrence: CoOccurrence,
    /// What was fitted on other films, if it was given.
    pub fit: Option<FittedOn>,
    /// The stated prevalence of findings, for PPV and NPV at it.
    pub stated_prevalence: BTreeMap<String, f64>,
    /// Metrics by `age`, `sex`, `source`, `number_of_findings` and `view`, then by group.
    pub subgroups: Subgroups,
    /// The difference between the best and the worst group, by the same.
    pub subgroup_gaps: Gaps,
}

impl Evaluation {
    /// Whether the split says that it shares patients with training.
    pub fn is_leaky(&self) -> bool {
        self.split.as_deref().is_some_and(crate::split::says_leaky)
    }

    /// Whether the films were drawn by `roentgen phantom`.
    pub fn is_phantom(&self) -> bool {
        self.dataset.as_deref().is_some_and(names_phantom)
    }

    /// Returns the name of the operating point that pictures and summaries show: `youden` if
    /// thresholds were fitted on other films, otherwise `0.5`.
    pub fn main_point(&self) -> &'static str {
        let points = self.findings.iter().flat_map(|finding| &finding.operating_points);
        main_point(points.map(|point| point.name.as_str()))
    }

    /// Formats the metrics as `metrics.json`.
    ///
    /// # Errors
    ///
    /// Never returns an error for metrics computed by [`evaluate`].
    pub fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self).map_err(|source| Error::Json { source })?;
        Ok(text + "\n")
    }
}

/// Whether a data set of this name was drawn by `roentgen phantom`.
pub(crate) fn names_phantom(dataset: &str) -> bool {
    dataset.to_lowercase().contains("phantom")
}

/// Computes all metrics of a table; the only threshold is 0.5.
///
/// # Errors
///
/// Returns an error if no finding has a label, or if the table has films of the training split, or
/// of patients that the model was trained on, and their split does not say `leaky`.
pub fn evaluate(scores: &Scores, options: &BootstrapOptions) -> Result<Evaluation, Error> {
    evaluate_with(scores, options, &Given::default())
}

/// Computes all metrics of a table, also at thresholds that were fitted on other films, before and
/// after calibration, and at a stated prevalence.
///
/// A caller that has the table of the fit compares its films with
/// [`refuse_shared_films`](crate::refuse_shared_films()); one that knows only which films they were
/// names them in [`Given::fitted_films`].
///
/// # Errors
///
/// Returns an error under the conditions of [`evaluate`], if calibration and thresholds were fitted
/// for another model, if the table has films that they were fitted on, or if a stated prevalence is not between 0 and 1 or of no finding of the
/// table.
pub fn evaluate_with(
    scores: &Scores,
    options: &BootstrapOptions,
    given: &Given<'_>,
) -> Result<Evaluation, Error> {
    let (training_marks, films_in_training) = check(scores)?;
    check_prevalence(scores, given)?;
    let fit = given
        .calibration
        .map(|calibration| fit(scores, calibration, given.fitted_films))
        .transpose()?;
    let is_used = fit.as_ref().is_some_and(|fit| fit.is_used);
    let calibration = given.calibration.filter(|_| is_used);

    let intervals = bootstrap(scores, options);
    let thresholds: Vec<Vec<Threshold>> =
        scores.findings().iter().map(|finding| thresholds(finding, calibration)).collect();
    let main = main_point(thresholds.iter().flatten().map(|(name, _)| name.as_str()));
    let prevalence = |finding: &str| given.prevalence.get(finding).copied();
    let calls = CountedCalls::of(scores, &thresholds, options);
    let points = calls.points(&prevalence);
    let (numbers, patients) = numbers(scores);
    let with_intervals = scores.findings().iter().zip(&intervals.findings).zip(points);
    let findings: Vec<_> = with_intervals
        .map(|((finding, drawn), points)| {
            let fitted = calibration.and_then(|calibration| calibration.finding(&finding.name));
            FindingFigures::of(finding, (&numbers, patients), options, drawn, fitted, points)
        })
        .collect();
    let (subgroups, subgroup_gaps) = subgroups(scores, options);
    let pairs = pairs(scores);
    Ok(Evaluation {
        images: scores.len(),
        patients: scores.patients().iter().collect::<HashSet<_>>().len(),
        split: scores.split(),
        dataset: scores.dataset(),
        model: scores.model(),
        dataset_id: scores.dataset_id(),
        resamples: options.resamples,
        seed: options.seed,
        patients_in_training: training_marks.patients_in_training(),
        training_marks,
        films_in_training,
        films_in_validation: rows_in(scores, Split::Valid).map(|rows| rows.len()),
        mean: means(scores, &findings, &intervals, calls.means()),
        findings,
        binary_accuracy: pairs.accuracy(),
        binary_accuracy_all_negative: pairs.accuracy_all_negative(),
        mean_absolute_error: pairs.mean_absolute_error(),
        co_occurrence: co_occurrence(scores, &thresholds, main),
        fit,
        stated_prevalence: given.prevalence.clone(),
        subgroups,
        subgroup_gaps,
    })
}

/// Refuses a table without labels, and one with films that the model was trained on; returns how
/// many of its films say so, and how many are of the training split.
pub(crate) fn check(scores: &Scores) -> Result<(TrainingMarks, Option<usize>), Error> {
    let training_marks = leakage::training_marks(scores)?;
    let films_in_training = leakage::films_in_training(scores)?;
    if scores.findings().iter().all(|finding| finding.labeled_films().next().is_none()) {
        return Err(Error::NoTruth { path: scores.origin().to_owned() });
    }
    Ok((training_marks, films_in_training))
}

fn pairs(scores: &Scores) -> Pairs {
    let mut pairs = Pairs::default();
    for finding in scores.findings() {
        let (probabilities, labels) = finding.known_pairs();
        pairs.add(&probabilities, &labels);
    }
    pairs
}

/// The figures by which runs are compared; [`evaluate`] has the same and many more, in several times
/// the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Headline {
    pub(crate) auroc: Option<Measured>,
    pub(crate) binary_accuracy: Option<f64>,
    pub(crate) binary_accuracy_all_negative: Option<f64>,
}

/// Computes the figures by which runs are compared, under the conditions of [`evaluate`].
pub(crate) fn headline(scores: &Scores, options: &BootstrapOptions) -> Result<Headline, Error> {
    check(scores)?;
    let cohort = Cohort::of(scores);
    let draws = cohort.draw_areas(options);
    let drawn = draws.iter().filter_map(|draw| Some(cohort::mean(draw)?.auroc));
    let auroc = cohort::mean(&cohort.areas())
        .map(|areas| Measured { value: areas.auroc, interval: Interval::of(drawn.collect()) });
    let pairs = pairs(scores);
    Ok(Headline {
        auroc,
        binary_accuracy: pairs.accuracy(),
        binary_accuracy_all_negative: pairs.accuracy_all_negative(),
    })
}

/// Returns the main one of the operating points of these names.
fn main_point<'a>(mut names: impl Iterator<Item = &'a str>) -> &'static str {
    let youden = OperatingRule::Youden.name();
    if names.any(|name| name == youden) { youden } else { "0.5" }
}

fn means(
    scores: &Scores,
    findings: &[FindingFigures],
    intervals: &Intervals,
    operating_points: Vec<MeanPoint>,
) -> MeanFigures {
    let pooled = Cohort::over_all_pairs(scores).areas()[0];
    let counted = || findings.iter().filter(|finding| finding.auroc.is_some());
    let positives: usize = findings.iter().map(|finding| finding.positives).sum();
    let pairs: usize = findings.iter().map(|each| each.positives + each.negatives).sum();
    MeanFigures {
        auroc: mean(counted().map(|finding| finding.auroc)),
        auroc_ci95: intervals.mean_auroc,
        average_precision: mean(counted().map(|finding| finding.average_precision)),
        average_precision_ci95: intervals.mean_average_precision,
        findings: counted().count(),
        prevalence: mean(counted().map(|finding| finding.prevalence)),
        brier: mean(counted().map(|finding| finding.brier)),
        ece: mean(counted().map(|finding| finding.ece)),
        ece_equal_mass: mean(counted().map(|finding| finding.calibration.ece_equal_mass)),
        micro_auroc: pooled.map(|areas| areas.auroc),
        micro_auroc_ci95: intervals.micro_auroc,
        micro_average_precision: pooled.map(|areas| areas.average_precision),
        micro_average_precision_ci95: intervals.micro_average_precision,
        micro_prevalence: (pairs > 0).then(|| positives as f64 / pairs as f64),
        operating_points,
    }
}

fn by_name<S: Serializer>(findings: &[FindingFigures], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|finding| (&finding.name, finding)))
}

#[cfg(test)]
mod tests;
