//! The models that are served, each with its threads, and their mean.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use burn::tensor::Device;
use roentgen_eval::{EnsembleRule, HeatMap, ScoredFinding, Scores, ensemble};
use roentgen_models::{Method, ModelInfo};
use roentgen_tasks::{
    ClassifierOptions, Film, FilmClassifier, FilmPrediction, FilmReader, FindingPrediction, Silent,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::config::{Batching, Config, ENSEMBLE, ModelPlace, Together};
use crate::error::Error;
use crate::explainer::{self, MapJob};
use crate::log::{Level, Log};
use crate::metrics::Metrics;
use crate::problem::{Problem, Reason};
use crate::worker::{Job, Worker, equal_sizes};

/// A model with its threads, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) description: ModelInfo,
    pub(crate) reader: FilmReader,
    engine: String,
    thresholds: Vec<Option<f64>>,
    calibration: Option<&'static str>,
    operating_point: &'static str,
    /// The sizes of batches that give the bits of single films.
    sizes: Vec<usize>,
    jobs: SyncSender<Job>,
    maps: SyncSender<MapJob>,
}

/// Gets the prediction of a film, or nothing if it failed.
type Reply = oneshot::Receiver<Option<FilmPrediction>>;

/// What a model needs besides its place.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) options: ClassifierOptions,
    pub(crate) batching: Batching,
    pub(crate) device: Device,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
}

/// The models that are served.
#[derive(Clone, Debug)]
pub(crate) struct Models {
    pub(crate) all: Vec<Arc<Served>>,
    pub(crate) together: Together,
}

/// What answers a request: one model, or the mean of several.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) members: Vec<Arc<Served>>,
}

impl Loader {
    /// Loads a model and starts its threads.
    pub(crate) fn load(&self, place: &ModelPlace) -> Result<Served, Error> {
        let name = place.name.clone();
        let failed = |problem: String| Error::Model { name: name.clone(), problem };
        let mut classifier =
            FilmClassifier::open(&place.path, &self.options, &self.device, &Silent)
                .map_err(|error| failed(format!("{error:#}")))?;
        let sizes = equal_sizes(&mut classifier, self.batching.films).map_err(failed)?;
        let description = classifier.description().clone();
        let identity = classifier.identity().to_owned();
        let (engine, reader) = (classifier.engine(), classifier.reader());
        let thresholds =
            description.findings.iter().map(|&finding| classifier.threshold(finding)).collect();
        let calibration = classifier.calibration().map(|method| method.name());
        let about = json!({
            "model": name, "identity": identity, "engine": engine, "batch_sizes": sizes,
        });
        let explainer = classifier.explainer().map_err(|error| failed(format!("{error:#}")))?;
        let worker = Worker {
            name: name.clone(),
            classifier,
            sizes: sizes.clone(),
            batching: self.batching,
            metrics: self.metrics.clone(),
            log: self.log.clone(),
        };
        let served = Served {
            name: name.clone(),
            identity,
            description,
            reader,
            engine,
            thresholds,
            calibration,
            operating_point: self.options.operating_point.name(),
            sizes,
            jobs: worker.start(),
            maps: explainer::start(explainer),
        };
        self.log.write(Level::Info, "model loaded", about);
        Ok(served)
    }

    /// Tells the metrics of a model that is served from now on.
    pub(crate) fn announce(&self, model: &Served) {
        let fitted = model.description.calibration.iter().flat_map(|fitted| &fitted.findings);
        let shares = fitted.filter(|one| one.platt.is_some() && one.films > 0).filter_map(|one| {
            let finding = model.description.findings.iter().find(|f| f.name() == one.finding)?;
            Some((*finding, one.positives as f64 / one.films as f64))
        });
        self.metrics.loaded(&model.name, &model.identity, shares);
    }
}

impl Models {
    /// Puts models together.
    ///
    /// # Errors
    ///
    /// Returns an error if an ensemble is asked for and the findings differ.
    pub(crate) fn new(all: Vec<Arc<Served>>, together: Together) -> Result<Self, Error> {
        if together == Together::Mean
            && let Some((first, others)) = all.split_first()
        {
            let sorted = |model: &Served| {
                let mut names: Vec<_> =
                    model.description.findings.iter().map(|f| f.name()).collect();
                names.sort_unstable();
                names
            };
            if let Some(other) = others.iter().find(|other| sorted(other) != sorted(first)) {
                return Err(Error::Findings {
                    first: first.name.clone(),
                    name: other.name.clone(),
                });
            }
        }
        Ok(Self { all, together })
    }

