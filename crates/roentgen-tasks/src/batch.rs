//! Whether a batch of films fits into memory, where the system would end the process if it does not.

use anyhow::bail;
use burn::tensor::Device;
use roentgen_models::ModelInfo;
use roentgen_train::memory::{self, Available};

/// Refuses a batch for which the memory of the machine does not suffice, by a lower estimate. `films` is
/// the number of films, of which a batch has no more.
///
/// # Errors
///
/// Returns an error that names the memory and the flag.
pub fn check_batch(
    description: &ModelInfo,
    batch: usize,
    films: usize,
    device: &Device,
) -> anyhow::Result<()> {
    // Only the CPU computes in the memory of the machine.
    if device.clone().without_autodiff() != Device::flex() {
        return Ok(());
    }
    check(description, batch.min(films), memory::available())
}

fn check(
    description: &ModelInfo,
    films: usize,
    available: Option<Available>,
) -> anyhow::Result<()> {
    let need = memory::least_for_inference(&description.network, description.input, films);
    match available {
        Some(Available { bytes, .. }) if need > bytes => bail!(
            "a batch of {films} films of {} px needs at least {} MiB of memory, but {} MiB are \
             available; choose a smaller `--batch`",
            description.input.size,
            need >> 20,
            bytes >> 20
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use roentgen_data::Finding;
    use roentgen_data::preprocess::{Input, Normalize};
    use roentgen_models::{Architecture, ClassifierConfig, Pool};
    use roentgen_train::memory::LimitedBy;

    use super::*;

    #[test]
    fn a_batch_that_cannot_fit_is_refused_and_one_that_may_is_not() {
        let network = ClassifierConfig {
            architecture: Architecture::Mobilenet,
            width: 0.0625,
            pool: Pool::Average,
            dropout: 0.0,
            stochastic_depth: None,
        };
        let input = Input { size: 224, channels: 3, normalize: Normalize::PerImage };
        let description = ModelInfo::new(vec![Finding::Mass], network, input);
        let available = Some(Available { bytes: 16 << 30, limited_by: LimitedBy::Machine });

        assert!(check(&description, 64, available).is_ok());
        assert!(check(&description, 1_000_000, None).is_ok());
        let error = check(&description, 1_000_000, available).unwrap_err().to_string();
        assert!(
            error.contains("`--batch`") && error.contains("16384 MiB are available"),
            "{error}"
        );
        // A batch has no more films than there are.
        assert!(check_batch(&description, 1_000_000, 64, &Device::flex()).is_ok());
    }
}
