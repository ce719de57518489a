//! The kernels against plain Burn, against small differences, and against themselves on more
//! threads.

mod adam;
mod agreement;
mod support;
mod threads;
mod unscale;