    /// Loads the models of a configuration.
    pub(crate) fn load(config: &Config, loader: &Loader) -> Result<Self, Error> {
        let all = config.models.iter().map(|place| loader.load(place).map(Arc::new));
        let models = Self::new(all.collect::<Result<_, _>>()?, config.together)?;
        models.all.iter().for_each(|model| loader.announce(model));
        Ok(models)
    }

    /// Returns everything that answers, the default first.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let single =
            |model: &Arc<Served>| Target { name: model.name.clone(), members: vec![model.clone()] };
        let mean = (self.together == Together::Mean)
            .then(|| Target { name: ENSEMBLE.to_owned(), members: self.all.clone() });
        mean.into_iter().chain(self.all.iter().map(single)).collect()
    }

    /// Returns what answers under a name. Without a name it is the ensemble, or the only model.
    ///
    /// # Errors
    ///
    /// Returns a problem if nothing has the name, or if there are several models and no name.
    pub(crate) fn target(&self, name: Option<&str>) -> Result<Target, Problem> {
        let targets = self.targets();
        let names = || {
            let names: Vec<String> =
                targets.iter().map(|target| format!("`{}`", target.name)).collect();
            names.join(", ")
        };
        match name {
            Some(name) => {
                targets.iter().find(|target| target.name == name).cloned().ok_or_else(|| {
                    let detail =
                        format!("this server has no model of that name; it has {}", names());
                    Problem::new(Reason::NotFound, detail)
                })
            }
            None if self.together == Together::Separate && self.all.len() > 1 => {
                let detail =
                    format!("name a model, as in `?model=NAME`; this server has {}", names());
                Err(Problem::new(Reason::BadRequest, detail))
            }
            None => targets.into_iter().next().ok_or_else(failed),
        }
    }
}

impl Served {
    /// Hands films to the thread of the model. A film whose reply nobody waits for is not computed.
    ///
    /// # Errors
    ///
    /// Returns a problem if the queue still holds films of requests that were given up.
    fn enqueue(&self, films: Vec<Film>) -> Result<Vec<Reply>, Problem> {
        let mut replies = Vec::with_capacity(films.len());
        for film in films {
            let (reply, replied) = oneshot::channel();
            self.jobs.try_send(Job { film, reply }).map_err(|error| match error {
                TrySendError::Full(_) => Problem::busy("the queue of films is full"),
                TrySendError::Disconnected(_) => failed(),
            })?;
            replies.push(replied);
        }
        Ok(replies)
    }

    /// Predicts a film that is explained, which does not count in the means of the metrics.
    pub(crate) async fn predict_one(&self, film: Film) -> Result<FilmPrediction, Problem> {
        received(self.enqueue(vec![film])?).await?.pop().ok_or_else(failed)
    }

    /// Computes a heat map; the outer error is a problem of the server, the inner one a reason.
    pub(crate) async fn explain(
        &self,
        film: Film,
        method: Method,
        output: usize,
    ) -> Result<Result<HeatMap, String>, Problem> {
        let (reply, replied) = oneshot::channel();
        self.maps.try_send(MapJob { film, method, output, reply }).map_err(
            |error| match error {
                TrySendError::Full(_) => Problem::busy("other heat maps are waiting"),
                TrySendError::Disconnected(_) => failed(),
            },
        )?;
        replied.await.map_err(|_| failed())
    }
}

impl Target {
    /// Returns the identities of the members, joined by `+` as in score tables.
    pub(crate) fn identity(&self) -> String {
        let identities: Vec<&str> =
            self.members.iter().map(|model| model.identity.as_str()).collect();
        identities.join("+")
    }

    /// Returns the first member, whose order of findings is that of the answers.
    pub(crate) fn first(&self) -> Result<&Arc<Served>, Problem> {
        self.members.first().ok_or_else(failed)
    }

