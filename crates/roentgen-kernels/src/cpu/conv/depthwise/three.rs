//! The faster algorithm for 3x3 windows with a stride of one or two, those of the MobileNets.

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::conv::depthwise::window::{Correlation, PlaneGradient, WeightGradient, Window3x3};
use crate::cpu::conv::input::ConvInput;
use crate::cpu::storage::{build_vec, split_by_channel, tensor, values};

pub(super) fn forward(x: ConvInput, weight: &FlexTensor, window: Window3x3) -> FlexTensor {
    let (batch, channels) = (x.batch(), x.channels);
    let [out_height, out_width] = window.out;
    let out_plane = out_height * out_width;
    let weights = values(weight).as_chunks::<9>().0;
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `out`, and `run` writes a whole plane.
    let out = unsafe {
        build_vec(batch * channels * out_plane, |out| {
            split_by_channel(out, channels, out_plane).into_par_iter().enumerate().for_each_init(
                || (Correlation::new(window), Vec::new()),
                |(correlation, scratch), (channel, out)| {
                    for (image, out) in out.into_iter().enumerate() {
                        let plane = x.plane([image, channel], scratch);
                        correlation.run(plane, &weights[channel], out);
                    }
                },
            );
        })
    };
    tensor(out, [batch, channels, out_height, out_width])
}

pub(super) fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    shape: [usize; 4],
    window: Window3x3,
) -> FlexTensor {
    let [batch, channels, height, width] = shape;
    let (plane, out_plane) = (height * width, window.out[0] * window.out[1]);
    let (gradient, weights) = (values(gradient), values(weight).as_chunks::<9>().0);
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `dx`, and `run` writes a whole plane.
    let dx = unsafe {
        build_vec(batch * channels * plane, |dx| {
            split_by_channel(dx, channels, plane).into_par_iter().enumerate().for_each_init(
                || PlaneGradient::new(window),
                |scratch, (channel, dx)| {
                    for (image, dx) in dx.into_iter().enumerate() {
                        let start = (image * channels + channel) * out_plane;
                        scratch.run(&gradient[start..][..out_plane], &weights[channel], dx);
                    }
                },
            );
        })
    };
    tensor(dx, shape)
}

pub(super) fn weight_gradient(
    gradient: &FlexTensor,
    x: ConvInput,
    window: Window3x3,
) -> FlexTensor {
    let (batch, channels, out_plane) = (x.batch(), x.channels, window.out[0] * window.out[1]);
    let gradient = values(gradient);
    let mut out = vec![0.0; channels * 9];
    out.par_chunks_exact_mut(9).enumerate().for_each_init(
        || (WeightGradient::new(window), Vec::new()),
        |(sums, scratch), (channel, out)| {
            let mut sum = [0.0f64; 9];
            for image in 0..batch {
                let index = image * channels + channel;
                let plane = x.plane([image, channel], scratch);
                let part = sums.run(plane, &gradient[index * out_plane..][..out_plane]);
                for (sum, part) in sum.iter_mut().zip(part) {
                    *sum += f64::from(part);
                }
            }
            for (out, sum) in out.iter_mut().zip(sum) {
                *out = sum as f32;
            }
        },
    );
    tensor(out, [channels, 1, 3, 3])
}
