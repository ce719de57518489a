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

pub use channel_norm::ChannelNorm;
pub use conv::{ConvConfig, convolve, convolve_activate, convolve_activate_max_pool, plain};
pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use elu::elu;
pub use gelu::gelu;
pub use max_pool::max_pool;
pub(crate) use mixed::scale_channels;
pub use mixed::{Border, Branch, BranchConfig, Mixed, MixedConfig, Step};
pub use norm::{follow, normalize, normalizes_by_batch};
pub use padding::Padding;
pub use pending::Pending;
pub use roentgen_kernels::Activation;
pub use squeeze_excite::SqueezeExcite;
pub use stochastic_depth::StochasticDepth;
