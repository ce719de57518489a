//! Runs that differ in nothing but their seed or fold, as a mean and a standard deviation.
//!
//! One run says little about a setting: the seed alone moves its figures, and so do the films that
//! it was measured on. The deviation over seeds and folds is what a difference between settings has
//! to be compared with.

use serde::Serialize;

use super::ComparedRun;

/// Last parts of the keys that number repetitions of the same experiment.
const REPEATED: [&str; 3] = ["seed", "split_seed", "fold"];

/// Runs of the same settings with different seeds or folds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repeats {
    /// Keys and values that these runs share and other runs do not.
    pub settings: Vec<(String, String)>,
    /// The keys in which the runs differ, such as `seed`.
    pub over: Vec<String>,
    /// Names of the runs.
    pub runs: Vec<String>,
    /// Loss on the validation films; `None` if it is undefined for any run.
    pub loss: Option<Spread>,
    /// Mean AUROC on the validation films; `None` if it is undefined for any run.
    pub auroc: Option<Spread>,
    /// Whether all were measured on the same films; a seed or fold may also divide the films.
    pub has_same_films: bool,
}

/// Mean and standard deviation of a figure over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample, with `n - 1` in its denominator.
    pub deviation: f64,
}

impl Spread {
    /// Computes both; returns `None` for fewer than two values.
    fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (values.len() > 1).then(|| Self { mean, deviation: (squares / (count - 1.0)).sqrt() })
    }
}

/// Keys and values.
type Settings = Vec<(String, String)>;

/// Groups the runs; a run without another of its settings is in no group.
pub(super) fn groups(rows: &[ComparedRun]) -> Vec<Repeats> {
    let mut groups: Vec<(Settings, Vec<(Settings, &ComparedRun)>)> = Vec::new();
    for row in rows {
        let (mut number, mut settings): (Settings, Settings) =
            row.entrant.settings.iter().cloned().partition(|(key, _)| is_repeated(key));
        number.sort_unstable();
        settings.sort_unstable();
        match groups.iter_mut().find(|(known, _)| *known == settings) {
            Some((_, members)) => members.push((number, row)),
            None => groups.push((settings, vec![(number, row)])),
        }
    }
    let group = |(settings, members): (Settings, Vec<(Settings, &ComparedRun)>)| {
        let mut numbers: Vec<&Settings> = members.iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // Two runs of one seed and fold are not two observations.
        let is_group = members.len() > 1 && numbers.len() == members.len();
        is_group.then(|| Repeats::of(settings, &members))
    };
    groups.into_iter().filter_map(group).collect()
}

/// Whether a key is the number of a repetition.
fn is_repeated(key: &str) -> bool {
    key.rsplit('.').next().is_some_and(|last| REPEATED.contains(&last))
}

impl Repeats {
    fn of(settings: Settings, members: &[(Settings, &ComparedRun)]) -> Self {
        let mut keys: Vec<&String> =
            members.iter().flat_map(|(number, _)| number.iter().map(|(key, _)| key)).collect();
        keys.sort_unstable();
        keys.dedup();
        let value = |number: &Settings, key: &String| {
            number.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone())
        };
        let differs = |key: &&String| {
            members.iter().any(|(number, _)| value(number, key) != value(&members[0].0, key))
        };
        let films = |row: &ComparedRun| {
            let mut films = row.entrant.scores.images().to_vec();
            films.sort_unstable();
            films
        };
        let spread = |of: &dyn Fn(&ComparedRun) -> Option<f64>| {
            let values: Option<Vec<f64>> = members.iter().map(|(_, row)| of(row)).collect();
            values.and_then(|values| Spread::of(&values))
        };
        Self {
            settings,
            over: keys.into_iter().filter(differs).cloned().collect(),
            runs: members.iter().map(|(_, row)| row.entrant.name.clone()).collect(),
            loss: spread(&|row| row.loss.map(|loss| loss.value)),
            auroc: spread(&|row| row.auroc.map(|auroc| auroc.value)),
            has_same_films: members.windows(2).all(|pair| films(pair[0].1) == films(pair[1].1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let Spread { mean, deviation } = Spread::of(&[0.1, 0.2, 0.6]).unwrap();

        assert!((mean - 0.3).abs() < 1e-12 && (deviation - 0.07_f64.sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of(&[0.1]), None);
    }

    #[test]
    fn seeds_and_folds_are_numbers_of_repetitions() {
        let keys = ["seed", "data.split_seed", "train.fold", "fold"];

        assert!(keys.into_iter().all(is_repeated));
        assert!(!["train.folds", "unfold", "model.width", ""].into_iter().any(is_repeated));
    }
}
