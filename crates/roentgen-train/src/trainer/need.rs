//! The memory that a run needs, and the refusal of runs that need more than there is.

use burn::tensor::Device;
use roentgen_models::{Freeze, Precision};

use super::input::HELD;
use crate::experiment::Experiment;
use crate::memory::{self, Available, LimitedBy, least_for_inference};

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
        LimitedBy::Gpu => "on the GPU",
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

/// Returns the memory that is available where a device computes: that of the machine for the CPU, and
/// its own for an NVIDIA GPU; `None` if that is not known.
pub(super) fn available(device: &Device) -> Option<Available> {
    if device.clone().without_autodiff() == Device::flex() {
        return memory::available();
    }
    let gpu = roentgen_kernels::gpu_memory(device)?;
    Some(Available { bytes: gpu.free, limited_by: LimitedBy::Gpu })
}

/// What the memory of a run depends on, apart from its experiment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    /// Height and width of the films.
    pub(super) size: usize,
    /// Number of films to train on.
    pub(super) films: usize,
    /// Number of weights.
    pub(super) weights: usize,
}

/// Returns an estimate of the bytes for training on a device.
pub(super) fn estimate(experiment: &Experiment, amounts: Amounts, device: &Device) -> u64 {
    let estimate = if roentgen_kernels::is_cuda(device) { on_gpu } else { on_cpu };
    estimate(experiment, amounts, experiment.micro_batch_size())
}

/// An upper estimate: activations of a micro-batch; weights, gradients and the optimizer's two
/// moments.
fn on_cpu(experiment: &Experiment, amounts: Amounts, micro_batch: usize) -> u64 {
    let Amounts { size, films, weights } = amounts;
    let activations = experiment.network().activation_bytes(size, micro_batch.min(films));
    (activations as u64).saturating_add(4 * 4 * weights as u64)
}

/// An estimate: a step on a micro-batch, and the films of the batches that are on the GPU before
/// they are needed.
fn on_gpu(experiment: &Experiment, amounts: Amounts, micro_batch: usize) -> u64 {
    let Amounts { size, films, weights } = amounts;
    let (network, train) = (experiment.network(), &experiment.train);
    let step = network.gpu_training_bytes(size, micro_batch.min(films), weights, train.precision);
    // Gradients that are summed over micro-batches, and those that are divided by a loss scale.
    let summed = if micro_batch < train.batch_size { 4 } else { 0 };
    let divided = if train.precision == Precision::F16 { 4 } else { 0 };
    let step = step.saturating_add((summed + divided) * weights as u64);
    step.saturating_add(waiting_films(experiment, amounts))
}

/// The bytes of the films of the batches that are on the GPU before they are needed.
fn waiting_films(experiment: &Experiment, Amounts { size, films, .. }: Amounts) -> u64 {
    let film = 4 * (experiment.image.channels * size * size) as u64;
    film.saturating_mul((HELD * experiment.train.batch_size).min(films) as u64)
}

