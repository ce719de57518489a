//! Thresholds of operating points, chosen on validation films.
//!
//! Candidates are the distinct probabilities of the films, and a film is called positive if
//! p >= threshold. Where several candidates are equally good, the highest is taken, which has the
//! highest specificity.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::roc::{Step, steps};

/// How the threshold of an operating point is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatingRule {
    /// The highest sensitivity + specificity - 1 (Youden's J).
    Youden,
    /// The highest F1.
    MaxF1,
    /// The highest threshold with a sensitivity of at least 0.90.
    #[serde(rename = "sensitivity-0.90")]
    Sensitivity90,
    /// The highest threshold with a sensitivity of at least 0.95.
    #[serde(rename = "sensitivity-0.95")]
    Sensitivity95,
    /// The lowest threshold with a specificity of at least 0.90.
    #[serde(rename = "specificity-0.90")]
    Specificity90,
}

impl OperatingRule {
    /// All rules.
    pub const ALL: [Self; 5] =
        [Self::Youden, Self::MaxF1, Self::Sensitivity90, Self::Sensitivity95, Self::Specificity90];

    /// Returns its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Youden => "youden",
            Self::MaxF1 => "max-f1",
            Self::Sensitivity90 => "sensitivity-0.90",
            Self::Sensitivity95 => "sensitivity-0.95",
            Self::Specificity90 => "specificity-0.90",
        }
    }

    /// Returns the threshold that the rule chooses on these films; `None` without both classes, or
    /// if no threshold reaches the specificity.
    ///
    /// ```
    /// use roentgen_eval::OperatingRule;
    ///
    /// let (p, y) = ([0.9, 0.7, 0.4, 0.2], [true, false, true, false]);
    /// assert_eq!(OperatingRule::Youden.threshold(&p, &y), Some(0.9));
    /// assert_eq!(OperatingRule::MaxF1.threshold(&p, &y), Some(0.4));
    /// assert_eq!(OperatingRule::Sensitivity90.threshold(&p, &y), Some(0.4));
    /// assert_eq!(OperatingRule::Specificity90.threshold(&p, &y), Some(0.9));
    /// ```
    pub fn threshold(self, probabilities: &[f64], labels: &[bool]) -> Option<f64> {
        self.of_steps(&steps(probabilities, labels))
    }

    /// The same from the counts at each distinct probability, the highest first.
    pub(super) fn of_steps(self, steps: &[Step]) -> Option<f64> {
        let last = steps.last()?;
        let (positives, negatives) = (last.true_positives as f64, last.false_positives as f64);
        if positives == 0.0 || negatives == 0.0 {
            return None;
        }
        let sensitivity = |step: &Step| step.true_positives as f64 / positives;
        let specificity = |step: &Step| (negatives - step.false_positives as f64) / negatives;
        let first = |is_reached: &dyn Fn(&Step) -> bool| steps.iter().find(|step| is_reached(step));
        let step = match self {
            // Counts instead of shares, so that ties are ties.
            Self::Youden => best(steps, |step| {
                step.true_positives as f64 * negatives - step.false_positives as f64 * positives
            }),
            Self::MaxF1 => best(steps, |step| {
                let called = (step.true_positives + step.false_positives) as f64;
                2.0 * step.true_positives as f64 / (called + positives)
            }),
            Self::Sensitivity90 => first(&|step| sensitivity(step) >= 0.9),
            Self::Sensitivity95 => first(&|step| sensitivity(step) >= 0.95),
            Self::Specificity90 => steps.iter().rfind(|step| specificity(step) >= 0.9),
        };
        step.map(|step| step.threshold)
    }
}

impl fmt::Display for OperatingRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Returns the first of the steps with the highest value.
fn best(steps: &[Step], value: impl Fn(&Step) -> f64) -> Option<&Step> {
    let mut best: Option<(&Step, f64)> = None;
    for step in steps {
        let value = value(step);
        if best.is_none_or(|(_, highest)| value > highest) {
            best = Some((step, value));
        }
    }
    best.map(|(step, _)| step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_thresholds_the_highest_is_taken() {
        // J is 0.5 at 0.9 and at 0.4.
        let (p, y) = ([0.9, 0.7, 0.4, 0.2], [true, false, true, false]);

        assert_eq!(OperatingRule::Youden.threshold(&p, &y), Some(0.9));
    }

    #[test]
    fn a_specificity_that_no_threshold_reaches_has_none() {
        let (p, y) = ([0.9, 0.9, 0.4], [true, false, true]);

        assert_eq!(OperatingRule::Specificity90.threshold(&p, &y), None);
        assert_eq!(OperatingRule::Sensitivity95.threshold(&p, &y), Some(0.4));
    }

    #[test]
    fn nine_of_ten_are_ninety_percent() {
        let p: Vec<f64> = (0..20).map(|i| f64::from(20 - i) / 20.0).collect();
        let y: Vec<bool> = (0..20).map(|i| i < 10).collect();

        assert_eq!(OperatingRule::Sensitivity90.threshold(&p, &y), Some(p[8]));
        assert_eq!(OperatingRule::Sensitivity95.threshold(&p, &y), Some(p[9]));
        assert_eq!(OperatingRule::Specificity90.threshold(&p, &y), Some(p[10]));
    }

    #[test]
    fn one_class_has_no_threshold() {
        for rule in OperatingRule::ALL {
            assert_eq!(rule.threshold(&[0.2, 0.4], &[true, true]), None);
            assert_eq!(rule.threshold(&[], &[]), None);
        }
    }

    #[test]
    fn a_rule_has_one_spelling_everywhere() {
        for rule in OperatingRule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }
}
