//! The step of Adam and the running statistics: what moves once a step.
//!
//! A network has hundreds of parameters, and a launch for each would cost more than all of their steps. So a step is noted,
//! its results are promised, and [`flush`] takes all that were noted in a few launches.

use std::cell::RefCell;

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::element::Element;
use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{THREADS, contiguous, dims, flat};
use super::source::File;
use crate::settings::AdamStep;

/// Parameters that a launch moves, `PIECES` in the source.
const PIECES: usize = 48;
/// Blocks for the largest parameter of a launch, at most.
const BLOCKS: usize = 256;

/// `struct Adam` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Factors {
    betas: [f32; 2],
    epsilon: f32,
    corrections: [f32; 2],
}

/// `struct Piece` of the source: addresses in the order of [`Promised::tensors`], and how many values there are.
#[derive(Clone, Copy)]
#[repr(C)]
struct Piece {
    addresses: [u64; 7],
    count: i64,
}

/// `struct Pieces` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Pieces([Piece; PIECES]);

/// A step that was noted.
struct Promised {
    /// Parameter, mean, square and gradient, then the new parameter, mean and square.
    tensors: [CubeTensor; 7],
    step: AdamStep,
}

thread_local! {
    static PROMISED: RefCell<Vec<Promised>> = const { RefCell::new(Vec::new()) };
}

/// Parameter and means, moved once [`flush`] is called, in memory of their own: whether the old is still used elsewhere is
/// not asked.
pub(crate) fn step(
    moments: [CubeTensor; 3],
    gradient: CubeTensor,
    step: AdamStep,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [parameter, mean, square] = moments.map(contiguous);
    let gradient = contiguous(gradient);
    let count = gradient.meta.shape().num_elements();
    let moved = [0, 1, 2].map(|_| {
        let handle = gradient.client.empty(count * DType::F32.size());
        let (client, device) = (gradient.client.clone(), gradient.device.clone());
        let shape = gradient.meta.shape().clone();
        CubeTensor::new_contiguous(client, device, shape, handle, DType::F32)
    });
    let [a, b, c] = moved.clone();
    PROMISED.with_borrow_mut(|promised| {
        // Factors are those of a launch.
        if promised.last().is_some_and(|last| last.step != step) {
            take(promised);
        }
        promised.push(Promised { tensors: [parameter, mean, square, gradient, a, b, c], step });
        if promised.len() == PIECES {
            take(promised);
        }
    });
    moved.into()
}

/// Takes the steps that were noted on this thread.
pub(crate) fn flush() {
    PROMISED.with_borrow_mut(take);
}

fn take(promised: &mut Vec<Promised>) {
    let Some(Promised { step, .. }) = promised.first() else { return };
    let factors =
        Factors { betas: step.betas, epsilon: step.epsilon, corrections: step.corrections() };
    let counts: Vec<usize> =
        promised.iter().map(|one| one.tensors[0].meta.shape().num_elements()).collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let blocks = most.div_ceil(4 * THREADS).clamp(1, BLOCKS);
    let grid = Grid { blocks: [blocks, counts.len()], threads: [THREADS, 1] };
    let kernel = Kernel { file: File::Adam, name: "adam", element: Element::F32 };
    let tensors: Vec<&CubeTensor> = promised.iter().flat_map(|one| &one.tensors).collect();
    enqueue(&tensors, move |gpu, at| {
        let mut pieces = Pieces([Piece { addresses: [0; 7], count: 0 }; PIECES]);
        for ((piece, addresses), &count) in pieces.0.iter_mut().zip(at.chunks_exact(7)).zip(&counts)
        {
            *piece = Piece {
                addresses: std::array::from_fn(|index| addresses[index]),
                count: count as i64,
            };
        }
        gpu.launch(kernel, grid, &mut [arg(&pieces), arg(&factors)]);
    });
    promised.clear();
}

/// `running * (1 - momentum) + batch * momentum` of mean and variance, in place.
pub(crate) fn follow(running: [&CubeTensor; 2], batch: [&CubeTensor; 2], momentum: f64) {
    let [channels] = dims(running[0]);
    let kernel = Kernel { file: File::Norm, name: "follow", element: Element::F32 };
    enqueue(&[running[0], running[1], batch[0], batch[1]], move |gpu, at| {
        let (momentum, count) = (momentum as f32, channels as i32);
        let mut arguments =
            [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&at[3]), arg(&momentum), arg(&count)];
        gpu.launch(kernel, flat(channels), &mut arguments);
    });
}
