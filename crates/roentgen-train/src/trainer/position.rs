//! Where a run is: phases, learning rates, and the end.

use burn::module::Module;
use roentgen_models::weights;

use super::{Error, Run};
use crate::experiment::Experiment;
use crate::experiment::phase::ResolvedPhase;
use crate::experiment::schedule::Plateau;
use crate::features;

impl Run<'_> {
    pub(super) fn phase(&self) -> ResolvedPhase {
        self.phases[self.state.phase]
    }

    /// Returns the learning rate of a step of the run in the current phase.
    pub(super) fn rate(&self, step: usize) -> f64 {
        let ResolvedPhase { epochs, learning_rate, schedule, .. } = self.phase();
        let steps = self.steps();
        let step = step - self.state.earlier * steps;
        schedule.rate(learning_rate, step, steps * epochs, &self.state.plateau)
    }

    pub(super) fn is_phase_over(&self) -> bool {
        let stopping = self.experiment.train.early_stopping;
        let waited_enough = stopping.is_some_and(|stopping| self.state.waited >= stopping.patience);
        self.state.epochs.len() - self.state.earlier >= self.phase().epochs || waited_enough
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.phase + 1 == self.phases.len() && self.is_phase_over()
    }

    /// Continues with the current weights in a new network, because frozen weights cannot be
    /// unfrozen.
    pub(super) fn next_phase(&mut self) -> Result<(), Error> {
        self.features = None;
        features::discard(&self.dir.path)?;
        self.state.phase += 1;
        self.state.earlier = self.state.epochs.len();
        self.state.waited = 0;
        self.state.plateau = Plateau::default();
        let Experiment { image, model, train, .. } = self.experiment;
        let bytes = weights::to_bytes(&self.model().valid())?;
        let network = self.experiment.network();
        let thawed = network.init(image.channels, self.train.findings.len(), &self.device);
        let thawed = weights::load(thawed, bytes.to_vec())?;
        self.weights = Some(thawed.freeze(model.architecture, self.phase().freeze));
        self.optimizer = train.optimizer.init();
        let (phase, phases) = (self.state.phase + 1, self.phases.len());
        self.dir.log(&format!("phase {phase} of {phases}"))?;
        Ok(())
    }

    pub(super) fn steps(&self) -> usize {
        self.train.len().div_ceil(self.experiment.train.batch_size)
    }
}
