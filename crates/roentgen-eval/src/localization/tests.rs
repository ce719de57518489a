use roentgen_test_support::mutation::{Mutator, turns};

use super::*;

const SIZE: usize = 64;

fn about() -> About {
    About {
        model: "0123456789ab".into(),
        architecture: "mobilenet-v2".into(),
        method: "grad-cam".into(),
        dataset: "phantom (seed 1)".into(),
        dataset_id: Some("ba9876543210".into()),
        split: "official test".into(),
        size: SIZE,
        patients_in_training: Some(0),
        boxes_elsewhere: 2,
        boxes_of_other_findings: 0,
    }
}

/// A film of patient `number` whose box is at one of four places; the map of the model is on it if
/// `is_right`, and otherwise in the opposite corner.
pub(crate) fn film(number: usize, finding: &str, is_right: bool) -> BoxedFilm {
    let [row, column] = [number % 2, number / 2 % 2];
    let share = |at: usize| 0.125 + 0.5 * at as f64;
    let film_box = FilmBox {
        finding: finding.into(),
        corner: [share(column), share(row)],
        size: [0.25, 0.25],
    };
    let mut values = vec![0.0; 64];
    let [row, column] = if is_right { [row, column] } else { [1 - row, 1 - column] };
    for (down, along) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        values[(1 + 4 * row + down) * 8 + 1 + 4 * column + along] = 2.0 + along as f32 / 9.0;
    }
    let map = HeatMap { height: 8, width: 8, values };
    let turned = HeatMap { values: map.values.iter().map(|value| -value).collect(), ..map.clone() };
    BoxedFilm {
        image: format!("{number}.png"),
        patient: format!("p{}", number / 2),
        finding: finding.into(),
        boxes: vec![film_box],
        random_weights: Some(if is_right { map.clone() } else { turned }),
        map,
    }
}

pub(crate) fn localized(films: &[BoxedFilm], findings: &[&str]) -> Localization {
    let findings: Vec<String> = findings.iter().map(|name| (*name).to_owned()).collect();
    localize(films, &findings, about(), &BootstrapOptions { resamples: 60, seed: 3 })
}

#[test]
fn a_right_map_is_ahead_of_random_maps_and_mean_boxes_and_reaches_the_ceiling() {
    let films: Vec<BoxedFilm> = (0..40).map(|number| film(number, "Mass", true)).collect();
    let found = localized(&films, &["Mass"]);
    let rows = &found.findings[0].rows;

    assert_eq!((found.films, found.patients, found.boxes), (40, 20, 40));
    assert_eq!(rows.model.pointing.value, Some(1.0));
    assert_eq!(rows.ceiling.pointing.value, Some(1.0));
    assert!(rows.model.iou.value.unwrap() > 0.8, "{:?}", rows.model.iou);
    for row in [&rows.random, &rows.mean_box] {
        let lead = row.lead.unwrap();
        assert!(lead.pointing.ci95.unwrap().low > 0.3, "{lead:?}");
        assert!(lead.iou.ci95.unwrap().low > 0.3, "{lead:?}");
    }
    let at = &rows.model.by_iobb[0];
    assert_eq!((at.t, at.accuracy.value, at.false_boxes.value), (0.1, Some(1.0), Some(0.0)));
    assert_eq!(rows.random_weights.value, Some(1.0));
    assert_eq!(found.mean, found.findings[0].rows, "of one finding the mean is the figure");
}

#[test]
fn half_of_the_maps_being_wrong_is_a_half() {
    let film = |number| film(number, "Mass", number % 4 < 2);
    let films: Vec<BoxedFilm> = (0..40).map(film).collect();
    let rows = &localized(&films, &["Mass"]).findings[0].rows;

    assert_eq!(rows.model.pointing.value, Some(0.5));
    let ends = rows.model.pointing.ci95.unwrap();
    assert!(ends.low < 0.4 && ends.high > 0.6 && ends.low > 0.1, "{ends:?}");
    let at = rows.model.by_iou.iter().find(|at| at.t == 0.25).unwrap();
    // A wrong map has a false box at each of the two thresholds.
    assert_eq!((at.accuracy.value, at.false_boxes.value), (Some(0.5), Some(1.0)));
    assert_eq!(rows.random_weights.value, Some(0.0));
    assert_eq!(rows.random_weights.films, 40);
}

