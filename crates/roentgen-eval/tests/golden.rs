//! Compares the metrics of two published models with scikit-learn's, on 48,029 films.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its table has failed")]

use std::fs;

use roentgen_eval::{BootstrapOptions, Scores, evaluate};
use roentgen_test_support::{Outcome, shared, test_file};

test_file![
    the_tables_of_jrzech_agree_with_scikit_learn,
    the_tables_of_the_official_test_list_agree_with_scikit_learn
];
use serde_json::Value;

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
