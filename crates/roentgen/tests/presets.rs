//! Every experiment of the 2019 study, in both protocols, shrunk to seconds on synthetic films.
//! Every point of a sweep is checked, and two of them are trained.

mod common;

use std::path::Path;

use common::Place;

/// The film sizes that the presets use.
const SIZES: [usize; 7] = [1024, 512, 256, 224, 192, 128, 64];

/// Sixty films, one epoch, a hundredth of the weights.
const SHRUNK: &str = "--set data.films=60 --set data.prepared=prepared-{size} --set train.epochs=1 \
    --set model.width=0.04 --set model.weights=none";

fn experiment(protocol: &str, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments").join(protocol);
    folder.join(format!("{name}.toml")).display().to_string()
}

/// Checks all points of a sweep in both protocols, trains two of them, and checks its pages.
fn sweep(name: &str, settings: &str, points: u64, sizes: &[usize]) {
    let place = Place::new();
    place.ok("phantom --films 120 --size 96 --seed 3 --out films");
    for size in sizes {
        place.ok(&format!("prepare films --out prepared-{size} --size {size}"));
    }
    for (protocol, says) in [("", "official valid"), ("study-2019", "by-image valid")] {
        let file = experiment(protocol, name);
        let out = if protocol.is_empty() { "official" } else { protocol };
        // A sweep checks every point before the first one runs. Each of these parts has two, and the
        // third is without the largest films.
        let parts = points.div_ceil(2);
        let part = (points - parts).clamp(1, 3);
        let shard = format!("{part}/{parts}");
        let sweep = format!("sweep {file} --out {out} {SHRUNK}{settings} --shard {shard} --json");
        let output = place.run(&sweep);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{name}: {}", common::stderr(&output)));
        let failed = document["failed"].as_array().map_or(0, Vec::len) as u64;
        assert_eq!(document["points"], points, "{name}");
        assert_eq!((document["finished"].as_u64(), failed), (Some(2), 0), "{name}: {document}");
        let page = place.text(&format!("{out}/comparison.html"));
        assert!(page.contains(says) && page.contains("cut to 60 films"), "{name}");
        assert!(page.contains("Films drawn by roentgen phantom"), "{name}");
        assert_eq!(page.contains("Leaky split"), !protocol.is_empty(), "{name}");
        assert!(
            page.contains("<svg")
                && page.contains("by validation loss, the criterion of selection"),
            "{name}"
        );
    }
}

/// Trains an experiment that is not a sweep, in both protocols, and predicts with it.
fn train(name: &str, size: usize, settings: &str) {
    let place = Place::new();
    place.ok("phantom --films 120 --size 96 --seed 3 --out films");
    place.ok(&format!("prepare films --out prepared-{size} --size {size}"));
    for protocol in ["", "study-2019"] {
        let file = experiment(protocol, name);
        let out = if protocol.is_empty() { "official" } else { protocol };
        place.ok(&format!("train {file} --out {out} {SHRUNK}{settings}"));
        place.ok(&format!("predict {out} prepared-{size} --split valid --out {out}/valid.csv"));
        assert!(place.text(&format!("{out}/valid.csv")).contains("cut to 60 films"));
    }
}

#[test]
fn optimizers() {
    sweep("01-optimizer", "", 5, &[128]);
}

#[test]
fn batch_and_rate() {
    sweep("02-batch-and-rate", " --set image.size=64", 45, &[64]);
}

#[test]
fn image_size() {
    sweep("03-image-size", "", 7, &SIZES);
}

#[test]
fn colour() {
    sweep("04-colour", "", 4, &[128, 224]);
}

#[test]
fn architectures_and_heads() {
    let settings = " --set image.size=80 --set train.feature_draws=1";
    sweep("05-architecture", settings, 22, &[80]);
}

#[test]
fn frozen_then_unfrozen() {
    train("06-final", 64, " --set image.size=64 --set train.batch_size=16");
}

#[test]
fn members_of_the_ensemble() {
    sweep("07-ensemble", " --set image.size=96", 3, &[96]);
}

#[test]
fn for_the_edge() {
    train("08-edge", 64, " --set image.size=64");
}
