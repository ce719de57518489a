//! TensorBoard itself reads what a run writes, also after the run was stopped and resumed.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::process::Command;

use common::{EXPERIMENT, Place};

const READ: &str = r#"
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
events.Reload()
for tag in ["loss/train", "loss/valid", "learning_rate"]:
    print(tag, [event.step for event in events.Scalars(tag)])
images = events.Tags()["images"]
first = events.Images(images[0])
print("images", len(images), first[0].width, first[0].height, first[0].encoded_image_string[:4] == b"\x89PNG")
"#;

#[test]
fn tensorboard_reads_scalars_and_films_of_a_resumed_run() {
    let has_tensorboard = Command::new("python3")
        .args(["-c", "import tensorboard"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_tensorboard {
        common::say("skipped: python3 has no tensorboard (`pip install tensorboard` brings it)");
        return;
    }
    let place = Place::new();
    place.ok("phantom --images 60 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT.replace("epochs = 2", "epochs = 3"));
    let mut child = place.command("train experiment.toml --out run".split(' ')).spawn().unwrap();
    while !place.at("run/epochs.csv").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().ok();
    child.wait().unwrap();
    place.ok("train experiment.toml --out run --resume");

    let output = Command::new("python3").args(["-c", READ]).arg(place.at("run")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("loss/train [1, 2, 3]"), "{text}");
    assert!(text.contains("learning_rate [1, 2, 3]"), "{text}");
    assert!(text.contains("images 4 32 32 True"), "{text}");
}
