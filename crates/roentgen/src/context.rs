//! What the commands share: the device, the progress bars and the threads that the global flags
//! choose.

use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_tasks::device;

use crate::cli::{Command, Global};
use crate::output::{is_standard, note};
use crate::progress::{Bars, TaskDisplay};

/// The settings from the global flags.
pub(crate) struct Context {
    pub(crate) device: Device,
    pub(crate) device_name: String,
    pub(crate) is_cpu: bool,
    /// Whether the user asked for a GPU by name.
    pub(crate) names_gpu: bool,
    pub(crate) bars: Bars,
    /// Whether standard output gets one JSON document.
    pub(crate) is_json: bool,
}

impl Context {
    /// Opens the device and sets the number of threads.
    pub(crate) fn new(global: &Global, command: &Command) -> anyhow::Result<Self> {
        if let Some(threads) = global.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build_global()
                .context("could not set `--threads`")?;
        }
        let choice = match global.device {
            // A command without a device does not start a GPU's driver.
            device::DeviceChoice::Auto if !command.uses_device() => device::DeviceChoice::Cpu,
            asked => device::resolve(asked),
        };
        if choice != global.device && !choice.is_cpu() {
            // The last digits of the figures differ from those of the CPU.
            note(&format!("device: {choice}"));
        }
        Ok(Self {
            device: device::open(choice)?,
            device_name: choice.to_string(),
            is_cpu: choice.is_cpu(),
            names_gpu: choice == global.device && !choice.is_cpu(),
            bars: Bars::choose(global.no_progress),
            is_json: global.json,
        })
    }

    /// Refuses to write a file and a document to standard output.
    pub(crate) fn check_output(&self, file: &Path) -> anyhow::Result<()> {
        if self.is_json && is_standard(file) {
            bail!("`--out -` and `--json` both write to standard output; leave one of them out");
        }
        Ok(())
    }

    /// Listens to a task and shows its progress.
    pub(crate) fn listener(&self) -> TaskDisplay {
        TaskDisplay::new(self.bars)
    }
}
