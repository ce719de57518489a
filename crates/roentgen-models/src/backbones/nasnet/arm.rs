//! One operation of a NASNet cell: a separable convolution, a pool, or the identity.
//!
//! A separable convolution is applied twice, each time after a ReLU; the stride is in the first
//! round.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};

use super::EPSILON;
use crate::layers::{
    Activation, ConvConfig, ConvNorm, ConvNormConfig, Padding, convolve, max_pool,
};

/// Window of the pools.
const POOL: [usize; 2] = [3, 3];

/// An operation of a cell on one of its states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// No operation.
    Identity,
    /// Average pool of 3x3.
    AveragePool,
    /// Max pool of 3x3.
    MaxPool,
    /// A depthwise convolution with this window and a pointwise one, twice.
    Separable(usize),
}

/// Treatment of the edge in operations with stride 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Amount of padding.
    pub(crate) padding: Padding,
    /// Values that an average pool counts.
    pub(crate) average: Average,
}

/// Values that an average pool counts at the edge. With stride 1 it is always the film's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Average {
    /// The whole window, with zeros outside the film.
    OfWindow,
    /// The part of the window on the film.
    OfFilm,
}

/// Configuration of an [`Arm`].
#[derive(Clone, Copy, Debug)]
pub(super) struct ArmConfig {
    pub(crate) operation: Operation,
    /// Index of the input state.
    pub(crate) state: usize,
    /// Input and output channels; only a separable convolution may change them.
    pub(crate) channels: [usize; 2],
    pub(crate) stride: usize,
    pub(crate) edge: Edge,
}

/// An operation on a state.
#[derive(Module, Debug)]
pub(super) struct Arm {
    /// Empty unless the operation is a separable convolution.
    rounds: Vec<Round>,
    #[module(skip)]
    operation: Operation,
    #[module(skip)]
    state: usize,
    #[module(skip)]
    stride: usize,
    #[module(skip)]
    edge: Edge,
}

/// ReLU, depthwise convolution, pointwise convolution, batch norm.
#[derive(Module, Debug)]
struct Round {
    depthwise: Conv2d,
    pointwise: ConvNorm,
    #[module(skip)]
    padding: Padding,
}

impl ArmConfig {
    /// Creates the operation with random weights.
    pub(super) fn init(&self, device: &Device) -> Arm {
        let Self { operation, state, channels: [channels, out], stride, edge } = *self;
        let rounds = match operation {
            Operation::Separable(kernel) => [([channels, out], stride), ([out, out], 1)]
                .map(|(channels, stride)| {
                    Round::init(channels, kernel, stride, edge.padding, device)
                })
                .into(),
            Operation::Identity | Operation::AveragePool | Operation::MaxPool => Vec::new(),
        };
        Arm { rounds, operation, state, stride, edge }
    }
}

impl Arm {
    /// Applies the operation to its state.
    ///
    /// # Shapes
    ///
    /// - `states`: `[batch, channels in, height, width]` each
    /// - output: `[batch, channels out, ceil(height / stride), ceil(width / stride)]`
    pub(super) fn forward(&self, states: &[Tensor<4>]) -> Tensor<4> {
        let x = states[self.state].clone();
        match self.operation {
            Operation::Identity => x,
            Operation::AveragePool => self.average_pool(x),
            Operation::MaxPool => max_pool(x, POOL[0], self.stride, self.edge.padding),
            Operation::Separable(_) => self.rounds.iter().fold(x, |x, round| round.forward(x)),
        }
    }

    fn average_pool(&self, x: Tensor<4>) -> Tensor<4> {
        let counts_zeros = self.stride > 1 && self.edge.average == Average::OfWindow;
        let options = AvgPoolOptions::new(POOL)
            .with_stride([self.stride; 2])
            .with_padding_pairs(self.padding(&x))
            .with_count_include_pad(counts_zeros);
        avg_pool2d(x, options)
    }

    /// Returns the rows above and below and the columns left and right that a pool pads.
    fn padding(&self, x: &Tensor<4>) -> [(usize, usize); 2] {
        let [top, left, bottom, right] = self.edge.padding.for_window(x, POOL, self.stride);
        [(top, bottom), (left, right)]
    }
}

impl Round {
    fn init(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        padding: Padding,
        device: &Device,
    ) -> Self {
        let groups = channels[0];
        let depthwise = ConvConfig { stride, groups, ..ConvConfig::new([groups; 2], kernel) };
        let pointwise = ConvNormConfig {
            epsilon: EPSILON,
            activation: Activation::Linear,
            ..ConvNormConfig::new(channels, 1)
        };
        Self { depthwise: depthwise.init(device), pointwise: pointwise.init(device), padding }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.pointwise.forward(convolve(&self.depthwise, relu(x), self.padding))
    }
}
