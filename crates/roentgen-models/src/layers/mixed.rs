//! The mixed modules of the Inception networks: parallel branches of convolutions and pools.
//!
//! The networks are tables of [`Step`]s; a pool is one of them. Frameworks differ in whether an
//! average pool counts the zeros around the film, see [`Border`].

use burn::module::Module;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};

use super::{ConvNorm, ConvNormConfig, Padding, Pending, max_pool};

/// Epsilon of the batch norms in TensorFlow, where the Inception networks come from.
const EPSILON: f64 = 1e-3;

/// One step of a branch, as in the papers' figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A convolution with this many output channels and a window of this height and width, which
    /// keeps the size.
    Conv(usize, [usize; 2]),
    /// A 3x3 convolution with this many output channels and this stride, without padding ("V" in
    /// the figures).
    Valid(usize, usize),
    /// A 1x3 and a 3x1 convolution in parallel, each with this many output channels.
    Fork(usize),
    /// An average pool of 3x3, which keeps the size.
    Average(Border),
    /// A max pool of 3x3 with stride 2, without padding.
    Max,
}

/// How an average pool treats the part of its window outside the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// It is zero and counts: PyTorch's default.
    Zero,
    /// It does not count: as in TensorFlow.
    Outside,
}

/// Configuration of a [`Branch`].
#[derive(Clone, Debug)]
pub(crate) struct BranchConfig {
    /// Channels of the film.
    pub(crate) in_channels: usize,
    /// The steps, with the paper's channels.
    pub(crate) steps: Vec<Step>,
    /// Fraction of the paper's channels.
    pub(crate) width: f64,
}

/// Steps one after another.
#[derive(Module, Debug)]
pub(crate) struct Branch {
    steps: Vec<Layer>,
}

/// A step: its parallel convolutions, or its pool.
#[derive(Module, Debug)]
struct Layer {
    convs: Vec<ConvNorm>,
    #[module(skip)]
    step: Step,
}

/// Configuration of a [`Mixed`] module.
#[derive(Clone, Debug)]
pub(crate) struct MixedConfig {
    /// Channels of the film.
    pub(crate) in_channels: usize,
    /// The steps of each branch, with the paper's channels.
    pub(crate) branches: Vec<Vec<Step>>,
    /// Fraction of the paper's channels.
    pub(crate) width: f64,
}

/// Branches that see the same film; their outputs are concatenated along the channels.
#[derive(Module, Debug)]
pub(crate) struct Mixed {
    branches: Vec<Branch>,
}

impl Step {
    /// Returns the convolutions of the step on `channels`, and the number of channels after it.
    fn convs(self, channels: usize, width: f64) -> (Vec<ConvNormConfig>, usize) {
        let conv = |paper, kernel: [usize; 2]| ConvNormConfig {
            kernel,
            epsilon: EPSILON,
            ..ConvNormConfig::new([channels, scale_channels(paper, width)], 3)
        };
        let convs = match self {
            Step::Conv(paper, kernel) => vec![conv(paper, kernel)],
            Step::Valid(paper, stride) => {
                vec![ConvNormConfig { stride, padding: Padding::None, ..conv(paper, [3, 3]) }]
            }
            Step::Fork(paper) => vec![conv(paper, [1, 3]), conv(paper, [3, 1])],
            Step::Average(_) | Step::Max => return (vec![], channels),
        };
        let out = convs.iter().map(|conv| conv.channels[1]).sum();
        (convs, out)
    }
}

/// Returns a fraction of the paper's channels, at least one.
pub(crate) fn scale_channels(paper: usize, width: f64) -> usize {
    ((paper as f64 * width) as usize).max(1)
}

impl BranchConfig {
    /// Creates the branch with random weights.
    pub(crate) fn init(&self, device: &Device) -> Branch {
        let steps = self.fold(|step, convs| Layer {
            convs: convs.iter().map(|conv| conv.init(device)).collect(),
            step,
        });
        Branch { steps: steps.0 }
    }

    /// Returns the number of channels after the last step.
    pub(crate) fn out_channels(&self) -> usize {
        self.fold(|_, _| ()).1
    }

