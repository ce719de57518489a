//! Counts of positive and negative calls at a threshold, compared with the label.
//!
//! A film is called positive if p >= threshold. Accuracy is the trap here: nearly all pairs of film
//! and finding are negative, so always answering no is right most of the time. Accuracy is computed
//! together with that baseline and never alone.

/// Number of films by call and label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Films with the finding, called positive.
    pub true_positives: usize,
    /// Films without the finding, called positive.
    pub false_positives: usize,
    /// Films without the finding, called negative.
    pub true_negatives: usize,
    /// Films with the finding, called negative.
    pub false_negatives: usize,
}

impl Confusion {
    /// Counts films; a film is called positive if p >= threshold.
    ///
    /// ```
    /// use roentgen_eval::Confusion;
    ///
    /// let table = Confusion::count_at(0.5, &[0.9, 0.5, 0.1, 0.2], &[true, false, true, false]);
    /// assert_eq!(table.sensitivity(), Some(0.5));
    /// assert_eq!(table.specificity(), Some(0.5));
    /// ```
    pub fn count_at(threshold: f64, probabilities: &[f64], labels: &[bool]) -> Self {
        let mut table = Self::default();
        for (&p, &label) in probabilities.iter().zip(labels) {
            table.add(p >= threshold, label, 1);
        }
        table
    }

    /// Counts films of one call and label.
    pub(crate) fn add(&mut self, is_called: bool, label: bool, films: usize) {
        match (is_called, label) {
            (true, true) => self.true_positives += films,
            (true, false) => self.false_positives += films,
            (false, false) => self.true_negatives += films,
            (false, true) => self.false_negatives += films,
        }
    }

    /// Counts the films of another table `weight` times.
    pub(crate) fn add_table(&mut self, other: &Self, weight: usize) {
        self.true_positives += weight * other.true_positives;
        self.false_positives += weight * other.false_positives;
        self.true_negatives += weight * other.true_negatives;
        self.false_negatives += weight * other.false_negatives;
    }

    /// Returns the fraction of films with the finding that were called positive (recall).
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Returns the fraction of films without the finding that were called negative.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// Returns the fraction of positive calls that were right (precision). Valid for this
    /// prevalence only.
    pub fn ppv(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Returns the fraction of negative calls that were right. Valid for this prevalence only.
    pub fn npv(&self) -> Option<f64> {
        share(self.true_negatives, self.true_negatives + self.false_negatives)
    }

    /// Returns the harmonic mean of sensitivity and PPV; `None` if there are neither positive calls
    /// nor positive films.
    pub fn f1(&self) -> Option<f64> {
        let wrong = self.false_positives + self.false_negatives;
        share(2 * self.true_positives, 2 * self.true_positives + wrong)
    }
}

/// What calls are worth at a prevalence other than that of the counted films.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictiveValues {
    /// Fraction of positive calls that would be right.
    pub ppv: Option<f64>,
    /// Fraction of negative calls that would be right.
    pub npv: Option<f64>,
}

