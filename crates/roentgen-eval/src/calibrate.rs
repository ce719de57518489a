//! What is fitted on validation films and travels with a model: calibration and thresholds.
//!
//! None of it may be fitted on the films that it is evaluated on, nor on films that the model was
//! trained on: a threshold chosen on test films is always too good.

mod annotate;
mod isotonic;
mod method;
mod scaling;
mod threshold;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

pub use isotonic::Isotonic;
pub use method::{CalibrationMethod, WithIsotonic};
pub use scaling::{CalibrationLine, Platt, apply_temperature, fit_temperature};
pub use threshold::OperatingRule;

use crate::{Error, ScoredFinding, Scores, members::refuse_training_films, roc::steps};

/// Films of each class that a finding needs for anything to be fitted.
const LEAST: usize = 10;

/// What was fitted on the films of a table; a part of `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Number of films.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// The split of the films, if the table names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Identity of the model that predicted them, if the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Identity of their data set, if the table says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
    /// The findings, in table order.
    pub findings: Vec<FindingCalibration>,
}

/// What was fitted for one finding. Thresholds are of the probability of the model, before
/// calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingCalibration {
    /// Name of the finding.
    pub finding: String,
    /// Number of films of known label.
    pub films: usize,
    /// Number of them with the finding.
    pub positives: usize,
    /// Why something was not fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Platt scaling, always of a positive slope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platt: Option<Platt>,
    /// Isotonic regression, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isotonic: Option<Isotonic>,
    /// Thresholds by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<OperatingRule, f64>,
}

/// Fits calibration and thresholds to a table of validation films.
///
/// # Errors
///
/// Returns an error if a film or its patient was trained on, or if no label is known.
pub fn calibrate(scores: &Scores, isotonic: WithIsotonic) -> Result<Calibration, Error> {
    refuse_training_films(std::slice::from_ref(scores))?;
    if scores.findings().iter().all(|finding| finding.labeled_films().next().is_none()) {
        return Err(Error::NoTruth { path: scores.origin().to_owned() });
    }
    let of = |finding: &ScoredFinding| FindingCalibration::fit(finding, isotonic);
    Ok(Calibration {
        films: scores.len(),
        patients: scores.patients().iter().collect::<HashSet<_>>().len(),
        split: scores.split(),
        model: scores.model().map(|identity| identity.to_string()),
        dataset_id: scores.dataset_id().map(|identity| identity.to_string()),
        findings: scores.findings().iter().map(of).collect(),
    })
}

impl Calibration {
    /// Returns what was fitted for a finding.
    pub fn finding(&self, name: &str) -> Option<&FindingCalibration> {
        self.findings.iter().find(|finding| finding.finding == name)
    }

    /// Whether any finding has a calibration by this method.
    pub fn has(&self, method: CalibrationMethod) -> bool {
        self.findings.iter().any(|finding| finding.apply(method, 0.5).is_some())
    }

    /// Describes the first value that no fit can have, such as one edited by hand.
    pub fn problem(&self) -> Option<String> {
        self.findings.iter().find_map(|finding| {
            let problem = finding.problem()?;
            Some(format!("the calibration of `{}` has {problem}", finding.finding))
        })
    }
}

impl FindingCalibration {
    fn fit(finding: &ScoredFinding, isotonic: WithIsotonic) -> Self {
        let (p, y) = finding.known_pairs();
        let positives = y.iter().filter(|&&label| label).count();
        let negatives = y.len() - positives;
        let mut fitted = Self {
            finding: finding.name.clone(),
            films: y.len(),
            positives,
            reason: None,
            temperature: None,
            platt: None,
            isotonic: None,
            thresholds: BTreeMap::new(),
        };
        for (count, class) in [(positives, "positive"), (negatives, "negative")] {
            if count < LEAST {
                fitted.reason = Some(format!("{count} {class} films; at least {LEAST} are needed"));
                return fitted;
            }
        }
        let steps = steps(&p, &y);
        if steps.len() == 1 {
            fitted.reason = Some("all films have the same probability".to_owned());
            return fitted;
        }
        let threshold = |rule: OperatingRule| Some((rule, rule.of_steps(&steps)?));
        fitted.thresholds = OperatingRule::ALL.into_iter().filter_map(threshold).collect();
        // A slope of 0 or less would reverse the order of films.
        fitted.platt = Platt::fit(&p, &y).filter(|platt| platt.slope > 0.0);
        if fitted.platt.is_none() {
            let reason = "films with the finding do not have higher probabilities";
            fitted.reason = Some(reason.to_owned());
            return fitted;
        }
        fitted.temperature = fit_temperature(&p, &y);
        fitted.isotonic = match isotonic {
            WithIsotonic::Yes => Isotonic::fit(&p, &y),
            WithIsotonic::No => None,
        };
        fitted
    }

    /// Calibrates a probability; `None` if the method was not fitted.
    pub fn apply(&self, method: CalibrationMethod, p: f64) -> Option<f64> {
        match method {
            CalibrationMethod::Platt => self.platt.map(|platt| platt.apply(p)),
            CalibrationMethod::Temperature => self.temperature.map(|t| apply_temperature(t, p)),
            CalibrationMethod::Isotonic => self.isotonic.as_ref().map(|isotonic| isotonic.apply(p)),
        }
    }

    /// Returns the call of a film at an operating point; `None` if it has no threshold.
    pub fn call(&self, rule: OperatingRule, p: f64) -> Option<bool> {
        self.thresholds.get(&rule).map(|&threshold| p >= threshold)
    }

