//! Resamples pictures of 8-bit gray.
//!
//! The resampler, `fast_image_resize`, is generic over pixels, so it is compiled where it is called.
//! Here it is called once, with one type of pixel, and this crate is optimized also in the tests.
//!
//! ```
//! use roentgen_resample::{Filter, resample};
//!
//! // A rectangle of 1 x 4 pixels becomes one of 1 x 2.
//! let small = resample(&[0, 100, 200, 100], [1, 4], [1, 2], Filter::Box).unwrap();
//! assert_eq!(small, [50, 150]);
//! ```

use fast_image_resize as fir;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use serde::{Deserialize, Serialize};

/// The filter used to resample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Lanczos with three lobes, as Pillow's `LANCZOS`.
    #[default]
    Lanczos3,
    /// Triangle over the whole source footprint, as Pillow's `BILINEAR`.
    Bilinear,
    /// Mean of the covered pixels, as Pillow's `BOX`.
    Box,
}

/// A picture has no pixels, or not as many as its height and width say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPicture(String);

/// Resamples a picture from `[height, width]` to `[height, width]`.
///
/// # Shapes
///
/// - input: `height * width` values, row by row
/// - output: likewise
///
/// # Errors
///
/// Returns an error if an edge is 0 or if `pixels` has another length.
pub fn resample(
    pixels: &[u8],
    from: [u32; 2],
    to: [u32; 2],
    filter: Filter,
) -> Result<Vec<u8>, NoPicture> {
    if from.contains(&0) || to.contains(&0) {
        return Err(NoPicture("it has no pixels".to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| NoPicture(error.to_string());
    let source = TypedImageRef::<U8>::from_buffer(from[1], from[0], pixels);
    let source = source.map_err(|error| failed(&error))?;
    let mut resampled = vec![0; to[0] as usize * to[1] as usize];
    let target = TypedImage::<U8>::from_buffer(to[1], to[0], &mut resampled);
    let mut target = target.map_err(|error| failed(&error))?;
    let kernel = match filter {
        Filter::Lanczos3 => fir::FilterType::Lanczos3,
        Filter::Bilinear => fir::FilterType::Bilinear,
        Filter::Box => fir::FilterType::Box,
    };
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(kernel));
    let mut resizer = fir::Resizer::new();
    resizer.resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(resampled)
}
