//! Turns `--engine` into an inference engine: Burn, which is built in, or ONNX Runtime, if this
//! machine has it.
//!
//! Both take the same input. Their probabilities agree to about six digits, not to the last bit.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::bail;
use burn::tensor::Device;
use roentgen_models::predictor::Prediction;
use roentgen_models::{ModelInfo, Precision, Predictor};
use roentgen_onnx::{OnnxEngine, Runtime, Waiting};

use crate::listener::Listener;

/// A value of `--engine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// ONNX Runtime for 100 or more films on the CPU, if it is found; otherwise Burn, which starts
    /// faster.
    Auto,
    /// Burn on the device.
    Burn,
    /// ONNX Runtime on the CPU.
    Onnx,
}

/// Number of films at which ONNX Runtime pays off: it takes 0.2 s longer than Burn to start.
const WORTH_STARTING: usize = 100;

impl FromStr for EngineChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(EngineChoice::Auto),
            "burn" => Ok(EngineChoice::Burn),
            "onnx" => Ok(EngineChoice::Onnx),
            _ => Err("give auto, burn or onnx".to_owned()),
        }
    }
}

/// The environment variable with the path of the library.
const LIBRARY: &str = "ORT_DYLIB_PATH";

/// A loaded model.
pub enum Engine {
    /// On Burn.
    Burn(Box<Predictor>),
    /// On ONNX Runtime, with the library.
    Onnx(Box<OnnxEngine>, Runtime),
}

