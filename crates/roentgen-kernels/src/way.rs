//! The ways of computing a convolution, and which of them fits.

use burn_flex::FlexTensor;

use crate::convolution::Convolution;
use crate::product::{Matrix, outer, per_image};
use crate::sliding::Sliding;
use crate::source::{Lines, Source};
use crate::storage::{dims, tensor, values};
use crate::{dense, depthwise};

/// A way of computing, with all that the shapes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A matrix product for each image.
    Pointwise,
    /// One window a channel.
    Depthwise(Sliding),
    /// One window over all channels.
    Dense(Sliding),
}

impl Way {
    /// Picks the way for `x` and `weight` of these shapes.
    ///
    /// # Panics
    ///
    /// See [`convolve`](crate::convolve).
    pub(crate) fn new(x: [usize; 4], weight: [usize; 4], convolution: Convolution) -> Self {
        let Convolution { is_depthwise, stride, padding } = convolution;
        let ([_, channels, size @ ..], [out, inputs, kernel @ ..]) = (x, weight);
        let window = Sliding::new(size, kernel, stride, padding);
        if is_depthwise {
            assert_eq!([out, inputs], [channels, 1], "one window a channel");
            return Way::Depthwise(window);
        }
        assert_eq!(inputs, channels, "the weight must have the channels of `x`");
        match (kernel, stride, padding) {
            ([1, 1], 1, [0, 0, 0, 0]) => Way::Pointwise,
            _ => Way::Dense(window),
        }
    }

    /// Whether the output has the height and width of the input.
    pub(crate) fn keeps_size(self) -> bool {
        match self {
            Way::Pointwise => true,
            Way::Depthwise(window) | Way::Dense(window) => window.size == window.out,
        }
    }

    pub(crate) fn forward(
        self,
        x: &FlexTensor,
        lines: Option<&Lines>,
        weight: &FlexTensor,
    ) -> FlexTensor {
        let [batch, _, height, width] = dims(x);
        let [out, channels, ..] = dims::<4>(weight);
        let x = source(x, lines);
        match self {
            Way::Pointwise => {
                let weight = Matrix::new(values(weight), [out, channels]);
                tensor(per_image(weight, x), [batch, out, height, width])
            }
            Way::Depthwise(window) => depthwise::forward(x, weight, window),
            Way::Dense(window) => dense::forward(x, weight, window),
        }
    }

    /// The gradient of the input, of `shape`.
    pub(crate) fn x_gradient(
        self,
        gradient: &FlexTensor,
        weight: &FlexTensor,
        shape: [usize; 4],
    ) -> FlexTensor {
        match self {
            Way::Pointwise => {
                let [out, channels, ..] = dims::<4>(weight);
                let weight = Matrix::new(values(weight), [out, channels]).transposed();
                tensor(per_image(weight, source(gradient, None)), shape)
            }
            Way::Depthwise(window) => depthwise::x_gradient(gradient, weight, shape, window),
            Way::Dense(window) => dense::x_gradient(gradient, weight, window),
        }
    }

    /// The gradient of the weights, of `shape`.
    pub(crate) fn weight_gradient(
        self,
        gradient: &FlexTensor,
        x: &FlexTensor,
        lines: Option<&Lines>,
        shape: [usize; 4],
    ) -> FlexTensor {
        let x = source(x, lines);
        match self {
            Way::Pointwise => tensor(outer(source(gradient, None), x), shape),
            Way::Depthwise(window) => depthwise::weight_gradient(gradient, x, window),
            Way::Dense(window) => dense::weight_gradient(gradient, x, shape, window),
        }
    }
}

fn source<'a>(x: &'a FlexTensor, lines: Option<&'a Lines>) -> Source<'a> {
    let [_, channels, height, width] = dims(x);
    Source::new(values(x), [channels, height * width], lines)
}
