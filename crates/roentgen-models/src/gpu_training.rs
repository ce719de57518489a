//! The memory that training takes on an NVIDIA GPU.
//!
//! Burn's pool keeps each freed tensor for the next one of the same size, so the memory grows to the
//! largest number of tensors of each size that exist at the same time. That is not counted here but
//! fitted to measurements of five networks in bf16: per film and pixel a figure for each network, and
//! 36 bytes per weight. Beside the weight, its gradient and Adam's two moments there are the new weight
//! and moments, which exist before the old ones are freed, a copy in the layout of cuDNN, and what the
//! pool keeps.

use crate::classifier::ClassifierConfig;
use crate::precision::Precision;
use crate::zoo::Architecture;

/// Bytes of libraries, kernels and plans. CUDA's own context is not part of it.
const LIBRARIES: f64 = (140 << 20) as f64;
/// Bytes per weight.
const WEIGHT: f64 = 36.0;
/// Values per activation of a network that was not measured: that of DenseNet, the largest of the
/// measured networks with norms.
const UNMEASURED: f64 = 1.25;

impl ClassifierConfig {
    /// Returns an estimate of the bytes for training on batches of `batch` films of `size` pixels
    /// on an NVIDIA GPU with Adam, given the number of weights. CUDA's context and the films are not
    /// part of it.
    pub fn gpu_training_bytes(
        &self,
        size: usize,
        batch: usize,
        weights: usize,
        precision: Precision,
    ) -> u64 {
        let bytes = if precision == Precision::F32 { 4.0 } else { 2.0 };
        let pixels = (size as f64).powi(2) * batch as f64;
        let values = self.architecture.gpu_values() * self.width * pixels;
        // In floating point, so that absurd sizes do not overflow.
        (LIBRARIES + WEIGHT * weights as f64 + values * bytes) as u64
    }
}

impl Architecture {
    /// Returns the values that a training step holds on a GPU at the most, per pixel of a film and
    /// at the paper's width: activations, their gradients, and workspace. For a network that was not
    /// measured it is a guess.
    fn gpu_values(self) -> f64 {
        self.measured_gpu_values().unwrap_or_else(|| UNMEASURED * self.activations())
    }

    /// Whether the memory on a GPU was measured with this network or with one of its family.
    pub fn has_measured_gpu_memory(self) -> bool {
        self.measured_gpu_values().is_some()
    }

    fn measured_gpu_values(self) -> Option<f64> {
        match self {
            Architecture::Mobilenet => Some(191.0),
            Architecture::MobilenetV2 => Some(284.0),
            Architecture::Resnet50 => Some(448.0),
            Architecture::Densenet121 => Some(562.0),
            Architecture::Vgg19 => Some(499.0),
            // In proportion to VGG-19.
            Architecture::Vgg16 => Some(455.0),
            Architecture::InceptionV3
            | Architecture::InceptionResnetV2
            | Architecture::NasnetLarge
            | Architecture::NasnetMobile
            | Architecture::EfficientnetB0
            | Architecture::ConvnextTiny
            | Architecture::ConvnextBase => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::Pool;

    /// About what an H100's context takes, in MiB. It exists before the memory of a GPU can be read.
    const CONTEXT: f64 = 500.0;

    /// The whole card's memory in MiB, by `nvidia-smi`, while `bench train` took steps with Adam in
    /// bf16 on an H100 (docs/benchmarks.md): architecture, millions of weights, size, batch.
    const MEASURED: [(Architecture, f64, usize, usize, f64); 11] = [
        (Architecture::Mobilenet, 3.2, 224, 64, 1921.0),
        (Architecture::MobilenetV2, 2.2, 224, 64, 2465.0),
        (Architecture::Resnet50, 23.5, 224, 64, 4187.0),
        (Architecture::Densenet121, 7.0, 224, 64, 4361.0),
        (Architecture::Vgg19, 20.0, 224, 64, 4383.0),
        (Architecture::MobilenetV2, 2.2, 512, 32, 5153.0),
        (Architecture::Resnet50, 23.5, 512, 32, 8535.0),
        (Architecture::Densenet121, 7.0, 512, 32, 9699.0),
        (Architecture::MobilenetV2, 2.2, 224, 256, 7807.0),
        (Architecture::Resnet50, 23.5, 224, 256, 12517.0),
        (Architecture::Densenet121, 7.0, 224, 256, 14811.0),
    ];

    fn network(architecture: Architecture) -> ClassifierConfig {
        ClassifierConfig {
            architecture,
            width: 1.0,
            pool: Pool::Linear,
            dropout: 0.0,
            stochastic_depth: None,
        }
    }

    #[test]
    fn the_estimate_is_within_4_percent_of_what_was_measured() {
        for (architecture, millions, size, batch, measured) in MEASURED {
            let weights = (millions * 1e6) as usize;
            let bytes =
                network(architecture).gpu_training_bytes(size, batch, weights, Precision::Bf16);

            let off = (bytes as f64 / f64::from(1 << 20) + CONTEXT) / measured - 1.0;
            assert!(off.abs() < 0.04, "{architecture:?}, {size} px, {batch} films: {off:+.3}");
        }
    }

    #[test]
    fn single_precision_takes_twice_the_memory_of_the_activations() {
        let network = network(Architecture::Resnet50);
        let [f32, bf16] = [Precision::F32, Precision::Bf16]
            .map(|precision| network.gpu_training_bytes(224, 64, 0, precision) - (140 << 20));

        assert_eq!(f32, 2 * bf16);
    }

    #[test]
    fn no_estimate_overflows() {
        let network = network(Architecture::NasnetLarge);

        assert!(
            network.gpu_training_bytes(1 << 20, usize::MAX, usize::MAX, Precision::F32) > 1 << 60
        );
    }
}
