//! Records a finished run on an MLflow tracking server: parameters, metrics by epoch, model
//! directory.
//!
//! Uses version 2.0 of the server's REST API and its artifact proxy, which `mlflow server` enables
//! by default. A note in the run's folder says which server has it, so that no run is recorded
//! twice.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_train::{Facts, run_dir, sweep};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;

/// How long a server may take to answer.
const CONNECT: Duration = Duration::from_secs(20);
/// The file in which a run notes that a server has it.
const NOTE: &str = "mlflow.toml";
/// Limits of one request.
const METRICS: usize = 1000;
const PARAMETERS: usize = 100;
/// The longest parameter that all versions of the server accept, in bytes.
const LONGEST: usize = 500;
/// The files of a run to upload, if they exist.
const ARTIFACTS: [&str; 6] =
    ["model.toml", "model.bpk", "experiment.toml", "epochs.csv", "facts.toml", "scores/valid.csv"];

/// A tracking server.
pub(crate) struct Server {
    address: String,
    agent: Agent,
}

impl Server {
    /// Connects to the server at `address`, such as `http://127.0.0.1:5000`: before a run, which may
    /// take days, rather than after it.
    ///
    /// # Errors
    ///
    /// Returns an error if no MLflow server answers there.
    pub(crate) fn connect(address: &str) -> anyhow::Result<Self> {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .build()
            .into();
        let server = Self { address: address.trim_end_matches('/').to_owned(), agent };
        server.find_experiment("Default").with_context(|| {
            format!(
                "no MLflow server answers at `{address}`; give the address of one, such as \
                 `http://127.0.0.1:5000`, or leave `--mlflow` out"
            )
        })?;
        Ok(server)
    }

    /// Records the finished run in `folder`, unless the server already has it.
    pub(crate) fn record(&self, experiment: &str, name: &str, folder: &Path) -> anyhow::Result<()> {
        // A note of another server does not count.
        let note = fs::read_to_string(folder.join(NOTE)).unwrap_or_default();
        if note.starts_with(&self.note("")) {
            return Ok(());
        }
        self.send(experiment, name, folder).with_context(|| {
            format!("could not record `{}` on the MLflow server {}", folder.display(), self.address)
        })
    }

    fn send(&self, experiment: &str, name: &str, folder: &Path) -> anyhow::Result<()> {
        let facts = Facts::read(folder)?.context("the run has not finished")?;
        let experiment_id = self.experiment(experiment)?;
        let now = read_clock();
        let began = now.saturating_sub((facts.seconds * 1e3) as u64);
        let created = self.post(
            "runs/create",
            &json!({ "experiment_id": experiment_id, "run_name": name, "start_time": began }),
        )?;
        let info = &created["run"]["info"];
        let id = info["run_id"].as_str().context("the server returned no run")?;
        let place = info["artifact_uri"].as_str().context("the server returned no artifact URI")?;
        if let Err(error) = self.fill(id, place, now, folder, &facts) {
            // The failed run stays on the server; the next attempt creates another.
            let ended = json!({ "run_id": id, "status": "FAILED", "end_time": now });
            let _ = self.post("runs/update", &ended);
            return Err(error);
        }
        let ended = json!({ "run_id": id, "status": "FINISHED", "end_time": now });
        self.post("runs/update", &ended)?;
        Ok(files::write_whole(&folder.join(NOTE), self.note(id).as_bytes())?)
    }

    /// Returns the note of a run that this server has; with an empty ID, the start of such a note.
    fn note(&self, id: &str) -> String {
        let server = format!("server = {:?}\n", self.address);
        if id.is_empty() { server } else { format!("{server}run_id = {id:?}\n") }
    }

