//! `[sweep.search]`: points drawn at random or guided by the results of earlier ones.
//!
//! The samplers are those of the crate `optimizer`. They are called afresh for each value with the
//! history in the folder of the sweep, so that a killed search resumes and machines can share one.
//! Values follow from the seed, the number of the point and the points that have finished; if
//! several run at once, timing decides which have.

mod space;

use std::collections::HashMap;

use optimizer::TrialState;
use optimizer::parameter::ParamId;
use optimizer::sampler::{CompletedTrial, RandomSampler, Sampler, TpeSampler};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::seed::{self, Purpose};
use space::collect;

pub(super) use space::insert;
pub use space::{Axis, SearchRange};

/// Number of finished points before TPE uses any of them.
const STARTUP: usize = 8;

/// `[sweep.search]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// How values are drawn.
    pub method: SearchMethod,
    /// Number of points.
    pub points: usize,
    /// Seed of the draws.
    #[serde(default)]
    pub seed: u64,
    /// A part of an experiment with, in place of each value, a list to choose from or a range
    /// `{ low, high }`; add `log = true` for a logarithmic scale. Two integer ends give integers.
    pub space: Table,
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchMethod {
    /// Uniformly.
    Random,
    /// By tree-structured Parzen estimators (Bergstra et al., 2011), one per key; uniformly for the
    /// first eight points.
    Tpe,
}

/// A point that has finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its number.
    pub number: usize,
    /// The values of the point.
    pub values: Table,
    /// Loss on the validation films, by epoch, starting with the first.
    pub losses: Vec<f64>,
    /// Whether it was given up.
    pub is_stopped: bool,
}

impl Trial {
    pub(super) fn loss(&self) -> f64 {
        self.losses.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn state(&self) -> TrialState {
        if self.is_stopped { TrialState::Pruned } else { TrialState::Complete }
    }
}

impl Search {
    /// Returns the keys of the space, in the order of the file.
    ///
    /// # Errors
    ///
    /// Returns an error that names the key without a list or range and says what is wrong with it.
    pub fn axes(&self) -> Result<Vec<Axis>, String> {
        let mut axes = Vec::new();
        collect(&self.space, &mut Vec::new(), &mut axes)?;
        if axes.is_empty() { Err("has no keys".to_owned()) } else { Ok(axes) }
    }

