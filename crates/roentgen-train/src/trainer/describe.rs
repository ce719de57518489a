//! Describes the plan of a run and its model.

use burn::module::Module;
use roentgen_data::split::Split;
use roentgen_models::model_dir::{ModelInfo, TrainingInfo};

use super::Run;
use super::need::{self, Amounts};
use crate::experiment::BestBy;
use crate::facts::Facts;
use crate::progress::{EpochRow, RunPlan};

impl Run<'_> {
    pub(super) fn plan(&self) -> RunPlan {
        let experiment = self.experiment;
        let input = self.train.input;
        let parameters = self.model().num_params();
        let amounts = Amounts { size: input.size, films: self.train.len(), weights: parameters };
        RunPlan {
            parameters,
            train_films: self.train.len(),
            train_patients: self.train_patients(),
            valid_films: self.valid.len(),
            findings: self.train.findings.len(),
            epochs: self.phases.iter().map(|phase| phase.epochs).sum(),
            steps: self.steps(),
            memory: need::estimate(experiment, amounts, &self.device) as usize,
            split: experiment.selection().name(Split::Train),
            is_phantom: self.train.prepared.is_phantom(),
            steps_done: self.state.step,
        }
    }

    pub(super) fn facts(&self, is_stopped: bool) -> Facts {
        let plan = self.plan();
        Facts {
            parameters: plan.parameters,
            split: plan.split,
            seed: Some(self.experiment.seed),
            split_seed: Some(self.experiment.split_seed()),
            fold: self.experiment.fold(),
            is_phantom: plan.is_phantom,
            train_films: plan.train_films,
            train_patients: plan.train_patients,
            valid_films: plan.valid_films,
            steps: self.state.step,
            seconds: self.state.epochs.iter().map(|epoch| epoch.seconds).sum(),
            best_by: Some(self.best_by()),
            lengthened_from: self.state.lengthened_from.clone(),
            is_stopped,
            peak_memory_mib: self.progress.peak_memory_mib(),
        }
    }

    /// Returns the criterion that chose the best epoch.
    fn best_by(&self) -> BestBy {
        let is_by_loss = self.state.epochs.iter().any(|row| row.is_by_loss_instead);
        if is_by_loss { BestBy::Loss } else { self.experiment.train.best_by }
    }

    fn train_patients(&self) -> usize {
        let patients = self.train.rows.iter().map(|&row| self.train.prepared.rows[row].patient);
        patients.collect::<std::collections::HashSet<_>>().len()
    }

    pub(super) fn description(&self, row: &EpochRow) -> ModelInfo {
        let prepared = self.train.prepared;
        let images = self.train.rows.iter().map(|&row| prepared.rows[row].image.as_str());
        ModelInfo {
            films_sha256: self.state.films_sha256.clone(),
            training: Some(TrainingInfo {
                dataset: prepared.description.dataset.clone(),
                data: prepared.description.fingerprint.clone(),
                split: roentgen_data::selection::fingerprint(images),
                selection: self.experiment.selection(),
                seed: self.experiment.seed,
                films: self.train.len(),
                patients: self.train_patients(),
                epoch: row.epoch,
                valid_loss: Some(row.valid_loss),
                valid_auroc: row.valid_auroc,
                weights: self.origin.clone(),
                earlier_films: self.earlier_films,
            }),
            ..ModelInfo::new(
                self.train.findings.to_vec(),
                self.experiment.network(),
                self.train.input,
            )
        }
    }
}
