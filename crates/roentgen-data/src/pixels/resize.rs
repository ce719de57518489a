//! Resamples planes.

use fast_image_resize as fir;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use serde::{Deserialize, Serialize};

use super::{Error, Plane};

/// The filter used to resize films.
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

/// Resamples a plane to `size` x `size`; a plane that is not square is squeezed, as NIH's were.
///
/// # Errors
///
/// Returns an error if the plane has no pixels.
pub fn resize(plane: Plane, size: u32, filter: Filter) -> Result<Plane, Error> {
    resample(plane, [size, size], filter)
}

/// Resamples a plane so that its longer side has `side` pixels; the sides keep their ratio.
///
/// # Errors
///
/// Returns an error if the plane has no pixels.
pub fn fit(plane: Plane, side: u32, filter: Filter) -> Result<Plane, Error> {
    let longer = u64::from(plane.height.max(plane.width).max(1));
    let scaled = |edge: u32| {
        let rounded = (u64::from(edge) * u64::from(side) + longer / 2) / longer;
        rounded.clamp(1, u64::from(side)) as u32
    };
    let size = [plane.height, plane.width].map(scaled);
    resample(plane, size, filter)
}

/// Resamples a plane to `[height, width]`.
fn resample(plane: Plane, [height, width]: [u32; 2], filter: Filter) -> Result<Plane, Error> {
    if [plane.height, plane.width] == [height, width] {
        return Ok(plane);
    }
    if [plane.height, plane.width, height, width].contains(&0) {
        return Err(Error::Resize("it has no pixels".to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| Error::Resize(error.to_string());
    // With types: without, the crate is compiled for its thirteen kinds of pixels, which takes longer
    // than the rest of this crate.
    let source = TypedImageRef::<U8>::from_buffer(plane.width, plane.height, &plane.pixels)
        .map_err(|error| failed(&error))?;
    let mut pixels = vec![0; width as usize * height as usize];
    let mut target = TypedImage::<U8>::from_buffer(width, height, &mut pixels)
        .map_err(|error| failed(&error))?;
    let kernel = match filter {
        Filter::Lanczos3 => fir::FilterType::Lanczos3,
        Filter::Bilinear => fir::FilterType::Bilinear,
        Filter::Box => fir::FilterType::Box,
    };
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(kernel));
    fir::Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|error| failed(&error))?;
    Ok(Plane { width, height, pixels })
}
