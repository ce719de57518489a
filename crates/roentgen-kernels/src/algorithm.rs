//! The algorithms that compute a convolution, and which of them fits.

use crate::geometry::WindowGeometry;
use crate::settings::Convolution;

/// An algorithm with everything that it takes from the shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// A matrix product for each image.
    Pointwise,
    /// A window of its own for each channel.
    Depthwise(WindowGeometry),
    /// One window over all channels.
    Dense(WindowGeometry),
}

impl Algorithm {
    /// Chooses the algorithm for `x` and `weight` of these shapes.
    ///
    /// # Panics
    ///
    /// See [`convolve`](crate::convolve).
    pub(crate) fn new(x: [usize; 4], weight: [usize; 4], convolution: Convolution) -> Self {
        let Convolution { is_depthwise, stride, padding } = convolution;
        let ([_, channels, size @ ..], [out, inputs, kernel @ ..]) = (x, weight);
        let window = WindowGeometry::new(size, kernel, stride, padding);
        if is_depthwise {
            assert_eq!([out, inputs], [channels, 1], "one window a channel");
            return Algorithm::Depthwise(window);
        }
        assert_eq!(inputs, channels, "the weight must have the channels of `x`");
        match (kernel, stride, padding) {
            ([1, 1], 1, [0, 0, 0, 0]) => Algorithm::Pointwise,
            _ => Algorithm::Dense(window),
        }
    }

    /// Whether the output has the height and width of the input.
    pub(crate) fn keeps_size(self) -> bool {
        match self {
            Algorithm::Pointwise => true,
            Algorithm::Depthwise(window) | Algorithm::Dense(window) => window.size == window.out,
        }
    }
}
