//! NASNet-A's two cells as tables (figure 4), and a cell as a fold over one.
//!
//! A cell brings its two inputs to the same size and channels, then five times adds two operations
//! on the states so far. Its output concatenates the sums that no later pair uses; the published
//! implementations also include the normal cell's previous input and the reduction cell's second
//! sum.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};

use super::EPSILON;
use super::arm::{Arm, ArmConfig, Edge, Operation};
use crate::layers::{
    Activation, ConvConfig, ConvNorm, ConvNormConfig, Padding, convolve, normalize,
};
use Operation::{AveragePool, Identity, MaxPool, Separable};

/// State 0 of a cell: the output of the cell before the previous one.
const PREVIOUS: usize = 0;
/// State 1: the output of the previous cell.
const CURRENT: usize = 1;
/// State 2: the sum of the first pair; the others follow.
const FIRST: usize = 2;
/// State 3: the sum of the second pair.
const SECOND: usize = 3;

/// A cell of the paper.
#[derive(Debug)]
pub(super) struct Table {
    /// Stride of the operations on the two inputs.
    pub(crate) stride: usize,
    /// Pairs of operations, each with the index of its input state.
    pairs: [[(Operation, usize); 2]; 5],
    /// States that are concatenated to the output.
    joined: &'static [usize],
}

/// The normal cell.
pub(super) const NORMAL: Table = Table {
    stride: 1,
    pairs: [
        [(Separable(5), CURRENT), (Separable(3), PREVIOUS)],
        [(Separable(5), PREVIOUS), (Separable(3), PREVIOUS)],
        [(AveragePool, CURRENT), (Identity, PREVIOUS)],
        [(AveragePool, PREVIOUS), (AveragePool, PREVIOUS)],
        [(Separable(3), CURRENT), (Identity, CURRENT)],
    ],
    joined: &[PREVIOUS, 2, 3, 4, 5, 6],
};

/// The reduction cell.
pub(super) const REDUCTION: Table = Table {
    stride: 2,
    pairs: [
        [(Separable(5), CURRENT), (Separable(7), PREVIOUS)],
        [(MaxPool, CURRENT), (Separable(7), PREVIOUS)],
        [(AveragePool, CURRENT), (Separable(5), PREVIOUS)],
        [(AveragePool, FIRST), (Identity, SECOND)],
        [(Separable(3), FIRST), (MaxPool, CURRENT)],
    ],
    joined: &[SECOND, 4, 5, 6],
};

/// Channels of a map, and how often the film has been halved on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(crate) channels: usize,
    pub(crate) halvings: usize,
}

/// The map that the next cell gets as its previous input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handed {
    /// This cell's current input.
    Current,
    /// This cell's previous input again.
    Previous,
}

/// Configuration of [`Cell`].
#[derive(Clone, Copy, Debug)]
pub(super) struct CellConfig {
    pub(crate) table: &'static Table,
    /// `None` in the first cell, which uses its only input twice.
    pub(crate) previous: Option<Map>,
    pub(crate) current: Map,
    /// Channels of every state.
    pub(crate) filters: usize,
    /// Treatment of the edge with stride 2.
    pub(crate) edge: Edge,
    pub(crate) handed: Handed,
}

/// A normal or a reduction cell.
#[derive(Module, Debug)]
pub(super) struct Cell {
    projected: Option<ConvNorm>,
    halved: Option<Halving>,
    current: ConvNorm,
    pairs: Vec<Pair>,
    #[module(skip)]
    table: &'static Table,
    #[module(skip)]
    handed: Handed,
}

/// Two operations whose results are added.
#[derive(Module, Debug)]
struct Pair {
    left: Arm,
    right: Arm,
}

/// Halves a map without losing every other pixel: half of the channels come from the even rows and
/// columns, half from the odd ones.
#[derive(Module, Debug)]
struct Halving {
    even: Conv2d,
    odd: Conv2d,
    norm: BatchNorm,
}