    /// Folds over the steps, passing along the number of input channels.
    fn fold<T>(&self, make: impl Fn(Step, Vec<ConvNormConfig>) -> T) -> (Vec<T>, usize) {
        let mut channels = self.in_channels;
        let made = self.steps.iter().map(|&step| {
            let (convs, out) = step.convs(channels, self.width);
            channels = out;
            make(step, convs)
        });
        (made.collect(), channels)
    }
}

impl Branch {
    /// Applies the steps.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, …]`, smaller by each step without padding
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.steps.iter().fold(x.into(), |x, layer| layer.chain(x)).value()
    }
}

impl Layer {
    fn chain<'a>(&'a self, x: Pending<'a>) -> Pending<'a> {
        if let [conv] = self.convs.as_slice() {
            return conv.chain(x);
        }
        let x = x.value();
        let y = match self.step {
            Step::Conv(..) | Step::Valid(..) | Step::Fork(_) => {
                concatenate(self.convs.iter().map(|conv| conv.forward(x.clone())))
            }
            Step::Average(border) => {
                let options = AvgPoolOptions::new([3; 2])
                    .with_stride([1; 2])
                    .with_padding_pairs([(1, 1); 2])
                    .with_count_include_pad(border == Border::Zero);
                avg_pool2d(x, options)
            }
            Step::Max => max_pool(x, 3, 2, Padding::None),
        };
        y.into()
    }
}

impl MixedConfig {
    /// Creates the module with random weights.
    pub(crate) fn init(&self, device: &Device) -> Mixed {
        Mixed { branches: self.each().map(|branch| branch.init(device)).collect() }
    }

    /// Returns the number of channels of all branches together.
    pub(crate) fn out_channels(&self) -> usize {
        self.each().map(|branch| branch.out_channels()).sum()
    }

    fn each(&self) -> impl Iterator<Item = BranchConfig> {
        let Self { in_channels, width, .. } = *self;
        self.branches.iter().map(move |steps| {
            let steps = steps.clone();
            BranchConfig { in_channels, steps, width }
        })
    }
}

impl Mixed {
    /// Applies the branches and concatenates their outputs, in the order of the table.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, …]`, half the size if the table has steps with stride 2
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        concatenate(self.branches.iter().map(|branch| branch.forward(x.clone())))
    }
}

/// Concatenates feature maps of one size along the channels.
fn concatenate(maps: impl Iterator<Item = Tensor<4>>) -> Tensor<4> {
    Tensor::cat(maps.collect(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;
    use burn::tensor::module::max_pool2d;
    use burn::tensor::ops::MaxPoolOptions;

    fn row_of_ones(border: Border) -> Vec<f32> {
        let device = Device::flex();
        let branch =
            BranchConfig { in_channels: 1, steps: vec![Step::Average(border)], width: 1.0 };
        let mean = branch.init(&device).forward(Tensor::ones([1, 1, 1, 3], &device));
        mean.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_mean_counts_the_border_only_where_asked() {
        assert_eq!(row_of_ones(Border::Zero), [2.0 / 9.0, 3.0 / 9.0, 2.0 / 9.0]);
        assert_eq!(row_of_ones(Border::Outside), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn branches_are_put_together_in_the_order_of_the_table() {
        let device = Device::flex();
        let config = MixedConfig {
            in_channels: 4,
            branches: vec![
                vec![Step::Max],
                vec![Step::Conv(6, [1, 7]), Step::Valid(10, 2)],
                vec![Step::Fork(6), Step::Max],
            ],
            width: 0.5,
        };
        let x = Tensor::<4>::random([2, 4, 9, 12], Distribution::Normal(0.0, 1.0), &device);
        let y = config.init(&device).forward(x.clone());
        let max = max_pool2d(x, MaxPoolOptions::new([3; 2]).with_stride([2; 2]));

        assert_eq!(config.out_channels(), 4 + 5 + 2 * 3);
        assert_eq!(y.dims(), [2, 15, 4, 5]);
        assert_eq!(y.narrow(1, 0, 4).into_data(), max.into_data());
    }
}
