//! What is left of a command whose disk is full.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;

use std::fs;

use common::{Place, stderr};
use roentgen_test_support::{Missing, Outcome, test_file};

test_file![a_full_disk_is_an_error_that_leaves_nothing_under_the_final_names];

fn a_full_disk_is_an_error_that_leaves_nothing_under_the_final_names() -> Outcome {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    let disk = place.at("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
        .arg(&disk)
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        return Err(Missing("this user may not mount a small tmpfs".to_owned()));
    }
    let output = place.run("prepare films --out disk/prepared --size 64");
    let left: Vec<String> = fs::read_dir(disk.join("prepared"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    std::process::Command::new("umount").arg(&disk).status().unwrap();

    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
    assert!(left.iter().all(|name| name.contains(".part") || name == "lock"), "{left:?}");
    Ok(())
}
