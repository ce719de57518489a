//! `[sweep.search]`: points drawn at random or guided by the results of earlier ones.
//!
//! The samplers are those of the crate `optimizer`. They are called afresh for each value with the
//! history in the folder of the sweep, so that a killed search resumes and machines can share one.
//! Values follow from the seed, the number of the point and the points that have finished; if
//! several run at once, timing decides which have.

use std::collections::HashMap;

use optimizer::TrialState;
use optimizer::distribution::{
    CategoricalDistribution, Distribution, FloatDistribution, IntDistribution,
};
use optimizer::param::ParamValue;
use optimizer::parameter::ParamId;
use optimizer::sampler::{CompletedTrial, RandomSampler, Sampler, TpeSampler};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::seed::{self, Purpose};

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

/// One key of the space: its path and its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The parts of the key.
    pub key: Vec<String>,
    /// Its range.
    pub range: SearchRange,
}

/// The range of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchRange {
    /// An element of a list.
    Choice(Vec<Value>),
    /// A number in a range.
    Float {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// Whether the scale is logarithmic.
        log: bool,
    },
    /// An integer in a range.
    Int {
        /// Lower end.
        low: i64,
        /// Upper end.
        high: i64,
        /// Whether the scale is logarithmic.
        log: bool,
    },
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

impl SearchRange {
    /// Returns the first and the last value, or all values of a list.
    pub fn extremes(&self) -> Vec<Value> {
        match self {
            SearchRange::Choice(choices) => choices.clone(),
            SearchRange::Float { low, high, .. } => vec![Value::Float(*low), Value::Float(*high)],
            SearchRange::Int { low, high, .. } => vec![Value::Integer(*low), Value::Integer(*high)],
        }
    }

    fn distribution(&self) -> Distribution {
        match *self {
            SearchRange::Choice(ref choices) => {
                Distribution::Categorical(CategoricalDistribution { n_choices: choices.len() })
            }
            SearchRange::Float { low, high, log } => {
                Distribution::Float(FloatDistribution { low, high, log_scale: log, step: None })
            }
            SearchRange::Int { low, high, log } => {
                Distribution::Int(IntDistribution { low, high, log_scale: log, step: None })
            }
        }
    }

    /// Converts a sampled value to TOML.
    fn value(&self, drawn: &ParamValue) -> Value {
        match (self, drawn) {
            (SearchRange::Choice(choices), ParamValue::Categorical(at)) => {
                choices[(*at).min(choices.len() - 1)].clone()
            }
            (SearchRange::Float { low, high, .. }, ParamValue::Float(number)) => {
                // Six digits are enough, and reading the value again gives the same number.
                let short = format!("{number:.5e}").parse().unwrap_or(*number);
                Value::Float(short.clamp(*low, *high))
            }
            (SearchRange::Int { low, high, .. }, ParamValue::Int(number)) => {
                Value::Integer(*number.clamp(low, high))
            }
            (range, _) => range.extremes().swap_remove(0),
        }
    }

    /// Converts a value to the form in which a sampler would have drawn it.
    fn param(&self, value: &Value) -> Option<ParamValue> {
        match self {
            SearchRange::Choice(choices) => {
                choices.iter().position(|choice| choice == value).map(ParamValue::Categorical)
            }
            SearchRange::Float { .. } => value.as_float().map(ParamValue::Float),
            SearchRange::Int { .. } => value.as_integer().map(ParamValue::Int),
        }
    }
}

fn collect(table: &Table, above: &mut Vec<String>, axes: &mut Vec<Axis>) -> Result<(), String> {
    for (key, value) in table {
        above.push(key.clone());
        let bad = |what: &str| Err(format!("`{}` {what}", above.join(".")));
        let range = match value {
            Value::Array(choices) if !choices.is_empty() => SearchRange::Choice(choices.clone()),
            Value::Table(range) if range.contains_key("low") || range.contains_key("high") => {
                let known = ["low", "high", "log"];
                if let Some(other) = range.keys().find(|key| !known.contains(&key.as_str())) {
                    return bad(&format!(
                        "has the unknown key `{other}`; a range has `low`, `high` and `log`"
                    ));
                }
                let log = match range.get("log") {
                    None => false,
                    Some(Value::Boolean(log)) => *log,
                    Some(_) => return bad("needs true or false for `log`"),
                };
                let number = |key: &str| {
                    let value = range.get(key)?;
                    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
                };
                let (Some(low), Some(high)) = (number("low"), number("high")) else {
                    return bad("needs numbers for both `low` and `high`");
                };
                let is_range = low < high && (high - low).is_finite();
                if !is_range || (log && low <= 0.0) {
                    return bad("needs `low` below `high`, and `low` above zero with `log`");
                }
                match (range.get("low"), range.get("high")) {
                    (Some(Value::Integer(low)), Some(Value::Integer(high))) => {
                        SearchRange::Int { low: *low, high: *high, log }
                    }
                    _ => SearchRange::Float { low, high, log },
                }
            }
            Value::Table(inner) => {
                collect(inner, above, axes)?;
                above.pop();
                continue;
            }
            _ => return bad("needs a list to choose from or a range"),
        };
        axes.push(Axis { key: above.clone(), range });
        above.pop();
    }
    Ok(())
}

/// Inserts a value at a path of keys.
pub(super) fn insert(table: &mut Table, key: &[String], value: Value) {
    match key {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
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
