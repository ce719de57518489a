//! Binary cross-entropy from logits, unweighted or with Wang's weights per batch.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use serde::{Deserialize, Serialize};

/// `train.loss`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Binary cross-entropy, averaged over films and findings.
    Bce,
    /// Wang et al., CVPR 2017, equation 1: positives weigh (P + N) / P and negatives (P + N) / N,
    /// counted over all labels of the batch; averaged here instead of summed.
    Wang,
}

/// Weights of positives and negatives in one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClassWeights {
    positive: f32,
    negative: f32,
}

impl Loss {
    /// Returns the weights for a whole batch with labels 0 or 1; its micro-batches share them.
    pub(crate) fn weights(self, labels: &[f32]) -> ClassWeights {
        match self {
            Loss::Bce => ClassWeights { positive: 1.0, negative: 1.0 },
            Loss::Wang => {
                let all = labels.len() as f32;
                let positives: f32 = labels.iter().sum();
                // A batch without positives has no positive term to weigh, and vice versa.
                let weight = |count: f32| if count > 0.0 { all / count } else { 0.0 };
                ClassWeights { positive: weight(positives), negative: weight(all - positives) }
            }
        }
    }

    /// Computes the same loss in double precision from logits on the host, as reported by
    /// validation.
    pub fn value(self, logits: &[f32], labels: &[f32]) -> f64 {
        let weights = self.weights(labels);
        let total: f64 = logits
            .iter()
            .zip(labels)
            .map(|(&logit, &label)| {
                let logit = f64::from(logit);
                let softplus_neg = (-logit).max(0.0) + (-logit.abs()).exp().ln_1p();
                if label > 0.5 {
                    softplus_neg * f64::from(weights.positive)
                } else {
                    (softplus_neg + logit) * f64::from(weights.negative)
                }
            })
            .sum();
        total / logits.len() as f64
    }
}

impl ClassWeights {
    /// Computes the loss of a batch from logits; no sigmoid is computed whose logarithm could be
    /// infinite.
    ///
    /// # Shapes
    ///
    /// - `logits`, `labels`: `[batch, findings]`
    /// - output: `[1]`
    pub(crate) fn loss(self, logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
        // -ln sigmoid(x) = softplus(-x) and -ln(1 - sigmoid(x)) = softplus(x) = x + softplus(-x).
        let softplus_neg = softplus_of_negative(logits.clone());
        let positive = softplus_neg.clone() * labels.clone() * self.positive;
        let negative = (softplus_neg + logits) * (labels.neg() + 1.0) * self.negative;
        (positive + negative).mean()
    }
}

/// Computes ln(1 + e^-x), exact for large logits of either sign.
fn softplus_of_negative(x: Tensor<2>) -> Tensor<2> {
    relu(x.clone().neg()) + x.abs().neg().exp().log1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn loss(loss: Loss, logits: [[f32; 3]; 2], labels: [[f32; 3]; 2]) -> f32 {
        let device = Device::flex();
        let weights = loss.weights(labels.as_flattened());
        let [logits, labels] = [logits, labels].map(|x| Tensor::<2>::from_floats(x, &device));
        weights.loss(logits, labels).into_scalar::<f32>()
    }

    const LOGITS: [[f32; 3]; 2] = [[0.5, -1.0, 2.0], [0.0, 3.0, -0.3]];
    const LABELS: [[f32; 3]; 2] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];

    fn terms() -> (f32, f32) {
        let probability = |x: f32| 1.0 / (1.0 + (-x).exp());
        let pairs = || LOGITS.as_flattened().iter().zip(LABELS.as_flattened());
        let positive =
            pairs().filter(|(_, y)| **y == 1.0).map(|(x, _)| -probability(*x).ln()).sum();
        let negative =
            pairs().filter(|(_, y)| **y == 0.0).map(|(x, _)| -(1.0 - probability(*x)).ln()).sum();
        (positive, negative)
    }

    #[test]
    fn bce_is_the_mean_of_logarithms() {
        let (positive, negative) = terms();

        assert!((loss(Loss::Bce, LOGITS, LABELS) - (positive + negative) / 6.0).abs() < 1e-6);
    }

    #[test]
    fn wang_weighs_by_the_labels_of_the_batch() {
        let (positive, negative) = terms();
        let expected = (3.0 * positive + 1.5 * negative) / 6.0;

        assert!((loss(Loss::Wang, LOGITS, LABELS) - expected).abs() < 1e-6);
    }

    #[test]
    fn validation_computes_the_loss_that_training_minimizes() {
        for kind in [Loss::Bce, Loss::Wang] {
            let value = kind.value(LOGITS.as_flattened(), LABELS.as_flattened());

            assert!((value - f64::from(loss(kind, LOGITS, LABELS))).abs() < 1e-6);
        }
    }

    #[test]
    fn a_batch_without_positives_and_huge_logits_stays_finite() {
        let logits = [[200.0, -200.0, 0.0]; 2];

        assert!(loss(Loss::Wang, logits, [[0.0; 3]; 2]).is_finite());
        assert!(
            (loss(Loss::Bce, logits, [[0.0; 3]; 2]) - (200.0 + std::f32::consts::LN_2) / 3.0).abs()
                < 1e-3
        );
    }
}
