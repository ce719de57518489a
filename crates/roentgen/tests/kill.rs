//! `kill -9` at any moment: running the command again gives the same bytes as an uninterrupted run.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::process::Stdio;
use std::time::Duration;

use common::{EXPERIMENT, Place};

/// Starts a command, kills it after `after`, and returns whether it was still running.
fn kill(place: &Place, line: &str, after: Duration) -> bool {
    let mut child =
        place.command(line.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let was_running = child.try_wait().unwrap().is_none();
    // On SIGKILL no handler runs and nothing is flushed.
    child.kill().ok();
    child.wait().unwrap();
    was_running
}

#[test]
fn a_killed_prepare_ends_in_the_same_bytes() {
    let place = Place::new();
    place.ok("phantom --films 700 --size 64 --seed 2 --out films");
    let began = std::time::Instant::now();
    place.ok("prepare films --out whole --size 128");
    let whole = began.elapsed();

    let mut kills = 0;
    for number in 1..=8 {
        kills +=
            u32::from(kill(&place, "prepare films --out broken --size 128", whole * number / 9));
    }
    place.ok("prepare films --out broken --size 128");

    assert!(kills > 0, "no kill came while it ran");
    for file in ["images.safetensors", "manifest.csv", "boxes.csv", "bad-films.csv", "prepare.toml"]
    {
        let [whole, broken] = ["whole", "broken"].map(|out| place.read(&format!("{out}/{file}")));
        assert!(whole == broken, "{file} differs");
    }
    assert!(!place.at("broken/prepare.part.toml").exists());
}

#[test]
fn a_killed_run_ends_in_the_same_weights() {
    let place = Place::new();
    place.ok("phantom --films 80 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT.replace("epochs = 2", "epochs = 4"));
    let began = std::time::Instant::now();
    place.ok("train experiment.toml --out whole");
    let whole = began.elapsed();

    let mut kills = 0;
    for number in 1..=6 {
        let line = "train experiment.toml --out broken --resume";
        kills += u32::from(kill(&place, line, whole * number / 8));
    }
    place.ok("train experiment.toml --out broken --resume");

    assert!(kills > 0, "no kill came while it ran");
    for file in ["model.bpk", "model.toml", "films.csv"] {
        let [whole, broken] = ["whole", "broken"].map(|run| place.read(&format!("{run}/{file}")));
        assert!(whole == broken, "{file} differs");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_exits_130() {
    let place = Place::new();
    place.ok("phantom --films 80 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT.replace("epochs = 2", "epochs = 200"));
    let mut child = place
        .command("train experiment.toml --out run".split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !place.at("run/epochs.csv").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();

    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(place.at("run/checkpoint/state.toml").exists());
}
