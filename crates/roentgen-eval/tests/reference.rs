//! Compares figures with those of scikit-learn, statsmodels, dcurves and a published DeLong, on the
//! small tables that `scripts/evaluation.py` wrote: ties, a single positive, classes without films,
//! equal and certain probabilities, a model that ranks the wrong way round.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its table has failed")]

mod near;

use roentgen_eval::{
    CalibrationLine, Confusion, Isotonic, OperatingRule, Platt, apply_temperature, auroc,
    average_precision, brier, brier_parts, calibration_error_by_mass, decision_curve, delong,
    delong_test, expected_calibration_error, fit_temperature, holm,
};
use serde_json::Value;

use near::assert_near;

/// A table and what the reference programs made of it.
struct Table {
    name: String,
    p: Vec<f64>,
    other: Vec<f64>,
    y: Vec<bool>,
    theirs: Value,
}

fn reference() -> Value {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn tables() -> Vec<Table> {
    let of = |theirs: &Value| Table {
        name: theirs["name"].as_str().unwrap().to_owned(),
        p: numbers(&theirs["probabilities"]),
        other: numbers(&theirs["other"]),
        y: numbers(&theirs["labels"]).iter().map(|&label| label == 1.0).collect(),
        theirs: theirs.clone(),
    };
    reference()["tables"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn areas_and_delong_agree() {
    for Table { name, p, other, y, theirs } in tables() {
        assert_near(&name, auroc(&p, &y), &theirs["auroc"], 1e-9);
        assert_near(&name, average_precision(&p, &y), &theirs["average_precision"], 1e-9);

        let (ours, theirs) = (delong(&p, &y), &theirs["delong"]);
        assert_eq!(ours.is_none(), theirs.is_null(), "{name}");
        let Some(ours) = ours else { continue };
        assert_near(&name, Some(ours.auroc), &theirs["auroc"], 1e-9);
        assert_near(&name, Some(ours.variance), &theirs["variance"], 1e-9);
        let interval = ours.interval;
        assert_near(&name, interval.map(|i| i.low), &theirs["interval"][0], 1e-9);
        assert_near(&name, interval.map(|i| i.high), &theirs["interval"][1], 1e-9);
        let test = delong_test(&p, &other, &y).unwrap();
        assert_near(&name, Some(test.difference), &theirs["difference"], 1e-9);
        assert_near(&name, test.p, &theirs["p"], 1e-9);
    }
}

#[test]
fn calibration_agrees() {
    for Table { name, p, y, theirs, .. } in tables() {
        let theirs = &theirs["calibration"];
        let parts = brier_parts(&p, &y).unwrap();

        for (figure, ours) in [
            ("brier", brier(&p, &y).unwrap()),
            ("reliability", parts.reliability),
            ("resolution", parts.resolution),
            ("uncertainty", parts.uncertainty),
            ("ece", expected_calibration_error(&p, &y).unwrap()),
            ("ece_equal_mass", calibration_error_by_mass(&p, &y).unwrap()),
        ] {
            assert_near(&format!("{name}, {figure}"), Some(ours), &theirs[figure], 1e-9);
        }
    }
}

#[test]
fn fits_agree() {
    let probes = numbers(&reference()["probes"]);
    for Table { name, p, y, theirs, .. } in tables() {
        let theirs = &theirs["fits"];
        let platt = Platt::fit(&p, &y);
        if theirs.is_null() {
            assert_eq!((platt, fit_temperature(&p, &y)), (None, None), "{name}");
            assert_eq!(CalibrationLine::fit(&p, &y).intercept, None, "{name}");
            continue;
        }

        let line = CalibrationLine::fit(&p, &y);
        assert_near(&format!("{name}, intercept"), line.intercept, &theirs["intercept"], 1e-9);
        assert_near(&format!("{name}, slope"), line.slope, &theirs["slope"], 1e-9);
        let temperature = fit_temperature(&p, &y);
        assert_near(&format!("{name}, temperature"), temperature, &theirs["temperature"], 1e-9);
        let (slope, intercept) = (platt.map(|p| p.slope), platt.map(|p| p.intercept));
        assert_near(&format!("{name}, Platt"), slope, &theirs["platt"]["slope"], 1e-9);
        assert_near(&format!("{name}, Platt"), intercept, &theirs["platt"]["intercept"], 1e-9);
        let isotonic = Isotonic::fit(&p, &y).unwrap();
        assert!(isotonic.is_valid());
        for (index, &probe) in probes.iter().enumerate() {
            let ours = platt.map(|platt| platt.apply(probe));
            // scikit-learn stops its search a little early.
            assert_near(&name, ours, &theirs["platt_sklearn"][index], 1e-6);
            assert_near(&name, Some(isotonic.apply(probe)), &theirs["isotonic"][index], 1e-9);
        }
        if let Some(temperature) = temperature {
            assert_eq!(apply_temperature(temperature, 0.5), 0.5);
        }
    }
}

#[test]
fn calls_at_a_threshold_agree() {
    for Table { name, p, y, theirs, .. } in tables() {
        for theirs in theirs["calls"].as_array().unwrap() {
            let threshold = theirs["threshold"].as_f64().unwrap();
            let ours = Confusion::count_at(threshold, &p, &y);
            let values = ours.at_prevalence(0.02);

            for (figure, ours) in [
                ("sensitivity", ours.sensitivity()),
                ("specificity", ours.specificity()),
                ("ppv", ours.ppv()),
                ("npv", ours.npv()),
                ("f1", ours.f1()),
                ("balanced_accuracy", ours.balanced_accuracy()),
                ("mcc", ours.matthews_correlation()),
                ("lr_positive", ours.positive_likelihood_ratio()),
                ("lr_negative", ours.negative_likelihood_ratio()),
            ] {
                let what = format!("{name}, {figure} at {threshold}");
                assert_near(&what, ours, &theirs[figure], 1e-9);
            }
            assert_near(&name, values.ppv, &theirs["at_two_percent"][0], 1e-9);
            assert_near(&name, values.npv, &theirs["at_two_percent"][1], 1e-9);
        }
    }
}

#[test]
fn thresholds_agree() {
    for Table { name, p, y, theirs, .. } in tables() {
        for rule in OperatingRule::ALL {
            let theirs = &theirs["operating_points"][rule.name()];
            assert_near(&format!("{name}, {rule}"), rule.threshold(&p, &y), theirs, 1e-12);
        }
    }
}

#[test]
fn decision_curves_agree() {
    let thresholds = numbers(&reference()["thresholds"]);
    for Table { name, p, y, theirs, .. } in tables() {
        let theirs = &theirs["decision_curve"];
        let ours = decision_curve(&p, &y, &thresholds);

        assert_eq!(ours.len(), thresholds.len(), "{name}");
        if theirs.is_null() {
            continue;
        }
        for (index, point) in ours.iter().enumerate() {
            let what = format!("{name} at {}", point.threshold);
            assert_near(&what, Some(point.model), &theirs["model"][index], 1e-9);
            assert_near(&what, Some(point.treat_all), &theirs["treat_all"][index], 1e-9);
        }
    }
}

#[test]
fn holm_agrees() {
    let reference = reference();
    let p_values: Vec<Option<f64>> =
        numbers(&reference["p_values"]).into_iter().map(Some).collect();
    let theirs = numbers(&reference["holm"]);

    for (ours, theirs) in holm(&p_values).into_iter().zip(theirs) {
        assert!((ours.unwrap() - theirs).abs() < 1e-12);
    }
}
