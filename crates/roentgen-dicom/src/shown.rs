//! How the pixels of a film are shown: size, rescale, window, distances, orientation.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::element::{data_set, only, sequence, string, text};
use crate::error::Error;

/// Rescale Type or Modality LUT Type of values without a known unit.
const UNSPECIFIED: &str = "US";
/// The Rescale Types and Modality LUT Types of the standard (PS3.3 C.11.1.1.2).
const RESCALE_TYPES: [&str; 9] =
    ["OD", "HU", UNSPECIFIED, "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"];
/// The Lossy Image Compression Methods of the standard (PS3.3 C.7.6.1.1.5.1).
const LOSSY_METHODS: [&str; 8] = [
    "ISO_10918_1",
    "ISO_14495_1",
    "ISO_15444_1",
    "ISO_15444_15",
    "ISO_18181_1",
    "ISO_13818_2",
    "ISO_14496_10",
    "ISO_23008_2",
];

/// How the film's pixels are shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// `[rows, columns]`.
    pub(crate) size: [u32; 2],
    /// Whether it has one channel; a gray presentation state cannot show colors.
    pub(crate) is_gray: bool,
    /// Whether the lowest value is white.
    pub(crate) is_inverted: bool,
    /// Modality LUT or rescale.
    pub(crate) modality: InMemDicomObject,
    /// The first VOI LUT or the first window; empty if there is none.
    pub(crate) voi: InMemDicomObject,
    /// Distance of rows and of columns in mm.
    pub(crate) spacing: Option<String>,
    /// Height and width of a pixel, such as `4\3`, if they differ and the header has no distances.
    pub(crate) aspect: Option<String>,
    /// Burned In Annotation, if the header says it.
    pub(crate) burned_in: Option<String>,
    /// Directions of the rows and of the columns, such as `L\F`.
    pub(crate) orientation: Option<String>,
    /// Loss by compression: whether, ratio, method.
    pub(crate) lossy: [Option<String>; 3],
}

impl Shown {
    /// Returns height and width of a pixel as whole numbers, if they differ.
    pub(crate) fn aspect_ratio(&self) -> Option<String> {
        let Some(spacing) = &self.spacing else { return self.aspect.clone() };
        let nanometers =
            |part: &str| part.trim().parse::<f64>().ok().map(|mm| (mm * 1e6).round() as i32);
        let parts: Vec<i32> = spacing.split('\\').filter_map(nanometers).collect();
        let ratio = parts.iter().map(i32::to_string).collect::<Vec<_>>().join("\\");
        Some(ratio).filter(|ratio| is_uneven(ratio))
    }

    /// Removes free text, and words that the standard does not define: they could name a patient.
    pub(crate) fn de_identified(mut self) -> Self {
        keep_known_type(&mut self.modality, tags::RESCALE_TYPE);
        self.modality.update_value(tags::MODALITY_LUT_SEQUENCE, |luts| {
            for lut in luts.items_mut().into_iter().flatten() {
                lut.remove_element(tags::LUT_EXPLANATION);
                keep_known_type(lut, tags::MODALITY_LUT_TYPE);
            }
        });
        self.voi.update_value(tags::VOILUT_SEQUENCE, |luts| {
            for lut in luts.items_mut().into_iter().flatten() {
                lut.remove_element(tags::LUT_EXPLANATION);
            }
        });
        self.burned_in = self.burned_in.filter(|said| ["YES", "NO"].contains(&said.as_str()));
        self.orientation = self.orientation.filter(|directions| is_orientation(directions));
        let [is_lossy, ratio, method] = self.lossy;
        let is_method = |method: &str| LOSSY_METHODS.contains(&method);
        self.lossy = [
            is_lossy,
            ratio.filter(|ratio| numbers(ratio).is_some()),
            method.filter(|methods| methods.split('\\').all(is_method)),
        ];
        self
    }

