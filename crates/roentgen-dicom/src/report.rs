//! The structured report: template TID 1500 "Measurement Report" of PS3.16.
//!
//! It is a Comprehensive SR: the template needs numbers with modifiers and references to images, but
//! neither references between items nor coordinates in space, and archives have known this class for
//! longer than its 3D successor. Each finding is a group by TID 1501, also those that are called
//! negative: a report that left them out could not be told from one of a model that does not know
//! them.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use crate::codes;
use crate::content::{self, Relation, code, container, image, number, text, uid};
use crate::element::{data_set, empty, sequence, string};
use crate::error::Error;
use crate::object::{self, Head, NAME, NOT_FOR_DIAGNOSIS, encode};
use crate::results::{Algorithm, FindingResult, Results};
use crate::source::Source;
use crate::uid::derived;

/// The root template, and that of a group.
const TEMPLATE: &str = "1500";
const GROUP_TEMPLATE: &str = "1501";

/// Makes the report of a film, as a file.
///
/// # Errors
///
/// Returns an error if it cannot be encoded.
pub fn report(source: &Source, results: &Results<'_>) -> Result<Vec<u8>, Error> {
    let description = format!("AI findings, {NOT_FOR_DIAGNOSIS}");
    let head = Head {
        class: uids::COMPREHENSIVE_SR_STORAGE,
        modality: "SR",
        kind: "report",
        series_number: 9101,
        description: &description,
        number: 1,
        detail: "",
    };
    let mut report = object::start(source, results.algorithm, results.written, &head);
    let written = object::moment(source, results.written);
    for (tag, vr, text) in [
        (tags::CONTENT_DATE, VR::DA, written.date.as_str()),
        (tags::CONTENT_TIME, VR::TM, written.time.as_str()),
        (tags::COMPLETION_FLAG, VR::CS, "COMPLETE"),
        (tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED"),
        (tags::PRELIMINARY_FLAG, VR::CS, "PRELIMINARY"),
        (tags::VALUE_TYPE, VR::CS, "CONTAINER"),
        (tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE"),
    ] {
        report.put(string(tag, vr, text));
    }
    report.put(empty(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, VR::SQ));
    report.put(empty(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, VR::SQ));
    report.put(sequence(tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE, schemes()));
    report
        .put(sequence(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![evidence(source)]));
    report.put(content::codes(tags::CONCEPT_NAME_CODE_SEQUENCE, codes::REPORT));
    for element in content::contents(Some(TEMPLATE), items(source, results)) {
        report.put(element);
    }
    encode(report)
}

/// Returns the items of the root, in the order of the template.
fn items(source: &Source, results: &Results<'_>) -> Vec<InMemDicomObject> {
    let modality =
        code(Relation::HasAcquisitionContext, codes::MODALITY, codes::modality(&source.modality));
    let group = vec![modality, image(None, &source.image)];
    let library = vec![container(codes::LIBRARY_GROUP, None, group)];
    let groups = results.findings.iter().map(|finding| group_of(source, results, finding));
    let mut items = vec![code(Relation::HasConceptModifier, codes::LANGUAGE, codes::ENGLISH)];
    items.extend(observer(results.algorithm));
    items.push(code(Relation::HasConceptModifier, codes::PROCEDURE, codes::CHEST_FILM));
    items.push(container(codes::LIBRARY, Some("1600"), library));
    items.push(container(codes::MEASUREMENTS, None, groups.collect()));
    items.push(text(Relation::Contains, codes::COMMENT, &comment()));
    items
}

/// What a reader has to know.
fn comment() -> String {
    format!(
        "Computed by a classifier for research, {NOT_FOR_DIAGNOSIS}; no person has verified it. A \
         finding is present or absent only where a physician says so; `{}` compares a probability \
         with a threshold.",
        codes::CALL.meaning
    )
}

/// The observer is a device (TID 1002, 1004).
fn observer(algorithm: &Algorithm) -> [InMemDicomObject; 5] {
    let context = Relation::HasObservationContext;
    [
        code(context, codes::OBSERVER_TYPE, codes::DEVICE),
        uid(context, codes::DEVICE_UID, &derived(&["device", &algorithm.model])),
        text(context, codes::DEVICE_NAME, &algorithm.name),
        text(context, codes::DEVICE_MANUFACTURER, NAME),
        text(context, codes::DEVICE_MODEL, &algorithm.model),
    ]
}

/// Makes the group of a finding (TID 1501 with TID 4019).
fn group_of(source: &Source, results: &Results<'_>, of: &FindingResult) -> InMemDicomObject {
    let [finding, site] = codes::finding(of.finding);
    let (context, modifier) = (Relation::HasObservationContext, Relation::HasConceptModifier);
    let algorithm = results.algorithm;
    let name = of.finding.name();
    let mut texts = vec!["finding", source.image.instance.as_str(), name];
    texts.extend(algorithm.texts());
    let mut items = vec![
        text(context, codes::TRACKING, name),
        uid(context, codes::TRACKING_UID, &derived(&texts)),
        code(Relation::Contains, codes::FINDING, finding),
        code(modifier, codes::SITE, site),
        text(modifier, codes::ALGORITHM_NAME, &algorithm.name),
        text(modifier, codes::ALGORITHM_VERSION, &algorithm.version),
        text(modifier, codes::ALGORITHM_PARAMETERS, &format!("model {}", algorithm.model)),
    ];
    let parameters = algorithm.parameters.iter();
    items.extend(parameters.map(|of| text(modifier, codes::ALGORITHM_PARAMETERS, of)));
    items.push(image(Some(codes::IMAGE), &source.image));
    items.push(number(codes::PROBABILITY, of.probability));
    items.extend(of.calibrated.map(|value| number(codes::CALIBRATED, value)));
    items.extend(of.threshold.map(|value| number(codes::THRESHOLD, value)));
    items.extend(of.is_called.map(|is_called| {
        let value = if is_called { codes::POSITIVE } else { codes::NEGATIVE };
        code(Relation::Contains, codes::CALL, value)
    }));
    container(codes::GROUP, Some(GROUP_TEMPLATE), items)
}

/// Refers to the film by study, series and image.
fn evidence(source: &Source) -> InMemDicomObject {
    let series = data_set([
        string(tags::SERIES_INSTANCE_UID, VR::UI, source.series.as_str()),
        sequence(tags::REFERENCED_SOP_SEQUENCE, vec![source.image.item()]),
    ]);
    data_set([
        string(tags::STUDY_INSTANCE_UID, VR::UI, source.study.as_str()),
        sequence(tags::REFERENCED_SERIES_SEQUENCE, vec![series]),
    ])
}

/// Names the coding schemes.
fn schemes() -> Vec<InMemDicomObject> {
    let item = |scheme: &codes::Scheme| {
        let named = [
            string(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme.name),
            string(tags::CODING_SCHEME_NAME, VR::ST, scheme.title),
            string(tags::CODING_SCHEME_RESPONSIBLE_ORGANIZATION, VR::ST, scheme.organization),
        ];
        let registered = scheme.uid.map(|uid| {
            [
                string(tags::CODING_SCHEME_REGISTRY, VR::LO, "HL7"),
                string(tags::CODING_SCHEME_UID, VR::UI, uid),
            ]
        });
        data_set(named.into_iter().chain(registered.into_iter().flatten()))
    };
    codes::SCHEMES.iter().map(item).collect()
}