    /// Sends parameters, metrics and files of the run `id` to the server.
    fn fill(
        &self,
        id: &str,
        place: &str,
        now: u64,
        folder: &Path,
        facts: &Facts,
    ) -> anyhow::Result<()> {
        let epochs = run_dir::read_epochs(folder)?;
        let whole: roentgen_train::Experiment =
            toml::from_str(&fs::read_to_string(folder.join(run_dir::EXPERIMENT))?)?;
        let parameters: Vec<Value> = sweep::values(&whole)?
            .into_iter()
            .map(|(key, value)| json!({ "key": key, "value": truncate(&value) }))
            .collect();
        for parameters in parameters.chunks(PARAMETERS) {
            self.post("runs/log-batch", &json!({ "run_id": id, "params": parameters }))?;
        }
        let metric = |key: &str, value: f64, step: usize| json!({ "key": key, "value": value, "timestamp": now, "step": step });
        let mut metrics = vec![
            metric("parameters", facts.parameters as f64, 0),
            metric("films_per_second", facts.films_per_second(epochs.len()), 0),
        ];
        for row in &epochs {
            metrics.push(metric("loss/train", row.train_loss, row.epoch));
            metrics.push(metric("loss/valid", row.valid_loss, row.epoch));
            metrics.push(metric("learning_rate", row.learning_rate, row.epoch));
            metrics.push(metric("seconds", row.seconds, row.epoch));
            metrics.extend(row.valid_auroc.map(|auroc| metric("auroc/valid", auroc, row.epoch)));
        }
        for metrics in metrics.chunks(METRICS) {
            self.post("runs/log-batch", &json!({ "run_id": id, "metrics": metrics }))?;
        }
        for name in ARTIFACTS {
            let path = folder.join(name);
            if path.exists() {
                self.upload(place, name, &fs::read(&path)?)?;
            }
        }
        Ok(())
    }

    /// Returns the ID of the experiment with this name, and creates the experiment if needed.
    fn experiment(&self, name: &str) -> anyhow::Result<String> {
        if let Some(found) = self.find_experiment(name)? {
            return Ok(found);
        }
        let id = |value: &Value| value.as_str().map(str::to_owned);
        match self.post("experiments/create", &json!({ "name": name })) {
            Ok(created) => {
                id(&created["experiment_id"]).context("the server returned no experiment")
            }
            // Another process may have created it since.
            Err(error) => self.find_experiment(name).ok().flatten().ok_or(error),
        }
    }

    /// Returns the ID of the experiment with this name; `None` if the server has none.
    fn find_experiment(&self, name: &str) -> anyhow::Result<Option<String>> {
        let url = self.url("experiments/get-by-name");
        let mut found = self.agent.get(&url).query("experiment_name", name).call()?;
        if found.status() == 404 {
            let text = found.body_mut().read_to_string()?;
            if text.contains("RESOURCE_DOES_NOT_EXIST") {
                return Ok(None);
            }
            bail!("{url} answered {}: {}", found.status(), truncate(text.trim()));
        }
        let found = answer(&url, found)?;
        let id = found["experiment"]["experiment_id"].as_str();
        Ok(Some(id.context("the server returned no experiment")?.to_owned()))
    }

    fn upload(&self, place: &str, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(path) = place.strip_prefix("mlflow-artifacts:") else {
            bail!(
                "the server stores files at `{place}` and does not accept uploads; start it with \
                 `--serve-artifacts`"
            );
        };
        let path = path.trim_start_matches('/');
        let url =
            format!("{}/api/2.0/mlflow-artifacts/artifacts/{path}/model/{name}", self.address);
        answer(&url, self.agent.put(&url).send(bytes)?).map(|_| ())
    }

    fn post(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        let url = self.url(what);
        let request = self.agent.post(&url).header("Content-Type", "application/json");
        answer(&url, request.send(&serde_json::to_vec(body)?)?)
    }

    fn url(&self, what: &str) -> String {
        format!("{}/api/2.0/mlflow/{what}", self.address)
    }
}

/// Reads the document in a response.
///
/// # Errors
///
/// Returns an error if the server refused the request or the response is not JSON.
fn answer(url: &str, mut response: Response<ureq::Body>) -> anyhow::Result<Value> {
    let text = response.body_mut().read_to_string()?;
    if !response.status().is_success() {
        bail!("{url} answered {}: {}", response.status(), truncate(text.trim()));
    }
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text)
        .with_context(|| format!("{url} did not answer JSON: {}", truncate(&text)))
}

/// Returns the milliseconds since 1970, the server's unit of time.
fn read_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Cuts a text to the length that the server accepts, between characters.
fn truncate(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
