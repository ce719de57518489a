//! The memory that a run needs, and the refusal of runs that need more than there is.

use burn::tensor::Device;
use roentgen_models::Freeze;

use crate::experiment::Experiment;
use crate::memory::{Available, LimitedBy, least_for_inference};

/// Training needs more memory than is available.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error(
    "training needs about {} MiB of memory, but {} MiB are available {}; {}, or start it with `--force`",
    need >> 20,
    available.bytes >> 20,
    place(*available),
    advice(*fits, *batch)
)]
pub struct TooLittle {
    /// The estimate, in bytes.
    pub need: u64,
    /// The memory that is available.
    pub available: Available,
    /// The largest micro-batch that fits, if any does.
    pub fits: Option<usize>,
    /// `train.batch_size`
    pub batch: usize,
}

fn place(available: Available) -> &'static str {
    match available.limited_by {
        LimitedBy::Machine => "on this machine",
        LimitedBy::ControlGroup => "below the limit of this container or job (its control group)",
    }
}

fn advice(fits: Option<usize>, batch: usize) -> String {
    match fits {
        Some(films) => format!(
            "set `train.micro_batch_size = {films}`, which keeps the batch of {batch}, or reduce \
             `train.batch_size`"
        ),
        None => {
            "prepare smaller films (`image.size`) or reduce `model.width`, because one film at \
                 a time is too much"
                .to_owned()
        }
    }
}

/// Whether a device computes in the memory of the machine, as only the CPU does.
pub(super) fn is_in_host_memory(device: &Device) -> bool {
    device.clone().without_autodiff() == Device::flex()
}

/// Returns an upper estimate of the bytes for training: activations of a micro-batch of films of
/// `size` pixels; weights, gradients and the optimizer's two moments.
pub(super) fn estimate(experiment: &Experiment, size: usize, films: usize, weights: usize) -> u64 {
    let activations = experiment.network().activation_bytes(size, films);
    (activations as u64).saturating_add(4 * 4 * weights as u64)
}

/// Refuses a run whose estimate is above the memory that is available, where that is known.
///
/// Where only a head learns, nothing of the backbone is kept for a backward pass, and the estimate is a
/// lower one.
pub(super) fn check(
    experiment: &Experiment,
    size: usize,
    train_films: usize,
    weights: usize,
    available: Option<Available>,
) -> Result<(), TooLittle> {
    let is_head_only = experiment.phases().iter().all(|phase| phase.freeze == Freeze::Backbone);
    let Some(available) = available else { return Ok(()) };
    let need = |films: usize| {
        let films = films.min(train_films);
        if is_head_only {
            least_for_inference(&experiment.network(), experiment.input(size), films)
        } else {
            estimate(experiment, size, films, weights)
        }
    };
    let micro = experiment.micro_batch_size();
    if need(micro) <= available.bytes {
        return Ok(());
    }
    let batch = experiment.train.batch_size;
    let smaller = (1..micro).rev().filter(|films| batch.is_multiple_of(*films));
    let fits = smaller.into_iter().find(|&films| need(films) <= available.bytes);
    Err(TooLittle { need: need(micro), available, fits, batch })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mib: u64) -> Option<Available> {
        Some(Available { bytes: mib << 20, limited_by: LimitedBy::Machine })
    }

    fn refused(experiment: &Experiment, available: Option<Available>) -> Option<TooLittle> {
        check(experiment, 224, 1000, 3_000_000, available).err()
    }

    #[test]
    fn a_run_that_needs_more_than_there_is_names_the_micro_batch_that_fits() {
        let mut experiment = Experiment::default();
        experiment.train.batch_size = 48;
        let need = estimate(&experiment, 224, 48, 3_000_000) >> 20;
        assert_eq!(refused(&experiment, of(need + 1)), None);

        let error = refused(&experiment, of(need / 3)).unwrap();

        let fits = error.fits.unwrap();
        assert!(48 % fits == 0 && fits <= 16, "{fits}");
        assert!(estimate(&experiment, 224, fits, 3_000_000) >> 20 <= need / 3);
        let text = error.to_string();
        assert!(text.contains(&format!("`train.micro_batch_size = {fits}`")), "{text}");
        assert!(text.contains("on this machine"), "{text}");
        experiment.train.micro_batch_size = Some(fits);
        assert_eq!(refused(&experiment, of(need / 3)), None);
    }

    #[test]
    fn where_one_film_is_too_much_the_size_of_films_is_named() {
        let error = refused(&Experiment::default(), of(1)).unwrap();

        assert_eq!(error.fits, None);
        assert!(error.to_string().contains("`image.size`"), "{error}");
    }

    #[test]
    fn unknown_memory_refuses_nothing_and_a_frozen_backbone_needs_less() {
        let mut experiment = Experiment::default();
        assert_eq!(refused(&experiment, None), None);
        let need = estimate(&experiment, 224, experiment.micro_batch_size(), 3_000_000) >> 20;
        assert!(refused(&experiment, of(need / 2)).is_some());

        experiment.model.freeze = Freeze::Backbone;
        assert_eq!(refused(&experiment, of(need / 2)), None);

        experiment.train.batch_size = 100_000;
        let error = check(&experiment, 224, 100_000, 3_000_000, of(8 << 10)).unwrap_err();
        assert!(error.fits.is_some_and(|films| films < 50_000), "{error}");
        // No more films pass through the network at once than there are.
        assert_eq!(check(&experiment, 224, 100, 3_000_000, of(8 << 10)), Ok(()));
    }

    #[test]
    fn the_cpu_computes_in_the_memory_of_the_machine() {
        assert!(is_in_host_memory(&Device::flex()));
        assert!(is_in_host_memory(&Device::flex().autodiff()));
    }

    #[test]
    fn no_estimate_overflows() {
        let mut experiment = Experiment::default();
        experiment.train.batch_size = 1_000_000;

        assert!(check(&experiment, 4096, usize::MAX, usize::MAX >> 5, of(1)).is_err());
    }
}
