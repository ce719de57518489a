//! The contract page, docs/formats.md, compared with what the program writes: keys of JSON documents
//! and of TOML files, and headers of tables.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{EXPERIMENT, Place};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    std::fs::read_to_string(path).unwrap()
}

/// Returns the part of the page below a heading, such as `### model.toml`, up to the next heading of
/// its level or of one above.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no `{heading}`"));
    let below = &page[start + 1 + heading.len()..];
    let level = heading.split(' ').next().unwrap().len();
    let ends = (2..=level).filter_map(|level| below.find(&format!("\n{} ", "#".repeat(level))));
    &below[..ends.min().unwrap_or(below.len())]
}

/// Returns the words in back-ticks of a text.
fn words(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a key is one of the words, alone (`split`), as a table (`[training]`) or at the end of a
/// path (`training.split`).
fn has_key(words: &BTreeSet<&str>, key: &str) -> bool {
    words.iter().any(|word| {
        let word = word.trim_matches(['[', ']']);
        word == key || word.ends_with(&format!(".{key}"))
    })
}

/// The words in back-ticks of the row of a command in the table of JSON documents, and those that
/// are not within parentheses.
fn documented(page: &str, command: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let start = page.find("## JSON of the commands").unwrap();
    let begins = format!("| `{command}` |");
    let row = page[start..].lines().find(|line| line.starts_with(&begins));
    let row = row.unwrap_or_else(|| panic!("no row for `{command}`"));
    let row = row.strip_prefix(&begins).unwrap();
    let owned = |text: &str| words(text).into_iter().map(str::to_owned).collect();
    let mut depth = 0;
    let outside: String = row
        .chars()
        .filter(|&letter| {
            depth += i32::from(letter == '(');
            let is_outside = depth == 0;
            depth -= i32::from(letter == ')');
            is_outside
        })
        .collect();
    (owned(row), owned(&outside))
}

/// Collects the keys of a document and of the objects in it. Names of findings, and keys of files
/// that have a section of their own, are not keys of the document.
fn keys(value: &serde_json::Value, own: &[&str], found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                if !own.contains(&key.as_str()) {
                    keys(value, own, found);
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, own, found)),
        _ => {}
    }
}

/// Keys of `verify` that only score tables have.
const OF_TABLES: [&str; 10] = [
    "findings",
    "model",
    "dataset_id",
    "split",
    "training",
    "refusal",
    "compared",
    "compared_split",
    "problems",
    "verified",
];

#[test]
fn json_documents_have_the_keys_of_the_page_and_no_others() {
    let place = Place::new();
    place.write("a.toml", EXPERIMENT);
    let page = page();
    // Keys whose values are described elsewhere on the page, and keys that only other calls have.
    for (line, own, absent) in [
        ("phantom --films 60 --size 64 --out films", &[][..], &[][..]),
        ("prepare films --out prepared --size 32", &["prepared"], &[]),
        ("describe prepared", &["counts", "adjusted_frequencies"], &["together"]),
        (
            "verify prepared",
            &["description"],
            &[["identity", "description", "weights", "films"].as_slice(), &OF_TABLES].concat(),
        ),
        ("train a.toml --out run", &["best"], &[]),
        ("verify run", &[], &[["found"].as_slice(), &OF_TABLES].concat()),
        ("predict run prepared --split test --out run/test.csv", &[], &["predictions"]),
        ("predict run films", &["findings"], &[]),
        ("predict run prepared --split valid --out run/valid.csv", &[], &["predictions"]),
        ("join run/test.csv run/valid.csv --out joined.csv", &[], &[]),
        ("train a.toml --out other --seed 6", &["best"], &[]),
        ("predict other prepared --split test --out other/test.csv", &[], &["predictions"]),
        (
            "ensemble run/test.csv other/test.csv --rule mean --out mean.csv",
            &[],
            &[
                "learned_from_films",
                "weights",
                "valid_loss",
                "valid_loss_of_mean",
                "notes",
                "--fit",
            ],
        ),
        ("explain run prepared --split test --out explained", &[], &["localization", "--boxes"]),
        (
            "explain run prepared --split test --method occlusion --boxes --resamples 9 --out boxed",
            &["localization"],
            &["--boxes"],
        ),
        ("weights list", &[], &[]),
        ("doctor", &[], &["path", "build", "missing"]),
    ] {
        is_as_documented(&place, &page, line, own, absent);
    }
}

