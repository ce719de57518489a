//! The public operations, a file each: documentation, checks of shapes, and the plain Burn form for
//! devices without kernels of ours.

mod adam;
mod channel_norm;
mod convolution;
mod dense_layer;
mod film_mean;
mod gelu;
mod max_pool;
mod mean_pool;
mod norm;
mod residual;
mod running;
mod scaled_add;
mod shift;
mod unscale;

pub use adam::{Moments, adam, flush};
pub use channel_norm::channel_norm;
pub use convolution::{convolve, norm_convolve, scale_convolve};
pub use dense_layer::{NormConvolution, Statistics, dense_layer};
pub use film_mean::film_mean;
pub use gelu::shift_gelu;
pub use max_pool::{max_pool, shift_activate_max_pool};
pub use mean_pool::norm_activate_mean_pool;
pub use norm::{norm_activate, scale_activate};
pub use residual::norm_add_activate;
pub use running::{fold, follow};
pub use scaled_add::scaled_add;
pub use shift::shift_activate;
pub use unscale::Unscaling;
