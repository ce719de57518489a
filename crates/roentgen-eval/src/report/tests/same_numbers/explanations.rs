//! Figures of maps compared with boxes.

use super::*;
use crate::localization::{
    Localization,
    tests::{film, localized},
};

/// Two findings with boxes, and one without.
pub(super) fn localization() -> Localization {
    let film = |number| film(number, ["Mass", "Pleural_Thickening"][number % 2], number % 3 > 0);
    let films: Vec<_> = (0..30).map(film).collect();
    localized(&films, &["Mass", "Pleural_Thickening", "Hernia"])
}

pub(super) fn tables(files: &Files) {
    let of = &files.json["localization"];
    assert_eq!(of["program"], files.json["program"]);
    assert_eq!(of["findings"].as_array().unwrap().len(), 3);
    let mean = ("Mean", &of["mean"], &of["films"]);
    let findings = of["findings"].as_array().unwrap().iter();
    let findings = findings.map(|of| (of["finding"].as_str().unwrap(), of, &of["films"]));
    for (name, of, films) in findings.chain([mean]) {
        let shown = name.replace('_', " ");
        let on = |column: &str, figures: &[&Value]| {
            files.on_pages("Explanations", &[&shown], column, figures);
        };
        let model = &of["model"];
        on("Films", &[films]);
        for (column, figure) in [("Pointing", "pointing"), ("Overlap", "iou")] {
            on(column, &[&model[figure]["value"], &model[figure]["ci95"]]);
        }
        // Of columns of the same name the first is found, which is of pointing.
        for (column, map) in
            [("Random", "random"), ("Mean box", "mean_box"), ("Ceiling", "ceiling")]
        {
            on(column, &[&of[map]["pointing"]["value"]]);
        }
    }
}
