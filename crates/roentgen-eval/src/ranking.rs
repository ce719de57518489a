//! The films of one finding in the order of their scores, prepared for repeated counting.
//!
//! AUROC and average precision need only the order, the ties and the labels. Sorting is done once;
//! a resample of patients is then one pass over integers, in which the weight of a film is the
//! number of times its patient was drawn.

/// Both areas of one finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Areas {
    pub(crate) auroc: f64,
    pub(crate) average_precision: f64,
}

/// Films by falling score; each entry is the patient number shifted left by two bits, the label in
/// bit 1, and in bit 0 whether the next film has a lower score.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    entries: Vec<u32>,
}

impl Ranking {
    /// Sorts films given as score, label and patient.
    pub(crate) fn new(mut films: Vec<(f64, bool, u32)>) -> Self {
        films.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let entry = |(index, film): (usize, &(f64, bool, u32))| {
            let last = films.get(index + 1).is_none_or(|next| next.0 != film.0);
            film.2 << 2 | u32::from(film.1) << 1 | u32::from(last)
        };
        Self { entries: films.iter().enumerate().map(entry).collect() }
    }

    /// Sorts films that all count once, for [`Ranking::areas_of_all`].
    pub(crate) fn of(scores: &[f64], labels: &[bool]) -> Self {
        Self::new(scores.iter().zip(labels).map(|(&score, &label)| (score, label, 0)).collect())
    }

    /// Returns both areas when every film counts once.
    pub(crate) fn areas_of_all(&self) -> Option<Areas> {
        self.measure(|_| 1)
    }

    /// Returns both areas when the films of patient `i` count `weights[i]` times; `None` if that
    /// leaves no positives or no negatives.
    pub(crate) fn areas(&self, weights: &[u32]) -> Option<Areas> {
        self.measure(|patient| weights[patient])
    }

    fn measure(&self, weight: impl Fn(usize) -> u32) -> Option<Areas> {
        // In integers up to the last division, so that the order of additions cannot matter.
        let (mut positives, mut negatives) = (0_u64, 0_u64);
        let (mut group_positives, mut group_negatives) = (0_u64, 0_u64);
        let mut above = 0_u64;
        let mut precisions = 0.0;
        for &entry in &self.entries {
            let count = u64::from(weight((entry >> 2) as usize));
            let positive = count * u64::from(entry >> 1 & 1);
            group_positives += positive;
            group_negatives += count - positive;
            if entry & 1 == 0 {
                continue;
            }

            // Twice the negatives ranked above each positive, with ties counted half.
            above += group_positives * (2 * negatives + group_negatives);
            positives += group_positives;
            negatives += group_negatives;
            if group_positives > 0 {
                let precision = positives as f64 / (positives + negatives) as f64;
                precisions += group_positives as f64 * precision;
            }
            (group_positives, group_negatives) = (0, 0);
        }

        if positives == 0 || negatives == 0 {
            return None;
        }
        let pairs = 2 * positives * negatives;
        Some(Areas {
            auroc: (pairs - above) as f64 / pairs as f64,
            average_precision: precisions / positives as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_two_is_the_film_written_twice() {
        let films = [(0.9, true, 0), (0.4, false, 1), (0.4, true, 2), (0.1, false, 1)];
        let written: Vec<_> = [0, 1, 2, 3, 0, 1, 3].map(|film: usize| films[film]).into();

        let weighted = Ranking::new(films.into()).areas(&[2, 2, 1]).unwrap();
        assert_eq!(Ranking::new(written).areas_of_all(), Some(weighted));
    }

    #[test]
    fn a_patient_that_was_not_drawn_can_empty_a_class() {
        let ranking = Ranking::new(vec![(0.9, true, 0), (0.4, false, 1), (0.2, false, 2)]);

        assert_eq!(ranking.areas(&[0, 2, 1]), None);
        assert!(ranking.areas(&[1, 2, 0]).is_some());
    }
}
