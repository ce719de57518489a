//! Films that are cut off, huge, turned, or no files at all.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use common::{DataSet, texture};
use image::{DynamicImage, ImageFormat};
use roentgen_data::nih::holds_film;
use roentgen_data::pixels::{self, Error, Filter, Plane, decode, read, read_resized, size};
use roentgen_data::prepare::Prepared;

fn image() -> image::GrayImage {
    let plane = texture(1, 2, 3, 40, 32);
    image::GrayImage::from_raw(plane.width, plane.height, plane.pixels).unwrap()
}

fn jpeg(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// Whole JPEGs: gray and colour, baseline and progressive.
fn jpegs() -> [Vec<u8>; 4] {
    let gray = DynamicImage::ImageLuma8(image());
    [
        jpeg(&gray),
        jpeg(&DynamicImage::ImageRgb8(gray.to_rgb8())),
        include_bytes!("fixtures/progressive.jpg").to_vec(),
        include_bytes!("fixtures/progressive-colour.jpg").to_vec(),
    ]
}

#[test]
fn a_whole_jpeg_is_decoded_also_with_more_after_its_end() {
    for whole in jpegs() {
        let plane = decode(&whole).unwrap();
        let longer = [&whole[..], b"\0\0 appended by a server"].concat();

        assert_eq!((plane.width, plane.height), (40, 32));
        assert_eq!(decode(&longer).unwrap(), plane);
    }
}

#[test]
fn a_jpeg_that_is_cut_anywhere_is_refused_also_with_a_filled_tail() {
    for whole in jpegs() {
        for kept in (0..whole.len()).step_by(7).chain([whole.len() - 2, whole.len() - 1]) {
            let cut = &whole[..kept];
            assert!(decode(cut).is_err(), "{kept} of {}", whole.len());
            for fill in [0, 0xff, 0x80, b'\n'] {
                let filled = [cut, &vec![fill; whole.len() - kept + 100]].concat();
                assert!(decode(&filled).is_err(), "{kept} of {}, {fill}", whole.len());
            }
        }
    }
}

#[test]
fn a_jpeg_that_was_cut_and_closed_or_has_a_hole_is_refused() {
    for whole in jpegs() {
        let scan = whole.windows(2).position(|pair| pair == b"\xff\xda").unwrap() + 20;
        for kept in (scan..whole.len() - 40).step_by(11) {
            let closed = [&whole[..kept], b"\xff\xd9"].concat();
            assert!(decode(&closed).is_err(), "{kept} of {}", whole.len());
        }
        let mut hole = whole.clone();
        let middle = (scan + whole.len()) / 2;
        hole[middle..whole.len() - 2].fill(0);
        assert!(decode(&hole).is_err(), "{} bytes", whole.len());
    }
}

#[test]
fn a_png_without_its_end_or_with_a_wrong_checksum_is_refused() {
    let whole = flat_png(40, 32, png::ColorType::Grayscale, png::BitDepth::Eight);
    assert!(decode(&whole).is_ok());
    // The last piece, IEND, has 12 bytes; before it is the checksum of the pixels.
    assert!(decode(&whole[..whole.len() - 12]).is_err());
    let mut wrong = whole.clone();
    wrong[whole.len() - 13] ^= 1;
    assert!(decode(&wrong).is_err());
}

#[test]
fn cut_jpegs_are_bad_films_and_the_others_are_prepared() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::new(root.path().join("data"));
    for (number, whole) in (1..).zip(jpegs()) {
        for percent in [25, 50, 75, 95, 100] {
            let cut = &whole[..whole.len() * percent / 100];
            data.add(&format!("{number}_{percent:03}.jpg"), "Mass", number, cut);
        }
    }

    let outcome = data.prepare(&root.path().join("out")).unwrap();
    let prepared = Prepared::open(&root.path().join("out")).unwrap();

    assert_eq!(outcome.bad.len(), 16);
    assert!(outcome.bad.iter().all(|bad| !bad.image.contains("_100")), "{:?}", outcome.bad);
    assert_eq!(prepared.rows.len(), 4);
}

/// A PNG of one repeated row, written in the time it takes to compress it.
fn flat_png(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fastest);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let bits = color.samples() * if depth == png::BitDepth::Sixteen { 16 } else { 8 };
    let row = vec![200; width as usize * bits / 8];
    for _ in 0..height {
        stream.write_all(&row).unwrap();
    }
    stream.finish().unwrap();
    drop(writer);
    bytes
}

