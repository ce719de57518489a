//! Files that are written here, each with one property; real ones are in `tests/dicom.rs`.

mod deep;

use std::io::Cursor;

use dicom_core::header::DataElement;
use dicom_core::value::DataSetSequence;
use dicom_core::{PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use crate::pixels::{DeepFilm, Error, FilmFile, MeasuredAt, Modality, Spacing, Voi, decode};

/// Three rows of two pixels.
struct File {
    object: InMemDicomObject,
    syntax: &'static str,
}

impl File {
    fn new(bits_stored: u16, pixels: &[u16; 6]) -> Self {
        let mut object = InMemDicomObject::new_empty();
        let pixels = PrimitiveValue::U16(pixels.as_slice().into());
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
        let file = Self { object, syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN };
        file.with(tags::ROWS, VR::US, 3)
            .with(tags::COLUMNS, VR::US, 2)
            .with(tags::SAMPLES_PER_PIXEL, VR::US, 1)
            .with(tags::BITS_ALLOCATED, VR::US, 16)
            .with(tags::BITS_STORED, VR::US, bits_stored)
            .with(tags::HIGH_BIT, VR::US, bits_stored - 1)
            .with(tags::PIXEL_REPRESENTATION, VR::US, 0)
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .text(tags::SOP_CLASS_UID, VR::UI, uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE)
    }

    fn with(mut self, tag: Tag, vr: VR, value: u16) -> Self {
        self.object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
        self
    }

    fn text(mut self, tag: Tag, vr: VR, value: &str) -> Self {
        self.object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
        self
    }

    fn window(self, center: &str, width: &str, function: &str) -> Self {
        self.text(tags::WINDOW_CENTER, VR::DS, center).text(tags::WINDOW_WIDTH, VR::DS, width).text(
            tags::VOILUT_FUNCTION,
            VR::CS,
            function,
        )
    }

    fn lut(mut self, sequence: Tag, descriptor: [u16; 3], entries: &[u16]) -> Self {
        let mut item = InMemDicomObject::new_empty();
        let numbers = |values: &[u16]| PrimitiveValue::U16(values.into());
        item.put(DataElement::new(tags::LUT_DESCRIPTOR, VR::US, numbers(&descriptor)));
        item.put(DataElement::new(tags::LUT_DATA, VR::US, numbers(entries)));
        self.object.put(DataElement::new(sequence, VR::SQ, DataSetSequence::from(vec![item])));
        self
    }

    fn bytes(self) -> Vec<u8> {
        let class = self.object.get(tags::SOP_CLASS_UID).unwrap().to_str().unwrap().into_owned();
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(self.syntax)
            .media_storage_sop_class_uid(class)
            .media_storage_sop_instance_uid("1.2.3");
        let mut bytes = Vec::new();
        self.object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        bytes
    }

    fn gray(self) -> Vec<u8> {
        let plane = decode(&self.bytes()).unwrap();
        assert_eq!((plane.width, plane.height), (2, 3));
        plane.pixels
    }

    fn deep(self) -> DeepFilm {
        FilmFile::from_bytes(&self.bytes()).read_deep().unwrap()
    }

    fn refusal(self) -> String {
        match decode(&self.bytes()) {
            Err(error @ (Error::Refused(_) | Error::Decode { .. })) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_a_window_the_stored_bits_become_eight_whatever_the_pixels_are() {
    let pixels = [0, 16, 2048, 4000, 4094, 4095];

    assert_eq!(File::new(12, &pixels).gray(), [0, 1, 128, 249, 255, 255]);
    assert_eq!(File::new(16, &pixels).gray(), [0, 0, 8, 16, 16, 16]);
}

#[test]
fn monochrome1_and_inverse_are_inverted_once_together() {
    let file = || File::new(8, &[0, 1, 2, 100, 254, 255]);
    let inverted = [255, 254, 253, 155, 1, 0];
    let mono1 = |file: File| file.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    let inverse = |file: File| file.text(tags::PRESENTATION_LUT_SHAPE, VR::CS, "INVERSE");

    assert_eq!(mono1(file()).gray(), inverted);
    assert_eq!(inverse(file()).gray(), inverted);
    assert_eq!(mono1(inverse(file())).gray(), inverted);
}

#[test]
fn the_first_window_is_applied_after_the_rescale_and_before_the_inversion() {
    let file = |function: &str| {
        File::new(12, &[0, 500, 900, 1000, 1100, 4095])
            .text(tags::RESCALE_SLOPE, VR::DS, "2")
            .text(tags::RESCALE_INTERCEPT, VR::DS, "-1000")
            .window("1000\\7", "401\\9", function)
    };

    // Values -1000, 0, 800, 1000, 1200, 7190 in a window from 799.5 to 1199.5.
    assert_eq!(file("LINEAR").gray(), [0, 0, 0, 128, 255, 255]);
    assert_eq!(file("").gray(), file("LINEAR").gray());
    // From 799.5 to 1200.5: a width of 401.
    assert_eq!(file("LINEAR_EXACT").gray(), [0, 0, 0, 128, 255, 255]);
    // 1 / (1 + exp(-4 (x - 1000) / 401))
    assert_eq!(file("SIGMOID").gray(), [0, 0, 31, 128, 224, 255]);
    let inverted = file("LINEAR").text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    assert_eq!(inverted.gray(), [255, 255, 255, 127, 0, 0]);
}

#[test]
fn a_window_of_width_one_is_a_threshold() {
    let file = File::new(12, &[0, 99, 100, 101, 102, 4095]).window("100.5", "1", "LINEAR");

    assert_eq!(file.gray(), [0, 0, 0, 255, 255, 255]);
}

#[test]
fn signed_values_are_signed_and_bits_above_the_high_bit_are_ignored() {
    let signed = File::new(12, &[0x800, 0xfff, 0, 0x7ff, 0xf800, 0x1001]).with(
        tags::PIXEL_REPRESENTATION,
        VR::US,
        1,
    );
    assert_eq!(signed.gray(), [0, 127, 128, 255, 0, 128]);

    // Twelve bits up to bit 15.
    let high =
        File::new(12, &[0, 0xf, 0x800f, 0xfff0, 0xffff, 0x10]).with(tags::HIGH_BIT, VR::US, 15);
    assert_eq!(high.gray(), [0, 0, 128, 255, 255, 0]);
}

#[test]
fn a_voi_lut_comes_before_a_window_and_its_ends_go_on() {
    let file = File::new(12, &[0, 9, 10, 11, 12, 4095]).window("1", "2", "LINEAR").lut(
        tags::VOILUT_SEQUENCE,
        [3, 10, 10],
        &[100, 200, 1023],
    );

    assert_eq!(file.gray(), [25, 25, 25, 50, 255, 255]);
}

#[test]
fn a_modality_lut_takes_the_place_of_the_rescale() {
    let file = File::new(8, &[0, 1, 2, 3, 4, 255]).lut(
        tags::MODALITY_LUT_SEQUENCE,
        [4, 1, 8],
        &[255, 128, 64, 0],
    );

    assert_eq!(file.gray(), [255, 255, 128, 64, 0, 0]);
}

#[test]
fn padding_is_black_inverted_or_not() {
    let file = |photometric: &str| {
        File::new(8, &[0, 250, 251, 255, 100, 3])
            .with(tags::PIXEL_PADDING_VALUE, VR::US, 255)
            .with(tags::PIXEL_PADDING_RANGE_LIMIT, VR::US, 251)
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric)
    };

    assert_eq!(file("MONOCHROME2").gray(), [0, 250, 0, 0, 100, 3]);
    assert_eq!(file("MONOCHROME1").gray(), [255, 5, 0, 0, 155, 252]);
}

#[test]
fn other_files_are_refused_with_a_reason_and_what_to_do() {
    let file = || File::new(12, &[0; 6]);
    let raw = uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING;
    for (file, reason) in [
        (file().text(tags::SOP_CLASS_UID, VR::UI, raw), "for presentation"),
        (file().text(tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PROCESSING"), "for presentation"),
        (file().text(tags::NUMBER_OF_FRAMES, VR::IS, "7"), "7 frames"),
        (file().text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR"), "PALETTE COLOR"),
        (file().text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB"), "1 samples of 16"),
        (file().with(tags::BITS_ALLOCATED, VR::US, 32), "32 bits"),
        (file().with(tags::HIGH_BIT, VR::US, 3), "up to bit 3"),
        (file().with(tags::ROWS, VR::US, 0), "2 x 0 pixels"),
        (file().with(tags::ROWS, VR::US, 4), "12 of 16 bytes of pixels"),
        (file().window("3", "0", "LINEAR"), "width 0"),
        (file().window("3", "9", "CURVED"), "CURVED"),
        (file().lut(tags::VOILUT_SEQUENCE, [9, 0, 8], &[1, 2]), "lookup table"),
        (file().text(tags::RESCALE_SLOPE, VR::DS, "0"), "slope is 0"),
        (File { syntax: uids::JPEGLS_LOSSLESS, ..file() }, "dcmdjpls"),
        (File { syntax: uids::MPEG2MPML, ..file() }, "MPEG2"),
    ] {
        let said = file.refusal();
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn colours_become_their_luma_in_either_planar_configuration() {
    let rgb = [10, 20, 30, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 9, 9];
    let planes: Vec<u8> =
        (0..3).flat_map(|channel| (0..6).map(move |at| rgb[3 * at + channel])).collect();
    let expected = [18, 255, 0, 76, 150, 9];
    for (planar, bytes) in [(0, rgb.to_vec()), (1, planes)] {
        let mut file = File::new(8, &[0; 6])
            .with(tags::SAMPLES_PER_PIXEL, VR::US, 3)
            .with(tags::BITS_ALLOCATED, VR::US, 8)
            .with(tags::PLANAR_CONFIGURATION, VR::US, planar)
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
        file.object.put(DataElement::new(
            tags::PIXEL_DATA,
            VR::OB,
            PrimitiveValue::U8(bytes.into()),
        ));
        assert_eq!(file.gray(), expected);
    }
}

#[test]
fn big_endian_implicit_and_deflated_files_are_the_same_picture() {
    #[expect(deprecated, reason = "the syntax is retired, and files in it are kept")]
    let big_endian = uids::EXPLICIT_VR_BIG_ENDIAN;
    for syntax in
        [uids::IMPLICIT_VR_LITTLE_ENDIAN, big_endian, uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN]
    {
        let file = File { syntax, ..File::new(12, &[0, 1, 2048, 4000, 4094, 4095]) };
        assert_eq!(file.gray(), [0, 0, 128, 249, 255, 255], "{syntax}");
    }
}

#[test]
fn a_length_beyond_the_end_is_refused_before_it_is_reserved() {
    let whole = File::new(12, &[1; 6]).text(tags::STUDY_DESCRIPTION, VR::LO, "marked").bytes();
    for (mark, at, bytes) in [
        // Two bytes of length, four bytes of length, and four in the group of the file.
        (&b"LO\x06\0marked"[..], 2, &[0xff, 0xff][..]),
        (b"OW\0\0\x0c\0\0\0", 4, &[0xf0, 0xff, 0xff, 0xff]),
        (b"OB\0\0\x02\0\0\0", 4, &[0xf0, 0xff, 0xff, 0xff]),
    ] {
        let place = whole.windows(mark.len()).position(|part| part == mark).unwrap();
        let mut file = whole.clone();
        file[place + at..place + at + bytes.len()].copy_from_slice(bytes);

        assert!(matches!(decode(&file), Err(Error::Decode { .. })));
    }
}

#[test]
fn nested_sequences_are_refused_before_the_stack_is_full() {
    let mut bytes = File::new(12, &[1; 6]).bytes();
    let level = [
        &[0x40, 0, 0x75, 0x02][..], // Request Attributes Sequence
        b"SQ\0\0\xff\xff\xff\xff",
        b"\xfe\xff\0\xe0\xff\xff\xff\xff",
    ]
    .concat();
    let place = bytes.windows(8).position(|part| part == b"\xe0\x7f\x10\0OW\0\0").unwrap();
    bytes.truncate(place);
    for _ in 0..50_000 {
        bytes.extend(&level);
    }

    let error = decode(&bytes).unwrap_err().to_string();

    assert!(error.contains("nested"), "{error}");
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    let whole = File::new(12, &[1; 6]).bytes();
    for kept in 0..whole.len() {
        assert!(super::decode(Cursor::new(&whole[..kept])).is_err(), "{kept} of {}", whole.len());
    }
}

#[test]
fn an_element_that_ends_within_a_number_is_refused_before_the_reader_loses_its_place() {
    let mut file = File::new(8, &[0; 6]);
    let bytes = PrimitiveValue::U8([7; 12].as_slice().into());
    file.object.put(DataElement::new(Tag(0x0046, 0x0030), VR::FD, bytes));

    let error = file.refusal();

    assert!(error.contains("(0046,0030) ends within a number"), "{error}");
}
