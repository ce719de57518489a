//! Pools: the greatest value under a window, the mean of two by two values, the mean over a film.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::affine::{Bend, ChannelAffine};
use super::element::Element;
use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{Window, contiguous, dims, each, element, empty, empty_rows, rows, wide};
use super::source::File;
use crate::activation::{Activation, Curve};
use crate::geometry::WindowGeometry;

fn kernel(name: &'static str, element: Element) -> Kernel {
    Kernel { file: File::Pool, name, element }
}

/// The greatest values of rows `x`, shifted and clamped where there is a shift, and the tap of each as a byte.
pub(crate) fn max_of_windows(
    x: &CubeTensor,
    shift: Option<(&CubeTensor, [f32; 2])>,
    window: WindowGeometry,
) -> (CubeTensor, CubeTensor) {
    let [batch, channels, ..] = dims::<4>(x);
    let [height, width] = window.out;
    let y = empty_rows(x, [batch, channels, height, width], element(x));
    let taps = empty(x, [batch, height, width, channels], DType::U8);
    let pixels = batch * height * width;
    let at_once = wide(element(x), channels);
    let name = if at_once == 1 { "max_pool_one" } else { "max_pool_wide" };
    let (kernel, grid) = (kernel(name, element(x)), each(pixels, channels, at_once));
    let window = Window::new(window, channels);
    let curve = shift.map_or(Activation::Linear.curve(), |(_, limits)| Curve::Clamp(limits));
    let (bend, has_shift) = (Bend::from(curve), shift.is_some());
    let shift = shift.map_or(x, |(shift, _)| shift);
    enqueue(&[x, shift, &y, &taps], move |gpu, at| {
        let shift = if has_shift { at[1] } else { 0 };
        let pixels = pixels as i64;
        let mut arguments = [
            arg(&at[0]),
            arg(&shift),
            arg(&at[2]),
            arg(&at[3]),
            arg(&pixels),
            arg(&window),
            arg(&bend),
        ];
        gpu.launch(kernel, grid, &mut arguments);
    });
    (y, taps)
}

/// The gradient of an input of [`max_of_windows`], of a gradient in any layout.
pub(crate) fn to_taps(
    gradient: CubeTensor,
    taps: &CubeTensor,
    window: WindowGeometry,
) -> CubeTensor {
    let gradient = rows(gradient);
    let [batch, channels, ..] = dims::<4>(&gradient);
    let [height, width] = window.size;
    let dx = empty_rows(&gradient, [batch, channels, height, width], element(&gradient));
    let pixels = batch * height * width;
    let at_once = wide(element(&gradient), channels);
    let name = if at_once == 1 { "max_pool_back_one" } else { "max_pool_back_wide" };
    let kernel = kernel(name, element(&gradient));
    let (grid, window) = (each(pixels, channels, at_once), Window::new(window, channels));
    enqueue(&[&gradient, taps, &dx], move |gpu, at| {
        let pixels = pixels as i64;
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&pixels), arg(&window)];
        gpu.launch(kernel, grid, &mut arguments);
    });
    dx
}

fn halves(size: [usize; 2]) -> WindowGeometry {
    WindowGeometry::new(size, [2, 2], 2, [0; 4])
}

/// The mean of each two by two values of rows `x` after their affine.
pub(crate) fn mean(x: &CubeTensor, affine: &ChannelAffine) -> CubeTensor {
    let [batch, channels, height, width] = dims(x);
    let window = halves([height, width]);
    let y = empty_rows(x, [batch, channels, window.out[0], window.out[1]], element(x));
    let pixels = batch * window.out_plane();
    let (kernel, grid) = (kernel("mean_pool", element(x)), each(pixels, channels, 1));
    let (window, bend) = (Window::new(window, channels), Bend::from(affine.curve));
    enqueue(&[x, &affine.coefficients, &y], move |gpu, at| {
        let pixels = pixels as i64;
        let mut arguments =
            [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&pixels), arg(&window), arg(&bend)];
        gpu.launch(kernel, grid, &mut arguments);
    });
    y
}

/// A quarter of each gradient to each of the four values of a map of `shape`.
pub(crate) fn mean_backward(gradient: CubeTensor, shape: [usize; 4]) -> CubeTensor {
    let gradient = rows(gradient);
    let [batch, channels, height, width] = shape;
    let inner = empty_rows(&gradient, shape, element(&gradient));
    let pixels = batch * height * width;
    let kernel = kernel("mean_pool_back", element(&gradient));
    let grid = each(pixels, channels, 1);
    let window = Window::new(halves([height, width]), channels);
    enqueue(&[&gradient, &inner], move |gpu, at| {
        let pixels = pixels as i64;
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&pixels), arg(&window)];
        gpu.launch(kernel, grid, &mut arguments);
    });
    inner
}

/// A block for each film and 256 of its channels.
fn films(batch: usize, channels: usize) -> Grid {
    Grid { blocks: [batch, channels.div_ceil(256)], threads: [256, 1] }
}

/// The mean over each film of rows `x`, `[batch, channels]` in float.
pub(crate) fn film_mean(x: &CubeTensor) -> CubeTensor {
    let [batch, channels, height, width] = dims(x);
    let y = empty(x, [batch, channels], DType::F32);
    let kernel = kernel("film_mean", element(x));
    enqueue(&[x, &y], move |gpu, at| {
        let (pixels, count) = ((height * width) as i32, channels as i32);
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&pixels), arg(&count)];
        gpu.launch(kernel, films(batch, channels), &mut arguments);
    });
    y
}

/// The gradient of an input of [`film_mean`] of `shape`.
pub(crate) fn film_mean_backward(
    gradient: CubeTensor,
    shape: [usize; 4],
    element: Element,
) -> CubeTensor {
    let gradient = contiguous(gradient);
    let [batch, channels, height, width] = shape;
    let dx = empty_rows(&gradient, shape, element);
    let kernel = kernel("film_mean_back", element);
    enqueue(&[&gradient, &dx], move |gpu, at| {
        let (pixels, count) = ((height * width) as i32, channels as i32);
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&pixels), arg(&count)];
        gpu.launch(kernel, films(batch, channels), &mut arguments);
    });
    dx
}
