use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::common::Place;
use crate::running::{Running, form, read, request};

pub(crate) fn a_stopped_server_finishes_what_it_took() {
    let place = Place::trained();
    let mut server = Running::start(&place, "run --no-gate --batch-wait 1000");
    let film = place.read("film.png");
    let (kind, body) = form(&[("film.png", &film)]);
    let whole = request("POST", "/v1/predict", &[("content-type", &kind)], &body);

    // Half of a request has arrived, and a whole one waits for its batch.
    let (mut half, mut waiting) = (server.connect(), server.connect());
    half.write_all(&whole[..whole.len() / 2]).unwrap();
    waiting.write_all(&whole).unwrap();
    let mut idle = server.connect();
    thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    server.wait_for("stopping", 1);
    half.write_all(&whole[whole.len() / 2..]).unwrap();

    assert_eq!(read(&mut waiting).unwrap().status, 200);
    assert_eq!(read(&mut half).unwrap().status, 200);
    assert!(read(&mut idle).is_none());
    assert_eq!(server.wait(), Some(0));
    assert_eq!(server.wait_for("stopped", 1)[0]["finished"], true);
}

pub(crate) fn a_model_is_loaded_again_and_a_broken_one_is_not() {
    let place = Place::with_two_models();
    fs::create_dir(place.at("served")).unwrap();
    let serve = |run: &str| {
        for file in ["model.toml", "model.bpk"] {
            fs::copy(place.at(run).join(file), place.at("served").join(file)).unwrap();
        }
    };
    serve("a");
    let server = Running::start(&place, "served --no-gate");
    let film = crate::answers::films(&place, 1).remove(0).1;
    let identity = || server.get("/v1/models").json()["models"][0]["identity"].clone();
    let (first, before) = (identity(), server.findings("/v1/predict", &film));

    // Requests that run during the reload are answered by one of the two models.
    serve("b");
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = Vec::new();
            for _ in 0..40 {
                answers.push(server.findings("/v1/predict", &film));
            }
            answers
        });
        thread::sleep(Duration::from_millis(50));
        server.signal("HUP");
        asking.join().unwrap()
    });
    server.wait_for("reloaded", 1);
    let after = server.findings("/v1/predict", &film);
    assert_ne!((identity(), &after), (first, &before));
    assert!(answers.iter().all(|answer| *answer == before || *answer == after));

    let second = identity();
    place.write("served/model.bpk", "broken");
    server.signal("HUP");
    let lines = server.wait_for("reload failed", 1);
    assert!(lines[0]["problem"].as_str().unwrap().contains("`served`"), "{lines:?}");
    assert_eq!(lines[0]["kept"], true);
    assert_eq!((identity(), server.findings("/v1/predict", &film)), (second, after));
    let map = server.post("/v1/explain", "image/png", &film);
    assert_eq!(map.status, 200, "{}", map.text());
    assert_eq!(server.wait_for("reloaded", 1).len(), 1);
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("roentgen_reloads_total{outcome=\"failed\"} 1"), "{metrics}");
}
