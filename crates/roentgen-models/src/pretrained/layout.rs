//! How the values of a tensor in a file become ours: whether its shape fits, and in which order its
//! axes are.

use super::spelling::Source;
use super::{PublishedTensor, WeightFile};

/// How the values of a tensor in a file become ours.
pub(super) enum Layout {
    /// They are in our order.
    Same,
    /// The three colors of the first convolution are summed.
    Summed,
}

/// Returns the layout of a tensor of shape `there` in ours; `None` if it does not fit.
pub(super) fn layout(there: &[usize], wanted: &[usize]) -> Option<Layout> {
    // Axes of length one at the end do not move a value: a dense layer is a 1x1 convolution here.
    if there == wanted || trim_ones(there) == trim_ones(wanted) {
        return Some(Layout::Same);
    }
    match (there, wanted) {
        // Films are gray: this is the response of a color network to three equal channels.
        ([out, 3, height, width], [o, 1, h, w]) if [out, height, width] == [o, h, w] => {
            Some(Layout::Summed)
        }
        _ => None,
    }
}

/// Returns the shape of a source in our order of axes; `None` if it is not a tensor.
pub(super) fn shape_of(file: &WeightFile, source: &Source) -> Option<Vec<usize>> {
    match source {
        Source::Constant(_) | Source::Nowhere => None,
        Source::Tensor(name) => file.shape(name).map(<[usize]>::to_vec),
        Source::ChannelsLast(name) => match *file.shape(name)? {
            [1, height, width, channels] => Some(vec![channels, 1, height, width]),
            [out, height, width, channels] => Some(vec![out, channels, height, width]),
            ref other => Some(other.to_vec()),
        },
    }
}

/// Whether a source has the shape of our tensor.
pub(super) fn fits(file: &WeightFile, wanted: &PublishedTensor, source: &Source) -> bool {
    shape_of(file, source).is_none_or(|there| layout(&there, &wanted.shape).is_some())
}

/// Returns a shape without the axes of length one at its end.
fn trim_ones(shape: &[usize]) -> &[usize] {
    let len = shape.iter().rposition(|&axis| axis != 1).map_or(0, |last| last + 1);
    &shape[..len]
}
