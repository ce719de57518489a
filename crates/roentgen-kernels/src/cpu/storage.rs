//! Flex tensors as slices and back.
//!
//! Flex's own constructors fill a fresh tensor with zeros, a whole pass over memory that
//! [`build_vec`] spares. Gradients arrive in any layout, even expanded ones with strides of zero.

use std::mem::MaybeUninit;

use burn::tensor::{Bytes, DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// Copies a tensor whose values are not, in row-major order, the whole of its memory.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    tensor.to_contiguous()
}

/// The values of a tensor that went through [`contiguous`].
pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.storage()
}

/// The dimensions of a tensor of rank `D`.
pub(crate) fn dims<const D: usize>(tensor: &FlexTensor) -> [usize; D] {
    tensor.layout().shape().dims()
}

/// Makes a tensor of values in row-major order.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// Makes a vector without filling it first.
///
/// # Safety
///
/// `write` must write every element.
#[expect(unsafe_code, reason = "filling a fresh activation with zeros is a pass over memory")]
pub(crate) unsafe fn build_vec(
    len: usize,
    write: impl FnOnce(&mut [MaybeUninit<f32>]),
) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    write(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: the capacity is at least `len` and the caller's `write` covers all of it.
    unsafe { values.set_len(len) };
    values
}

/// Sorts the planes of `[batch, channels, plane]` values by channel, so that one task may write
/// all images of its channel.
pub(crate) fn split_by_channel<T>(
    values: &mut [T],
    channels: usize,
    plane: usize,
) -> Vec<Vec<&mut [T]>> {
    let batch = values.len() / (channels * plane);
    let mut sorted: Vec<_> = (0..channels).map(|_| Vec::with_capacity(batch)).collect();
    for (index, plane) in values.chunks_exact_mut(plane).enumerate() {
        sorted[index % channels].push(plane);
    }
    sorted
}
