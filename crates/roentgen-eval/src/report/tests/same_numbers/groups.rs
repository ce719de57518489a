//! Figures of groups of films, of another table, and of protocols.

use super::*;

pub(super) fn subgroups(files: &Files) {
    for by in ["sex", "age", "number_of_findings"] {
        for (group, of) in files.json["subgroups"][by].as_object().unwrap() {
            let row = [("by", by), ("group", group.as_str()), ("minus", "")];
            for (column, value) in [
                ("images", &of["images"]),
                ("findings", &of["findings"]),
                ("auroc", &of["auroc"]),
                ("low", &of["auroc_ci95"][0]),
                ("high", &of["auroc_ci95"][1]),
            ] {
                files.in_csv("subgroups.csv", &row, column, value);
            }
            let figures = [&of["auroc"], &of["auroc_ci95"]];
            assert_stated(&files.html.numbers("Subgroups", &[group], "AUROC"), &figures);
            let row = [&*by.replace('_', " "), group];
            assert_stated(&files.markdown.numbers("Subgroups", &row, "AUROC"), &figures);
            for name in NIH_FINDINGS {
                of_finding(files, [by, group, name], &of["by_finding"][name]);
            }
        }
    }
    let gap = &files.json["subgroup_gaps"]["sex"];
    let (best, worst) = (gap["best"].as_str().unwrap(), gap["worst"].as_str().unwrap());
    let row = [("by", "sex"), ("group", best), ("minus", worst)];
    files.in_csv("subgroups.csv", &row, "auroc", &gap["auroc"]);
    files.in_csv("subgroups.csv", &row, "high", &gap["auroc_ci95"][1]);
}

fn of_finding(files: &Files, [by, group, name]: [&str; 3], of: &Value) {
    let row = [("by", by), ("group", group), ("finding", name)];
    for (column, value) in [
        ("positives", &of["positives"]),
        ("negatives", &of["negatives"]),
        ("auroc", &of["auroc"]),
        ("auroc_low", &of["auroc_ci95"][0]),
        ("auroc_high", &of["auroc_ci95"][1]),
    ] {
        files.in_csv("subgroup-findings.csv", &row, column, value);
    }
    let figures = [&of["auroc"], &of["auroc_ci95"]];
    let (title, column) = ("Subgroups by finding", name.replace('_', " "));
    assert_stated(&files.html.numbers(title, &[group], &column), &figures);
    let row = [&*by.replace('_', " "), group];
    assert_stated(&files.markdown.numbers(title, &row, &column), &figures);
}

pub(super) fn compared(files: &Files) {
    let of = &files.json["compared"];
    let title = "Compared with b.csv";
    for name in NIH_FINDINGS {
        let (shown, of) = (name.replace('_', " "), &of["findings"][name]);
        files.on_pages(title, &[&shown], "Difference", &[&of["value"]]);
        files.on_pages(title, &[&shown], "Interval by patient", &[&of["ci95"]]);
        for (column, p) in [("p, DeLong", &of["p"]), ("p, Holm", &of["p_holm"])] {
            // Pages show less than 0.0005 as <0.001.
            let p = p.as_f64().unwrap();
            let p = Value::from(if p < 0.0005 { 0.001 } else { p });
            files.on_pages(title, &[&shown], column, &[&p]);
        }
    }
    files.on_pages(title, &["Mean"], "Interval by patient", &[&of["mean"]["ci95"]]);
}

pub(super) fn protocols(files: &Files) {
    let of = &files.json["protocols"];
    let rows = of["rows"].as_array().unwrap();
    let names = [
        "As the 2019 study: with films of patients in training, without films that have no \
         finding, 13 findings",
        "Without films of patients in training",
        "With films that have no finding",
        "With Hernia, 14 findings: the official protocol",
    ];
    assert_eq!(rows.len(), 4, "{of}");
    for (row, name) in rows.iter().zip(names) {
        let key = row["changed"].as_str().unwrap_or("none");
        files.in_csv("protocols.csv", &[("changed", key)], "auroc", &row["auroc"]);
        files.in_csv("protocols.csv", &[("changed", key)], "images", &row["images"]);
        files.on_pages(
            "By two protocols",
            &[name],
            "Mean AUROC",
            &[&row["auroc"], &row["auroc_ci95"]],
        );
        let effect = &of["effects"][key];
        let figures = [&effect["auroc"], &effect["auroc_ci95"]];
        files.on_pages("By two protocols", &[name], "Row before minus this row", &figures);
        files.in_csv("protocols.csv", &[("changed", key)], "effect_low", &figures[1][0]);
        files.on_pages("By two protocols", &[name], "In any order", &[&effect["over_orders"]]);
    }
}
