//! Whole runs on the CPU in single precision whose loss is scaled all the same, since f16 needs a GPU.

use std::cell::Cell;
use std::fs;

use burn::module::{ModuleMapper, Param};
use burn::tensor::Tensor;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{self, PrepareSettings};
use roentgen_phantom as phantom;

use super::*;
use crate::overrides;
use crate::run_dir::{LOG, Start};

/// Two epochs of small batches, each in two parts; nothing is drawn after the weights.
const SMALL: &str = "seed = 7\n[model]\nwidth = 0.0625\ndropout = 0.0\npool = \"linear\"\n\
                     [train]\nepochs = 2\nbatch_size = 8\nmicro_batch_size = 4\n";

/// Stops a run after a number of steps.
struct Stop {
    after: usize,
    steps: Cell<usize>,
}

impl Stop {
    fn after(steps: usize) -> Self {
        Self { after: steps, steps: Cell::new(0) }
    }
}

impl Progress for Stop {
    fn step(&self, _: usize, _: usize, _: f64) {
        self.steps.set(self.steps.get() + 1);
    }
    fn seconds(&self) -> f64 {
        0.0
    }
    fn peak_memory_mib(&self) -> Option<u64> {
        None
    }
    fn is_interrupted(&self) -> bool {
        self.steps.get() >= self.after
    }
}

/// Makes all weights of the head, which alone has two axes, a number.
struct Head(f32);

impl ModuleMapper for Head {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D == 2 { param.map(|tensor| tensor.full_like(self.0)) } else { param }
    }
}

/// Films, an experiment on them, and the weights with which each of its runs begins.
struct Folder {
    folder: tempfile::TempDir,
    experiment: Experiment,
    material: Material,
    start: Vec<u8>,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [films, prepared, file] =
            ["films", "prepared", "experiment.toml"].map(|name| folder.path().join(name));
        let drawn = phantom::PhantomSettings { films: 60, size: 64, seed: 3 };
        phantom::write(&films, &drawn, &|_| ()).unwrap();
        let settings =
            PrepareSettings { size: 32, filter: Filter::Lanczos3, labels: None, any_size: false };
        prepare::prepare(&films, &prepared, &settings, &|_| ()).unwrap();
        fs::write(&file, format!("{SMALL}[data]\nprepared = {prepared:?}\n")).unwrap();
        let experiment = overrides::read(&file, &[]).unwrap();
        let material = Material::open(&experiment, &|_, _| ()).unwrap();
        let first = network(&experiment, &material, MemoryLimit::Keep, &Device::flex()).unwrap();
        let start = weights::to_bytes(&first.valid()).unwrap().to_vec();
        Self { folder, experiment, material, start }
    }

    fn run(
        &self,
        name: &str,
        loss_scale: Option<LossScale>,
        stop: &Stop,
    ) -> Result<TrainOutcome, Error> {
        let Self { experiment, material, start, .. } = self;
        let device = Device::flex();
        // Other tests may draw from the device while a network is made.
        let network = network(experiment, material, MemoryLimit::Keep, &device).unwrap();
        let network = weights::load(network, start.clone()).unwrap();
        let initial = initial::weights(experiment, material, network)?;
        let fingerprint = &material.prepared.description.fingerprint;
        let path = self.folder.path().join(name);
        let run_dir = RunDir::open(&path, experiment, fingerprint, Start::Resume)?;
        train_in(experiment, material, initial, run_dir, loss_scale, &device, stop)
    }

    fn set_head(&mut self, weight: f32) {
        let Self { experiment, material, .. } = self;
        let network = network(experiment, material, MemoryLimit::Keep, &Device::flex()).unwrap();
        let changed = network.valid().map(&mut Head(weight));
        self.start = weights::to_bytes(&changed).unwrap().to_vec();
    }

    fn file(&self, run: &str, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(run).join(name)).unwrap()
    }

    fn state(&self, run: &str) -> RunState {
        RunState::read(&self.folder.path().join(run)).unwrap().unwrap()
    }
}

#[test]
fn a_loss_scale_changes_no_bit_of_a_run_in_single_precision_resumed_or_not() {
    let folder = Folder::new();
    // It doubles after the second step.
    let first = Some(LossScale { scale: 1 << 16, good_steps: 1998 });

    folder.run("plain", None, &Stop::after(usize::MAX)).unwrap();
    folder.run("scaled", first, &Stop::after(usize::MAX)).unwrap();
    let stopped = folder.run("broken", first, &Stop::after(3)).unwrap();

    assert_eq!(stopped, TrainOutcome::Interrupted);
    let doubled = |good_steps| Some(LossScale { scale: 1 << 17, good_steps });
    assert_eq!(folder.state("broken").loss_scale, doubled(1));
    // A scale that is in the checkpoint is kept.
    let resumed = folder.run("broken", Some(LossScale::default()), &Stop::after(usize::MAX));
    assert!(matches!(resumed, Ok(TrainOutcome::Finished(_))));
    let steps = u32::try_from(folder.state("plain").step).unwrap();
    assert_eq!(folder.state("plain").loss_scale, None);
    for run in ["scaled", "broken"] {
        assert_eq!(folder.state(run).loss_scale, doubled(steps - 2), "{run}");
        for name in ["model.bpk", "model.toml", "epochs.csv"] {
            assert!(folder.file(run, name) == folder.file("plain", name), "{name} of {run}");
        }
    }
}

#[test]
fn steps_whose_scaled_gradients_overflow_are_skipped_until_the_scale_fits() {
    let mut folder = Folder::new();
    // The loss is finite, and so are its gradients, but not 2^24 times them.
    folder.set_head(2e30);

    let ended =
        folder.run("run", Some(LossScale { scale: 1 << 24, good_steps: 5 }), &Stop::after(9));

    assert_eq!(ended.unwrap(), TrainOutcome::Interrupted);
    let log = String::from_utf8(folder.file("run", LOG)).unwrap();
    let line = "step 1 skipped, because a gradient is not a finite number; loss scale 8388608\n";
    assert!(log.contains(line), "{log}");
    let skipped = log.matches(" skipped, ").count();
    assert!(skipped < 9, "{log}");
    let LossScale { scale, good_steps } = folder.state("run").loss_scale.unwrap();
    assert_eq!(scale, 1 << (24 - skipped));
    // Since the last step that was skipped.
    assert!(good_steps as usize <= 9 - skipped, "{good_steps}");
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_leaves_the_checkpoint_before_it() {
    let mut folder = Folder::new();
    let scale = Some(LossScale::default());
    assert_eq!(folder.run("run", scale, &Stop::after(2)).unwrap(), TrainOutcome::Interrupted);
    let state = "checkpoint/state.toml";
    let before = folder.file("run", state);
    folder.set_head(f32::INFINITY);
    let weights = folder.folder.path().join("run/checkpoint/00000002.weights.bpk");
    assert!(weights.exists());
    fs::write(weights, &folder.start).unwrap();

    let ended = folder.run("run", scale, &Stop::after(1));

    assert!(matches!(ended, Err(Error::Diverged { epoch: 1, .. })), "{ended:?}");
    assert!(folder.file("run", state) == before);
    assert_eq!(folder.state("run").step, 2);
}
