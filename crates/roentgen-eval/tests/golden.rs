//! Compares the metrics of two published models with scikit-learn's, on 48,029 films.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its table has failed")]

use std::{env, fs, path::PathBuf};

use roentgen_eval::{Options, Scores, evaluate};
use serde_json::Value;

/// Returns the folder of known tables, if it exists next to the project.
fn golden() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = env::var_os("ROENTGEN_SHARED_DATA").map_or_else(beside, PathBuf::from);
    Some(data.join("golden")).filter(|folder| folder.is_dir())
}

fn agrees_with_scikit_learn(name: &str) {
    let Some(folder) = golden() else {
        // Writes past the test runner, which would hide the output of a passing test.
        let line = "skipped: no shared/data/golden next to the project; set ROENTGEN_SHARED_DATA";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
        return;
    };
    let scores = Scores::read(folder.join(format!("{name}.scores.csv"))).unwrap();
    let theirs = fs::read_to_string(folder.join(format!("{name}.sklearn.json"))).unwrap();
    let theirs: Value = serde_json::from_str(&theirs).unwrap();
    let ours = evaluate(&scores, &Options { resamples: 2, seed: 1 }).unwrap();
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
}

#[test]
fn the_tables_of_jrzech_agree_with_scikit_learn() {
    agrees_with_scikit_learn("jrzech_densenet121");
}

#[test]
fn the_tables_of_the_official_test_list_agree_with_scikit_learn() {
    agrees_with_scikit_learn("casp_densenet121_official_test");
}
