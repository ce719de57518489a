//! Resamples planes.

use super::{Error, Filter, Plane};

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
    let from = [plane.height, plane.width];
    let pixels = roentgen_resample::resample(&plane.pixels, from, [height, width], filter);
    Ok(Plane { width, height, pixels: pixels.map_err(|error| Error::Resize(error.to_string()))? })
}
