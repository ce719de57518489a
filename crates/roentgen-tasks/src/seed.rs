//! The seed of resamples where no other is asked for.

/// The default of `evaluate --seed`.
pub(crate) const SEED: u64 = 2018;
