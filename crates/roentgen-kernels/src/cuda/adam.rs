//! The step of Adam and the running statistics: what moves once a step.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::gpu::{Element, Grid, Kernel, arg, enqueue};
use super::rows::{THREADS, contiguous, dims, empty, flat};
use super::source::File;
use crate::AdamStep;

/// `struct Adam` of the source.
#[derive(Clone, Copy)]
#[repr(C)]
struct Factors {
    betas: [f32; 2],
    epsilon: f32,
    corrections: [f32; 2],
}

/// Parameter and means, moved, in memory of their own: whether the old is still used elsewhere is not asked.
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
        CubeTensor::new_contiguous(client, device, gradient.meta.shape().clone(), handle, DType::F32)
    });
    let kernel = Kernel { file: File::Adam, name: "adam", element: Element::F32 };
    let factors = Factors {
        betas: step.betas,
        epsilon: step.epsilon,
        corrections: step.corrections(),
    };
    let grid = Grid { blocks: [count.div_ceil(THREADS).min(1056), 1], threads: [THREADS, 1] };
    let [new_parameter, new_mean, new_square] = &moved;
    let tensors =
        [&parameter, &mean, &square, &gradient, new_parameter, new_mean, new_square];
    enqueue(&tensors, move |gpu, at| {
        let count = count as i64;
        let mut arguments: Vec<_> = at.iter().map(arg).collect();
        arguments.extend([arg(&count), arg(&factors)]);
        gpu.launch(kernel, grid, &mut arguments);
    });
    moved.into()
}

/// `running * (1 - momentum) + batch * momentum`
pub(crate) fn follow(running: &CubeTensor, batch: &CubeTensor, momentum: f64) -> CubeTensor {
    let [channels] = dims(running);
    let moved = empty(running, [channels], DType::F32);
    let kernel = Kernel { file: File::Norm, name: "follow", element: Element::F32 };
    enqueue(&[running, batch, &moved], move |gpu, at| {
        let (momentum, count) = (momentum as f32, channels as i32);
        let mut arguments =
            [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&momentum), arg(&count)];
        gpu.launch(kernel, flat(channels), &mut arguments);
    });
    moved
}
