//! Channels concatenated, and taken apart again.

use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Kernel, arg, enqueue};
use super::rows::{dims, element, empty_rows, flat, wide};
use super::source::File;

/// `struct Channels` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Channels {
    count: i32,
    from: [i32; 2],
    to: [i32; 2],
}

/// What becomes of the channels that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Replaced,
    Added,
}

/// Moves `count` channels of the rows of `from`, from its channel `first` on, to those of `to` from `to_first` on.
fn move_channels(
    [from, to]: [&CubeTensor; 2],
    count: usize,
    [first, to_first]: [usize; 2],
    there: There,
) {
    let [batch, from_channels, height, width] = dims(from);
    let [_, to_channels, ..] = dims::<4>(to);
    let sizes = [count, from_channels, first, to_channels, to_first];
    let wide = wide(element(from), 0);
    let at_once = if sizes.iter().all(|size| size.is_multiple_of(wide)) { wide } else { 1 };
    let name = match (there, at_once) {
        (There::Replaced, 1) => "channels_copy_one",
        (There::Replaced, _) => "channels_copy_wide",
        (There::Added, 1) => "channels_add_one",
        (There::Added, _) => "channels_add_wide",
    };
    let kernel = Kernel { file: File::Layout, name, element: element(from) };
    let [count, from_channels, first, to_channels, to_first] = sizes.map(|size| size as i32);
    let channels = Channels { count, from: [from_channels, first], to: [to_channels, to_first] };
    let rows = batch * height * width;
    let grid = flat(rows * (count as usize / at_once));
    enqueue(&[from, to], move |gpu, at| {
        let rows = rows as i64;
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&rows), arg(&channels)];
        gpu.launch(kernel, grid, &mut arguments);
    });
}

/// Concatenates the channels of `x` and of `added`.
pub(crate) fn concat_channels(x: &CubeTensor, added: &CubeTensor) -> CubeTensor {
    let [batch, channels, height, width] = dims(x);
    let [_, more, ..] = dims::<4>(added);
    let y = empty_rows(x, [batch, channels + more, height, width], element(x));
    move_channels([x, &y], channels, [0, 0], There::Replaced);
    move_channels([added, &y], more, [0, channels], There::Replaced);
    y
}

/// The channels from `first` on.
pub(crate) fn channels_from(x: &CubeTensor, first: usize) -> CubeTensor {
    let [batch, all, height, width] = dims(x);
    let y = empty_rows(x, [batch, all - first, height, width], element(x));
    move_channels([x, &y], all - first, [first, 0], There::Replaced);
    y
}

/// Adds the first channels of `more` to `x` in place.
pub(crate) fn add_front(x: &CubeTensor, more: &CubeTensor) {
    let [_, channels, ..] = dims::<4>(x);
    move_channels([more, x], channels, [0, 0], There::Added);
}