    fn problem(&self) -> Option<&'static str> {
        let is_scale = |value: f64| value.is_finite() && value > 0.0;
        let is_platt = |platt: Platt| is_scale(platt.slope) && platt.intercept.is_finite();
        if !self.platt.is_none_or(is_platt) {
            return Some("a `platt` that is not a positive slope and an intercept");
        }
        if !self.temperature.is_none_or(is_scale) {
            return Some("a `temperature` that is not above 0");
        }
        if !self.isotonic.as_ref().is_none_or(Isotonic::is_valid) {
            return Some("an `isotonic` that does not rise within 0..1");
        }
        let is_threshold = |threshold: &f64| (0.0..=1.0).contains(threshold);
        (!self.thresholds.values().all(is_threshold)).then_some("a threshold outside of 0..1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 80 films of three findings: one that can be fitted, one with few positives, one reversed.
    fn table() -> Scores {
        let p = |i: usize| 0.02 + (i * 29 % 83) as f64 / 90.0;
        let finding = |name: &str, label: &dyn Fn(usize) -> bool| ScoredFinding {
            name: name.into(),
            probabilities: (0..80).map(p).collect(),
            labels: (0..80).map(|i| Some(label(i))).collect(),
        };
        let texts = |of: &dyn Fn(usize) -> String| (0..80).map(of).collect::<Vec<_>>();
        let findings = vec![
            finding("Mass", &|i| p(i) + (i * 7 % 11) as f64 / 11.0 > 1.0),
            finding("Hernia", &|i| i < 3),
            finding("Edema", &|i| p(i) + (i * 7 % 11) as f64 / 11.0 < 0.9),
        ];
        Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 2).to_string()), findings)
            .and_then(|scores| scores.with_column("split", texts(&|_| "official valid".into())))
            .and_then(|scores| scores.with_column("model", texts(&|_| "a1b2".into())))
            .unwrap()
    }

    #[test]
    fn a_finding_with_too_few_positives_has_nothing_and_says_so() {
        let calibration = calibrate(&table(), WithIsotonic::Yes).unwrap();

        assert_eq!((calibration.films, calibration.patients), (80, 40));
        assert_eq!(calibration.model.as_deref(), Some("a1b2"));
        let mass = calibration.finding("Mass").unwrap();
        assert_eq!((mass.thresholds.len(), mass.reason.clone()), (5, None));
        assert!(mass.platt.is_some() && mass.temperature.is_some() && mass.isotonic.is_some());
        let hernia = calibration.finding("Hernia").unwrap();
        let reason = "3 positive films; at least 10 are needed";
        assert_eq!(hernia.reason.as_deref(), Some(reason));
        assert_eq!((hernia.films, hernia.positives, hernia.thresholds.len()), (80, 3, 0));
        assert_eq!((hernia.apply(CalibrationMethod::Platt, 0.5), hernia.platt), (None, None));
    }

    #[test]
    fn a_model_that_ranks_the_wrong_way_round_is_not_calibrated() {
        let edema = calibrate(&table(), WithIsotonic::Yes).unwrap().findings.remove(2);

        assert_eq!((edema.platt, edema.temperature, edema.isotonic), (None, None, None));
        assert!(edema.reason.unwrap().contains("do not have higher probabilities"));
    }

    #[test]
    fn calls_are_at_or_above_the_threshold() {
        let calibration = calibrate(&table(), WithIsotonic::No).unwrap();
        let mass = &calibration.findings[0];
        let threshold = mass.thresholds[&OperatingRule::Youden];

        assert_eq!(mass.call(OperatingRule::Youden, threshold), Some(true));
        assert_eq!(mass.call(OperatingRule::Youden, threshold - 1e-9), Some(false));
        assert_eq!(calibration.findings[1].call(OperatingRule::Youden, 0.9), None);
        assert_eq!(mass.isotonic, None);
    }

    #[test]
    fn training_films_are_refused() {
        let mut scores = table();
        scores.set_column("split", vec!["official train".into(); 80]);

        let error = calibrate(&scores, WithIsotonic::No).unwrap_err().to_string();
        assert!(error.contains("80 films are of the training split"), "{error}");
    }

    #[test]
    fn it_comes_back_from_toml_and_edited_values_are_found() {
        let calibration = calibrate(&table(), WithIsotonic::Yes).unwrap();
        let text = toml::to_string(&calibration).unwrap();
        let back: Calibration = toml::from_str(&text).unwrap();
        assert_eq!((&back, back.problem()), (&calibration, None));
        assert!(toml::from_str::<Calibration>(&text.replace("platt", "plat")).is_err());

        let edited = |edit: &dyn Fn(&mut FindingCalibration)| {
            let mut calibration = calibration.clone();
            edit(&mut calibration.findings[0]);
            calibration.problem().unwrap()
        };
        let problem = edited(&|mass| mass.temperature = Some(0.0));
        assert!(problem.contains("`Mass` has a `temperature` that is not above 0"), "{problem}");
        let slope = Platt { slope: -1.0, intercept: 0.0 };
        assert!(edited(&|mass| mass.platt = Some(slope)).contains("positive slope"));
        let edit = |mass: &mut FindingCalibration| {
            mass.thresholds.insert(OperatingRule::Youden, 1.5);
        };
        assert!(edited(&edit).contains("threshold outside of 0..1"));
    }
}
