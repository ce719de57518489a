//! Tensors as rows of channels (NHWC): a row is a pixel of an image.

use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;

use super::element::Element;
use super::gpu::{Grid, Kernel, arg, enqueue};
use super::source::File;
use crate::geometry::WindowGeometry;

/// Threads of a block.
pub(crate) const THREADS: usize = 256;
/// Blocks that keep the largest of GPUs busy where each thread has several loads under way: 132 multiprocessors, three
/// blocks each.
const BUSY: usize = 396;

/// The dimensions of a tensor of rank `D`.
pub(crate) fn dims<const D: usize>(tensor: &CubeTensor) -> [usize; D] {
    tensor.meta.shape().dims()
}

pub(crate) fn element(tensor: &CubeTensor) -> Element {
    Element::of(tensor.dtype).expect("only tensors with an element come here")
}

/// An unfilled tensor in row-major order, beside another.
pub(crate) fn empty<const D: usize>(
    beside: &CubeTensor,
    shape: [usize; D],
    dtype: DType,
) -> CubeTensor {
    let bytes = shape.iter().product::<usize>().max(1) * dtype.size();
    let handle = beside.client.empty(bytes);
    CubeTensor::new_contiguous(
        beside.client.clone(),
        beside.device.clone(),
        Shape::from(shape),
        handle,
        dtype,
    )
}

/// Unfilled tensors in row-major order of float, side by side in one allocation.
pub(crate) fn empty_floats<const N: usize>(
    beside: &CubeTensor,
    shapes: [&[usize]; N],
) -> [CubeTensor; N] {
    let bytes = shapes.map(|shape| (shape.iter().product::<usize>() * 4).next_multiple_of(16));
    let whole = bytes.iter().sum::<usize>();
    let handle = beside.client.empty(whole);
    let mut before = 0;
    std::array::from_fn(|index| {
        let after = whole - before - bytes[index];
        let part = handle.clone().offset_start(before as u64).offset_end(after as u64);
        before += bytes[index];
        let (client, device) = (beside.client.clone(), beside.device.clone());
        CubeTensor::new_contiguous(
            client,
            device,
            Shape::from(shapes[index].to_vec()),
            part,
            DType::F32,
        )
    })
}

/// An unfilled tensor of `[batch, channels, height, width]` that is stored as rows of channels.
pub(crate) fn empty_rows(beside: &CubeTensor, shape: [usize; 4], element: Element) -> CubeTensor {
    let [batch, channels, height, width] = shape;
    let rows = empty(beside, [batch, height, width, channels], element.dtype());
    burn_cubecl::ops::permute(rows, &[0, 3, 1, 2])
}

/// The tensor as rows of channels: itself if it is stored so, otherwise a copy.
pub(crate) fn rows(tensor: CubeTensor) -> CubeTensor {
    let shape @ [batch, channels, height, width] = dims(&tensor);
    let strides: [usize; 4] = std::array::from_fn(|axis| tensor.meta.strides()[axis]);
    let wanted = [height * width * channels, 1, width * channels, channels];
    let lies_so = (0..4).all(|axis| shape[axis] == 1 || strides[axis] == wanted[axis]);
    if lies_so {
        return tensor;
    }
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Strided {
        sizes: [i32; 3],
        strides: [i64; 4],
    }
    let y = empty_rows(&tensor, shape, element(&tensor));
    let kernel = Kernel { file: File::Layout, name: "gather", element: element(&tensor) };
    let strided = Strided {
        sizes: numbers([channels, height, width]),
        strides: strides.map(|stride| stride as i64),
    };
    let count = batch * channels * height * width;
    enqueue(&[&tensor, &y], move |gpu, at| {
        let count = count as i64;
        let mut arguments = [arg(&at[0]), arg(&at[1]), arg(&count), arg(&strided)];
        gpu.launch(kernel, flat(count as usize), &mut arguments);
    });
    y
}

/// The tensor in row-major order: itself if it is stored so, otherwise a copy.
pub(crate) fn contiguous(tensor: CubeTensor) -> CubeTensor {
    burn_cubecl::kernel::into_contiguous(tensor)
}

/// `struct Window` of the source: how a window slides over the planes of a film.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Window {
    size: [i32; 2],
    channels: i32,
    out: [i32; 2],
    before: [i32; 2],
    kernel: [i32; 2],
    stride: i32,
}

impl Window {
    pub(crate) fn new(window: WindowGeometry, channels: usize) -> Self {
        let WindowGeometry { size, out, kernel, stride, before, .. } = window;
        Self {
            size: numbers(size),
            channels: channels as i32,
            out: numbers(out),
            before: numbers(before),
            kernel: numbers(kernel),
            stride: stride as i32,
        }
    }
}

/// Sizes as the source has them.
pub(crate) fn numbers<const N: usize>(sizes: [usize; N]) -> [i32; N] {
    sizes.map(|size| size as i32)
}

/// A thread for each of `count` values.
pub(crate) fn flat(count: usize) -> Grid {
    Grid { blocks: [count.div_ceil(THREADS), 1], threads: [THREADS, 1] }
}

/// Channels that a thread takes at once, for loads of 16 bytes: all of them or one.
pub(crate) fn wide(element: Element, channels: usize) -> usize {
    let wide = 16 / element.bytes();
    if channels.is_multiple_of(wide) { wide } else { 1 }
}

/// Rows and channels of a tensor, and how many channels a thread takes at once.
pub(crate) fn row_sizes(x: &CubeTensor) -> (usize, usize, usize) {
    let [batch, channels, height, width] = dims(x);
    (batch * height * width, channels, wide(element(x), channels))
}

/// Threads of a block over channels, of which each takes `at_once`, and over rows.
fn block(channels: usize, at_once: usize) -> ([usize; 2], usize) {
    let groups = channels.div_ceil(at_once);
    let across = (1 << groups.ilog2()).min(32);
    ([across, THREADS / across], groups.div_ceil(across))
}

/// A thread for each row and group of channels.
pub(crate) fn each(rows: usize, channels: usize, at_once: usize) -> Grid {
    let (threads, groups) = block(channels, at_once);
    Grid { blocks: [rows.div_ceil(threads[1]), groups], threads }
}

/// Threads of one warp for each row, of which each takes `at_once` channels at a time.
pub(crate) fn by_row(rows: usize, channels: usize, at_once: usize) -> Grid {
    let (threads, _) = block(channels, at_once);
    Grid { blocks: [rows.div_ceil(threads[1]), 1], threads }
}

/// A thread for several rows of a group of channels, in as few blocks as keep the GPU busy: `blocks[0]` is the number of
/// partial sums. It depends on shapes alone.
pub(crate) fn some(rows: usize, channels: usize, at_once: usize) -> Grid {
    let (threads, groups) = block(channels, at_once);
    let most = (BUSY / groups).max(1);
    let parts = rows.div_ceil(threads[1] * 4).clamp(1, most);
    Grid { blocks: [parts, groups], threads }
}
