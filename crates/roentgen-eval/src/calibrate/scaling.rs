//! Platt scaling and temperature: calibration that keeps the order of films, and so AUROC.

use serde::{Deserialize, Serialize};

use crate::logistic::{
    LogitFit, fit_intercept, fit_line, fit_slope, fitted_logit, is_separated, logit, sigmoid,
};

/// Platt scaling: the probability `p` becomes `sigmoid(slope * logit(p) + intercept)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Factor of the logit.
    pub slope: f64,
    /// What is added to it.
    pub intercept: f64,
}

impl Platt {
    /// Fits both to the films; `None` without both classes, or if all probabilities are equal.
    ///
    /// As in Platt's paper and in scikit-learn, the targets are not 0 and 1 but
    /// `1 / (negatives + 2)` and `(positives + 1) / (positives + 2)`, so that few films, or
    /// classes without an overlap, do not make the model certain. The slope is negative if the
    /// model ranks the films the wrong way round.
    pub fn fit(probabilities: &[f64], labels: &[bool]) -> Option<Self> {
        let positives = labels.iter().filter(|&&label| label).count() as f64;
        let negatives = labels.len() as f64 - positives;
        if positives == 0.0 || negatives == 0.0 {
            return None;
        }
        let target = |&label: &bool| match label {
            true => (positives + 1.0) / (positives + 2.0),
            false => 1.0 / (negatives + 2.0),
        };
        let z: Vec<f64> = probabilities.iter().map(|&p| fitted_logit(p)).collect();
        let targets: Vec<f64> = labels.iter().map(target).collect();
        let LogitFit { slope, intercept } = fit_line(&z, &targets)?;
        Some(Self { slope, intercept })
    }

    /// Calibrates a probability.
    pub fn apply(&self, p: f64) -> f64 {
        sigmoid(self.slope * logit(p) + self.intercept)
    }
}

/// Fits the temperature `T` above 0 that minimizes the cross entropy of `sigmoid(logit(p) / T)`.
///
/// Returns `None` without both classes, if the optimum is 0 (no film is on the wrong side of 0.5)
/// or infinite (the probabilities are no better than 0.5 for each film).
pub fn fit_temperature(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    let z: Vec<f64> = probabilities.iter().map(|&p| fitted_logit(p)).collect();
    let is_wrong = |(z, label): (&f64, &bool)| if *label { *z < 0.0 } else { *z > 0.0 };
    let has_both = labels.contains(&true) && labels.contains(&false);
    if !has_both || !z.iter().zip(labels).any(is_wrong) {
        return None;
    }
    let targets: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
    fit_slope(&z, &targets).filter(|&slope| slope > 0.0).map(|slope| 1.0 / slope)
}

/// Calibrates a probability by a temperature.
pub fn apply_temperature(temperature: f64, p: f64) -> f64 {
    sigmoid(logit(p) / temperature)
}

/// How far probabilities are from calibrated, as a line on the logit scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationLine {
    /// The intercept with the slope fixed to 1 (calibration in the large): 0 is ideal, below 0 the
    /// probabilities are too high.
    pub intercept: Option<f64>,
    /// The slope, fitted together with an intercept of its own: 1 is ideal, below 1 the
    /// probabilities are too extreme. `None` if it is infinite, because a threshold divides the
    /// classes, or if all probabilities are equal.
    pub slope: Option<f64>,
}

impl CalibrationLine {
    /// Fits both to the films; they are `None` without both classes.
    pub fn fit(probabilities: &[f64], labels: &[bool]) -> Self {
        if !labels.contains(&true) || !labels.contains(&false) {
            return Self { intercept: None, slope: None };
        }
        let z: Vec<f64> = probabilities.iter().map(|&p| fitted_logit(p)).collect();
        let targets: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
        let line = (!is_separated(&z, labels)).then(|| fit_line(&z, &targets)).flatten();
        Self { intercept: fit_intercept(&z, &targets), slope: line.map(|line| line.slope) }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;
    use crate::auroc;

    /// Films whose probabilities are too extreme: their logits are twice what they should be.
    fn films() -> (Vec<f64>, Vec<bool>) {
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let mut uniform = || f64::from(generator.next_u32()) / 2_f64.powi(32);
        let film = |_| {
            let z = 6.0 * uniform() - 4.0;
            (sigmoid(2.0 * z), uniform() < sigmoid(z))
        };
        (0..1000).map(film).unzip()
    }

    #[test]
    fn probabilities_that_are_too_extreme_have_a_slope_below_one() {
        let (p, y) = films();

        let platt = Platt::fit(&p, &y).unwrap();
        let temperature = fit_temperature(&p, &y).unwrap();
        let line = CalibrationLine::fit(&p, &y);
        assert!((0.4..0.6).contains(&platt.slope), "{platt:?}");
        assert!((1.6..2.4).contains(&temperature), "{temperature}");
        assert!((line.slope.unwrap() - 0.5).abs() < 0.1, "{line:?}");
        let calibrated: Vec<f64> = p.iter().map(|&p| platt.apply(p)).collect();
        let line = CalibrationLine::fit(&calibrated, &y);
        assert!((line.slope.unwrap() - 1.0).abs() < 0.05 && line.intercept.unwrap().abs() < 0.05);
    }

    #[test]
    fn scaling_does_not_change_auroc() {
        let (p, y) = films();
        let (platt, temperature) = (Platt::fit(&p, &y).unwrap(), fit_temperature(&p, &y).unwrap());

        let platt: Vec<f64> = p.iter().map(|&p| platt.apply(p)).collect();
        let cooled: Vec<f64> = p.iter().map(|&p| apply_temperature(temperature, p)).collect();
        assert_eq!(auroc(&platt, &y), auroc(&p, &y));
        assert_eq!(auroc(&cooled, &y), auroc(&p, &y));
    }

    #[test]
    fn certain_films_stay_certain_and_in_order() {
        let (p, y) = films();
        let platt = Platt::fit(&p, &y).unwrap();

        let calibrated = [0.0, 1e-12, 1e-9, 0.5, 1.0 - 1e-9, 1.0].map(|p| platt.apply(p));
        assert!(calibrated.windows(2).all(|pair| pair[0] < pair[1]), "{calibrated:?}");
        assert_eq!((calibrated[0], calibrated[5]), (0.0, 1.0));
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        assert_eq!(Platt::fit(&[0.2, 0.4], &[false, false]), None);
        assert_eq!(Platt::fit(&[0.3; 4], &[false, true, false, true]), None);
        assert_eq!(fit_temperature(&[0.2, 0.8, 0.9], &[false, true, true]), None);
        assert_eq!(fit_temperature(&[0.8, 0.2, 0.9, 0.1], &[false, true, false, true]), None);
        let line = CalibrationLine::fit(&[0.3; 4], &[false, true, false, true]);
        assert_eq!(line.slope, None);
        assert!((line.intercept.unwrap() - (0.7_f64 / 0.3).ln()).abs() < 1e-12);
        let apart = CalibrationLine::fit(&[0.2, 0.3, 0.4], &[false, true, true]);
        assert_eq!(apart.slope, None);
    }
}