    /// Predicts films, given for each member in its size.
    pub(crate) async fn predict(
        &self,
        films: Vec<Vec<Film>>,
        metrics: &Metrics,
    ) -> Result<Vec<Vec<FindingPrediction>>, Problem> {
        let members = self.members.iter().zip(films);
        // All members compute at the same time.
        let waiting: Vec<Vec<Reply>> =
            members.map(|(member, films)| member.enqueue(films)).collect::<Result<_, _>>()?;
        let mut predictions = Vec::with_capacity(waiting.len());
        for (member, replies) in self.members.iter().zip(waiting) {
            let films = received(replies).await?;
            metrics.films(&member.name, &member.identity, &films);
            predictions.push(films);
        }
        if predictions.len() == 1 {
            let own = predictions.into_iter().flatten();
            return Ok(own.map(|film| film.findings).collect());
        }
        mean(&predictions).ok_or_else(failed)
    }

    /// Describes what answers, for `/v1/models`.
    pub(crate) fn describe(&self) -> Value {
        let members: Vec<Value> = self.members.iter().map(|model| model.describe()).collect();
        match (self.members.as_slice(), self.name.as_str()) {
            ([_], name) if name != ENSEMBLE => members.into_iter().next().unwrap_or_default(),
            _ => json!({
                "name": self.name,
                "identity": self.identity(),
                "rule": "mean",
                "members": self.members.iter().map(|model| &model.name).collect::<Vec<_>>(),
                "findings": self.members.first().map(|model| &model.description.findings),
            }),
        }
    }
}

impl Served {
    fn describe(&self) -> Value {
        let ModelInfo { network, input, findings, training, .. } = &self.description;
        let thresholds: serde_json::Map<String, Value> = findings
            .iter()
            .zip(&self.thresholds)
            .map(|(finding, threshold)| (finding.name().to_owned(), json!(threshold)))
            .collect();
        json!({
            "name": self.name,
            "identity": self.identity,
            "architecture": network.architecture.name(),
            "size": input.size,
            "channels": input.channels,
            "findings": findings,
            "dataset": training.as_ref().map(|training| training.dataset.to_string()),
            "engine": engine_name(&self.engine),
            "calibration": self.calibration,
            "operating_point": self.operating_point,
            "thresholds": thresholds,
            "methods": Method::ALL
                .iter()
                .filter(|method| method.check(network.pool).is_ok())
                .map(|method| method.name())
                .collect::<Vec<_>>(),
            "batch_sizes": self.sizes,
        })
    }
}

/// Returns the engine without the path of its library, which is nobody else's business.
fn engine_name(engine: &str) -> &str {
    engine.split(',').next().unwrap_or(engine)
}

/// Returns the mean of the members' probabilities, as `roentgen ensemble` computes it.
fn mean(members: &[Vec<FilmPrediction>]) -> Option<Vec<Vec<FindingPrediction>>> {
    let first = members.first()?;
    let table = |films: &Vec<FilmPrediction>| {
        let names: Vec<String> = (0..films.len()).map(|film| film.to_string()).collect();
        let findings =
            films.first()?.findings.iter().enumerate().map(|(output, one)| ScoredFinding {
                name: one.finding.name().to_owned(),
                probabilities: films.iter().map(|film| film.findings[output].probability).collect(),
                labels: vec![None; films.len()],
            });
        Scores::new(names.clone(), names, findings.collect()).ok()
    };
    if first.is_empty() {
        return Some(Vec::new());
    }
    let tables: Vec<Scores> = members.iter().map(table).collect::<Option<_>>()?;
    let joined = ensemble(&tables, &EnsembleRule::Mean).ok()?;
    let film = |(row, film): (usize, &FilmPrediction)| {
        let findings = film.findings.iter().zip(joined.findings());
        let finding = |(one, joined): (&FindingPrediction, &ScoredFinding)| FindingPrediction {
            finding: one.finding,
            probability: joined.probabilities[row],
            calibrated: None,
            threshold: None,
            call: None,
        };
        findings.map(finding).collect()
    };
    Some(first.iter().enumerate().map(film).collect())
}

/// Waits for the predictions of films.
async fn received(replies: Vec<Reply>) -> Result<Vec<FilmPrediction>, Problem> {
    let mut films = Vec::with_capacity(replies.len());
    for reply in replies {
        films.push(reply.await.ok().flatten().ok_or_else(failed)?);
    }
    Ok(films)
}

/// The server failed; the log says how.
pub(crate) fn failed() -> Problem {
    Problem::new(Reason::Failed, "the server could not compute an answer; its log says why")
}