#[test]
fn a_finding_without_boxes_is_blank_and_left_out_of_the_mean() {
    let films: Vec<BoxedFilm> = (0..8).map(|number| film(number, "Mass", true)).collect();
    let found = localized(&films, &["Hernia", "Mass"]);
    let blank = &found.findings[0];

    assert_eq!((blank.films, blank.patients, blank.boxes), (0, 0, 0));
    assert_eq!(blank.rows.model.pointing, Figure::default());
    assert_eq!(blank.rows.random_weights.value, None);
    assert_eq!(found.mean.model.pointing.value, Some(1.0));
}

#[test]
fn one_patient_has_neither_mean_box_nor_threshold_nor_interval() {
    let films: Vec<BoxedFilm> = (0..2).map(|number| film(number, "Mass", true)).collect();
    let rows = &localized(&films, &["Mass"]).findings[0].rows;

    assert_eq!(rows.model.pointing, Figure { value: Some(1.0), ci95: None });
    assert_eq!((rows.model.iou.value, rows.mean_box.pointing.value), (None, None));
    assert_eq!(rows.mean_box.lead.unwrap().pointing, Figure::default());

    // Nor beside a finding of many patients.
    let others = (2..20).map(|number| film(number, "Nodule", true));
    let films: Vec<BoxedFilm> = films.into_iter().chain(others).collect();
    let found = localized(&films, &["Mass", "Nodule"]);
    assert_eq!(found.findings[0].rows.model.pointing.ci95, None);
    assert!(found.findings[1].rows.model.pointing.ci95.is_some());
}

#[test]
fn the_mean_lead_is_over_the_findings_that_have_both_maps() {
    // A finding with boxes of one patient has no mean box from other patients.
    let alone = (0..2).map(|number| film(number, "Mass", false));
    let films: Vec<BoxedFilm> =
        alone.chain((2..20).map(|number| film(number, "Nodule", true))).collect();
    let found = localized(&films, &["Mass", "Nodule"]);

    let lead = |rows: &MapFigures| rows.mean_box.lead.unwrap().pointing.value;
    assert_eq!(lead(&found.findings[0].rows), None);
    assert!(lead(&found.findings[1].rows).is_some());
    assert_eq!(lead(&found.mean), lead(&found.findings[1].rows));
    assert_eq!(found.mean.model.pointing.value, Some(0.5));
}

#[test]
fn maps_of_one_cell_are_flat_and_point_by_chance() {
    let cell = HeatMap { height: 1, width: 1, values: vec![4.0] };
    let of = |number| BoxedFilm { map: cell.clone(), ..film(number, "Mass", true) };
    let films: Vec<BoxedFilm> = (0..8).map(of).collect();
    let found = localized(&films, &["Mass"]);
    let rows = &found.findings[0].rows;

    assert_eq!((found.map, found.findings[0].flat), (Some([1, 1]), 8));
    assert_eq!(rows.model.pointing.value, Some(0.0625));
    assert_eq!(rows.model.by_iobb[0].accuracy.value, Some(0.0));
    assert_eq!((rows.random_weights.value, rows.random_weights.films), (None, 0));
    assert!(summary(&found)[1].starts_with("8 of 8 maps are flat"));
}

