//! Ensembles with weights that are fitted on validation tables and applied to other films.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::Place;

/// Makes a table of forty films that separates Mass by `margin`, and Edema by its opposite.
fn table(side: &str, margin: f64) -> String {
    let mut text = "image,patient,split,Mass,Mass.truth,Edema,Edema.truth\n".to_owned();
    for film in 0..40 {
        let (mass, edema) = (film % 3 == 0, film % 4 == 0);
        let p = |truth: bool, margin: f64| {
            0.4 + if truth { margin } else { -margin } + f64::from(film * 7 % 11) / 100.0
        };
        text += &format!(
            "{side}{film}.png,{side}{},{side},{:.4},{},{:.4},{}\n",
            film / 2,
            p(mass, margin),
            u8::from(mass),
            p(edema, -margin),
            u8::from(edema),
        );
    }
    text
}

fn place() -> Place {
    let place = Place::new();
    for side in ["valid", "test"] {
        for (name, margin) in [("a", 0.25), ("b", -0.25), ("c", 0.0)] {
            place.write(&format!("{side}-{name}.csv"), table(side, margin));
        }
    }
    place
}

const VALID: &str = "valid-a.csv valid-b.csv valid-c.csv";
const TEST: &str = "test-a.csv test-b.csv test-c.csv";

#[test]
fn each_finding_learns_to_trust_the_member_that_knows_it() {
    let place = place();
    let document =
        place.json(&format!("ensemble --fit finding {VALID} --apply {TEST} --out fitted.csv"));
    let weight =
        |finding: &str, member: usize| document["weights"][finding][member].as_f64().unwrap();

    assert!(weight("Mass", 0) > 0.95 && weight("Edema", 1) > 0.95, "{document}");
    assert!(document["valid_loss"].as_f64() < document["valid_loss_of_mean"].as_f64());
    let metrics = |name: &str| {
        place.ok(&format!("evaluate {name} --out report --resamples 10"));
        let metrics: serde_json::Value =
            serde_json::from_str(&place.text("report/metrics.json")).unwrap();
        metrics["mean"]["auroc"].as_f64().unwrap()
    };
    assert!(metrics("fitted.csv") > 0.99, "the right member for each");
    place.ok(&format!("ensemble --rule mean {TEST} --out mean.csv"));
    assert!(metrics("mean.csv") < 0.9);
    place.ok(&format!("ensemble {TEST} --out default.csv"));
    assert_eq!(place.text("default.csv"), place.text("mean.csv"), "the mean is the default");
    assert!(place.text("fitted.csv").contains("test39.png"));
}

#[test]
fn the_films_learned_from_are_not_measured_on() {
    let place = place();
    let error = place.fails(&format!(
        "ensemble --fit model {VALID} --apply valid-a.csv test-b.csv test-c.csv --out fitted.csv"
    ));
    assert!(error.contains("valid0.png") && error.contains("fitted to"), "{error}");
    assert!(!place.at("fitted.csv").exists());

    let error = place
        .fails(&format!("ensemble --fit model {VALID} --apply test-a.csv test-b.csv --out x.csv"));
    assert!(error.contains("3 tables to fit on but 2 to apply to"), "{error}");
}

/// Adds a column with the same text in every row.
fn with_column(table: &str, name: &str, cell: &str) -> String {
    let lines = table.lines().enumerate();
    lines.map(|(row, line)| format!("{line},{}\n", if row == 0 { name } else { cell })).collect()
}

#[test]
fn weights_are_applied_to_the_models_they_were_fitted_to() {
    let place = place();
    for side in ["valid", "test"] {
        for (name, margin) in [("a", 0.25), ("b", -0.25), ("c", 0.0)] {
            let table = with_column(&table(side, margin), "model", &format!("{name}1"));
            place.write(&format!("{side}-{name}.csv"), table);
        }
    }

    let document =
        place.json(&format!("ensemble --fit model {VALID} --apply {TEST} --out fitted.csv"));
    assert_eq!(document["notes"].as_array().unwrap().len(), 0, "{document}");
    assert!(place.text("fitted.csv").contains("a1+b1+c1"));
    let error = place.fails(&format!(
        "ensemble --fit model {VALID} --apply test-b.csv test-a.csv test-c.csv --out x.csv"
    ));
    assert!(error.contains("model `b1`") && error.contains("model `a1`"), "{error}");
    assert!(!place.at("x.csv").exists());
}

#[test]
fn weights_are_not_fitted_to_training_films() {
    let place = place();
    place.write("valid-b.csv", table("valid", -0.25).replace(",valid,", ",official train,"));

    let error = place.fails(&format!("ensemble --fit model {VALID} --apply {TEST} --out x.csv"));
    assert!(error.contains("valid-b.csv") && error.contains("training split"), "{error}");
    assert!(!place.at("x.csv").exists());
}

#[test]
fn what_could_not_be_checked_is_said() {
    let place = place();
    let document =
        place.json(&format!("ensemble --fit model {VALID} --apply {TEST} --out fitted.csv"));

    assert_eq!(document["notes"].as_array().unwrap().len(), 3, "{document}");
}
