//! Blocks that two backbones share.

mod conv_norm;
mod elu;

pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use elu::elu;