/// Refuses a run whose estimate is above the memory that is available, where both are known: on a GPU
/// only networks whose memory was measured are refused.
///
/// Where only a head learns, nothing of the backbone is kept for a backward pass, and the estimate is a
/// lower bound.
pub(super) fn check(
    experiment: &Experiment,
    amounts: Amounts,
    available: Option<Available>,
) -> Result<(), TooLittle> {
    let is_head_only = experiment.phases().iter().all(|phase| phase.freeze == Freeze::Backbone);
    let Some(available) = available else { return Ok(()) };
    let is_gpu = available.limited_by == LimitedBy::Gpu;
    if is_gpu && !experiment.model.architecture.has_measured_gpu_memory() {
        return Ok(());
    }
    let need = |micro_batch: usize| {
        if is_head_only {
            let input = experiment.input(amounts.size);
            let films = micro_batch.min(amounts.films);
            let least = least_for_inference(&experiment.network(), input, films);
            let waiting = if is_gpu { waiting_films(experiment, amounts) } else { 0 };
            return least.saturating_add(waiting);
        }
        let estimate = if is_gpu { on_gpu } else { on_cpu };
        estimate(experiment, amounts, micro_batch)
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
    use roentgen_models::Architecture;

    use super::*;

    fn of(mib: u64) -> Option<Available> {
        Some(Available { bytes: mib << 20, limited_by: LimitedBy::Machine })
    }

    const AMOUNTS: Amounts = Amounts { size: 224, films: 1000, weights: 3_000_000 };

    fn refused(experiment: &Experiment, available: Option<Available>) -> Option<TooLittle> {
        check(experiment, AMOUNTS, available).err()
    }

    #[test]
    fn a_run_that_needs_more_than_there_is_names_the_micro_batch_that_fits() {
        let mut experiment = Experiment::default();
        experiment.train.batch_size = 48;
        let need = on_cpu(&experiment, AMOUNTS, 48) >> 20;
        assert_eq!(refused(&experiment, of(need + 1)), None);

        let error = refused(&experiment, of(need / 3)).unwrap();

        let fits = error.fits.unwrap();
        assert!(48 % fits == 0 && fits <= 16, "{fits}");
        assert!(on_cpu(&experiment, AMOUNTS, fits) >> 20 <= need / 3);
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
        let need = on_cpu(&experiment, AMOUNTS, experiment.micro_batch_size()) >> 20;
        assert!(refused(&experiment, of(need / 2)).is_some());

        experiment.model.freeze = Freeze::Backbone;
        assert_eq!(refused(&experiment, of(need / 2)), None);

        experiment.train.batch_size = 100_000;
        let many = Amounts { films: 100_000, ..AMOUNTS };
        let error = check(&experiment, many, of(8 << 10)).unwrap_err();
        assert!(error.fits.is_some_and(|films| films < 50_000), "{error}");
        // No more films pass through the network at once than there are.
        let few = Amounts { films: 100, ..AMOUNTS };
        assert_eq!(check(&experiment, few, of(8 << 10)), Ok(()));
    }

    #[test]
    fn the_cpu_computes_in_the_memory_of_the_machine() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let limit = available(&device).map(|available| available.limited_by);
            assert_ne!(limit, Some(LimitedBy::Gpu));
            assert_eq!(limit.is_some(), memory::available().is_some());
        }
    }

    #[test]
    fn a_gpu_that_is_too_small_is_named_with_the_micro_batch_that_fits() {
        let mut experiment = Experiment::default();
        experiment.model.architecture = Architecture::Densenet121;
        experiment.model.width = 1.0;
        experiment.train.batch_size = 64;
        experiment.train.precision = Precision::Bf16;
        let gpu = |mib: u64| Some(Available { bytes: mib << 20, limited_by: LimitedBy::Gpu });
        assert_eq!(refused(&experiment, gpu(6 << 10)), None);

        let error = refused(&experiment, gpu(1536)).unwrap();

        assert_eq!(error.fits, Some(16));
        let text = error.to_string();
        assert!(text.contains("but 1536 MiB are available on the GPU"), "{text}");
        assert!(text.contains("`train.micro_batch_size = 16`"), "{text}");
        // Activations of 32 bits take twice the memory.
        experiment.train.precision = Precision::F32;
        assert!(refused(&experiment, gpu(6 << 10)).is_some());
    }

    #[test]
    fn no_estimate_overflows() {
        let mut experiment = Experiment::default();
        experiment.train.batch_size = 1_000_000;

        let absurd = Amounts { size: 4096, films: usize::MAX, weights: usize::MAX >> 5 };
        for limited_by in [LimitedBy::Machine, LimitedBy::Gpu] {
            let available = Some(Available { bytes: 1 << 20, limited_by });
            assert!(check(&experiment, absurd, available).is_err());
        }
    }
}
