use std::process::Command;

use roentgen_test_support::{Outcome, peers};

use crate::common::{Place, find, stderr};
use crate::running::Running;

/// Asks with NVIDIA's client, by films and by planes, in binary and in JSON, and compares with the
/// score table.
const TRITON: &str = r#"
import csv, io, sys
import numpy, PIL.Image
import tritonclient.http as http
url, table, films = sys.argv[1].removeprefix("http://"), sys.argv[2], sys.argv[3:]
client = http.InferenceServerClient(url)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("run")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
about = client.get_model_metadata("run")
version = about["versions"][0]
assert client.is_model_ready("run", version)
rows = {row["image"]: row for row in csv.DictReader(open(table))}
names = [film.rsplit("/", 1)[-1] for film in films]
files = [open(film, "rb").read() for film in films]
size = next(one for one in about["inputs"] if one["name"] == "planes")["shape"][1]

def ask(tensor, data, datatype, binary, version="", outputs=("probabilities", "findings", "calibrated", "calls")):
    given = http.InferInput(tensor, list(data.shape), datatype)
    given.set_data_from_numpy(data, binary_data=binary)
    wanted = [http.InferRequestedOutput(name, binary_data=binary) for name in outputs]
    return client.infer("run", [given], model_version=version, outputs=wanted, request_id="7")

encoded = numpy.array(files, dtype=object)
first = ask("films", encoded, "BYTES", True, version)
assert first.get_response()["id"] == "7" and first.get_response()["model_version"] == version
findings = [name.decode() for name in first.as_numpy("findings")]
served = first.as_numpy("probabilities")
assert served.shape == (len(films), 14) and first.as_numpy("calls").dtype == numpy.int32
for name, row in zip(names, served):
    for finding, probability in zip(findings, row):
        assert numpy.float32(rows[name][finding]) == probability, (name, finding)
planes = numpy.stack([numpy.asarray(PIL.Image.open(io.BytesIO(one)).convert("L")) for one in files])
if planes.shape[1] == size:
    for data, datatype in [(planes, "UINT8"), (planes.astype(numpy.float32), "FP32")]:
        for binary in [True, False]:
            again = ask("planes", data, datatype, binary).as_numpy("probabilities")
            assert (again == served).all(), (datatype, binary)
for call in [
    lambda: ask("planes", planes[:, 1:], "UINT8", True),
    lambda: ask("films", encoded, "BYTES", True, "another"),
    lambda: ask("films", encoded, "BYTES", True, outputs=("nothing",)),
    lambda: ask("films", numpy.array([b"nothing"], dtype=object), "BYTES", True),
    lambda: client.infer("none", [http.InferInput("films", [0], "BYTES")]),
]:
    try:
        call()
    except Exception as error:
        assert type(error).__name__ == "InferenceServerException" and error.status()[0] == "4", error
    else:
        raise AssertionError("it was not refused")
print(len(films), planes.shape[1] == size)
"#;

/// A place with a model of the size of its films.
fn place() -> Place {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", crate::common::EXPERIMENT);
    place.ok("train experiment.toml --out run --set train.epochs=1");
    place
}

pub(crate) fn the_client_of_triton_gets_the_numbers_of_predict() -> Outcome {
    peers::python("tritonclient.http, numpy, PIL")?;
    let place = place();
    place.ok("predict run films --no-gate --engine burn --batch 1 --out scores.csv");
    let server = Running::start(&place, "run --no-gate");
    let films = ["00000001_000.png", "00000002_000.png", "00000003_000.png"];

    let output = Command::new("python3")
        .args(["-c", TRITON, &server.url])
        .arg(place.at("scores.csv"))
        .args(films.map(|name| find(&place.at("films"), name)))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{:?}", stderr(&output), server.log());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "3 True");
    Ok(())
}

pub(crate) fn curl_gets_an_answer_by_the_lines_of_the_documentation() -> Outcome {
    peers::program("curl")?;
    let place = Place::trained();
    let server = Running::start(&place, "run --no-gate");
    let readme = include_str!("../../../../README.md");
    let lines: Vec<&str> = readme.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in lines {
        let line = line.split(" #").next().unwrap();
        let line =
            line.replace("http://127.0.0.1:8000", &server.url).replace("FILM.png", "film.png");
        let output = Command::new("sh")
            .args([
                "-c",
                &line.replace("curl ", "curl --silent --show-error --fail --noproxy '*' "),
            ])
            .current_dir(place.at("."))
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", stderr(&output));
    }
    let picture = image::open(place.at("heat.png")).unwrap();
    assert!(picture.width() >= 64);
    Ok(())
}

pub(crate) fn every_answer_is_as_the_openapi_document_says() -> Outcome {
    peers::python("schemathesis")?;
    let place = Place::trained();
    let server = Running::start(&place, "first=run second=run --ensemble --time 20");
    // 413 is a refusal, too.
    place.write(
        "schemathesis.toml",
        "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 406, 409, \
         413, 415, 422, 428, 429, \"5xx\"]\n",
    );

    let output = Command::new("python3")
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("{}/openapi.json", server.url))
        .args(["--max-examples", "15", "--seed", "2018", "--generation-database", "none"])
        .args(["--workers", "1", "--checks", "all"])
        // One worker: two threads of it met a fault of CPython 3.11 in `ast`.
        // A valid film is bytes that no generator makes, so valid requests are refused too.
        .args(["--exclude-checks", "positive_data_acceptance,missing_required_header"])
        .current_dir(place.at("."))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", stderr(&output));
    Ok(())
}