impl Confusion {
    /// Returns the mean of sensitivity and specificity.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some((self.sensitivity()? + self.specificity()?) / 2.0)
    }

    /// Returns sensitivity / (1 - specificity): the factor by which a positive call multiplies the
    /// odds of the finding. `None` without false positives, where it is infinite or undefined.
    pub fn positive_likelihood_ratio(&self) -> Option<f64> {
        ratio(self.sensitivity()?, 1.0 - self.specificity()?)
    }

    /// Returns (1 - sensitivity) / specificity: the factor by which a negative call multiplies the
    /// odds of the finding. `None` without true negatives.
    pub fn negative_likelihood_ratio(&self) -> Option<f64> {
        ratio(1.0 - self.sensitivity()?, self.specificity()?)
    }

    /// Returns Matthews' correlation coefficient of calls and labels; `None` if all calls or all
    /// labels are the same. (scikit-learn returns 0 there.)
    pub fn matthews_correlation(&self) -> Option<f64> {
        let [tp, fp, tn, missed] =
            [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives]
                .map(|count| count as f64);
        let square = (tp + fp) * (tp + missed) * (tn + fp) * (tn + missed);
        ratio(tp * tn - fp * missed, square.sqrt())
    }

    /// Returns PPV and NPV at another prevalence, by Bayes' rule from sensitivity and specificity.
    ///
    /// The films of a test set are often chosen for their findings; PPV and NPV counted on them
    /// then mislead.
    ///
    /// ```
    /// use roentgen_eval::Confusion;
    ///
    /// // Half of these films are positive; in practice one in a hundred is.
    /// let table = Confusion {
    ///     true_positives: 9,
    ///     false_negatives: 1,
    ///     true_negatives: 9,
    ///     false_positives: 1,
    /// };
    /// assert_eq!(table.ppv(), Some(0.9));
    /// let ppv = table.at_prevalence(0.01).ppv.unwrap();
    /// assert!((ppv - 0.009 / (0.009 + 0.099)).abs() < 1e-12);
    /// ```
    pub fn at_prevalence(&self, prevalence: f64) -> PredictiveValues {
        let (Some(sensitivity), Some(specificity)) = (self.sensitivity(), self.specificity())
        else {
            return PredictiveValues { ppv: None, npv: None };
        };
        let right = [sensitivity * prevalence, specificity * (1.0 - prevalence)];
        let wrong = [(1.0 - specificity) * (1.0 - prevalence), (1.0 - sensitivity) * prevalence];
        PredictiveValues {
            ppv: ratio(right[0], right[0] + wrong[0]),
            npv: ratio(right[1], right[1] + wrong[1]),
        }
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Counts of correct answers over all pairs of film and finding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pairs {
    count: usize,
    right: usize,
    negatives: usize,
    distance: f64,
}

impl Pairs {
    /// Adds the films of one finding.
    pub(crate) fn add(&mut self, probabilities: &[f64], labels: &[bool]) {
        for (&p, &label) in probabilities.iter().zip(labels) {
            self.count += 1;
            self.right += usize::from((p >= 0.5) == label);
            self.negatives += usize::from(!label);
            self.distance += (p - f64::from(u8::from(label))).abs();
        }
    }

    /// Returns the fraction of pairs answered correctly at 0.5.
    pub(crate) fn accuracy(&self) -> Option<f64> {
        share(self.right, self.count)
    }

    /// Returns the same fraction for always answering no.
    pub(crate) fn accuracy_all_negative(&self) -> Option<f64> {
        share(self.negatives, self.count)
    }

    /// Returns the mean of `|p - y|`.
    pub(crate) fn mean_absolute_error(&self) -> Option<f64> {
        (self.count > 0).then(|| self.distance / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_is_called_positive() {
        let table = Confusion::count_at(0.5, &[0.5, 0.499_999], &[true, true]);

        assert_eq!((table.true_positives, table.false_negatives), (1, 1));
    }

    #[test]
    fn shares_of_nothing_have_no_meaning() {
        let table = Confusion::count_at(0.5, &[0.1, 0.2], &[false, false]);

        assert_eq!((table.sensitivity(), table.ppv(), table.f1()), (None, None, None));
        assert_eq!((table.specificity(), table.npv()), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn five_shares_by_hand() {
        let table = Confusion {
            true_positives: 6,
            false_positives: 2,
            true_negatives: 9,
            false_negatives: 3,
        };

        assert_eq!(table.sensitivity(), Some(6.0 / 9.0));
        assert_eq!(table.specificity(), Some(9.0 / 11.0));
        assert_eq!(table.ppv(), Some(0.75));
        assert_eq!(table.npv(), Some(0.75));
        assert_eq!(table.f1(), Some(12.0 / 17.0));
    }

    #[test]
    fn ratios_by_hand() {
        let table = Confusion {
            true_positives: 6,
            false_positives: 2,
            true_negatives: 9,
            false_negatives: 3,
        };
        let near = |value: Option<f64>, by_hand: f64| (value.unwrap() - by_hand).abs() < 1e-12;

        assert!(near(table.balanced_accuracy(), (6.0 / 9.0 + 9.0 / 11.0) / 2.0));
        assert!(near(table.positive_likelihood_ratio(), (6.0 / 9.0) / (2.0 / 11.0)));
        assert!(near(table.negative_likelihood_ratio(), (3.0 / 9.0) / (9.0 / 11.0)));
        assert!(near(table.matthews_correlation(), 48.0 / (8.0 * 9.0 * 11.0 * 12.0_f64).sqrt()));
    }

    #[test]
    fn a_table_without_errors_has_no_positive_ratio() {
        let table = Confusion { true_positives: 2, true_negatives: 5, ..Confusion::default() };

        assert_eq!(table.positive_likelihood_ratio(), None);
        assert_eq!(table.negative_likelihood_ratio(), Some(0.0));
        assert_eq!(table.matthews_correlation(), Some(1.0));
        let all_called =
            Confusion { true_positives: 2, false_positives: 5, ..Confusion::default() };
        assert_eq!(all_called.matthews_correlation(), None);
        assert_eq!(all_called.at_prevalence(0.0), PredictiveValues { ppv: Some(0.0), npv: None });
        assert_eq!(Confusion::default().at_prevalence(0.1).ppv, None);
    }

    #[test]
    fn the_own_prevalence_gives_the_counted_values() {
        let table = Confusion {
            true_positives: 6,
            false_positives: 2,
            true_negatives: 9,
            false_negatives: 3,
        };

        let PredictiveValues { ppv, npv } = table.at_prevalence(9.0 / 20.0);
        assert!((ppv.unwrap() - 0.75).abs() < 1e-12 && (npv.unwrap() - 0.75).abs() < 1e-12);
    }

    #[test]
    fn whoever_always_says_no_is_right_nearly_always() {
        let mut pairs = Pairs::default();
        pairs.add(&[0.1, 0.9, 0.2], &[false, false, false]);
        pairs.add(&[0.1, 0.7, 0.2], &[false, true, false]);

        assert_eq!(pairs.accuracy(), Some(5.0 / 6.0));
        assert_eq!(pairs.accuracy_all_negative(), Some(5.0 / 6.0));
        assert!((pairs.mean_absolute_error().unwrap() - 1.8 / 6.0).abs() < 1e-12);
    }
}
