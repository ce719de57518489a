//! The backend of this crate that has a tensor, if one does.

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Tensor};

/// The backend of this crate that a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Flex,
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Place {
    /// The backend of an activation; none where the operations do not take its type or its device.
    pub(crate) fn of_activation<const D: usize>(x: &Tensor<D>) -> Option<Self> {
        Self::of_device(x.device().as_dispatch()).filter(|place| match place {
            Place::Flex => x.dtype() == DType::F32,
            #[cfg(feature = "cuda")]
            Place::Cuda => crate::cuda::takes(x.dtype()),
        })
    }

    /// The backend of a weight, which is in single precision everywhere.
    pub(crate) fn of_weight<const D: usize>(weight: &Tensor<D>) -> Option<Self> {
        Self::of_device(weight.device().as_dispatch()).filter(|_| weight.dtype() == DType::F32)
    }

    /// The backend of a tensor that no gradient is asked of.
    pub(crate) fn of_constant<const D: usize>(weight: &Tensor<D>) -> Option<Self> {
        Self::of_weight(weight).filter(|_| !weight.device().is_autodiff())
    }

    fn of_device(device: &DispatchDevice) -> Option<Self> {
        match device {
            DispatchDevice::Autodiff(inner) => Self::of_device(inner),
            DispatchDevice::Flex(_) => Some(Place::Flex),
            #[cfg(feature = "cuda")]
            device if crate::cuda::is_cuda(device) => Some(Place::Cuda),
            #[allow(unreachable_patterns, reason = "`flex` may be the only backend of the build")]
            _ => None,
        }
    }
}

/// Whether one backend of this crate has all inputs.
pub(crate) fn takes<const N: usize>(places: [Option<Place>; N]) -> bool {
    places[0].is_some() && places.iter().all(|place| *place == places[0])
}

/// Whether an NVIDIA GPU has all inputs.
pub(crate) fn gpu_takes<const N: usize>(places: [Option<Place>; N]) -> bool {
    takes(places) && places[0] != Some(Place::Flex)
}