/// Compares the document that a command line prints with the row of its command. `own` are the keys
/// whose values the page describes elsewhere, `absent` those that only other calls have.
fn is_as_documented(
    place: &Place,
    page: &str,
    line: &str,
    own: &[&str],
    absent: &[&str],
) -> serde_json::Value {
    let document = place.json(line);
    let first = line.split(' ').next().unwrap();
    let command = match first {
        "weights" => "weights list",
        // The row of `resume` says `as train`.
        "resume" => "train",
        command => command,
    };
    let (words, outside) = documented(page, command);
    let mut found = BTreeSet::new();
    keys(&document, own, &mut found);
    let unknown: Vec<_> = found.difference(&words).collect();
    assert!(unknown.is_empty(), "`{line}` writes {unknown:?}, which the page does not have");
    for word in &outside {
        let is_there = document.get(word).is_some() || absent.contains(&word.as_str());
        assert!(is_there, "`{line}` does not write `{word}`, which the page has");
    }
    document
}

#[test]
fn json_documents_about_runs_have_the_keys_of_the_page_and_no_others() {
    let place = Place::trained();
    let page = page();
    let document = |line, own, absent| is_as_documented(&place, &page, line, own, absent);

    document("init new.toml", &[], &[]);
    place.write("sweep.toml", format!("{EXPERIMENT}[sweep.product]\nseed = [1, 2]\n"));
    document("sweep sweep.toml --out sweep --set train.epochs=1", &["comparison"], &[]);
    let compared = document("compare sweep --out compared", &[], &[]);
    assert!(compared["repeats"][0]["has_same_films"].is_boolean(), "{compared}");
    let table = place.text("compared/comparison.csv");
    let columns = words(section(&page, "## The folder of a sweep"));
    for column in table.lines().next().unwrap().split(',') {
        assert!(columns.contains(column), "`comparison.csv` has `{column}`");
    }
    document("calibrate run", &["calibration"], &[]);
    let exported = document("export run --out model.onnx", &["metadata"], &["model", "weights"]);
    let metadata = words(section(&page, "## The exported model"));
    for key in exported["metadata"].as_object().unwrap().keys() {
        assert!(has_key(&metadata, key), "the metadata have `{key}`");
    }
    let of_onnx = ["input", "shape", "outputs", "metadata"];
    document("export run --format bundle --out model.roentgen", &[], &of_onnx);
    document("resume run --epochs 2", &["best"], &[]);

    let mut found = BTreeSet::new();
    keys(&place.json("show experiment.toml"), &[], &mut found);
    let experiment = words(section(&page, "## The experiment file"));
    for key in found {
        assert!(has_key(&experiment, &key), "`show` writes `{key}`");
    }
}

#[test]
fn json_documents_of_evaluate_are_metrics_and_differences() {
    let place = Place::trained();
    let page = page();
    place.ok("predict run prepared --split test --out test.csv");
    let keys_of = |document: &serde_json::Value| {
        let mut found = BTreeSet::new();
        keys(document, &[], &mut found);
        found
    };

    let one = place.json("evaluate test.csv --resamples 5 --out one");
    let file = serde_json::from_str(&place.text("one/metrics.json")).unwrap();
    assert_eq!(keys_of(&one), keys_of(&file));

    let two = place.json("evaluate test.csv test.csv --resamples 5 --out two");
    let top: BTreeSet<&str> = two.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(top, BTreeSet::from(["differences", "tables"]));
    let (words, _) = documented(&page, "evaluate");
    let table = place.text("two/differences.csv");
    for column in table.lines().next().unwrap().split(',') {
        assert!(words.contains(column), "`differences.csv` has `{column}`");
    }
}

#[test]
fn json_documents_of_bench_have_the_keys_of_the_page() {
    let place = Place::trained();
    let (words, _) = documented(&page(), "bench");
    for line in [
        "bench train --width 0.0625 --size 32 --batch 2 --steps 1",
        "bench predict --width 0.0625 --size 32 --batch 2 --steps 1",
        "bench input --films films --size 32 --batch 2 --steps 1",
        "bench evaluate --scores run/scores/valid.csv --steps 1",
    ] {
        let document = place.json(line);
        let mut found = BTreeSet::new();
        keys(&document, &[], &mut found);
        let unknown: Vec<_> = found.difference(&words).collect();
        assert!(unknown.is_empty(), "`{line}` writes {unknown:?}, which the page does not have");
        for key in ["what", "first_ms", "median_ms", "p95_ms", "steps", "threads"] {
            assert!(found.contains(key), "`{line}` does not write `{key}`, which the page has");
        }
    }
}

#[test]
fn a_localization_has_only_keys_of_the_page() {
    let place = Place::trained();
    place.ok("explain run prepared --method occlusion --boxes --resamples 9 --out boxed");
    let document = serde_json::from_str(&place.text("boxed/localization.json")).unwrap();
    let mut found = BTreeSet::new();
    keys(&document, &[], &mut found);
    let page = page();
    let words = words(section(&page, "### localization.json"));
    for key in found {
        assert!(words.contains(key.as_str()), "`{key}` is not on the page");
    }
    let table = place.text("boxed/localization.csv");
    assert!(page.contains(table.lines().next().unwrap()), "the header is not on the page");
    let maps = place.text("boxed/maps.csv");
    assert!(page.contains(maps.lines().next().unwrap()), "the header is not on the page");
}

