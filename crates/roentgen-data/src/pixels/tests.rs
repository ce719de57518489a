//! Tests of decoding, resizing and encoding.

use image::{DynamicImage, ImageFormat};

use super::*;

fn png(image: DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn rgba_with_equal_channels_is_the_gray_film() {
    let gray = image::GrayImage::from_fn(3, 2, |x, y| image::Luma([(x * 70 + y * 9) as u8]));
    let rgba = DynamicImage::ImageLuma8(gray.clone()).into_rgba8();

    let plane = decode(&png(DynamicImage::ImageRgba8(rgba))).unwrap();

    assert_eq!((plane.width, plane.height), (3, 2));
    assert_eq!(plane.pixels, gray.into_raw());
}

#[test]
fn sixteen_bits_become_eight_over_the_whole_range() {
    let deep = image::ImageBuffer::from_vec(4, 1, vec![0_u16, 257, 32_896, 65_535]).unwrap();

    assert_eq!(decode(&png(DynamicImage::ImageLuma16(deep))).unwrap().pixels, [0, 1, 128, 255]);
}

#[test]
fn twelve_bits_in_sixteen_become_eight_from_twelve() {
    let film = |pixels: [u16; 4]| {
        let deep = image::ImageBuffer::from_vec(4, 1, pixels.to_vec()).unwrap();
        decode(&png(DynamicImage::ImageLuma16(deep))).unwrap().pixels
    };

    assert_eq!(film([0, 16, 2048, 4095]), [0, 1, 128, 255]);
    assert_eq!(film([0, 16, 2048, 4096]), [0, 0, 32, 64]);
    // The opacity is not a shade.
    let deep = image::ImageBuffer::from_vec(2, 1, vec![0_u16, 65_535, 4095, 65_535]).unwrap();
    let bytes = png(DynamicImage::ImageLumaA16(deep));
    assert_eq!(decode(&bytes).unwrap().pixels, [0, 255]);
}

#[test]
fn broken_files_say_what_is_wrong() {
    let whole = png(DynamicImage::new_luma8(64, 64));

    assert!(matches!(decode(b""), Err(Error::Empty)));
    assert!(matches!(decode(b"hello world"), Err(Error::Unknown(start)) if start == "hello wo"));
    assert!(matches!(decode(&whole[..whole.len() / 2]), Err(Error::Decode { kind: "PNG", .. })));
    assert!(matches!(decode(b"\xff\xd8\xff\xe0junk"), Err(Error::Decode { kind: "JPEG", .. })));
}

#[test]
fn a_header_that_claims_a_huge_film_is_refused() {
    let mut bytes = png(DynamicImage::new_luma8(8, 8));
    bytes[16..24].copy_from_slice(&[0x7f, 0, 0, 0, 0x7f, 0, 0, 0]);

    assert!(matches!(decode(&bytes), Err(Error::Decode { .. })));
}

#[test]
fn a_rectangle_is_squeezed_to_a_square_and_a_mean_stays() {
    let pixels = (0..40).map(|i| if i % 10 < 5 { 0 } else { 200 }).collect();
    let plane = Plane { width: 10, height: 4, pixels };

    let small = resize(plane, 2, Filter::Box).unwrap();

    assert_eq!(small.pixels, [0, 200, 0, 200]);
}

#[test]
fn a_deep_png_keeps_its_samples_and_other_films_are_their_gray() {
    let deep = image::ImageBuffer::from_vec(3, 2, vec![0_u16, 16, 2048, 4095, 7, 9]).unwrap();
    let bytes = png(DynamicImage::ImageLuma16(deep));
    let film = FilmFile::from_bytes(&bytes).read_deep().unwrap();

    assert_eq!((film.width, film.height, film.about.bits), (3, 2, 12));
    assert_eq!(film.samples, [0, 16, 2048, 4095, 7, 9]);
    // The opacity is not a sample.
    let deep = image::ImageBuffer::from_vec(2, 1, vec![300_u16, 65_535, 4095, 65_535]).unwrap();
    let bytes = png(DynamicImage::ImageLumaA16(deep));
    assert_eq!(FilmFile::from_bytes(&bytes).read_deep().unwrap().samples, [300, 4095]);
    let rgb = image::RgbImage::from_fn(3, 2, |x, y| image::Rgb([x as u8, 200, y as u8]));
    let bytes = png(DynamicImage::ImageRgb8(rgb));
    let (film, gray) = (FilmFile::from_bytes(&bytes).read_deep().unwrap(), decode(&bytes).unwrap());
    assert_eq!(film.samples, gray.pixels.into_iter().map(u16::from).collect::<Vec<_>>());
    assert!(FilmFile::from_bytes(b"hello world").read_deep().is_err());
}
