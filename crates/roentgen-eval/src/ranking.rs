//! The films of one finding in the order of their scores, prepared for repeated counting.
//!
//! AUROC and average precision need only the order, the ties and the labels. Sorting is done once; a
//! resample of patients is then one pass over the patients of the films, in which the weight of a
//! film is the number of times its patient was drawn. Between two positive films only the sum of the
//! weights matters, so the pass mostly adds; it does so for several resamples at once, in as many
//! lanes of the processor's vectors.

/// Both areas of one finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Areas {
    pub(crate) auroc: f64,
    pub(crate) average_precision: f64,
}

/// Films by falling score.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    /// The patients of the films, step by step, and within a step in the order of its fields.
    patients: Vec<u32>,
    steps: Vec<Step>,
}

/// Numbers of films from below one score of positive films down to the next. The last step may have
/// no positive films.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    /// Negatives of higher scores than the positives.
    above: usize,
    /// Negatives of the same score.
    tied: usize,
    positives: usize,
}

impl Ranking {
    /// Sorts films given as score, label and patient.
    pub(crate) fn new(mut films: Vec<(f64, bool, u32)>) -> Self {
        films.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut patients = Vec::with_capacity(films.len());
        let mut steps = Vec::new();
        let mut step = Step::default();
        for same in films.chunk_by(|one, next| one.0 == next.0) {
            let of = |class: bool| same.iter().filter(move |(_, label, _)| *label == class);
            patients.extend(of(false).chain(of(true)).map(|(.., patient)| *patient));
            let positives = of(true).count();
            let negatives = same.len() - positives;
            if positives == 0 {
                step.above += negatives;
            } else {
                steps.push(Step { tied: negatives, positives, ..step });
                step = Step::default();
            }
        }
        steps.push(step);
        Self { patients, steps }
    }

    /// Sorts films that all count once, for [`Ranking::areas_of_all`].
    pub(crate) fn of(scores: &[f64], labels: &[bool]) -> Self {
        Self::new(scores.iter().zip(labels).map(|(&score, &label)| (score, label, 0)).collect())
    }

    /// Returns both areas when every film counts once; `None` without positives or negatives.
    pub(crate) fn areas_of_all(&self) -> Option<Areas> {
        let [areas] = self.measure(|_| &[1]);
        areas
    }

    /// Returns both areas for each of `N` resamples, in the `i`-th of which the films of a patient
    /// count `weights[patient][i]` times; `None` where that leaves no positives or no negatives.
    pub(crate) fn areas<const N: usize>(&self, weights: &[[u32; N]]) -> [Option<Areas>; N] {
        self.measure(|patient| &weights[patient])
    }

    fn measure<'a, const N: usize>(
        &self,
        weights: impl Fn(usize) -> &'a [u32; N],
    ) -> [Option<Areas>; N] {
        let mut tally = Tally::default();
        let mut rest = self.patients.as_slice();
        let mut sum = |films: usize| {
            let (these, others) = rest.split_at(films);
            rest = others;
            sum(these, &weights)
        };
        for step in &self.steps {
            tally.add([step.above, step.tied, step.positives].map(&mut sum));
        }
        tally.areas()
    }
}

/// Adds the weights of the patients of films, in one lane for each resample.
pub(crate) fn sum<'a, const N: usize>(
    patients: &[u32],
    weights: impl Fn(usize) -> &'a [u32; N],
) -> [f64; N] {
    // No resample has 2^32 films: each patient is drawn about once.
    let mut sums = [0_u32; N];
    for &patient in patients {
        let weights = weights(patient as usize);
        sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
    }
    sums.map(f64::from)
}

/// What has been counted, in one lane for each resample. Counts are whole numbers below 2^53, which
/// `f64` adds and multiplies exactly, so the order of additions cannot matter.
struct Tally<const N: usize> {
    positives: [f64; N],
    negatives: [f64; N],
    /// Twice the negatives ranked above each positive, with ties counted half.
    above: [f64; N],
    precisions: [f64; N],
}

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self { positives: [0.0; N], negatives: [0.0; N], above: [0.0; N], precisions: [0.0; N] }
    }
}

impl<const N: usize> Tally<N> {
    fn add(&mut self, [above, tied, positives]: [[f64; N]; 3]) {
        for lane in 0..N {
            self.negatives[lane] += above[lane];
            self.above[lane] += positives[lane] * (2.0 * self.negatives[lane] + tied[lane]);
            self.positives[lane] += positives[lane];
            self.negatives[lane] += tied[lane];
            // Where no film was drawn yet, there are no positives to add.
            let films = (self.positives[lane] + self.negatives[lane]).max(1.0);
            self.precisions[lane] += positives[lane] * (self.positives[lane] / films);
        }
    }

    fn areas(&self) -> [Option<Areas>; N] {
        std::array::from_fn(|lane| {
            let (positives, negatives) = (self.positives[lane], self.negatives[lane]);
            let pairs = 2.0 * positives * negatives;
            (pairs > 0.0).then(|| Areas {
                auroc: (pairs - self.above[lane]) / pairs,
                average_precision: self.precisions[lane] / positives,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_two_is_the_film_written_twice() {
        let films = [(0.9, true, 0), (0.4, false, 1), (0.4, true, 2), (0.1, false, 1)];
        let written = |rows: &[usize]| -> Vec<_> { rows.iter().map(|&film| films[film]).collect() };
        let ranking = Ranking::new(films.into());

        let [twice, once, tied] = ranking.areas(&[[2, 1, 0], [2, 1, 1], [1, 1, 3]]);
        let direct = |rows: &[usize]| Ranking::new(written(rows)).areas_of_all();
        assert_eq!(twice, direct(&[0, 1, 2, 3, 0, 1, 3]));
        assert_eq!((once, once), (ranking.areas_of_all(), direct(&[3, 2, 1, 0])));
        assert_eq!(tied, direct(&[2, 2, 2, 1, 3]));
    }

    #[test]
    fn a_patient_that_was_not_drawn_can_empty_a_class() {
        let ranking = Ranking::new(vec![(0.9, true, 0), (0.4, false, 1), (0.2, false, 2)]);

        let [without, with] = ranking.areas(&[[0, 1], [2, 2], [1, 0]]);
        assert_eq!(without, None);
        assert!(with.is_some());
        assert_eq!(Ranking::new(Vec::new()).areas_of_all(), None);
    }

    #[test]
    fn zero_and_minus_zero_are_a_tie() {
        let films = vec![(0.0, true, 0), (-0.0, false, 1), (0.0, false, 2), (-0.0, true, 3)];

        assert_eq!(Ranking::new(films).areas_of_all().unwrap().auroc, 0.5);
    }
}
