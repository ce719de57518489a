//! How the pixels of a film are shown: size, rescale, window, distances, orientation.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::element::{only, sequence, string, text};
use crate::error::Error;

/// How the film's pixels are shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// `[rows, columns]`.
    pub(crate) size: [u32; 2],
    /// Whether it has one channel; a gray presentation state cannot show colours.
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
        let nanometres =
            |part: &str| part.trim().parse::<f64>().ok().map(|mm| (mm * 1e6).round() as i32);
        let parts: Vec<i32> = spacing.split('\\').filter_map(nanometres).collect();
        let ratio = parts.iter().map(i32::to_string).collect::<Vec<_>>().join("\\");
        Some(ratio).filter(|ratio| is_uneven(ratio))
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
    let parts = [tags::RESCALE_INTERCEPT, tags::RESCALE_SLOPE, tags::RESCALE_TYPE];
    let mut rescale = only(header, &parts);
    let is_number = |tag| rescale.get(tag).is_some_and(|of| of.to_float64().is_ok());
    let is_whole = parts[..2].iter().all(|&tag| is_number(tag));
    if !is_whole {
        return InMemDicomObject::new_empty();
    }
    if text(&rescale, tags::RESCALE_TYPE).ok().flatten().is_none() {
        // Unspecified.
        rescale.put(string(tags::RESCALE_TYPE, VR::LO, "US"));
    }
    rescale
}

/// Returns the first VOI LUT, or the first window with its function.
fn voi(header: &InMemDicomObject) -> Result<InMemDicomObject, Error> {
    if let Some(lut) = first_item(header, tags::VOILUT_SEQUENCE) {
        let parts = [tags::LUT_DESCRIPTOR, tags::LUT_EXPLANATION, tags::LUT_DATA];
        let lut = sequence(tags::VOILUT_SEQUENCE, vec![only(lut, &parts)]);
        return Ok(InMemDicomObject::from_element_iter([lut]));
    }
    let first = |tag| {
        let values = text(header, tag)?;
        Ok(values.and_then(|values| values.split('\\').next().map(str::to_owned)))
    };
    let (Some(center), Some(width)) = (first(tags::WINDOW_CENTER)?, first(tags::WINDOW_WIDTH)?)
    else {
        return Ok(InMemDicomObject::new_empty());
    };
    let function = text(header, tags::VOILUT_FUNCTION)?;
    let window =
        [string(tags::WINDOW_CENTER, VR::DS, center), string(tags::WINDOW_WIDTH, VR::DS, width)];
    let function = function.map(|function| string(tags::VOILUT_FUNCTION, VR::CS, function));
    Ok(InMemDicomObject::from_element_iter(window.into_iter().chain(function)))
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
    use crate::element::data_set;

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
