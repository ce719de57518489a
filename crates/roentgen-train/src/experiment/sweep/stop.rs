//! `[sweep.stop]`: gives up points that are hopeless compared with finished ones.
//!
//! The rules are those of the crate `optimizer`, applied afresh after each epoch. If several points
//! run at once, timing decides which have finished by then.

use std::collections::HashMap;

use optimizer::Direction;
use optimizer::pruner::{MedianPruner, Pruner, SuccessiveHalvingPruner};
use optimizer::sampler::CompletedTrial;
use serde::{Deserialize, Serialize};

use super::search::Trial;

/// Number of finished points before their median is used.
const LEAST: usize = 3;

/// `[sweep.stop]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopSettings {
    /// The rule for hopeless points.
    pub rule: StopRule,
    /// Minimum number of epochs for every point.
    #[serde(default = "one")]
    pub after: usize,
}

fn one() -> usize {
    1
}

/// The rule for hopeless points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// Points whose loss is above the median of the finished points at the same epoch, once three
    /// have finished.
    Median,
    /// Points that are not in the best third after `after` epochs, three times as many, nine times
    /// as many (Jamieson and Talwalkar, 2016; asynchronous, Li et al., 2020).
    SuccessiveHalving,
}

impl StopSettings {
    /// Whether a point with these losses so far is hopeless compared with the finished ones.
    pub fn is_hopeless(self, losses: &[f64], epochs: usize, history: &[Trial]) -> bool {
        let steps =
            |losses: &[f64]| -> Vec<(u64, f64)> { (1..).zip(losses.iter().copied()).collect() };
        let finished: Vec<CompletedTrial> = history
            .iter()
            .map(|trial| {
                let none = (HashMap::new(), HashMap::new(), HashMap::new());
                let number = trial.number as u64;
                let mut done = CompletedTrial::new(number, none.0, none.1, none.2, trial.loss());
                done.intermediate_values = steps(&trial.losses);
                done.state = trial.state();
                done
            })
            .collect();
        let after = self.after.max(1) as u64;
        let pruner: Box<dyn Pruner> = match self.rule {
            StopRule::Median => Box::new(
                MedianPruner::new(Direction::Minimize).n_warmup_steps(after).n_min_trials(LEAST),
            ),
            StopRule::SuccessiveHalving => Box::new(
                SuccessiveHalvingPruner::new()
                    .min_resource(after)
                    .max_resource((epochs as u64).max(after))
                    .direction(Direction::Minimize),
            ),
        };
        pruner.should_prune(u64::MAX, losses.len() as u64, &steps(losses), &finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Table;

    #[test]
    fn a_point_above_the_median_is_hopeless_once_there_are_three() {
        let trial = |number, loss: f64| Trial {
            number,
            values: Table::new(),
            losses: vec![0.9, loss, loss],
            is_stopped: false,
        };
        let history = [trial(1, 0.3), trial(2, 0.4), trial(3, 0.5)];
        let stop = StopSettings { rule: StopRule::Median, after: 2 };

        assert!(stop.is_hopeless(&[0.9, 0.6], 9, &history));
        assert!(!stop.is_hopeless(&[0.9, 0.35], 9, &history));
        assert!(!stop.is_hopeless(&[2.0], 9, &history), "every point is given two epochs");
        assert!(!stop.is_hopeless(&[0.9, 0.6], 9, &history[..2]));
    }

    #[test]
    fn halving_keeps_the_best_third_at_each_rung() {
        let trial = |number: usize| Trial {
            number,
            values: Table::new(),
            losses: vec![number as f64 / 10.0; 3],
            is_stopped: false,
        };
        let history: Vec<Trial> = (1..=9).map(trial).collect();
        let stop = StopSettings { rule: StopRule::SuccessiveHalving, after: 1 };

        assert!(stop.is_hopeless(&[0.85], 9, &history));
        assert!(!stop.is_hopeless(&[0.05], 9, &history));
        assert!(!stop.is_hopeless(&[0.05, 0.95], 9, &history), "two epochs are not a rung");
    }
}
