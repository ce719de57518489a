//! Pages in a real browser: they print no console message and send no request.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{EXPERIMENT, Place};
use roentgen_test_support::{Outcome, peers, test_file};

test_file![
    a_page_that_speaks_and_asks_is_caught,
    comparison_and_report_are_shown_without_a_word_or_a_request
];

/// The console messages and requests of a browser that shows a page.
struct Seen {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

fn open(browser: &str, page: &Path) -> Seen {
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("net.json");
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", own.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let log: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&log).unwrap_or_else(|_| panic!("{errors}")))
            .unwrap();
    // The browser's own requests have no origin; those of a file have the origin `null`.
    let of_page = |event: &&serde_json::Value| {
        event["params"]["initiator"].as_str().is_some_and(|by| by != "not an origin")
    };
    let url = |event: &serde_json::Value| event["params"]["url"].as_str().map(str::to_owned);
    let events = log["events"].as_array().unwrap();
    assert!(!events.is_empty(), "the browser kept no log");
    Seen {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: errors
            .lines()
            .filter(|line| line.contains(":CONSOLE"))
            .map(str::to_owned)
            .collect(),
        requests: events.iter().filter(of_page).filter_map(url).collect(),
    }
}

fn a_page_that_speaks_and_asks_is_caught() -> Outcome {
    let browser = peers::chromium()?;
    let place = Place::new();
    place.write(
        "bad.html",
        "<script>console.error('oops')</script><img src='http://example.com/x.png'>",
    );
    let seen = open(browser, &place.at("bad.html"));

    assert!(seen.console.iter().any(|line| line.contains("oops")), "{:?}", seen.console);
    assert!(seen.requests.iter().any(|url| url.contains("example.com")), "{:?}", seen.requests);
    Ok(())
}

fn comparison_and_report_are_shown_without_a_word_or_a_request() -> Outcome {
    let browser = peers::chromium()?;
    let place = Place::new();
    place.ok("phantom --films 120 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    let sweep = "[sweep]\ntitle = \"Rates and pools\"\n[sweep.product]\n\
        model.pool = [\"average\", \"linear\"]\ntrain.learning_rate = [1e-3, 1e-2]\n";
    place.write("sweep.toml", format!("{EXPERIMENT}{sweep}"));
    place.ok("sweep sweep.toml --out out");
    let scores = "out/points/001-pool-average-learning-rate-0.001/run/scores/valid.csv";
    place.ok(&format!("evaluate {scores} --out report --resamples 20"));

    for (page, says) in [
        ("out/comparison.html", "Validation loss by model.pool and train.learning_rate"),
        ("report/report.html", "Mean AUROC"),
    ] {
        let seen = open(browser, &place.at(page));
        assert!(seen.dom.contains(says) && seen.dom.contains("</svg>"), "{page}");
        assert_eq!(seen.console, [""; 0], "{page}");
        assert_eq!(seen.requests, [""; 0], "{page}");
    }
    Ok(())
}
