//! Blocks that two backbones share.

mod conv_norm;

pub use conv_norm::{ConvNorm, ConvNormConfig};
