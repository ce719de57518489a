//! Runs are recorded on a real MLflow server and read back by MLflow itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{EXPERIMENT, Place};
use roentgen_test_support::{Missing, Outcome, peers, test_file};

test_file![
    mlflow_reads_back_the_points_of_a_sweep_each_once,
    a_server_that_is_not_there_is_named_before_the_run
];

const READ: &str = r#"
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("Rates & more")
runs = client.search_runs([experiment.experiment_id], order_by=["params.`train.learning_rate` ASC"])
for run in runs:
    history = [metric.step for metric in client.get_metric_history(run.info.run_id, "loss/valid")]
    files = sorted(file.path for file in client.list_artifacts(run.info.run_id, "model"))
    path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model/model.bpk")
    print(run.info.run_name, run.info.status, run.data.params["model.pool"], history, "model/model.toml" in files, len(open(path, "rb").read()))
print("runs", len(runs))
"#;

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        // The server has worker processes, so the whole process group is killed.
        let _ = Command::new("kill").args(["--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

fn server(place: &Place) -> Result<Server, Missing> {
    peers::python("mlflow")?;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let mut command = Command::new("python3");
    command.args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--port"]);
    command.arg(port.to_string()).arg("--backend-store-uri");
    command.arg(format!("sqlite:///{}", place.at("mlflow.db").display()));
    command.arg("--artifacts-destination").arg(place.at("artifacts"));
    command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir(place.at("."));
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let server = Server(command.spawn().unwrap(), address);
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(120), "the MLflow server did not start");
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(server)
}

fn mlflow_reads_back_the_points_of_a_sweep_each_once() -> Outcome {
    let place = Place::new();
    let server = server(&place)?;
    place.ok("phantom --films 60 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    let sweep =
        "[sweep]\ntitle = \"Rates & more\"\n[sweep.product]\ntrain.learning_rate = [0.25, 0.5]\n";
    place.write("sweep.toml", format!("{EXPERIMENT}{sweep}"));
    for _ in 0..2 {
        place.ok(&format!("sweep sweep.toml --out out --mlflow {}", server.1));
    }

    let output = Command::new("python3").args(["-c", READ, &server.1]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", common::stderr(&output));
    let bytes = |folder: &str| place.read(&format!("out/points/{folder}/run/model.bpk")).len();
    for (rate, folder) in [("0.25", "001-learning-rate-0.25"), ("0.5", "002-learning-rate-0.5")] {
        let line = format!("learning rate {rate} FINISHED attention [1, 2] True {}", bytes(folder));
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(text.contains("runs 2"), "{text}");
    Ok(())
}

fn a_server_that_is_not_there_is_named_before_the_run() {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    place.write("sweep.toml", format!("{EXPERIMENT}[sweep.product]\ntrain.epochs = [1, 2]\n"));
    for address in [&*address, "notaurl"] {
        for line in ["train experiment.toml --out run", "sweep sweep.toml --out sweep"] {
            let error = place.fails(&format!("{line} --mlflow {address}"));

            assert!(error.contains("no MLflow server answers at"), "{line}: {error}");
            assert!(error.contains(address), "{line}: {error}");
        }
    }
    assert!(!place.at("run").exists() && !place.at("sweep").exists());
}
