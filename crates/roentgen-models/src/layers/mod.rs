//! Blocks shared by several backbones.

mod channel_norm;
mod conv;
mod conv_norm;
mod elu;
mod gelu;
mod max_pool;
mod mixed;
mod norm;
mod padding;
mod pending;
mod squeeze_excite;
mod stochastic_depth;

pub(crate) use channel_norm::ChannelNorm;
pub(crate) use conv::{
    ConvConfig, convolve, convolve_activate, convolve_activate_max_pool, convolve_gelu, plain,
};
pub(crate) use conv_norm::{ConvNorm, ConvNormConfig};
pub(crate) use elu::elu;
pub(crate) use gelu::shift_gelu;
pub(crate) use max_pool::max_pool;
pub(crate) use mixed::scale_channels;
pub(crate) use mixed::{Border, Branch, BranchConfig, Mixed, MixedConfig, Step};
pub(crate) use norm::{follow, normalize, normalizes_by_batch};
pub(crate) use padding::Padding;
pub(crate) use pending::Pending;
pub(crate) use roentgen_kernels::Activation;
pub(crate) use squeeze_excite::SqueezeExcite;
pub(crate) use stochastic_depth::StochasticDepth;