impl CellConfig {
    /// Creates the cell with random weights.
    pub(super) fn init(&self, device: &Device) -> Cell {
        let Self { table, previous, current, filters, handed, .. } = *self;
        let project = |map: Map| {
            let conv = ConvNormConfig {
                epsilon: EPSILON,
                activation: Activation::Linear,
                ..ConvNormConfig::new([map.channels, filters], 1)
            };
            conv.init(device)
        };
        let (halved, projected) = match previous {
            Some(map) if map.halvings < current.halvings => (Some(map), None),
            other => (None, other),
        };
        let pairs = table.pairs.iter().map(|pair| {
            let [left, right] = pair.map(|(operation, state)| self.arm(operation, state));
            Pair { left: left.init(device), right: right.init(device) }
        });
        Cell {
            projected: projected.map(project),
            halved: halved.map(|map| Halving::init([map.channels, filters], device)),
            current: project(current),
            pairs: pairs.collect(),
            table,
            handed,
        }
    }

    /// Configures the operation on a state, with the cell's stride on its inputs and 1 on its sums.
    fn arm(&self, operation: Operation, state: usize) -> ArmConfig {
        let is_raw = state == PREVIOUS && self.previous.is_none();
        ArmConfig {
            operation,
            state,
            channels: [if is_raw { self.current.channels } else { self.filters }, self.filters],
            stride: if state < FIRST { self.table.stride } else { 1 },
            edge: self.edge,
        }
    }

    /// Returns the number of output channels.
    pub(super) fn out_channels(&self) -> usize {
        self.table.joined.len() * self.filters
    }

    /// Returns the next cell's previous and current map.
    pub(super) fn outputs(&self) -> (Option<Map>, Map) {
        let halvings = self.current.halvings + self.table.stride - 1;
        let previous = match self.handed {
            Handed::Current => Some(self.current),
            Handed::Previous => self.previous,
        };
        (previous, Map { channels: self.out_channels(), halvings })
    }
}

impl Cell {
    /// Applies the cell to the previous and the current map; returns the next cell's two inputs.
    ///
    /// # Shapes
    ///
    /// - `previous`: `[batch, channels, height, width]`, or twice the height and width
    /// - `current`: `[batch, channels, height, width]`
    /// - output: one of the two, and `[batch, 6 * filters, height, width]` (normal) or
    ///   `[batch, 4 * filters, ceil(height / 2), ceil(width / 2)]` (reduction)
    pub(super) fn forward(
        &self,
        (previous, current): (Tensor<4>, Tensor<4>),
    ) -> (Tensor<4>, Tensor<4>) {
        let inputs = vec![self.fit(previous.clone()), self.current.forward(relu(current.clone()))];
        let states = self.pairs.iter().fold(inputs, |mut states, Pair { left, right }| {
            states.push(left.forward(&states) + right.forward(&states));
            states
        });
        let joined = self.table.joined.iter().map(|&state| states[state].clone());
        let output = Tensor::cat(joined.collect(), 1);
        match self.handed {
            Handed::Current => (current, output),
            Handed::Previous => (previous, output),
        }
    }

    /// Brings the previous map to the size of the current one and to the cell's channels.
    fn fit(&self, previous: Tensor<4>) -> Tensor<4> {
        match (&self.projected, &self.halved) {
            (Some(projected), _) => projected.forward(relu(previous)),
            (None, Some(halved)) => halved.forward(relu(previous)),
            (None, None) => previous,
        }
    }
}

impl Halving {
    fn init([channels, filters]: [usize; 2], device: &Device) -> Self {
        let conv = ConvConfig::new([channels, filters / 2], 1);
        let norm = BatchNormConfig::new(filters).with_epsilon(EPSILON);
        Self { even: conv.init(device), odd: conv.init(device), norm: norm.init(device) }
    }

    /// Halves the map; if the last row or column has no odd neighbor, zeros are used.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels, height, width]`
    /// - output: `[batch, filters, ceil(height / 2), ceil(width / 2)]`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let odd = every_second(x.clone().pad((0, 1, 0, 1), 0.0), 1);
        let even = every_second(x, 0);
        let halves = [(&self.even, even), (&self.odd, odd)]
            .map(|(conv, x)| convolve(conv, x, Padding::None));
        normalize(&self.norm, Tensor::cat(halves.into(), 1), Activation::Linear)
    }
}

/// Returns every second row and column, starting at `first`. Uses indices, because a slice cannot
/// be exported to ONNX for a variable number of films.
fn every_second(x: Tensor<4>, first: i64) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let numbers =
        |length: usize| Tensor::<1, Int>::arange_step(first..length as i64, 2, &x.device());
    x.clone().select(2, numbers(height)).select(3, numbers(width))
}