#[test]
fn tables_have_the_headers_of_the_page() {
    let place = Place::trained();
    place.ok("predict run prepared --split test --out run/test.csv");
    let page = page();
    for table in [
        "prepared/manifest.csv",
        "prepared/boxes.csv",
        "prepared/bad-films.csv",
        "prepared/duplicates.csv",
        "run/films.csv",
        "run/epochs.csv",
    ] {
        let text = place.text(table);
        let header = text.lines().next().unwrap();
        assert!(page.lines().any(|line| line == header), "`{table}` begins with {header}");
    }
    let text = place.text("run/test.csv");
    let header = text.lines().next().unwrap();
    let example = page.lines().find(|line| line.starts_with("image,patient,view")).unwrap();
    let own = |line: &str| -> Vec<String> {
        let columns = line.split(',').take_while(|name| !name.starts_with(char::is_uppercase));
        columns.map(str::to_owned).collect()
    };
    assert_eq!(own(header), own(example));
    the_report_has_the_keys_and_headers_of_the_page(&place, &page);
}

/// The files beside a report, with everything that `evaluate` can be asked for.
fn the_report_has_the_keys_and_headers_of_the_page(place: &Place, page: &str) {
    let asked = "--fit run/scores/valid.csv --prevalence Mass=0.1 --protocols --resamples 5";
    place.ok(&format!("evaluate run/test.csv run/test.csv {asked} --out report"));
    let mut tables = 0;
    for file in std::fs::read_dir(place.at("report/2-test")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".csv") {
            continue;
        }
        tables += 1;
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("the page has no `{name}`"));
        let text = place.text(&format!("report/2-test/{name}"));
        for column in text.lines().next().unwrap().split(',') {
            assert!(row.contains(&format!("`{column}`")), "`{name}` has `{column}`");
        }
    }
    assert_eq!(tables, 12);

    let metrics = place.text("report/2-test/metrics.json");
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    let mut found = BTreeSet::new();
    keys(&metrics, &["stated_prevalence", "subgroups", "subgroup_gaps"], &mut found);
    for groups in metrics["subgroups"].as_object().unwrap().values() {
        groups.as_object().unwrap().values().for_each(|group| keys(group, &[], &mut found));
    }
    let words = words(section(page, "## The report"));
    for key in found.iter().filter(|key| !key.starts_with(char::is_uppercase)) {
        // An interval has the name of its figure and `_ci95`, which the page says once.
        let names = [key, key.strip_suffix("_ci95").unwrap_or(key)];
        let is_one = |word: &&str| {
            names.iter().any(|name| word == name || word.ends_with(&format!(".{name}")))
        };
        let is_there = words.iter().any(is_one);
        assert!(is_there, "`metrics.json` has `{key}`, which the page does not have");
    }
    assert!(found.contains("over_orders") && found.contains("p_holm") && found.contains("macro"));
}

#[test]
fn toml_files_have_only_keys_of_their_sections() {
    let place = Place::trained();
    let page = page();
    let section = |heading| section(&page, heading);
    let data = page.lines().find(|line| line.starts_with("| `data.toml` |")).unwrap();
    let epochs = section("### films.csv, epochs.csv and facts.toml");
    for (file, sections) in [
        ("prepared/prepare.toml", [section("### prepare.toml"), ""]),
        ("run/model.toml", [section("### model.toml"), ""]),
        ("run/facts.toml", [epochs, ""]),
        ("run/data.toml", [data, ""]),
        ("run/experiment.toml", [section("## The experiment file"), ""]),
        ("run/checkpoint/state.toml", [section("### checkpoint/"), epochs]),
    ] {
        let table: toml::Table = place.text(file).parse().unwrap();
        let mut found = BTreeSet::new();
        keys(&serde_json::to_value(table).unwrap(), &[], &mut found);
        assert!(!found.is_empty());
        let words: BTreeSet<&str> = sections.into_iter().flat_map(words).collect();
        for key in found {
            assert!(has_key(&words, &key), "`{file}` has `{key}`, which its section does not have");
        }
    }
}

/// `roentgen-eval` does not know the data set and has a list of its own, of plain names.
#[test]
fn findings_have_the_same_names_and_order_in_figures_as_in_data() {
    let names = roentgen_data::Finding::ALL.map(roentgen_data::Finding::name);

    assert_eq!(roentgen_eval::NIH_FINDINGS, names);
}
