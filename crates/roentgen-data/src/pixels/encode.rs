//! Encodes planes and pictures as PNG.

use super::Plane;

/// Encodes a plane as a gray PNG.
///
/// # Panics
///
/// Panics if the plane does not have `height * width` pixels.
pub fn to_png(plane: &Plane) -> Vec<u8> {
    encode(&plane.pixels, plane.width, plane.height, image::ExtendedColorType::L8)
}

/// Encodes `height * width` pixels of red, green and blue as a PNG.
///
/// # Panics
///
/// Panics if there are not `3 * height * width` values.
pub fn rgb_to_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    encode(pixels, width, height, image::ExtendedColorType::Rgb8)
}

fn encode(pixels: &[u8], width: u32, height: u32, colour: image::ExtendedColorType) -> Vec<u8> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .expect("the number of pixels must match the size; writing to memory cannot fail");
    bytes
}
