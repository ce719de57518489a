//! What a dense convolution is asked for.

use super::element::Element;
use crate::geometry::WindowGeometry;

/// A convolution of one window over all channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DenseCall {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) outs: usize,
    pub(crate) window: WindowGeometry,
    pub(crate) element: Element,
}

impl DenseCall {
    /// The convolution of an input of these dimensions to `outs` channels.
    pub(crate) fn new(
        [batch, channels, ..]: [usize; 4],
        outs: usize,
        window: WindowGeometry,
        element: Element,
    ) -> Self {
        Self { batch, channels, outs, window, element }
    }
}
