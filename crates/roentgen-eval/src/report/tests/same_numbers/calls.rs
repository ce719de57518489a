//! Figures of calls, and their means.

use super::*;

/// The figures of calls: key and heading.
const CALLS: [(&str, &str); 11] = [
    ("sensitivity", "Sensitivity"),
    ("specificity", "Specificity"),
    ("ppv", "PPV"),
    ("npv", "NPV"),
    ("f1", "F1"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("mcc", "MCC"),
    ("lr_positive", "LR+"),
    ("lr_negative", "LR−"),
    ("ppv_at_prevalence", "PPV as stated"),
    ("npv_at_prevalence", "NPV as stated"),
];

/// Operating points with the headings of their tables.
const POINTS: [(&str, &str); 6] = [
    ("0.5", "Threshold 0.5"),
    ("youden", "Highest sensitivity + specificity (Youden)"),
    ("max-f1", "Highest F1"),
    ("sensitivity-0.90", "Sensitivity of 0.90"),
    ("sensitivity-0.95", "Sensitivity of 0.95"),
    ("specificity-0.90", "Specificity of 0.90"),
];

pub(super) fn operating_points(files: &Files, name: &str) {
    for (point, title) in POINTS {
        let of = &files.json["findings"][name]["operating_points"][point];
        for count in ["true_positives", "false_positives", "true_negatives", "false_negatives"] {
            let row = [("finding", name), ("operating_point", point), ("figure", count)];
            files.in_csv("operating-points.csv", &row, "value", &of[count]);
            files.in_csv("operating-points.csv", &row, "threshold", &of["threshold"]);
        }
        for (figure, heading) in CALLS {
            let row = [("finding", name), ("operating_point", point), ("figure", figure)];
            let ends = &of[format!("{figure}_ci95")];
            for (column, value) in [("value", &of[figure]), ("low", &ends[0]), ("high", &ends[1])] {
                files.in_csv("operating-points.csv", &row, column, value);
            }
            files.on_pages(title, &[&name.replace('_', " ")], heading, &[&of[figure], ends]);
        }
    }
}

pub(super) fn means(files: &Files) {
    let of = &files.json["mean"];
    for (row, prefix) in [("macro mean", ""), ("micro mean", "micro_")] {
        for figure in ["auroc", "average_precision"] {
            let key = format!("{prefix}{figure}");
            let row = [("finding", row)];
            files.in_csv("findings.csv", &row, figure, &of[&key]);
            let low = format!("{figure}_low");
            files.in_csv("findings.csv", &row, &low, &of[format!("{key}_ci95")][0]);
        }
    }
    for (row, shown, key) in [
        ("macro mean", "Mean of 14", "prevalence"),
        ("micro mean", "All pairs (micro)", "micro_prevalence"),
    ] {
        files.in_csv("findings.csv", &[("finding", row)], "prevalence", &of[key]);
        files.on_pages("Findings", &[shown], "Prevalence", &[&of[key]]);
    }
    files.in_csv("findings.csv", &[("finding", "macro mean")], "ece", &of["ece"]);
    files.on_pages("Findings", &["Mean of 14"], "AUROC", &[&of["auroc"], &of["auroc_ci95"]]);
    files.on_pages("Findings", &["Mean of 14"], "Brier", &[&of["brier"]]);
    let micro = [&of["micro_average_precision"], &of["micro_average_precision_ci95"]];
    files.on_pages("Findings", &["All pairs (micro)"], "Average precision", &micro);
    for (point, title) in POINTS {
        let of = &of["operating_points"][point];
        let macro_name = format!("Mean of {} (macro)", of["findings"]);
        for (row, kind, shown) in [
            ("macro mean", "macro", macro_name.as_str()),
            ("micro mean", "micro", "All calls (micro)"),
        ] {
            for (figure, heading) in &CALLS[..7] {
                let row = [("finding", row), ("operating_point", point), ("figure", *figure)];
                let ends = &of[kind][format!("{figure}_ci95")];
                files.in_csv("operating-points.csv", &row, "value", &of[kind][figure]);
                files.in_csv("operating-points.csv", &row, "high", &ends[1]);
                files.on_pages(title, &[shown], heading, &[&of[kind][figure], ends]);
            }
        }
    }
}