#[test]
fn a_deep_and_colourful_rectangle_is_decoded_row_by_row() {
    // 128 MiB as RGBA with 16 bits, 16 MiB as gray.
    let bytes = flat_png(16_384, 1_024, png::ColorType::Rgba, png::BitDepth::Sixteen);
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.png");
    fs::write(&path, &bytes).unwrap();

    let small = read_resized(&path, 16, Filter::Box).unwrap();

    assert!(bytes.len() < 4 << 20);
    assert_eq!(small.pixels, [200; 256]);
}

#[test]
fn what_cannot_be_decoded_in_little_memory_is_refused_by_its_header() {
    let png = flat_png(8, 4, png::ColorType::Rgba, png::BitDepth::Sixteen);
    let edit = |at: usize, new: &[u8]| {
        let mut bytes = png.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    // The checksum of the header is wrong now, so only what comes before it is checked: `size`.
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.png");
    fs::write(&path, edit(16, &[0, 0, 0x40, 1, 0, 0, 0, 4])).unwrap();
    assert!(size(&path).is_err());

    let mut jpeg = jpegs()[3].clone();
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x40, 0, 0x40, 0]);
    assert!(matches!(decode(&jpeg), Err(Error::Memory { .. })));
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x40, 1, 0, 8]);
    assert!(matches!(decode(&jpeg), Err(Error::TooLarge { width: 8, height: 16_385 })));
}

#[test]
fn a_huge_profile_in_a_png_is_not_unpacked() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    // A gigabyte would be unpacked; noise of this length shows that it is not even read as zlib.
    let profile = [b"name\0\0".as_slice(), &vec![0xa5; 4 << 20]].concat();
    writer.write_chunk(png::chunk::iCCP, &profile).unwrap();
    writer.write_chunk(png::chunk::zTXt, &profile).unwrap();
    writer.write_image_data(&[1, 2, 3, 4, 5, 6]).unwrap();
    writer.finish().unwrap();

    assert_eq!(decode(&bytes).unwrap().pixels, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn every_kind_of_png_becomes_the_gray_that_it_was() {
    let gray = image();
    let deep = image::ImageBuffer::from_fn(40, 32, |x, y| {
        image::Luma([u16::from(gray.get_pixel(x, y).0[0]) * 257])
    });
    let gray = DynamicImage::ImageLuma8(gray);
    let deep = DynamicImage::ImageLuma16(deep);
    for image in [
        gray.clone(),
        DynamicImage::ImageLumaA8(gray.to_luma_alpha8()),
        DynamicImage::ImageRgb8(gray.to_rgb8()),
        DynamicImage::ImageRgba8(gray.to_rgba8()),
        deep.clone(),
        DynamicImage::ImageLumaA16(deep.to_luma_alpha16()),
        DynamicImage::ImageRgb16(deep.to_rgb16()),
        DynamicImage::ImageRgba16(deep.to_rgba16()),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();

        let plane = decode(bytes.get_ref()).unwrap();

        assert_eq!(plane.pixels, gray.as_bytes(), "{:?}", image.color());
    }
}

#[test]
fn a_palette_and_few_bits_are_expanded() {
    let write = |color, depth, palette: Option<&[u8]>, rows: &[u8]| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if let Some(palette) = palette {
            encoder.set_palette(palette.to_vec());
        }
        encoder.write_header().unwrap().write_image_data(rows).unwrap();
        bytes
    };
    let palette = [0, 0, 0, 9, 9, 9, 255, 0, 0];
    let indexed =
        write(png::ColorType::Indexed, png::BitDepth::Eight, Some(&palette), &[0, 1, 2, 2, 1, 0]);
    let bits =
        write(png::ColorType::Grayscale, png::BitDepth::One, None, &[0b1010_0000, 0b0110_0000]);

    assert_eq!(decode(&indexed).unwrap().pixels, [0, 9, 76, 76, 9, 0]);
    assert_eq!(decode(&bits).unwrap().pixels, [255, 0, 255, 0, 255, 255]);
}

