//! What is known besides the table: calibration and thresholds that were fitted on other films, and
//! the prevalence where the model would be used.

use std::collections::BTreeMap;

use serde::Serialize;

use super::FittedFilms;
use crate::{
    Calibration, Error, ScoredFinding, Scores,
    operating_point::Threshold,
    split::{Split, rows_in},
};

/// What is known besides the table.
#[derive(Clone, Debug, Default)]
pub struct Given<'a> {
    /// Calibration and thresholds that were fitted on other films.
    pub calibration: Option<&'a Calibration>,
    /// The films that they were fitted on, if they are known. A table that has any of them is
    /// refused, unless its column `split` says so and the fit is therefore not used.
    pub fitted_films: Option<&'a FittedFilms>,
    /// The prevalence of findings, by name, where the model would be used. PPV and NPV are also
    /// computed at it, because those counted on a test set hold for its prevalence only.
    pub prevalence: BTreeMap<String, f64>,
}

/// The films that calibration and thresholds were fitted on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FittedOn {
    /// Number of films.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// Their split, if it is known.
    pub split: Option<String>,
    /// Whether it is used. It is not if the evaluated table has validation films and the fit may be
    /// of the same ones.
    pub is_used: bool,
    /// Whether the model of the table is known to be the one that it was fitted for.
    pub model_is_checked: bool,
}

/// Returns the thresholds of a finding: 0.5, and those that were fitted.
pub(super) fn thresholds(
    finding: &ScoredFinding,
    calibration: Option<&Calibration>,
) -> Vec<Threshold> {
    let fitted = calibration.and_then(|calibration| calibration.finding(&finding.name));
    let fitted = fitted.into_iter().flat_map(|fitted| &fitted.thresholds);
    let fitted = fitted.map(|(rule, &threshold)| (rule.name().to_owned(), threshold));
    [("0.5".to_owned(), 0.5)].into_iter().chain(fitted).collect()
}

/// Decides whether a fit may be used for a table.
pub(super) fn fit(
    scores: &Scores,
    calibration: &Calibration,
    films: Option<&FittedFilms>,
) -> Result<FittedOn, Error> {
    let refuse = |problem: String| Error::Join { path: scores.origin().to_owned(), problem };
    if let Some(problem) = calibration.problem() {
        return Err(refuse(format!("{problem}\nfit it again")));
    }
    calibration.check_model(scores)?;
    let data = scores.dataset_id().map(|identity| identity.to_string());
    let is_other_data = match (&data, &calibration.dataset_id) {
        (Some(own), Some(fitted)) => own != fitted,
        (None, _) | (_, None) => false,
    };
    let fitted_on_valid =
        calibration.split.as_deref().is_some_and(|split| Split::of(split) == Some(Split::Valid));
    let has_valid = rows_in(scores, Split::Valid).is_some_and(|rows| !rows.is_empty());
    let is_used = is_other_data || !(fitted_on_valid && has_valid);
    if is_used {
        films.map_or(Ok(()), |films| films.refuse(scores))?;
    }
    Ok(FittedOn {
        films: calibration.films,
        patients: calibration.patients,
        split: calibration.split.clone(),
        is_used,
        model_is_checked: scores.model().is_some() && calibration.model.is_some(),
    })
}

/// Refuses a prevalence that is not between 0 and 1, or whose finding is not in the table.
pub(super) fn check_prevalence(scores: &Scores, given: &Given<'_>) -> Result<(), Error> {
    for (finding, prevalence) in &given.prevalence {
        let problem = if scores.finding(finding).is_none() {
            format!("it has no finding `{finding}`, for which a prevalence was stated")
        } else if !(*prevalence > 0.0 && *prevalence < 1.0) {
            format!("the prevalence {prevalence} of `{finding}` is not between 0 and 1")
        } else {
            continue;
        };
        return Err(Error::Join { path: scores.origin().to_owned(), problem });
    }
    Ok(())
}
