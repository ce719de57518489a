//! Padding of convolutions and pools, in which frameworks silently differ.

use burn::tensor::Tensor;

/// Rows and columns added around a film before a window moves over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// No padding.
    None,
    /// PyTorch's: `(kernel - 1) / 2` on every side.
    Even,
    /// TensorFlow's `SAME`: `ceil(size / stride)` outputs; an odd row or column is added below and
    /// on the right.
    Same,
    /// `(kernel - 1) / 2` below and on the right only: Keras' `ZeroPadding2D` before a convolution
    /// with stride 2. It differs from [`Padding::Same`] for odd sizes.
    Below,
}

impl Padding {
    /// Returns the rows or columns before and after an axis of `size`, for a window of `kernel` and
    /// a stride of `stride`.
    pub(crate) fn for_axis(self, size: usize, kernel: usize, stride: usize) -> [usize; 2] {
        match self {
            Padding::None => [0, 0],
            Padding::Even => [(kernel - 1) / 2; 2],
            Padding::Same => {
                let covered = (size.div_ceil(stride) - 1) * stride + kernel;
                let total = covered.saturating_sub(size);
                [total / 2, total - total / 2]
            }
            Padding::Below => [0, (kernel - 1) / 2],
        }
    }

    /// Returns the padding for both axes of `x`: top, left, bottom, right.
    pub(crate) fn for_window(self, x: &Tensor<4>, kernel: [usize; 2], stride: usize) -> [usize; 4] {
        let [_, _, height, width] = x.dims();
        let [top, bottom] = self.for_axis(height, kernel[0], stride);
        let [left, right] = self.for_axis(width, kernel[1], stride);
        [top, left, bottom, right]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensorflow_pads_the_odd_row_below() {
        assert_eq!(Padding::Same.for_axis(224, 3, 2), [0, 1]);
        assert_eq!(Padding::Same.for_axis(225, 3, 2), [1, 1]);
        assert_eq!(Padding::Same.for_axis(42, 5, 2), [1, 2]);
        assert_eq!(Padding::Same.for_axis(7, 1, 2), [0, 0]);
    }

    #[test]
    fn keras_pads_one_row_below_whatever_the_size() {
        assert_eq!([224, 225].map(|size| Padding::Below.for_axis(size, 3, 2)), [[0, 1]; 2]);
    }

    #[test]
    fn pytorch_pads_by_half_the_window() {
        assert_eq!(Padding::Even.for_axis(224, 3, 2), [1, 1]);
        assert_eq!(Padding::Even.for_axis(9, 7, 1), [3, 3]);
        assert_eq!(Padding::Even.for_axis(9, 1, 1), [0, 0]);
    }
}
