//! Blocks that two backbones share.

mod activation;
mod conv;
mod conv_norm;
mod elu;
mod norm;
mod padding;

pub use activation::Activation;
pub use conv::{ConvConfig, convolve};
pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use elu::elu;
pub use norm::normalize;
pub use padding::Padding;
