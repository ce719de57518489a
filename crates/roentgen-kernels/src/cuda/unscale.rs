//! Division of gradients by the scale of their loss, and whether all of them are finite.
//!
//! As with Adam's steps, a gradient is noted and its quotient promised; [`all_finite`] divides all that were noted in a few
//! launches, and reads one number back.

use std::cell::RefCell;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::element::Element;
use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{THREADS, contiguous};
use super::source::File;

/// Gradients that a launch divides, `GRADIENTS` in the source.
const GRADIENTS: usize = 128;
/// Blocks for the largest gradient of a launch, at most.
const BLOCKS: usize = 256;

/// `struct Gradient` of the source: two addresses, and the number of values.
#[derive(Clone, Copy)]
#[repr(C)]
struct Gradient {
    scaled: u64,
    divided: u64,
    count: i64,
}

/// `struct Gradients` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Gradients([Gradient; GRADIENTS]);

/// Gradients that wait for their division.
struct Noted {
    /// Each gradient with its quotient, which often has the same memory.
    pairs: Vec<[CubeTensor; 2]>,
    factor: f32,
    /// One number, which becomes 1 when a value is not finite; `None` before the first gradient.
    found: Option<CubeTensor>,
}

thread_local! {
    static NOTED: RefCell<Noted> =
        const { RefCell::new(Noted { pairs: Vec::new(), factor: 1.0, found: None }) };
}

/// Operations on gradients of a scaled loss, which only a GPU needs kernels for.
#[backend_extension(Cube)]
pub(crate) trait Unscale: Backend {
    fn unscale(gradient: FloatTensor<Self>, factor: f32) -> FloatTensor<Self>;
}

impl Unscale for CubeBackend {
    fn unscale(gradient: CubeTensor, factor: f32) -> CubeTensor {
        note(gradient, factor)
    }
}

/// The gradient times a factor, once [`all_finite`] has been called on this thread.
pub(crate) fn unscale<const D: usize>(gradient: Tensor<D>, factor: f32) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::unscale(gradient.into_dispatch(), factor))
}

/// Divides the gradients that were noted on this thread since the last call; returns whether all are finite.
pub(crate) fn all_finite() -> bool {
    let found = NOTED.with_borrow_mut(|noted| {
        divide(noted);
        noted.found.take()
    });
    found.is_none_or(|found| {
        let bytes = found.client.read_one_unchecked(found.handle.clone());
        bytes[..4] == [0; 4]
    })
}

/// Forgets gradients that were noted on this thread and never divided.
pub(crate) fn forget() {
    NOTED.with_borrow_mut(|noted| {
        noted.pairs.clear();
        noted.found = None;
    });
}

pub(crate) fn note(gradient: CubeTensor, factor: f32) -> CubeTensor {
    let gradient = contiguous(gradient);
    let (client, device) = (gradient.client.clone(), gradient.device.clone());
    let divided = if gradient.handle.can_mut() {
        gradient.clone()
    } else {
        let shape = gradient.meta.shape().clone();
        let handle = client.empty(shape.num_elements() * DType::F32.size());
        CubeTensor::new_contiguous(client.clone(), device.clone(), shape, handle, DType::F32)
    };
    NOTED.with_borrow_mut(|noted| {
        // The factor is that of a launch.
        if noted.factor != factor || noted.pairs.len() == GRADIENTS {
            divide(noted);
        }
        noted.factor = factor;
        noted.found.get_or_insert_with(|| {
            let handle = client.create_from_slice(&0_u32.to_ne_bytes());
            CubeTensor::new_contiguous(client, device, [1].into(), handle, DType::U32)
        });
        noted.pairs.push([gradient, divided.clone()]);
    });
    divided
}

fn divide(noted: &mut Noted) {
    let Some(found) = &noted.found else { return };
    if noted.pairs.is_empty() {
        return;
    }
    let counts: Vec<usize> =
        noted.pairs.iter().map(|[gradient, _]| gradient.meta.shape().num_elements()).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let blocks = most.div_ceil(4 * THREADS).clamp(1, BLOCKS);
    let grid = Grid { blocks: [blocks, counts.len()], threads: [THREADS, 1] };
    let kernel = Kernel { file: File::Unscale, name: "unscale", element: Element::F32 };
    let mut tensors: Vec<&CubeTensor> = noted.pairs.iter().flatten().collect();
    tensors.push(found);
    let factor = noted.factor;
    enqueue(&tensors, move |gpu, at| {
        let none = Gradient { scaled: 0, divided: 0, count: 0 };
        let mut gradients = Gradients([none; GRADIENTS]);
        let (pairs, found) = at.split_at(2 * counts.len());
        for ((gradient, pair), &count) in
            gradients.0.iter_mut().zip(pairs.chunks_exact(2)).zip(&counts)
        {
            *gradient = Gradient { scaled: pair[0], divided: pair[1], count: count as i64 };
        }
        gpu.launch(kernel, grid, &mut [arg(&gradients), arg(&factor), arg(&found[0])]);
    });
    noted.pairs.clear();
}
