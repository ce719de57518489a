//! The libraries that an NVIDIA GPU needs, and which of them this machine has.

use std::path::{Path, PathBuf};

use anyhow::bail;
use burn::tensor::Device;
use roentgen_kernels::Libraries;

/// The libraries that were found, and those that are missing.
pub(crate) struct Found {
    libraries: Libraries,
    /// The missing libraries, each with the way to install it.
    pub(crate) missing: Vec<String>,
}

impl Found {
    /// Searches for the libraries and the headers.
    pub(crate) fn search() -> Self {
        let libraries = Libraries::find();
        let mut missing = libraries.missing();
        if !folder().is_some_and(|folder| folder.join("include/crt/mma.h").exists()) {
            missing.push(
                "the CUDA headers, needed to compile kernels, were not found; run `pip install \
                 nvidia-cuda-runtime nvidia-cuda-crt` and set `CUDA_PATH` to the folder above \
                 `include`"
                    .to_owned(),
            );
        }
        Self { libraries, missing }
    }
}

/// Finds the CUDA folder, searching in the same order as CubeCL.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CUDA_PATH") {
        return Some(folder.into());
    }
    [("/usr/local/cuda", "/usr/local/cuda"), ("/opt/cuda", "/opt/cuda"), ("/usr/bin/nvcc", "/usr")]
        .into_iter()
        .find(|(sign, _)| Path::new(sign).exists())
        .map(|(_, folder)| folder.into())
}

/// Opens a GPU by its number.
///
/// # Errors
///
/// Returns an error if a library is missing, if no GPU has this number, or if CUDA does not start on
/// it, for example for lack of memory.
pub(crate) fn open(index: usize) -> anyhow::Result<Device> {
    let Found { libraries, missing } = Found::search();
    if !missing.is_empty() {
        bail!("`--device cuda:{index}` cannot be used: {}", missing.join("; "));
    }
    let gpus = libraries.driver.map_or(0, |(_, gpus)| gpus.len());
    if index >= gpus {
        bail!(
            "`--device cuda:{index}` does not exist: this machine has {gpus} NVIDIA GPUs, counted from 0"
        );
    }
    roentgen_kernels::prepare_cuda();
    let device = Device::cuda(index);
    if roentgen_kernels::gpu_memory(&device).is_none() {
        bail!(
            "`--device cuda:{index}` does not start; other processes may use all memory of the GPU \
             (`nvidia-smi` lists them)"
        );
    }
    Ok(device)
}

/// Lists what was found and what is missing, one per line.
pub(crate) fn lines() -> Vec<String> {
    let Found { libraries, missing } = Found::search();
    let mut lines = Vec::new();
    if let Some((version, gpus)) = libraries.driver {
        let gpus = if gpus.is_empty() { "no GPU".to_owned() } else { gpus.join(", ") };
        lines.push(format!("driver for CUDA {}.{}: {gpus}", version / 1000, version % 1000 / 10));
    }
    if let Some([major, minor]) = libraries.nvrtc {
        lines.push(format!("NVRTC {major}.{minor}"));
    }
    if let Some(version) = libraries.cudnn {
        lines.push(format!("cuDNN {}.{}.{}", version / 10000, version / 100 % 100, version % 100));
    }
    lines.extend(missing);
    lines
}
