//! Counts of positive and negative calls at a threshold, compared with the truth.
//!
//! A film is called positive if p >= threshold. Accuracy is the trap here: nearly all pairs of film
//! and finding are negative, so always answering no is right most of the time. Accuracy is computed
//! together with that baseline and never alone.

/// Number of films by call and truth.
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
    /// let table = Confusion::at(0.5, &[0.9, 0.5, 0.1, 0.2], &[true, false, true, false]);
    /// assert_eq!(table.sensitivity(), Some(0.5));
    /// assert_eq!(table.specificity(), Some(0.5));
    /// ```
    pub fn at(threshold: f64, probabilities: &[f64], truths: &[bool]) -> Self {
        let mut table = Self::default();
        for (&p, &truth) in probabilities.iter().zip(truths) {
            match (p >= threshold, truth) {
                (true, true) => table.true_positives += 1,
                (true, false) => table.false_positives += 1,
                (false, false) => table.true_negatives += 1,
                (false, true) => table.false_negatives += 1,
            }
        }
        table
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
    pub(crate) fn add(&mut self, probabilities: &[f64], truths: &[bool]) {
        for (&p, &truth) in probabilities.iter().zip(truths) {
            self.count += 1;
            self.right += usize::from((p >= 0.5) == truth);
            self.negatives += usize::from(!truth);
            self.distance += (p - f64::from(u8::from(truth))).abs();
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
        let table = Confusion::at(0.5, &[0.5, 0.499_999], &[true, true]);

        assert_eq!((table.true_positives, table.false_negatives), (1, 1));
    }

    #[test]
    fn shares_of_nothing_have_no_meaning() {
        let table = Confusion::at(0.5, &[0.1, 0.2], &[false, false]);

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
    fn whoever_always_says_no_is_right_nearly_always() {
        let mut pairs = Pairs::default();
        pairs.add(&[0.1, 0.9, 0.2], &[false, false, false]);
        pairs.add(&[0.1, 0.7, 0.2], &[false, true, false]);

        assert_eq!(pairs.accuracy(), Some(5.0 / 6.0));
        assert_eq!(pairs.accuracy_all_negative(), Some(5.0 / 6.0));
        assert!((pairs.mean_absolute_error().unwrap() - 1.8 / 6.0).abs() < 1e-12);
    }
}