/// Reads changed documents: an error or figures, never a panic, and in no time.
fn changed_documents_are_refused_or_read(whole: &str, folder: &std::path::Path) {
    let path = folder.join("changed.json");
    let mut mutator = Mutator::new(1);
    let mut refused = 0;
    for turn in 0..turns(200) {
        std::fs::write(&path, mutator.mutate(whole.as_bytes())).unwrap();
        let start = std::time::Instant::now();
        refused += u64::from(Localization::read(&path).is_err());
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "turn {turn}");
    }
    assert!(refused > turns(200) / 4, "{refused}");
}

#[test]
fn page_table_and_json_state_the_same_numbers_and_json_is_read_back() {
    let film = |number| film(number, ["Mass", "Pleural_Thickening"][number % 2], number % 3 > 0);
    let films: Vec<BoxedFilm> = (0..30).map(film).collect();
    let found = localized(&films, &["Mass", "Pleural_Thickening", "Hernia"]);
    let folder = tempfile::tempdir().unwrap();
    let card = FilmCard {
        choice: crate::films::ChosenFilm {
            row: 0,
            image: "0.png".into(),
            finding: "Mass".into(),
            probability: 0.75,
            label: true,
            verdict: crate::films::Agreement::Found,
        },
        png: vec![1],
        boxes: films[0].boxes.clone(),
        text: "highest point in a box".into(),
    };
    let files = found.write(folder.path(), &[card]).unwrap();
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();

    assert_eq!(files.len(), 3);
    let read = Localization::read(&folder.path().join("localization.json")).unwrap();
    changed_documents_are_refused_or_read(&text("localization.json"), folder.path());
    assert_eq!((&read.about, read.films, read.map), (&found.about, found.films, found.map));
    for (read, found) in read.findings.iter().zip(&found.findings) {
        let of = |rows: &MapFigures| {
            let lead = rows.random.lead.unwrap().iou;
            [rows.model.iou.value, lead.value, lead.ci95.map(|ends| ends.low)].map(|value| {
                // A reader may be off by the last digit.
                value.map(|value| format!("{value:.12}"))
            })
        };
        assert_eq!(of(&read.rows), of(&found.rows), "{}", found.finding);
    }
    let page = text("localization.html");
    let csv = text("localization.csv");
    for finding in &found.findings[..2] {
        let Figure { value, ci95 } = finding.rows.model.pointing;
        let (value, ends) = (value.unwrap(), ci95.unwrap());
        let row = format!("{},model,pointing,,{value},{},{}", finding.finding, ends.low, ends.high);
        assert!(csv.contains(&row), "{row}\n{csv}");
        let shown = format!("<td>{value:.3} <span class=\"ci\">{:.3}–{:.3}", ends.low, ends.high);
        assert!(page.contains(&shown), "{shown}");
    }
    assert!(csv.contains("Hernia,model,pointing,,,,"), "an undefined figure is an empty cell");
    assert!(
        page.contains("Findings without boxes: Hernia.") && page.contains("2 boxes are on films")
    );
    assert!(page.contains("synthetic test data"));
    let alt = "alt=\"Film 0.png under its map for Mass, probability 0.750, with the drawn box; \
               highest point in a box\"";
    assert!(page.contains(alt), "{page}");
    let json: serde_json::Value = serde_json::from_str(&text("localization.json")).unwrap();
    for key in ["program", "dataset_id"] {
        let stated = format!("<dd>{}</dd>", json[key].as_str().unwrap());
        assert!(page.contains(&stated), "{stated}");
    }
    let mut earlier = json;
    for key in ["program", "dataset_id"] {
        earlier.as_object_mut().unwrap().remove(key).unwrap();
    }
    std::fs::write(folder.path().join("earlier.json"), earlier.to_string()).unwrap();
    let earlier = Localization::read(&folder.path().join("earlier.json")).unwrap();
    assert_eq!((earlier.program, earlier.about.dataset_id), (None, None));
    std::fs::write(folder.path().join("other.json"), "{}").unwrap();
    assert!(Localization::read(&folder.path().join("other.json")).is_err());
}
