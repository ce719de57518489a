//! TensorBoard itself reads the files of a run, even after the run was stopped and resumed.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::process::Command;

use common::{EXPERIMENT, Place};
use roentgen_test_support::{Outcome, peers, test_file};

test_file![
    tensorboard_reads_scalars_and_films_of_a_resumed_run,
    tensorboard_shows_the_points_of_a_sweep_with_their_hyper_parameters
];

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

fn tensorboard_reads_scalars_and_films_of_a_resumed_run() -> Outcome {
    peers::python("tensorboard")?;
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --seed 2 --out films");
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
    Ok(())
}

/// Starts a real TensorBoard on the runs of a sweep and sends the requests of its hyper-parameter
/// page.
const SERVE: &str = r#"
import json, sys, time, urllib.request
from tensorboard import default, program
board = program.TensorBoard(default.get_plugins())
board.configure(argv=[None, "--logdir", sys.argv[1], "--port", "0", "--load_fast", "false"])
url = board.launch()
def ask(path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))
every = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
deadline = time.time() + 60
groups = []
while time.time() < deadline and len(groups) < 2:
    time.sleep(0.5)
    experiment = ask("data/plugin/hparams/experiment", {"experimentName": ""})
    names = [info["name"] for info in experiment.get("hparamInfos", [])]
    columns = [{"hparam": name, "includeInResult": True} for name in names]
    body = {"experimentName": "", "allowedStatuses": every, "colParams": columns, "startIndex": 0, "sliceSize": 99}
    groups = ask("data/plugin/hparams/session_groups", body).get("sessionGroups", [])
for group in groups:
    [session] = group["sessions"]
    print(session["name"], session["status"], group["hparams"]["train.learning_rate"], group["hparams"]["model.pool"])
texts = json.load(urllib.request.urlopen(url + "data/plugin/text/tags"))
print("text", sorted(set(tag for tags in texts.values() for tag in tags)))
"#;

fn tensorboard_shows_the_points_of_a_sweep_with_their_hyper_parameters() -> Outcome {
    peers::python("tensorboard")?;
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    let sweep = "[sweep.product]\ntrain.learning_rate = [0.5, 0.25]\n";
    place.write("sweep.toml", format!("{}{sweep}", EXPERIMENT.replace("epochs = 2", "epochs = 1")));
    place.ok("sweep sweep.toml --out out");

    let output = Command::new("python3").args(["-c", SERVE]).arg(place.at("out")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for rate in ["0.5", "0.25"] {
        let line =
            text.lines().find(|line| line.contains(&format!(" STATUS_SUCCESS {rate} attention")));
        assert!(line.is_some(), "{text}");
    }
    assert!(text.contains("text ['experiment']"), "{text}");
    Ok(())
}
