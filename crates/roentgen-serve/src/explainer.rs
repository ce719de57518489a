//! The thread that computes heat maps, apart from the one that predicts, which a slow method would
//! hold up. It loads the model when the first map is asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use burn::tensor::Device;
use roentgen_eval::HeatMap;
use roentgen_models::Method;
use roentgen_models::explainer::WantedMap;
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::{
    ClassifierOptions, Film, FilmClassifier, FilmPrediction, FindingPrediction, Silent,
};
use tokio::sync::oneshot;

/// Maps that wait; one takes up to minutes, so that a longer queue would only time out.
const QUEUE: usize = 8;

/// A map to compute.
pub(crate) struct MapJob {
    pub(crate) film: Film,
    pub(crate) method: Method,
    /// The output of the network; the most probable one if there is none.
    pub(crate) output: Option<usize>,
    pub(crate) reply: oneshot::Sender<Result<MapOfFinding, String>>,
}

/// A heat map and what it is of.
pub(crate) struct MapOfFinding {
    pub(crate) finding: FindingPrediction,
    pub(crate) map: HeatMap,
}

/// What computes maps.
pub(crate) struct MapWorker {
    pub(crate) model: PathBuf,
    /// The model that is served; the files may have changed since.
    pub(crate) identity: String,
    pub(crate) options: ClassifierOptions,
    pub(crate) device: Device,
}

impl MapWorker {
    /// Starts the thread, which ends when the sender is dropped.
    pub(crate) fn start(self) -> SyncSender<MapJob> {
        let (sender, jobs) = sync_channel(QUEUE);
        thread::spawn(move || self.work(&jobs));
        sender
    }

    fn work(self, jobs: &Receiver<MapJob>) {
        let mut loaded = None;
        while let Ok(MapJob { film, method, output, reply }) = jobs.recv() {
            if reply.is_closed() {
                continue;
            }
            let computed =
                catch_unwind(AssertUnwindSafe(|| self.compute(&mut loaded, film, method, output)));
            let _ =
                reply.send(computed.unwrap_or_else(|_| Err("a fault in the engine".to_owned())));
        }
    }

    fn compute(
        &self,
        loaded: &mut Option<FilmClassifier>,
        film: Film,
        method: Method,
        output: Option<usize>,
    ) -> Result<MapOfFinding, String> {
        let classifier = match loaded {
            Some(classifier) => classifier,
            none => none.insert(self.load()?),
        };
        let films = [film];
        let failed = |error| format!("{error:#}");
        let predictions = classifier.predict(&films).map_err(failed)?;
        let Some(FilmPrediction { findings, .. }) = predictions.first() else {
            return Err("nothing was predicted".to_owned());
        };
        let output = output.unwrap_or_else(|| most_probable(findings));
        let wanted = [WantedMap { film: 0, output }];
        let (_, maps) = classifier.explain(&films, Some(method), &wanted).map_err(failed)?;
        match (findings.get(output), maps.into_iter().next()) {
            (Some(&finding), Some(map)) => Ok(MapOfFinding { finding, map }),
            _ => Err("no map was computed".to_owned()),
        }
    }

    fn load(&self) -> Result<FilmClassifier, String> {
        let options = ClassifierOptions { engine: EngineChoice::Burn, ..self.options };
        let classifier = FilmClassifier::open(&self.model, &options, &self.device, &Silent)
            .map_err(|error| format!("{error:#}"))?;
        if classifier.identity() != self.identity {
            return Err(
                "the files of the model have changed; the server has to reload it".to_owned()
            );
        }
        Ok(classifier)
    }
}

fn most_probable(findings: &[FindingPrediction]) -> usize {
    let numbered = findings.iter().map(|one| one.probability).enumerate();
    numbered.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map_or(0, |(output, _)| output)
}
