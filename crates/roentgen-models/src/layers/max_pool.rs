//! Max pooling, padded like a convolution.

use burn::tensor::Tensor;

use super::Padding;

/// Takes the maximum over a square window of `kernel` with stride `stride`; padding is never the
/// maximum.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - output: `[batch, channels, ceil(height / stride), …]` if the padding keeps the size
pub(crate) fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: Padding) -> Tensor<4> {
    let around = padding.for_window(&x, [kernel; 2], stride);
    roentgen_kernels::max_pool(x, kernel, stride, around)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn padding_is_below_every_value_and_an_odd_row_without_padding_is_left_out() {
        let x = [[[[-1.0, -2.0, -3.0, -4.0, -5.0], [-6.0, -7.0, -8.0, -9.0, -10.0]]]];
        let x = Tensor::<4>::from_floats(x, &Device::flex());
        let pooled = |kernel, padding| {
            let y = max_pool(x.clone(), kernel, 2, padding);
            (y.dims(), y.into_data().try_to_vec::<f32>().unwrap())
        };

        assert_eq!(pooled(3, Padding::Even), ([1, 1, 1, 3], vec![-1.0, -2.0, -4.0]));
        assert_eq!(pooled(2, Padding::None), ([1, 1, 1, 2], vec![-1.0, -3.0]));
    }
}
