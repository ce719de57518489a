//! How the learning rate changes: per step for cosine and one-cycle, per epoch on a plateau.

use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;

/// `[train.schedule]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// A constant learning rate; an empty struct, so that unknown keys are refused.
    Constant {},
    /// Reduces the learning rate when the validation loss stops falling, as in the 2019 study
    /// (Keras' `ReduceLROnPlateau` with `min_delta` 1e-4).
    ReduceOnPlateau {
        /// Factor of each reduction.
        factor: f64,
        /// Epochs without improvement before a reduction.
        patience: usize,
        /// Lower limit of the learning rate.
        floor: f64,
    },
    /// Half a cosine from the learning rate down to zero over all epochs, from Loshchilov and
    /// Hutter, 2017.
    Cosine {
        /// Fraction of all steps in which the learning rate first rises from zero.
        #[serde(default)]
        warmup: f64,
    },
    /// Up to the learning rate and down to nearly zero along cosines, from Smith and Topin, 2018
    /// (with PyTorch's proportions: from 1/25 of the rate, to 1/10,000 of that).
    OneCycle {
        /// Fraction of all steps in which the learning rate rises.
        #[serde(default = "rise")]
        rise: f64,
    },
}

fn rise() -> f64 {
    0.3
}

/// The loss must fall by more than this to count as an improvement, as in Keras.
const LEAST_GAIN: f64 = 1e-4;

/// State of a schedule between epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// Product of all reductions so far.
    pub scale: f64,
    /// Lowest loss so far.
    pub best: f64,
    /// Epochs since the lowest loss.
    pub waited: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        // The largest finite value instead of infinity, because the state is kept in a text file.
        Self { scale: 1.0, best: f64::MAX, waited: 0 }
    }
}

impl Schedule {
    /// Returns the learning rate of step `step` of `steps` in the whole run.
    pub fn rate(&self, base: f64, step: usize, steps: usize, plateau: &Plateau) -> f64 {
        let place = step as f64 / steps.max(1) as f64;
        match *self {
            Schedule::Constant {} => base,
            Schedule::ReduceOnPlateau { floor, .. } => (base * plateau.scale).max(floor.min(base)),
            Schedule::Cosine { warmup } if place < warmup => {
                base * (step + 1) as f64 / (warmup * steps as f64).max(1.0)
            }
            Schedule::Cosine { warmup } => between(base, 0.0, (place - warmup) / (1.0 - warmup)),
            Schedule::OneCycle { rise } if place < rise => between(base / 25.0, base, place / rise),
            Schedule::OneCycle { rise } => {
                between(base, base / 25.0 / 1e4, (place - rise) / (1.0 - rise))
            }
        }
    }

    /// Returns the name used in files.
    pub fn name(&self) -> &'static str {
        match self {
            Schedule::Constant {} => "constant",
            Schedule::ReduceOnPlateau { .. } => "reduce-on-plateau",
            Schedule::Cosine { .. } => "cosine",
            Schedule::OneCycle { .. } => "one-cycle",
        }
    }

    /// Whether the rate of a step depends on the number of steps in the whole run, so that a longer
    /// run has other rates from its start.
    pub(crate) fn depends_on_length(&self) -> bool {
        match self {
            Schedule::Constant {} | Schedule::ReduceOnPlateau { .. } => false,
            Schedule::Cosine { .. } | Schedule::OneCycle { .. } => true,
        }
    }

    /// Records the validation loss of an epoch.
    pub(crate) fn epoch_done(&self, loss: f64, plateau: &mut Plateau) {
        let Schedule::ReduceOnPlateau { factor, patience, .. } = *self else { return };
        if loss < plateau.best - LEAST_GAIN {
            plateau.best = loss;
            plateau.waited = 0;
            return;
        }
        plateau.waited += 1;
        if plateau.waited >= patience {
            plateau.scale *= factor;
            plateau.waited = 0;
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// Returns an error if a fraction, factor or floor is out of range.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        match *self {
            Schedule::Constant {} => Ok(()),
            Schedule::ReduceOnPlateau { factor, patience, floor } => {
                if !(factor > 0.0 && factor < 1.0) {
                    let what = format!("{factor} is not between 0 and 1");
                    return refuse("train.schedule.factor", what);
                }
                if patience == 0 {
                    return refuse("train.schedule.patience", "must be at least 1".to_owned());
                }
                if !(floor >= 0.0 && floor.is_finite()) {
                    return refuse(
                        "train.schedule.floor",
                        format!("{floor} is not a learning rate"),
                    );
                }
                Ok(())
            }
            Schedule::Cosine { warmup } if !(0.0..1.0).contains(&warmup) => {
                refuse("train.schedule.warmup", format!("{warmup} is not at least 0 and below 1"))
            }
            Schedule::OneCycle { rise } if !(rise > 0.0 && rise < 1.0) => {
                refuse("train.schedule.rise", format!("{rise} is not between 0 and 1"))
            }
            Schedule::Cosine { .. } | Schedule::OneCycle { .. } => Ok(()),
        }
    }
}

/// Interpolates from `start` to `end` along half a cosine.
fn between(start: f64, end: f64, place: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (std::f64::consts::PI * place).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plateau_cuts_the_rate_down_to_its_floor() {
        let schedule = Schedule::ReduceOnPlateau { factor: 0.2, patience: 2, floor: 5e-6 };
        let mut plateau = Plateau::default();
        let rates: Vec<f64> = [0.5, 0.4, 0.39999, 0.45, 0.41, 0.41]
            .into_iter()
            .map(|loss| {
                schedule.epoch_done(loss, &mut plateau);
                schedule.rate(1e-4, 0, 1, &plateau)
            })
            .collect();

        let expected = [1e-4, 1e-4, 1e-4, 2e-5, 2e-5, 5e-6];
        assert!(rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-12));
    }

    #[test]
    fn one_cycle_rises_to_the_rate_and_falls_to_nothing() {
        let schedule = Schedule::OneCycle { rise: 0.3 };
        let rate = |step| schedule.rate(1.0, step, 10, &Plateau::default());

        assert!((rate(0) - 0.04).abs() < 1e-12 && (rate(3) - 1.0).abs() < 1e-12);
        assert!(rate(9) < 0.06 && rate(9) > 0.0);
    }

    #[test]
    fn a_value_out_of_range_is_refused_by_its_own_key() {
        for (text, key) in [
            ("name = \"cosine\"\nwarmup = 1.0", "train.schedule.warmup"),
            ("name = \"one-cycle\"\nrise = nan", "train.schedule.rise"),
            (
                "name = \"reduce-on-plateau\"\nfactor = 1.5\npatience = 1\nfloor = 0.0",
                "train.schedule.factor",
            ),
            (
                "name = \"reduce-on-plateau\"\nfactor = 0.5\npatience = 0\nfloor = 0.0",
                "train.schedule.patience",
            ),
            (
                "name = \"reduce-on-plateau\"\nfactor = 0.5\npatience = 1\nfloor = -1.0",
                "train.schedule.floor",
            ),
        ] {
            let schedule: Schedule = toml::from_str(text).unwrap();
            assert_eq!(schedule.check().unwrap_err().key, key);
        }
    }

    #[test]
    fn cosine_warms_up_and_falls() {
        let schedule = Schedule::Cosine { warmup: 0.2 };
        let rate = |step| schedule.rate(1.0, step, 10, &Plateau::default());

        assert_eq!([rate(0), rate(1), rate(2)], [0.5, 1.0, 1.0]);
        assert!((rate(6) - 0.5).abs() < 1e-12);
    }
}