impl Engine {
    /// Loads the model in `folder`, which may be a bundle. The number of films selects the engine;
    /// whether the films are decoded already selects how its threads wait.
    ///
    /// # Errors
    ///
    /// Returns an error if the model cannot be loaded, or if ONNX Runtime is asked for and not
    /// found.
    pub fn load(
        folder: &Path,
        choice: EngineChoice,
        films: usize,
        are_decoded: bool,
        device: &Device,
        listener: &dyn Listener,
    ) -> anyhow::Result<Self> {
        let waiting = waiting(are_decoded);
        let threads = rayon::current_num_threads();
        let burn_instead = |reason: &dyn fmt::Display| {
            listener.note(&format!("warning: predicting with Burn, because {reason}"));
        };
        let runtime = match choice {
            EngineChoice::Burn => None,
            EngineChoice::Auto if *device != Device::flex() || films < WORTH_STARTING => None,
            // A user who names a library wants to know why it is not used.
            EngineChoice::Auto => find()
                .inspect_err(|why| find_named_library().map_or((), |_| burn_instead(why)))
                .ok(),
            EngineChoice::Onnx => Some(find().map_err(anyhow::Error::msg)?),
        };
        let Some(runtime) = runtime else { return Self::burn(folder, device) };
        match OnnxEngine::load(folder, &runtime, threads, waiting) {
            Ok(engine) => Ok(Engine::Onnx(Box::new(engine), runtime)),
            Err(error) if choice == EngineChoice::Auto => {
                burn_instead(&error);
                Self::burn(folder, device)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Loads an ONNX file that was made of the exported model in `folder`, for ONNX Runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if ONNX Runtime is not found, or if the file is not of the model.
    pub fn onnx_file(folder: &Path, file: &Path, are_decoded: bool) -> anyhow::Result<Self> {
        let runtime = find().map_err(anyhow::Error::msg)?;
        let threads = rayon::current_num_threads();
        let waiting = waiting(are_decoded);
        let engine = OnnxEngine::load_file(folder, file, &runtime, threads, waiting)?;
        Ok(Engine::Onnx(Box::new(engine), runtime))
    }

    /// Loads the model in `folder` for Burn.
    ///
    /// # Errors
    ///
    /// Returns an error if the model cannot be loaded.
    pub fn burn(folder: &Path, device: &Device) -> anyhow::Result<Self> {
        Ok(Engine::Burn(Box::new(Predictor::load(folder, device)?)))
    }

    /// Stores the activations of Burn in another type.
    ///
    /// # Errors
    ///
    /// Returns an error for types of 16 bits on another engine or without an NVIDIA GPU.
    pub fn with_precision(mut self, precision: Precision, device: &Device) -> anyhow::Result<Self> {
        match &mut self {
            Engine::Burn(predictor) => {
                check_precision(precision, EngineChoice::Burn, device)?;
                predictor.precision = precision;
            }
            Engine::Onnx(..) => check_precision(precision, EngineChoice::Onnx, device)?,
        }
        Ok(self)
    }

    /// Returns what the model says of itself.
    pub fn description(&self) -> &ModelInfo {
        match self {
            Engine::Burn(predictor) => &predictor.description,
            Engine::Onnx(engine, _) => engine.description(),
        }
    }

    /// Returns the identity of the model.
    pub fn identity(&self) -> &str {
        match self {
            Engine::Burn(predictor) => &predictor.identity,
            Engine::Onnx(engine, _) => engine.identity(),
        }
    }

    /// Predicts a batch of planes of the model's size.
    ///
    /// # Errors
    ///
    /// Returns an error if ONNX Runtime or the GPU fails.
    pub fn predict(&mut self, planes: &[&[u8]]) -> anyhow::Result<Vec<Prediction>> {
        let predictions = match self {
            Engine::Burn(predictor) => predictor.predict(planes),
            Engine::Onnx(engine, _) => engine.predict(planes)?,
        };
        // A GPU that fails leaves unwritten memory behind, which must not become a score table.
        match roentgen_kernels::failure() {
            Some(failure) => bail!("the GPU failed: {failure}"),
            None => Ok(predictions),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Engine::Burn(predictor) if predictor.precision == Precision::F32 => f.write_str("Burn"),
            Engine::Burn(predictor) => write!(f, "Burn in {}", predictor.precision),
            Engine::Onnx(_, runtime) => write!(f, "ONNX Runtime, {}", runtime.path().display()),
        }
    }
}

/// Checks that an engine can store activations in this type.
///
/// # Errors
///
/// Returns an error for types of 16 bits on ONNX Runtime or without an NVIDIA GPU.
pub fn check_precision(
    precision: Precision,
    choice: EngineChoice,
    device: &Device,
) -> anyhow::Result<()> {
    let change = match (choice, roentgen_kernels::is_cuda(device)) {
        _ if precision == Precision::F32 => return Ok(()),
        (EngineChoice::Auto | EngineChoice::Burn, true) => return Ok(()),
        (EngineChoice::Auto | EngineChoice::Burn, false) => "add `--device cuda`",
        (EngineChoice::Onnx, true) => "replace `--engine onnx` by `--engine burn`",
        (EngineChoice::Onnx, false) => "replace `--engine onnx` by `--engine burn --device cuda`",
    };
    bail!("`--precision {precision}` needs the engine Burn on an NVIDIA GPU; {change}")
}

/// Returns how threads wait: decoding needs the cores between two batches.
fn waiting(are_decoded: bool) -> Waiting {
    if are_decoded { Waiting::Spinning } else { Waiting::Sleeping }
}

/// Returns the library that the user names.
fn find_named_library() -> Option<OsString> {
    env::var_os(LIBRARY).filter(|path| !path.is_empty())
}

/// Finds ONNX Runtime.
///
/// # Errors
///
/// Returns the reason if no library can be loaded.
pub fn find() -> Result<Runtime, String> {
    if let Some(path) = find_named_library() {
        // A user who names a library wants that one and no other.
        return Runtime::load(Path::new(&path))
            .map_err(|error| format!("{error} (set by `{LIBRARY}`)"));
    }
    let mut refused = Vec::new();
    for path in candidates() {
        match Runtime::load(&path) {
            Ok(runtime) => return Ok(runtime),
            Err(error) => refused.push(error.to_string()),
        }
    }
    match refused.is_empty() {
        false => Err(refused.join("; ")),
        true => Err(
            "ONNX Runtime was not found; run `pip install onnxruntime`, or set `ORT_DYLIB_PATH` \
                     to its library (libonnxruntime.so, libonnxruntime.dylib or onnxruntime.dll)"
                .to_owned(),
        ),
    }
}

/// Lists libraries next to the program, in the active Python environment, in the system and in the
/// system's Python.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    folders.extend(env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned)));
    for variable in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        folders.extend(env::var_os(variable).iter().flat_map(env::split_paths));
    }
    let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().filter_map(env::var_os);
    let mut prefixes: Vec<PathBuf> = environments.map(PathBuf::from).collect();
    // An environment can be in use without being activated; then its `python3` is first in `PATH`.
    let paths = env::var_os("PATH").unwrap_or_default();
    let python = env::split_paths(&paths).find(|folder| folder.join("python3").is_file());
    prefixes.extend(python.and_then(|folder| folder.parent().map(Path::to_owned)));
    prefixes.extend(env::var_os("HOME").map(|home| Path::new(&home).join(".local")));
    prefixes.extend(["/usr/local", "/usr", "/opt/homebrew"].map(PathBuf::from));
    for prefix in prefixes {
        let lib = prefix.join("lib");
        let machine = format!("{}-linux-gnu", env::consts::ARCH);
        folders.extend([lib.clone(), prefix.join("lib64"), lib.join(machine)]);
        let pythons = list_paths(&lib).into_iter().filter(|path| name(path).starts_with("python"));
        for python in pythons {
            for packages in ["site-packages", "dist-packages"] {
                folders.push(python.join(packages).join("onnxruntime/capi"));
            }
        }
    }
    folders.iter().flat_map(|folder| list_paths(folder)).filter(|path| is_library(path)).collect()
}

/// Lists the paths in a folder, sorted by name. The list is empty if the folder cannot be read.
fn list_paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn is_library(path: &Path) -> bool {
    let name = name(path);
    name.starts_with("libonnxruntime.so")
        || name == "onnxruntime.dll"
        || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_on_the_cpu_are_refused_with_the_flags_that_allow_them() {
        let check = |precision, choice| check_precision(precision, choice, &Device::flex());

        assert!(check(Precision::F32, EngineChoice::Onnx).is_ok());
        for (choice, expected) in [
            (EngineChoice::Auto, "; add `--device cuda`"),
            (EngineChoice::Burn, "; add `--device cuda`"),
            (EngineChoice::Onnx, "; replace `--engine onnx` by `--engine burn --device cuda`"),
        ] {
            let error = check(Precision::Bf16, choice).unwrap_err().to_string();
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[test]
    fn the_library_is_known_by_its_name_with_and_without_a_version() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1.32.0", "libonnxruntime.1.32.0.dylib"]
        {
            assert!(is_library(&Path::new("/any").join(name)), "{name}");
        }
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime_pybind11_state.so"] {
            assert!(!is_library(&Path::new("/any").join(name)), "{name}");
        }
    }
}
