//! Content items of structured reports (PS3.3, C.17.3).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::codes::{Code, ONE};
use crate::element::{data_set, sequence, string};
use crate::source::Reference;

/// How an item relates to the one that contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Contains,
    HasObservationContext,
    HasAcquisitionContext,
    HasConceptModifier,
}

impl Relation {
    fn name(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasObservationContext => "HAS OBS CONTEXT",
            Self::HasAcquisitionContext => "HAS ACQ CONTEXT",
            Self::HasConceptModifier => "HAS CONCEPT MOD",
        }
    }
}

/// Makes an item with a text.
pub(crate) fn text(relation: Relation, name: Code, text: &str) -> InMemDicomObject {
    item(relation, "TEXT", Some(name), [string(tags::TEXT_VALUE, VR::UT, text)])
}

/// Makes an item with a code.
pub(crate) fn code(relation: Relation, name: Code, value: Code) -> InMemDicomObject {
    item(relation, "CODE", Some(name), [codes(tags::CONCEPT_CODE_SEQUENCE, value)])
}

/// Makes an item with a UID.
pub(crate) fn uid(relation: Relation, name: Code, uid: &str) -> InMemDicomObject {
    item(relation, "UIDREF", Some(name), [string(tags::UID, VR::UI, uid)])
}

/// Makes an item with a number without a unit, with six digits after the point.
pub(crate) fn number(name: Code, number: f64) -> InMemDicomObject {
    let value = data_set([
        string(tags::NUMERIC_VALUE, VR::DS, format!("{number:.6}")),
        codes(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, ONE),
    ]);
    item(
        Relation::Contains,
        "NUM",
        Some(name),
        [sequence(tags::MEASURED_VALUE_SEQUENCE, vec![value])],
    )
}

/// Makes an item that refers to an image.
pub(crate) fn image(name: Option<Code>, image: &Reference) -> InMemDicomObject {
    let reference = sequence(tags::REFERENCED_SOP_SEQUENCE, vec![image.item()]);
    item(Relation::Contains, "IMAGE", name, [reference])
}

/// Makes an item that contains others.
pub(crate) fn container(
    name: Code,
    template: Option<&'static str>,
    children: Vec<InMemDicomObject>,
) -> InMemDicomObject {
    let mut item = item(Relation::Contains, "CONTAINER", Some(name), contents(template, children));
    item.put(string(tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE"));
    item
}

/// Returns the elements of a container: its template and what it contains.
pub(crate) fn contents(
    template: Option<&'static str>,
    children: Vec<InMemDicomObject>,
) -> impl Iterator<Item = InMemElement> {
    let template = template.map(|number| {
        let template = data_set([
            string(tags::MAPPING_RESOURCE, VR::CS, "DCMR"),
            string(tags::TEMPLATE_IDENTIFIER, VR::CS, number),
        ]);
        sequence(tags::CONTENT_TEMPLATE_SEQUENCE, vec![template])
    });
    template.into_iter().chain([sequence(tags::CONTENT_SEQUENCE, children)])
}

/// Makes a sequence of one code.
pub(crate) fn codes(tag: Tag, code: Code) -> InMemElement {
    sequence(tag, vec![code.item()])
}

impl Reference {
    /// Makes the item of a sequence that refers to the object.
    pub(crate) fn item(&self) -> InMemDicomObject {
        data_set([
            string(tags::REFERENCED_SOP_CLASS_UID, VR::UI, self.class.as_str()),
            string(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, self.instance.as_str()),
        ])
    }
}

fn item(
    relation: Relation,
    kind: &'static str,
    name: Option<Code>,
    value: impl IntoIterator<Item = InMemElement>,
) -> InMemDicomObject {
    let name = name.map(|name| codes(tags::CONCEPT_NAME_CODE_SEQUENCE, name));
    let head = [
        string(tags::RELATIONSHIP_TYPE, VR::CS, relation.name()),
        string(tags::VALUE_TYPE, VR::CS, kind),
    ];
    data_set(head.into_iter().chain(name).chain(value))
}
