//! Films at full depth.

use super::*;

/// The gray of a film at full depth, by its own description.
fn shades(film: &DeepFilm) -> Vec<u8> {
    let about = &film.about;
    let shade = |&sample: &u16| {
        let stored = i32::from(sample) + about.lowest;
        if about.padding.is_some_and(|[first, last]| (first..=last).contains(&stored)) {
            return 0;
        }
        let value = about.modality.apply(stored);
        let share = match &about.voi {
            Voi::Lut(lut) => lut.entry(value) / lut.largest_entry(),
            Voi::Window { window, center, width } => window.apply(value, *center, *width),
            Voi::None => panic!("a film at full depth always has a window"),
        };
        let gray = (share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        if about.is_inverted { 255 - gray } else { gray }
    };
    film.samples.iter().map(shade).collect()
}

#[test]
fn a_film_at_full_depth_looks_at_first_as_it_is_decoded() {
    let pixels = [0x800, 0xfff, 0, 0x7ff, 0x123, 7];
    let plain = || File::new(12, &pixels);
    let signed = || plain().with(tags::PIXEL_REPRESENTATION, VR::US, 1);
    let lut = [0, 16, 99, 200, 250, 255];
    let files: [&dyn Fn() -> File; 8] = [
        &plain,
        &signed,
        &|| signed().text(tags::RESCALE_SLOPE, VR::DS, "-2.5"),
        &|| plain().window("1000", "401", "LINEAR"),
        &|| signed().window("100", "401.5", "SIGMOID"),
        &|| {
            plain().window("100", "401.5", "LINEAR_EXACT").text(
                tags::PHOTOMETRIC_INTERPRETATION,
                VR::CS,
                "MONOCHROME1",
            )
        },
        &|| {
            plain().lut(tags::VOILUT_SEQUENCE, [6, 5, 8], &lut).with(
                tags::PIXEL_PADDING_VALUE,
                VR::US,
                7,
            )
        },
        &|| plain().lut(tags::MODALITY_LUT_SEQUENCE, [6, 5, 8], &lut),
    ];

    for (number, file) in files.iter().enumerate() {
        let film = file().deep();
        assert_eq!((film.width, film.height), (2, 3), "{number}");
        assert_eq!(shades(&film), file().gray(), "{number}");
    }
}

#[test]
fn samples_at_full_depth_are_the_stored_values_less_the_lowest() {
    let film = File::new(12, &[0x800, 0xfff, 0, 0x7ff, 0xf800, 0x1001])
        .with(tags::PIXEL_REPRESENTATION, VR::US, 1)
        .deep();

    assert_eq!((film.about.bits, film.about.lowest), (12, -2048));
    assert_eq!(film.samples, [0, 2047, 2048, 4095, 0, 2049]);
    assert_eq!(film.about.modality, Modality::Rescale { slope: 1.0, intercept: 0.0 });
}

#[test]
fn a_film_at_full_depth_has_spacing_patient_and_date() {
    let file = |tags: &[Tag]| {
        let mut file = File::new(8, &[0; 6]);
        for &tag in tags {
            file = file.text(
                tag,
                VR::DS,
                if tag == tags::IMAGER_PIXEL_SPACING { "0.2\\0.1" } else { "0.15\\0.1" },
            );
        }
        file
    };
    let spacing = |tags: &[Tag]| file(tags).deep().about.spacing;
    let at = |rows, measured_at| Some(Spacing { millimeters: [rows, 0.1], measured_at });

    assert_eq!(spacing(&[]), None);
    assert_eq!(spacing(&[tags::PIXEL_SPACING]), at(0.15, MeasuredAt::Unknown));
    assert_eq!(spacing(&[tags::IMAGER_PIXEL_SPACING]), at(0.2, MeasuredAt::Detector));
    let both = [tags::PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING];
    assert_eq!(spacing(&both), at(0.15, MeasuredAt::Patient));
    let bad = File::new(8, &[0; 6]).text(tags::PIXEL_SPACING, VR::DS, "0\\0.1");
    assert_eq!(bad.deep().about.spacing, None);
    let about = File::new(8, &[0; 6])
        .text(tags::PATIENT_ID, VR::LO, "4711 ")
        .text(tags::STUDY_DATE, VR::DA, "20200131")
        .deep()
        .about;
    assert_eq!(
        (about.patient.as_deref(), about.study_date.as_deref()),
        (Some("4711"), Some("20200131"))
    );
}
