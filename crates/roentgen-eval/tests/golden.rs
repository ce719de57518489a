//! Compares the metrics of two published models, on 48,029 films, with those of scikit-learn,
//! statsmodels, dcurves and a published DeLong, as `scripts/evaluation.py` wrote them.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its table has failed")]

mod near;

use std::fs;

use roentgen_eval::{
    BootstrapOptions, CalibrationLine, Confusion, Isotonic, OperatingRule, Platt, Scores,
    brier_parts, calibration_error_by_mass, decision_curve, delong, delong_test, evaluate,
    expected_calibration_error, fit_temperature,
};
use roentgen_test_support::{Outcome, shared, test_file};
use serde_json::Value;

use near::assert_near;

test_file![
    the_tables_of_jrzech_agree_with_scikit_learn,
    the_tables_of_the_official_test_list_agree_with_scikit_learn,
    the_other_figures_of_jrzech_agree_with_their_references,
    the_other_figures_of_the_official_test_list_agree_with_their_references
];

/// Thresholds of the decision curves.
const THRESHOLDS: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9];

fn the_other_figures_of_jrzech_agree_with_their_references() -> Outcome {
    other_figures_agree("jrzech_densenet121.scores.csv")
}

fn the_other_figures_of_the_official_test_list_agree_with_their_references() -> Outcome {
    other_figures_agree("casp_densenet121_official_test.scores.csv")
}

fn other_figures_agree(name: &str) -> Outcome {
    let scores = Scores::read(shared::data("golden")?.join(name)).unwrap();
    let theirs: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let probes: Vec<f64> = serde_json::from_value(theirs["probes"].clone()).unwrap();
    let findings = scores.findings();
    for (finding, next) in findings.iter().zip(findings.iter().cycle().skip(1)) {
        let what = format!("{name}, {}", finding.name);
        let (p, y) = finding.known_pairs();
        let pairs = p.iter().zip(&next.probabilities);
        let other: Vec<f64> = pairs.map(|(p, q)| 0.5 * p + 0.5 * q).collect();
        of_finding(&what, (&p, &other, &y), &probes, &theirs[name][&finding.name]);
    }
    Ok(())
}

fn of_finding(what: &str, (p, other, y): (&[f64], &[f64], &[bool]), probes: &[f64], of: &Value) {
    let (ours, theirs) = (delong(p, y).unwrap(), &of["delong"]);
    assert_near(what, Some(ours.variance), &theirs["variance"], 1e-9);
    assert_near(what, ours.interval.map(|ends| ends.low), &theirs["interval"][0], 1e-9);
    assert_near(what, ours.interval.map(|ends| ends.high), &theirs["interval"][1], 1e-9);
    assert_near(what, delong_test(p, other, y).unwrap().p, &theirs["p"], 1e-9);

    let (parts, theirs) = (brier_parts(p, y).unwrap(), &of["calibration"]);
    assert_near(what, Some(parts.reliability), &theirs["reliability"], 1e-9);
    assert_near(what, Some(parts.resolution), &theirs["resolution"], 1e-9);
    assert_near(what, expected_calibration_error(p, y), &theirs["ece"], 1e-9);
    assert_near(what, calibration_error_by_mass(p, y), &theirs["ece_equal_mass"], 1e-9);

    let (line, theirs) = (CalibrationLine::fit(p, y), &of["fits"]);
    assert_near(what, line.intercept, &theirs["intercept"], 1e-9);
    assert_near(what, line.slope, &theirs["slope"], 1e-9);
    assert_near(what, fit_temperature(p, y), &theirs["temperature"], 1e-9);
    let (platt, isotonic) = (Platt::fit(p, y).unwrap(), Isotonic::fit(p, y).unwrap());
    assert_near(what, Some(platt.slope), &theirs["platt"]["slope"], 1e-9);
    for (place, &probe) in probes.iter().enumerate() {
        // scikit-learn stops its search a little early.
        assert_near(what, Some(platt.apply(probe)), &theirs["platt_sklearn"][place], 1e-6);
        assert_near(what, Some(isotonic.apply(probe)), &theirs["isotonic"][place], 1e-6);
    }

    for theirs in of["calls"].as_array().unwrap() {
        let ours = Confusion::count_at(theirs["threshold"].as_f64().unwrap(), p, y);
        assert_near(what, ours.sensitivity(), &theirs["sensitivity"], 1e-9);
        assert_near(what, ours.ppv(), &theirs["ppv"], 1e-9);
        assert_near(what, ours.matthews_correlation(), &theirs["mcc"], 1e-9);
        assert_near(what, ours.positive_likelihood_ratio(), &theirs["lr_positive"], 1e-9);
    }
    for rule in OperatingRule::ALL {
        assert_near(what, rule.threshold(p, y), &of["operating_points"][rule.name()], 1e-12);
    }
    for (place, point) in decision_curve(p, y, &THRESHOLDS).iter().enumerate() {
        assert_near(what, Some(point.model), &of["decision_curve"]["model"][place], 1e-9);
    }
}

fn agrees_with_scikit_learn(name: &str) -> Outcome {
    let folder = shared::data("golden")?;
    let scores = Scores::read(folder.join(format!("{name}.scores.csv"))).unwrap();
    let theirs = fs::read_to_string(folder.join(format!("{name}.sklearn.json"))).unwrap();
    let theirs: Value = serde_json::from_str(&theirs).unwrap();
    let ours = evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 }).unwrap();
    let ours: Value = serde_json::from_str(&ours.to_json().unwrap()).unwrap();

    let findings = theirs["findings"].as_object().unwrap();
    assert_eq!(ours["findings"].as_object().unwrap().len(), findings.len());
    for (finding, theirs) in findings {
        for figure in ["positives", "negatives", "auroc", "average_precision", "brier"] {
            let ours = ours["findings"][finding][figure].as_f64().unwrap();
            let distance = (ours - theirs[figure].as_f64().unwrap()).abs();
            assert!(distance < 1e-9, "{finding} {figure} is off by {distance}");
        }
    }
    Ok(())
}

fn the_tables_of_jrzech_agree_with_scikit_learn() -> Outcome {
    agrees_with_scikit_learn("jrzech_densenet121")?;
    Ok(())
}

fn the_tables_of_the_official_test_list_agree_with_scikit_learn() -> Outcome {
    agrees_with_scikit_learn("casp_densenet121_official_test")?;
    Ok(())
}