    /// Draws the values of a point, as a part of an experiment.
    pub fn suggest(&self, axes: &[Axis], number: usize, history: &[Trial]) -> Table {
        let mut values = Table::new();
        for (at, axis) in axes.iter().enumerate() {
            // A stream for each key: the samplers distinguish keys only by their ranges.
            let seed = seed::derive(self.seed, Purpose::SearchKey(at));
            let sampler: Box<dyn Sampler> = match self.method {
                SearchMethod::Random => Box::new(RandomSampler::with_seed(seed)),
                SearchMethod::Tpe => {
                    let tpe = TpeSampler::builder().seed(seed).n_startup_trials(STARTUP).build();
                    match tpe {
                        Ok(tpe) => Box::new(tpe),
                        // Unreachable: no value passed to the builder is out of range.
                        Err(_) => Box::new(RandomSampler::with_seed(seed)),
                    }
                }
            };
            let known: Vec<CompletedTrial> =
                history.iter().filter_map(|trial| axis.to_completed_trial(trial)).collect();
            let drawn = sampler.sample(&axis.range.distribution(), number as u64, &known);
            insert(&mut values, &axis.key, axis.range.value(&drawn));
        }
        values
    }
}

impl Axis {
    /// Converts a finished point to the samplers' form, with this key alone.
    fn to_completed_trial(&self, trial: &Trial) -> Option<CompletedTrial> {
        let mut value = trial.values.get(self.key.first()?)?;
        for part in &self.key[1..] {
            value = value.get(part)?;
        }
        let id = ParamId::new();
        let mut done = CompletedTrial::new(
            trial.number as u64,
            HashMap::from([(id, self.range.param(value)?)]),
            HashMap::from([(id, self.range.distribution())]),
            HashMap::new(),
            trial.loss(),
        );
        done.state = trial.state();
        done.value.is_finite().then_some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(method: SearchMethod) -> Search {
        let space = "train.learning_rate = { low = 1e-4, high = 1e-1, log = true }\n\
            train.epochs = { low = 1, high = 9 }\nmodel.pool = [\"average\", \"attention\"]\n\
            model.dropout = { low = 1e-4, high = 1e-1, log = true }\n";
        Search { method, points: 40, seed: 3, space: toml::from_str(space).unwrap() }
    }

    fn rate(values: &Table) -> f64 {
        values["train"]["learning_rate"].as_float().unwrap()
    }

    /// Lowest at a learning rate of 0.01 with attention.
    fn loss(values: &Table) -> f64 {
        let pool = if values["model"]["pool"].as_str() == Some("attention") { 0.0 } else { 1.0 };
        (rate(values).log10() + 2.0).abs() + pool
    }

    fn run(search: &Search) -> Vec<Trial> {
        let axes = search.axes().unwrap();
        let mut history = Vec::new();
        for number in 1..=search.points {
            let values = search.suggest(&axes, number, &history);
            let losses = vec![9.0, loss(&values)];
            history.push(Trial { number, values, losses, is_stopped: false });
        }
        history
    }

    #[test]
    fn random_values_cover_their_ranges_and_follow_from_the_seed() {
        let trials = run(&search(SearchMethod::Random));
        let again = run(&search(SearchMethod::Random));
        assert_eq!(trials, again);

        let rates: Vec<f64> = trials.iter().map(|trial| rate(&trial.values)).collect();
        assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate)));
        assert!(rates.iter().filter(|rate| **rate < 1e-3).count() > 5, "by factors: {rates:?}");
        let dropouts: Vec<f64> =
            trials.iter().map(|t| t.values["model"]["dropout"].as_float().unwrap()).collect();
        assert_ne!(rates, dropouts, "two keys with one range are independent");
        for epochs in 1..=9 {
            let drawn =
                |trial: &Trial| trial.values["train"]["epochs"].as_integer() == Some(epochs);
            assert!(trials.iter().any(drawn), "{epochs}");
        }
    }

    #[test]
    fn tpe_comes_to_draw_where_the_loss_is_low() {
        // The last fifteen points over eight seeds, since a single search may be lucky or not.
        let late = |method| {
            let losses = (0..8).flat_map(|seed| {
                let trials = run(&Search { seed, ..search(method) });
                trials[25..].iter().map(|trial| loss(&trial.values)).collect::<Vec<_>>()
            });
            losses.sum::<f64>()
        };
        let (random, tpe) = (late(SearchMethod::Random), late(SearchMethod::Tpe));

        assert!(tpe < 0.75 * random, "{tpe} {random}");
    }

    #[test]
    fn a_list_of_very_many_choices_is_refused() {
        let list = |count: usize| {
            let space = Table::from_iter([(
                "seed".to_owned(),
                toml::Value::Array(vec![toml::Value::Integer(1); count]),
            )]);
            space::collect(&space, &mut Vec::new(), &mut Vec::new())
        };

        assert_eq!(list(1000), Ok(()));
        let error = list(1001).unwrap_err();
        assert!(error.contains("`seed` has 1001 choices; at most 1000"), "{error}");
    }

    #[test]
    fn a_space_that_is_none_is_refused_with_its_key() {
        let refused = |space: &str| {
            let space = toml::from_str(space).unwrap();
            Search { space, ..search(SearchMethod::Random) }.axes().unwrap_err()
        };

        assert!(
            refused("train.learning_rate = 0.1").contains("`train.learning_rate` needs a list")
        );
        assert!(refused("a.b = { low = 2.0, high = 1.0 }").contains("`a.b` needs `low` below"));
        assert!(refused("a = { low = 0.0, high = 1.0, log = true }").contains("above zero"));
        assert!(refused("a = { low = 0.0 }").contains("both `low` and `high`"));
        assert!(refused("a = { low = 0, high = 1, step = 2 }").contains("`step`"));
        assert!(refused("").contains("no keys"));
    }
}