    /// Reads how the pixels are shown.
    ///
    /// # Errors
    ///
    /// Returns an error if an element is damaged, or if rows or columns are missing.
    pub(crate) fn read(header: &InMemDicomObject) -> Result<Self, Error> {
        let of = |tag| text(header, tag);
        let number = |tag, name| {
            let element = header.get(tag).ok_or(Error::Missing { tag, name })?;
            let number = element.value().to_int::<u16>().ok().filter(|number| *number > 0);
            let what = "it is not a number from 1 to 65,535";
            number.map(u32::from).ok_or(Error::Damaged { tag, what })
        };
        let photometric = of(tags::PHOTOMETRIC_INTERPRETATION)?.unwrap_or_default();
        let spacings = [of(tags::PIXEL_SPACING)?, of(tags::IMAGER_PIXEL_SPACING)?];
        Ok(Self {
            size: [number(tags::ROWS, "Rows")?, number(tags::COLUMNS, "Columns")?],
            is_gray: photometric.starts_with("MONOCHROME"),
            is_inverted: photometric == "MONOCHROME1"
                || of(tags::PRESENTATION_LUT_SHAPE)?.as_deref() == Some("INVERSE"),
            modality: modality(header),
            voi: voi(header)?,
            spacing: spacings.into_iter().flatten().find(|spacing| is_spacing(spacing)),
            aspect: of(tags::PIXEL_ASPECT_RATIO)?.filter(|ratio| is_uneven(ratio)),
            burned_in: of(tags::BURNED_IN_ANNOTATION)?,
            orientation: of(tags::PATIENT_ORIENTATION)?,
            lossy: [
                of(tags::LOSSY_IMAGE_COMPRESSION)?,
                of(tags::LOSSY_IMAGE_COMPRESSION_RATIO)?,
                of(tags::LOSSY_IMAGE_COMPRESSION_METHOD)?,
            ],
        })
    }
}

/// Returns the first modality LUT, or the rescale.
fn modality(header: &InMemDicomObject) -> InMemDicomObject {
    if let Some(lut) = first_item(header, tags::MODALITY_LUT_SEQUENCE) {
        let parts =
            [tags::LUT_DESCRIPTOR, tags::LUT_EXPLANATION, tags::MODALITY_LUT_TYPE, tags::LUT_DATA];
        let lut = sequence(tags::MODALITY_LUT_SEQUENCE, vec![only(lut, &parts)]);
        return InMemDicomObject::from_element_iter([lut]);
    }
    let first = |tag| first_number(header, tag).ok().flatten();
    let (Some((intercept, _)), Some((slope, _))) =
        (first(tags::RESCALE_INTERCEPT), first(tags::RESCALE_SLOPE))
    else {
        return InMemDicomObject::new_empty();
    };
    let kind = text(header, tags::RESCALE_TYPE).ok().flatten();
    data_set([
        string(tags::RESCALE_INTERCEPT, VR::DS, intercept),
        string(tags::RESCALE_SLOPE, VR::DS, slope),
        string(tags::RESCALE_TYPE, VR::LO, kind.unwrap_or_else(|| UNSPECIFIED.to_owned())),
    ])
}

/// Returns the first VOI LUT, or the first window with its function.
fn voi(header: &InMemDicomObject) -> Result<InMemDicomObject, Error> {
    if let Some(lut) = first_item(header, tags::VOILUT_SEQUENCE) {
        let parts = [tags::LUT_DESCRIPTOR, tags::LUT_EXPLANATION, tags::LUT_DATA];
        let lut = sequence(tags::VOILUT_SEQUENCE, vec![only(lut, &parts)]);
        return Ok(InMemDicomObject::from_element_iter([lut]));
    }
    let (Some((center, _)), Some((width, span))) =
        (first_number(header, tags::WINDOW_CENTER)?, first_number(header, tags::WINDOW_WIDTH)?)
    else {
        return Ok(InMemDicomObject::new_empty());
    };
    let function = text(header, tags::VOILUT_FUNCTION)?;
    let is_wide = match function.as_deref() {
        None | Some("LINEAR") => span >= 1.0,
        Some("LINEAR_EXACT" | "SIGMOID") => span > 0.0,
        Some(_) => false,
    };
    if !is_wide {
        return Ok(InMemDicomObject::new_empty());
    }
    let window =
        [string(tags::WINDOW_CENTER, VR::DS, center), string(tags::WINDOW_WIDTH, VR::DS, width)];
    let function = function.map(|function| string(tags::VOILUT_FUNCTION, VR::CS, function));
    Ok(data_set(window.into_iter().chain(function)))
}

/// Returns the first value of an element as text and number; `None` if there is none, or if any of the
/// values is not a number. The reader of pixels ignores such elements too.
///
/// # Errors
///
/// Returns an error if the element is damaged.
fn first_number(header: &InMemDicomObject, tag: Tag) -> Result<Option<(String, f64)>, Error> {
    let Some(values) = text(header, tag)? else { return Ok(None) };
    let first = values.split('\\').next().unwrap_or_default().trim().to_owned();
    let number = numbers(&values).and_then(|numbers| numbers.first().copied());
    Ok(number.map(|number| (first, number)))
}

/// Reads values of a text; `None` if any of them is not a number.
fn numbers(values: &str) -> Option<Vec<f64>> {
    let number = |value: &str| value.trim().parse().ok().filter(|number: &f64| number.is_finite());
    values.split('\\').map(number).collect()
}