/// EXIF data with one tag, the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn turned_png(orientation: u8, is_behind: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    let chunk = png::chunk::ChunkType(*b"eXIf");
    if !is_behind {
        writer.write_chunk(chunk, &exif(orientation)).unwrap();
    }
    writer.write_image_data(b"abcdef").unwrap();
    if is_behind {
        writer.write_chunk(chunk, &exif(orientation)).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

#[test]
fn a_png_with_an_orientation_is_turned_wherever_the_chunk_is() {
    for is_behind in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.png");
        fs::write(&path, turned_png(6, is_behind)).unwrap();

        assert_eq!(read(&path).unwrap(), Plane { width: 2, height: 3, pixels: b"daebfc".to_vec() });
        assert_eq!(size(&path).unwrap(), [3, 2]);
        assert_eq!(decode(&turned_png(1, is_behind)).unwrap().pixels, b"abcdef");
        assert_eq!(decode(&turned_png(3, is_behind)).unwrap().pixels, b"fedcba");
    }
}

#[test]
fn a_jpeg_with_an_orientation_is_turned() {
    let whole = &jpegs()[0];
    let with = |orientation| {
        let exif = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        [&whole[..2], &[0xff, 0xe1], &length, &exif, &whole[2..]].concat()
    };
    let plain = decode(whole).unwrap();
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.jpg");
    fs::write(&path, with(8)).unwrap();

    let turned = read(&path).unwrap();

    assert_eq!(decode(&with(1)).unwrap(), plain);
    assert_eq!((turned.width, turned.height), (32, 40));
    assert_eq!(size(&path).unwrap(), [40, 32]);
    // Counter-clockwise: the right column becomes the first row.
    let column: Vec<u8> = plain.pixels.chunks(40).map(|row| row[39]).collect();
    assert_eq!(turned.pixels[..32], column);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_a_bad_film_at_once() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::six(root.path().join("data"), 1);
    let images = data.root.join("images");
    let fifo = images.join("fifo.png");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", images.join("zero.png")).unwrap();
    std::os::unix::fs::symlink("..", images.join("link.png")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(images.join("socket.png")).unwrap();
    fs::create_dir(images.join("folder.png")).unwrap();
    for name in ["fifo.png", "zero.png", "link.png", "socket.png", "folder.png"] {
        data.row(name, "Mass", 9);
    }
    let start = Instant::now();

    let outcome = data.prepare(&root.path().join("out")).unwrap();

    assert!(start.elapsed() < Duration::from_secs(5));
    let reason = |name: &str| {
        outcome.bad.iter().find(|bad| bad.image == name).map(|bad| bad.reason.as_str()).unwrap()
    };
    assert_eq!(outcome.bad.len(), 5);
    assert!(reason("fifo.png").contains("a named pipe"), "{}", reason("fifo.png"));
    assert!(reason("zero.png").contains("a device"), "{}", reason("zero.png"));
    assert!(reason("link.png").contains("a folder"), "{}", reason("link.png"));
    assert!(reason("socket.png").contains("a socket"), "{}", reason("socket.png"));
    assert!(matches!(read(&fifo), Err(Error::Read(_))));
    assert!(matches!(pixels::size(Path::new("/dev/zero")), Err(Error::Read(_))));
}

#[cfg(feature = "dicom")]
#[test]
fn an_archive_that_was_cut_off_is_a_bad_film_and_may_hold_the_missing_ones() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::six(root.path().join("data"), 1);
    data.row("IM1", "Mass", 4);
    let archive = data.root.join("images/study.zip");
    fs::write(&archive, b"PK\x03\x04, of which the rest is missing").unwrap();

    let outcome = data.prepare(&root.path().join("out")).unwrap();

    let reason = |image: &str| {
        outcome.bad.iter().find(|bad| bad.image == image).map(|bad| bad.reason.clone()).unwrap()
    };
    assert_eq!(outcome.bad.len(), 2);
    assert!(reason("study.zip").contains("the archive cannot be opened"), "{:?}", outcome.bad);
    assert!(reason("IM1").contains("`study.zip`, which cannot be opened"), "{:?}", outcome.bad);
    assert!(holds_film(&archive) && matches!(read(&archive), Err(Error::Archive(_))));
    // A film under a misleading name is a film.
    fs::write(&archive, jpeg(&DynamicImage::ImageLuma8(image()))).unwrap();
    assert!(read(&archive).is_ok());
}
