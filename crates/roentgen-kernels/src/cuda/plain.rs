//! Dense convolutions in the plainest way, for shapes that cuDNN is not asked for. They are slow.

use burn_cubecl::tensor::CubeTensor;

use super::call::DenseCall;
use super::gpu::{Grid, Kernel, arg, enqueue};
use super::rows::{THREADS, Window, flat};
use super::source::File;

/// Convolves: input, weight in row-major order, output.
pub(crate) fn forward(call: DenseCall, tensors: [&CubeTensor; 3]) {
    let count = call.batch * call.window.out_plane() * call.outs;
    run(call, "dense_any", tensors, count, flat(count));
}

/// The gradient of the input: gradient, weight in row-major order, gradient of the input.
pub(crate) fn x_gradient(call: DenseCall, tensors: [&CubeTensor; 3]) {
    let count = call.batch * call.window.plane() * call.channels;
    run(call, "dense_x_any", tensors, count, flat(count));
}

/// The gradient of the weight: gradient, input, gradient of the weight. A block makes each weight.
pub(crate) fn weight_gradient(call: DenseCall, tensors: [&CubeTensor; 3]) {
    let weights = call.outs * call.channels * call.window.taps();
    let grid = Grid { blocks: [weights, 1], threads: [THREADS, 1] };
    run(call, "dense_weight_any", tensors, call.batch * call.window.out_plane(), grid);
}

fn run(call: DenseCall, name: &'static str, tensors: [&CubeTensor; 3], count: usize, grid: Grid) {
    let kernel = Kernel { file: File::Dense, name, element: call.element };
    let (window, outs) = (Window::new(call.window, call.channels), call.outs as i32);
    enqueue(&tensors, move |gpu, at| {
        let count = count as i64;
        let mut arguments =
            [arg(&at[0]), arg(&at[1]), arg(&at[2]), arg(&count), arg(&window), arg(&outs)];
        gpu.launch(kernel, grid, &mut arguments);
    });
}
