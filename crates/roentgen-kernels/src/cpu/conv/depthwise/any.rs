//! Windows of any size: EfficientNet's 5x5, NASNet's 5x5 and 7x7.

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::conv::depthwise::padded::PaddedPlane;
use crate::cpu::conv::input::ConvInput;
use crate::cpu::storage::{split_by_channel, tensor, values};
use crate::geometry::WindowGeometry;

pub(super) fn forward(x: ConvInput, weight: &FlexTensor, window: WindowGeometry) -> FlexTensor {
    let (batch, channels, weight) = (x.batch(), x.channels, values(weight));
    let mut y = vec![0.0; batch * channels * window.out_plane()];
    split_by_channel(&mut y, channels, window.out_plane())
        .into_par_iter()
        .zip(weight.par_chunks_exact(window.taps()))
        .enumerate()
        .for_each_init(
            || (PaddedPlane::new(window), Vec::new()),
            |(padded, scratch), (channel, (y, weight))| {
                for (image, y) in y.into_iter().enumerate() {
                    padded.load(x.plane([image, channel], scratch));
                    padded.correlate(weight, y);
                }
            },
        );
    tensor(y, [batch, channels, window.out[0], window.out[1]])
}

pub(super) fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    shape: [usize; 4],
    window: WindowGeometry,
) -> FlexTensor {
    let (channels, plane) = (shape[1], window.out_plane());
    let (gradient, weight) = (values(gradient), values(weight));
    let mut dx = vec![0.0; shape.iter().product()];
    split_by_channel(&mut dx, channels, window.plane())
        .into_par_iter()
        .zip(weight.par_chunks_exact(window.taps()))
        .enumerate()
        .for_each_init(
            || PaddedPlane::new(window),
            |padded, (channel, (dx, weight))| {
                for (image, dx) in dx.into_iter().enumerate() {
                    let start = (image * channels + channel) * plane;
                    padded.spread(weight, &gradient[start..][..plane]);
                    padded.unload(dx);
                }
            },
        );
    tensor(dx, shape)
}

pub(super) fn weight_gradient(
    gradient: &FlexTensor,
    x: ConvInput,
    window: WindowGeometry,
) -> FlexTensor {
    let (batch, channels, out_plane) = (x.batch(), x.channels, window.out_plane());
    let gradient = values(gradient);
    let mut dw = vec![0.0; channels * window.taps()];
    dw.par_chunks_exact_mut(window.taps()).enumerate().for_each_init(
        || (PaddedPlane::new(window), Vec::new()),
        |(padded, scratch), (channel, dw)| {
            let mut sums = vec![0.0f64; dw.len()];
            for image in 0..batch {
                let index = image * channels + channel;
                padded.load(x.plane([image, channel], scratch));
                padded.weigh(&gradient[index * out_plane..][..out_plane], &mut sums);
            }
            dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw = sum as f32);
        },
    );
    tensor(dw, [channels, 1, window.kernel[0], window.kernel[1]])
}
