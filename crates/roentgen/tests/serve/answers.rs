use std::collections::HashSet;
use std::path::PathBuf;
use std::thread;

use roentgen_test_support::{Outcome, peers};
use serde_json::{Value, json};

use crate::common::{EXPERIMENT, Place, find};
use crate::running::{Running, form};

/// A place with films and a run `run` of an architecture of which batches have other bits than single
/// films on Burn.
fn resnet() -> Place {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", EXPERIMENT);
    place.ok(
        "train experiment.toml --out run --set train.epochs=1 --set model.architecture=resnet50",
    );
    place
}

/// The films of a place, by name.
pub(crate) fn films(place: &Place, count: usize) -> Vec<(String, Vec<u8>)> {
    let table = place.text("films/Data_Entry_2017_v2020.csv");
    let names = table.lines().skip(1).filter_map(|line| line.split(',').next());
    names
        .take(count)
        .map(|name| {
            let path: PathBuf = find(&place.at("films"), name);
            (name.to_owned(), std::fs::read(path).unwrap())
        })
        .collect()
}

/// Compares the rows of a table that `predict` wrote film by film with what is served: each film alone,
/// all in one request, and many requests at the same time.
fn compare(place: &Place, engine: &str) {
    let films = films(place, 23);
    for (name, bytes) in &films {
        place.write(&format!("chosen/{name}"), bytes);
    }
    place.ok(&format!("predict run chosen --batch 1 --engine {engine} --no-gate --out alone.csv"));
    let table = place.text("alone.csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header = rows.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let server = Running::start(place, &format!("run --engine {engine} --no-gate --batch-wait 50"));
    let check = |film: &Value| {
        let name = film["name"].as_str().unwrap();
        let row = rows.iter().find(|row| row[column("image")].ends_with(name)).unwrap();
        let findings = film["findings"].as_object().unwrap();
        assert_eq!(findings.len(), 14);
        for (finding, about) in findings {
            let expected: f64 = row[column(finding)].parse().unwrap();
            assert_eq!(about["probability"].as_f64(), Some(expected), "{name} {finding}");
        }
    };

    let parts: Vec<(&str, &[u8])> =
        films.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (kind, body) = form(&parts);
    let together = server.post("/v1/predict", &kind, &body).json();
    assert_eq!(together["films"].as_array().unwrap().len(), 23, "{together}");
    together["films"].as_array().unwrap().iter().for_each(check);
    thread::scope(|scope| {
        for (name, bytes) in &films {
            let (server, check) = (&server, &check);
            scope.spawn(move || {
                let (kind, body) = form(&[(name, bytes)]);
                check(&server.post("/v1/predict", &kind, &body).json()["films"][0]);
            });
        }
    });
    let (name, bytes) = &films[0];
    let findings = server.findings("/v1/predict", bytes);
    check(&json!({ "name": name, "findings": findings }));
}

pub(crate) fn the_numbers_of_predict_are_served_alone_and_among_others() {
    for place in [Place::trained(), resnet()] {
        compare(&place, "burn");
    }
}

pub(crate) fn onnx_runtime_gives_the_same_bits_alone_and_among_others() -> Outcome {
    peers::python("onnxruntime")?;
    compare(&Place::trained(), "onnx");
    Ok(())
}

pub(crate) fn an_ensemble_answers_with_the_mean_of_its_models() {
    let place = Place::with_two_models();
    place.ok("predict a film.png --no-gate --out one.csv".replace("film.png", "films").as_str());
    place.ok("predict b films --no-gate --out two.csv");
    place.ok("ensemble --rule mean one.csv two.csv --out mean.csv");
    let server = Running::start(&place, "first=a second=b --ensemble --no-gate");

    let table = place.text("mean.csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let header = rows.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut seen = HashSet::new();
    for row in rows.records().map(Result::unwrap).take(5) {
        let film = std::fs::read(find(&place.at("films"), &row[column("image")])).unwrap();
        let findings = server.findings("/v1/predict", &film);
        for finding in ["Mass", "Nodule"] {
            let expected: f64 = row[column(finding)].parse().unwrap();
            let served = findings[finding]["probability"].as_f64().unwrap();
            assert!((served - expected).abs() < 1e-6, "{served} {expected}");
            seen.insert(served.to_bits());
        }
        let own = server.findings("/v1/predict?model=second", &film);
        assert_ne!(own["Mass"]["probability"], findings["Mass"]["probability"]);
    }
    assert!(seen.len() > 5);
    let models = server.get("/v1/models").json();
    assert_eq!(models["models"][0]["members"], json!(["first", "second"]));
    assert_eq!(models["models"][1]["findings"], json!(["Mass", "Nodule"]));
    let film = films(&place, 1).remove(0).1;
    let answer = server.post("/v1/explain", "image/png", &film);
    assert!(answer.status == 400 && answer.text().contains("ensemble"), "{}", answer.text());
    assert_eq!(server.post("/v1/explain?model=first", "image/png", &film).status, 200);
}

pub(crate) fn a_heat_map_is_a_picture_or_numbers() {
    let place = Place::trained();
    let server = Running::start(&place, "run --no-gate");
    let film = place.read("film.png");
    let ask = |query: &str, accept: &str| {
        let headers = [("content-type", "image/png"), ("accept", accept)];
        server.send("POST", &format!("/v1/explain{query}"), &headers, &film)
    };

    let picture = ask("?finding=Mass", "image/png");
    assert_eq!((picture.status, picture.headers["x-finding"].as_str()), (200, "Mass"));
    let decoded = image::load_from_memory(&picture.body).unwrap();
    assert!(decoded.width() >= 64 && decoded.height() >= 64);
    let numbers = ask("?finding=Mass&method=grad-cam", "application/json").json();
    assert_eq!(numbers["method"], "grad-cam");
    let values = numbers["values"].as_array().unwrap();
    let area = numbers["height"].as_u64().unwrap() * numbers["width"].as_u64().unwrap();
    assert_eq!(values.len() as u64, area);
    let file = ask("?finding=Mass&method=grad-cam", "application/vnd.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(&file.body).unwrap();
    let map: Vec<f32> = tensors
        .tensor("map")
        .unwrap()
        .data()
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let served: Vec<f32> = values.iter().map(|value| value.as_f64().unwrap() as f32).collect();
    assert_eq!(map, served);

    place.ok("predict run film.png --no-gate --out one.csv");
    let found = server.findings("/v1/predict", &film);
    assert_eq!(numbers["probability"], found["Mass"]["probability"]);
    assert_eq!(ask("?method=cam", "image/png").status, 400);
    assert_eq!(ask("?method=magic", "image/png").status, 400);
    assert_eq!(ask("?finding=Flu", "image/png").status, 400);
    assert_eq!(ask("", "text/html").status, 406);
}

pub(crate) fn requests_that_make_no_sense_get_a_reason() {
    let place = Place::trained();
    let server = Running::start(&place, "run again=run --max-films 3");
    let film = place.read("film.png");
    let octets = "application/octet-stream";
    let many = form(&[("a", &film), ("b", &film), ("c", &film), ("d", &film)]);
    let post = |path: &str, kind: &str, body: &[u8]| {
        let answer = server.post(path, kind, body);
        (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };

    for ((status, detail), expected, word) in [
        (post("/v1/predict", octets, &film), 400, "`run`, `again`"),
        (post("/v1/predict?model=none", octets, &film), 404, "`run`, `again`"),
        (post("/v1/predict?modell=run", octets, &film), 400, "modell"),
        (post("/v1/predict?model=run", octets, b""), 400, "no film"),
        (post("/v1/predict?model=run", "text/html", &film), 415, "multipart/form-data"),
        (post("/v1/predict?model=run", "multipart/form-data", &film), 400, "form"),
        (post("/v1/predict?model=run", &many.0, &many.1), 413, "more than 3"),
        (post("/v1/predict?model=run", octets, b"hello, film"), 422, "hello"),
        (post("/v1/nothing", octets, &film), 404, "/docs"),
        (post("/v1/models", octets, &film), 405, "methods"),
    ] {
        assert_eq!(status, expected, "{detail}");
        assert!(detail.contains(word), "{word}: {detail}");
    }
    let (kind, body) = form(&[("good.png", &film), ("bad.png", b"nothing")]);
    let answer = server.post("/v1/predict?model=run", &kind, &body).json();
    assert_eq!(answer["films"][0]["name"], "good.png", "{answer}");
    assert_eq!(answer["refused"][0]["name"], "bad.png");
    for (method, path, status) in [("GET", "/v2/nothing", 404), ("DELETE", "/v2", 405)] {
        let answer = server.send(method, path, &[], &[]);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error"].is_string(), "{}", answer.text());
    }
    let answer = server.send("DELETE", "/v1/models", &[], &[]);
    assert_eq!((answer.status, answer.headers["allow"].as_str()), (405, "GET,HEAD"));
}

pub(crate) fn metrics_and_log_count_requests_and_name_no_film() {
    let place = Place::trained();
    let server = Running::start(&place, "run --no-gate");
    let film = place.read("film.png");
    let (kind, body) = form(&[("MUSTERMANN^ERIKA.png", &film), ("SECRET.dcm", b"nothing")]);

    let headers = [("content-type", kind.as_str()), ("x-request-id", "from-the-client")];
    let answer = server.send("POST", "/v1/predict?model=run", &headers, &body);
    assert_eq!(answer.headers["x-request-id"], "from-the-client");
    assert_eq!(server.get("/SECRET").status, 404);
    let metrics = server.get("/metrics").text();
    for line in [
        "roentgen_requests_total{route=\"/v1/predict\",status=\"200\"} 1",
        "roentgen_requests_total{route=\"none\",status=\"404\"} 1",
        "roentgen_refusals_total{reason=\"unusable-film\"} 1",
        "roentgen_films_total{model=\"run\"} 1",
        "roentgen_batch_films_count{model=\"run\"} 1",
        "roentgen_films_waiting 0",
        "roentgen_probability_mean{model=\"run\",finding=\"Mass\"}",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
    let log = server.wait_for("request", 3);
    assert_eq!(log[0]["id"], "from-the-client");
    assert_eq!((&log[0]["route"], &log[0]["status"]), (&json!("/v1/predict"), &json!(200)));
    let text = format!("{:?}{metrics}", server.log());
    assert!(!text.contains("MUSTERMANN") && !text.contains("SECRET"), "{text}");
}
