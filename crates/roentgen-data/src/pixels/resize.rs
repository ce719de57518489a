//! Resamples planes.

use fast_image_resize as fir;
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
    let failed = |error: &dyn std::fmt::Display| Error::Resize(error.to_string());
    let source = fir::images::Image::from_vec_u8(
        plane.width,
        plane.height,
        plane.pixels,
        fir::PixelType::U8,
    )
    .map_err(|error| failed(&error))?;
    let mut target = fir::images::Image::new(width, height, fir::PixelType::U8);
    let kernel = match filter {
        Filter::Lanczos3 => fir::FilterType::Lanczos3,
        Filter::Bilinear => fir::FilterType::Bilinear,
        Filter::Box => fir::FilterType::Box,
    };
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(kernel));
    fir::Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(Plane { width, height, pixels: target.into_vec() })
}
