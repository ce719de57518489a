//! Division of gradients by the scale of their loss.

use burn::tensor::{Bool, Tensor};

#[cfg(feature = "cuda")]
use crate::{cuda, place::Place};

/// Divides the gradients of a scaled loss by the scale, and tests whether all are finite numbers. On
/// an NVIDIA GPU this takes a few launches for all gradients of a network.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use roentgen_kernels::Unscaling;
///
/// let device = Device::flex();
/// let mut unscaling = Unscaling::new(1024.0);
///
/// let first = unscaling.divide(Tensor::<1>::from_floats([512.0, -1024.0], &device));
/// let second = unscaling.divide(Tensor::<2>::from_floats([[f32::INFINITY], [0.0]], &device));
///
/// assert!(!unscaling.finish());
/// assert_eq!(first.into_data().try_to_vec::<f32>().unwrap(), [0.5, -1.0]);
/// # let _ = second;
/// ```
#[derive(Debug)]
#[must_use = "on a GPU the gradients are divided when `finish` is called"]
pub struct Unscaling {
    factor: f32,
    /// Whether the gradients so far are finite, on devices without a kernel for it.
    are_finite: Option<Tensor<1, Bool>>,
}

impl Unscaling {
    /// Starts the division by a scale. It rounds nothing if the scale is a power of two.
    pub fn new(scale: f32) -> Self {
        #[cfg(feature = "cuda")]
        cuda::forget_unscaling();
        Self { factor: scale.recip(), are_finite: None }
    }

    /// Returns the gradient divided by the scale. On an NVIDIA GPU the result may be used only after
    /// [`finish`](Self::finish).
    pub fn divide<const D: usize>(&mut self, gradient: Tensor<D>) -> Tensor<D> {
        #[cfg(feature = "cuda")]
        if Place::of_constant(&gradient) == Some(Place::Cuda) {
            return cuda::unscale(gradient, self.factor);
        }
        let is_finite = gradient.clone().is_finite().all();
        self.are_finite = Some(match self.are_finite.take() {
            Some(others) => others.bool_and(is_finite),
            None => is_finite,
        });
        gradient * self.factor
    }

    /// Ends the division on the thread that began it; returns whether all gradients are finite.
    pub fn finish(self) -> bool {
        #[cfg(feature = "cuda")]
        if !cuda::all_finite() {
            return false;
        }
        self.are_finite.is_none_or(|all| all.into_scalar::<bool>())
    }
}
