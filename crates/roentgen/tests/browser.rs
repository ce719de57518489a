//! Pages in a real browser: they print no console message and send no request.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{EXPERIMENT, Place};
use roentgen_test_support::{Outcome, peers, test_file};

test_file![
    a_page_that_speaks_and_asks_is_caught,
    a_page_without_texts_for_pictures_is_caught,
    comparison_report_and_localization_are_shown_without_a_word_or_a_request
];

/// How pages are looked at: in the light and in the dark, and on a phone.
const LOOKS: [&[&str]; 3] =
    [&[], &["--blink-settings=preferredColorScheme=0"], &["--window-size=390,800"]];

/// The console messages and requests of a browser that shows a page.
struct Seen {
    dom: String,
    console: Vec<String>,
    requests: Vec<String>,
}

/// Shows a page with more arguments, and returns the output of the browser.
fn show(browser: &str, page: &Path, profile: &Path, arguments: &[String]) -> Output {
    Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap()
}

fn open(browser: &str, page: &Path) -> Seen {
    let own = tempfile::tempdir().unwrap();
    let log = own.path().join("net.json");
    let arguments = [format!("--log-net-log={}", log.display())];
    let output = show(browser, page, &own.path().join("profile"), &arguments);
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

/// Checks a page with axe-core, and returns what it calls serious or critical. The page is copied
/// without its policy, which would not let a script of ours run.
fn barriers(browser: &str, axe: &Path, page: &Path, look: &[&str]) -> Vec<String> {
    let own = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(page).unwrap();
    let policy = text.find("<meta http-equiv=\"Content-Security-Policy\"");
    let text = match policy {
        Some(at) => format!("{}{}", &text[..at], &text[at + text[at..].find('>').unwrap() + 1..]),
        None => text,
    };
    let axe = fs::read_to_string(axe).unwrap();
    let run = "addEventListener('load', async () => {\
        const {violations, passes} = await axe.run(document);\
        const found = document.createElement('pre');\
        const lines = violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>\
            v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; '));\
        found.id = 'axe';\
        found.textContent = ['passed ' + passes.length, ...lines].join('\\n');\
        document.body.append(found)})";
    let copy = own.path().join("page.html");
    let scripts = format!("<script>{axe}</script><script>{run}</script></head>");
    fs::write(&copy, text.replacen("</head>", &scripts, 1)).unwrap();
    let mut arguments = vec!["--virtual-time-budget=60000".to_owned()];
    arguments.extend(look.iter().map(|&argument| argument.to_owned()));
    let output = show(browser, &copy, &own.path().join("profile"), &arguments);
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = dom.split("<pre id=\"axe\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let mut lines = found.expect("axe-core did not finish").lines().map(str::to_owned);
    let passed = lines.next().unwrap();
    assert_ne!(passed, "passed 0", "axe-core checked nothing");
    lines.collect()
}

fn a_page_without_texts_for_pictures_is_caught() -> Outcome {
    let (browser, axe) = (peers::chromium()?, peers::axe()?);
    let place = Place::new();
    place.write(
        "bad.html",
        "<!doctype html><html lang=en><head><title>bad</title></head><body><main><h1>bad</h1>\
         <img src='data:image/png;base64,'><p style='color:#bbb'>pale</p></main></body></html>",
    );

    let found = barriers(browser, &axe, &place.at("bad.html"), LOOKS[0]);
    for rule in ["image-alt", "color-contrast"] {
        assert!(found.iter().any(|line| line.starts_with(rule)), "{rule}: {found:?}");
    }
    Ok(())
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

fn comparison_report_and_localization_are_shown_without_a_word_or_a_request() -> Outcome {
    let browser = peers::chromium()?;
    let place = Place::new();
    place.ok("phantom --films 120 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    let sweep = "[sweep]\ntitle = \"Rates and pools\"\n[sweep.product]\n\
        model.pool = [\"average\", \"linear\"]\ntrain.learning_rate = [1e-3, 1e-2]\n";
    place.write("sweep.toml", format!("{EXPERIMENT}{sweep}"));
    place.ok("sweep sweep.toml --out out");
    let scores = "out/points/001-pool-average-learning-rate-0.001/run/scores/valid.csv";
    let other = scores.replace("001-pool-average", "003-pool-linear");
    place.ok(&format!("evaluate {other} {scores} --protocols --out report --resamples 20"));

    let run = scores.trim_end_matches("/scores/valid.csv");
    place.ok(&format!(
        "explain {run} prepared --boxes --method occlusion --out maps --resamples 20"
    ));

    // A report with everything that one can have: fit, model, explanations.
    place.made_up_films(scores, "fit.csv");
    place.ok(&format!("predict {run} prepared --split test --out test.csv"));
    place.ok(&format!(
        "evaluate test.csv --model {run} --fit fit.csv --localization maps/localization.json \
         --prevalence Mass=0.1 --out fitted --resamples 20"
    ));

    let report = "report/2-valid/report.html";
    let fitted = "fitted/report.html";
    let localization = "maps/localization.html";
    for (page, says) in [
        ("out/comparison.html", "Validation loss by model.pool and train.learning_rate"),
        (report, "By two protocols"),
        (fitted, "Highest sensitivity + specificity (Youden)"),
        (localization, "random"),
    ] {
        let seen = open(browser, &place.at(page));
        assert!(seen.dom.contains(says) && seen.dom.contains("</svg>"), "{page}");
        assert_eq!(seen.console, [""; 0], "{page}");
        assert_eq!(seen.requests, [""; 0], "{page}");
    }
    let axe = peers::axe()?;
    for (page, looks) in [
        ("out/comparison.html", &LOOKS[..2]),
        (report, &LOOKS),
        (fitted, &LOOKS),
        (localization, &LOOKS[1..]),
    ] {
        for look in looks {
            let found = barriers(browser, &axe, &place.at(page), look);
            assert!(found.is_empty(), "{page} {look:?}: {found:#?}");
        }
    }
    Ok(())
}
