//! Elements of data sets, read as text and made of values.

use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::error::Error;

/// The longest value that is copied, in bytes: more than a name in three scripts takes.
const LONGEST: usize = 1024;

/// Reads an element as text without the spaces around it; `None` if it is absent or empty.
///
/// # Errors
///
/// Returns an error if it is not text, or longer than any name.
pub(crate) fn text(header: &InMemDicomObject, tag: Tag) -> Result<Option<String>, Error> {
    let Some(element) = header.get(tag) else { return Ok(None) };
    let text =
        element.value().to_str().map_err(|_| Error::Damaged { tag, what: "it is not text" })?;
    let text = text.trim_matches(['\0', ' ']);
    if text.len() > LONGEST {
        return Err(Error::Damaged { tag, what: "it is longer than 1,024 bytes" });
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Makes an element of a text.
pub(crate) fn string(tag: Tag, vr: VR, text: impl Into<String>) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(text.into()))
}

/// Makes an element without a value.
pub(crate) fn empty(tag: Tag, vr: VR) -> InMemElement {
    match vr {
        VR::SQ => sequence(tag, Vec::new()),
        _ => DataElement::new(tag, vr, PrimitiveValue::Empty),
    }
}

/// Makes an element of whole numbers of 16 bits.
pub(crate) fn shorts<const N: usize>(tag: Tag, values: [u16; N]) -> InMemElement {
    DataElement::new(tag, VR::US, PrimitiveValue::U16(C::from_slice(&values)))
}

/// Makes a sequence.
pub(crate) fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> InMemElement {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

/// Makes a data set of elements, in any order.
pub(crate) fn data_set(elements: impl IntoIterator<Item = InMemElement>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

/// Copies some elements that are not sequences.
pub(crate) fn only(item: &InMemDicomObject, tags: &[Tag]) -> InMemDicomObject {
    let elements = tags.iter().filter_map(|&tag| item.get(tag));
    let plain = elements.filter(|element| element.value().primitive().is_some());
    InMemDicomObject::from_element_iter(plain.cloned())
}