/// Replaces a type of rescale or LUT that the standard does not define.
fn keep_known_type(of: &mut InMemDicomObject, tag: Tag) {
    let is_known =
        matches!(text(of, tag), Ok(Some(kind)) if RESCALE_TYPES.contains(&kind.as_str()));
    if of.get(tag).is_some() && !is_known {
        of.put(string(tag, VR::LO, UNSPECIFIED));
    }
}

/// Whether a text has two directions of the standard, such as `L\F` or `AR\FP` (PS3.3 C.7.6.1.1.1).
fn is_orientation(text: &str) -> bool {
    let axes = ["AP", "LR", "FH"];
    let is_direction = |part: &str| {
        let has_at_most_one =
            |axis: &&str| part.chars().filter(|letter| axis.contains(*letter)).count() <= 1;
        let are_known = part.chars().all(|letter| axes.iter().any(|axis| axis.contains(letter)));
        !part.is_empty() && are_known && axes.iter().all(has_at_most_one)
    };
    text.split('\\').count() == 2 && text.split('\\').all(is_direction)
}

/// Whether a text has two distances above zero.
fn is_spacing(text: &str) -> bool {
    let is_distance = |part: &str| part.trim().parse::<f64>().is_ok_and(|mm| mm > 0.0);
    text.split('\\').count() == 2 && text.split('\\').all(is_distance)
}

/// Whether a text has two whole numbers above zero that differ.
fn is_uneven(ratio: &str) -> bool {
    let parts: Vec<Option<u32>> = ratio.split('\\').map(|part| part.trim().parse().ok()).collect();
    matches!(parts[..], [Some(height), Some(width)] if height > 0 && width > 0 && height != width)
}

fn first_item(header: &InMemDicomObject, tag: Tag) -> Option<&InMemDicomObject> {
    header.get(tag)?.items()?.first()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rescale_without_numbers_is_not_copied() {
        let with = |slope: &str, kind: &str| {
            modality(&data_set([
                string(tags::RESCALE_INTERCEPT, VR::DS, "-5"),
                string(tags::RESCALE_SLOPE, VR::DS, slope),
                string(tags::RESCALE_TYPE, VR::LO, kind),
            ]))
        };

        assert_eq!(with("", "HU").iter().count(), 0);
        assert_eq!(text(&with("2", ""), tags::RESCALE_TYPE).unwrap().as_deref(), Some("US"));
        assert_eq!(text(&with("2", "HU"), tags::RESCALE_TYPE).unwrap().as_deref(), Some("HU"));
    }

    #[test]
    fn a_window_without_numbers_or_width_is_not_copied() {
        let with = |center: &str, width: &str, function: &str| {
            let window = voi(&data_set([
                string(tags::WINDOW_CENTER, VR::DS, center),
                string(tags::WINDOW_WIDTH, VR::DS, width),
                string(tags::VOILUT_FUNCTION, VR::CS, function),
            ]));
            let window = window.unwrap();
            [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| text(&window, tag).unwrap())
        };

        for (center, width, function) in [
            ("\\300", "100", ""),
            ("abc", "100", ""),
            ("40\\abc", "100", ""),
            ("40", "inf", ""),
            ("40", "0", "SIGMOID"),
            ("40", "0.5", "LINEAR"),
            ("40", "0.5", ""),
            ("40", "80", "CURVED"),
        ] {
            assert_eq!(
                with(center, width, function),
                [None, None],
                "{center}, {width}, {function}"
            );
        }
        let window = |center: &str, width: &str| [center, width].map(|text| Some(text.to_owned()));
        assert_eq!(with("40 \\50", "80\\90", ""), window("40", "80"));
        assert_eq!(with("40", "0.5", "LINEAR_EXACT"), window("40", "0.5"));
    }

    #[test]
    fn an_orientation_is_two_directions_of_the_standard() {
        for known in ["L\\F", "AR\\FP", "R\\H"] {
            assert!(is_orientation(known), "{known}");
        }
        for other in ["L", "L\\", "L\\F\\A", "LR\\F", "LL\\F", "Doe\\Jane", "l\\f"] {
            assert!(!is_orientation(other), "{other}");
        }
    }

    #[test]
    fn pixels_are_uneven_if_two_whole_numbers_differ() {
        assert!(is_uneven("4\\3") && is_uneven("143 \\ 150"));
        for even in ["1\\1", "0\\1", "4", "4\\3\\2", "a\\b", "0.1\\0.2"] {
            assert!(!is_uneven(even), "{even}");
        }
    }

    #[test]
    fn a_spacing_is_two_distances_above_zero() {
        assert!(is_spacing("0.143\\0.143") && is_spacing("0.1 \\0.2"));
        assert!(!is_spacing("0.000\\0.000") && !is_spacing("0.1") && !is_spacing("a\\b"));
    }
}
