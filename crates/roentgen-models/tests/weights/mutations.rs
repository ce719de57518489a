//! Changed and hostile files of models and weights: an error or a model, and never a panic.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::preprocess::{Input, Normalize};
use roentgen_models::model_dir::{self, Error, ModelInfo};
use roentgen_models::pretrained::{ClassifierPart, WeightFile, fit};
use roentgen_models::{Architecture, ClassifierConfig, Pool};
use roentgen_test_support::mutation::turns;
use safetensors::tensor::{Dtype, TensorView};

/// Files tried for each kind.
const TRIES: u64 = 300;

fn config(width: f64) -> ClassifierConfig {
    ClassifierConfig {
        architecture: Architecture::Mobilenet,
        width,
        pool: Pool::Attention,
        dropout: 0.25,
        stochastic_depth: None,
    }
}

/// Writes a small model.
fn saved(folder: &Path) {
    let network = config(0.05);
    let findings = vec![Finding::Mass, Finding::Edema];
    let input = Input { size: 64, channels: 1, normalize: Normalize::PerImage };
    let model = network.init(1, 2, &Device::flex());
    model_dir::save(folder, &ModelInfo::new(findings, network, input), &model).unwrap();
}

/// Reads a description and takes its seal off, as earlier versions wrote it: with the seal, every change
/// is refused for that alone.
fn unsealed(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let (seal, text) = text.split_once('\n').unwrap();
    assert!(seal.starts_with("seal = "), "{seal}");
    text.to_owned()
}

/// Numbers that depend on the seed alone (splitmix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

/// Changes a file at a few places among its first `header` bytes.
fn mutated(bytes: &[u8], header: usize, seed: u64) -> Vec<u8> {
    const TOKENS: [&[u8]; 8] =
        [b"0", b"-1", b"999999999999", b"nan", b"1e308", b"\xff\xff\xff\xff", b"\"", b"]"];
    let mut draw = Draw(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..=draw.next(3) {
        let at = draw.next(header.min(bytes.len()));
        let length = draw.next(8).min(bytes.len() - at);
        match draw.next(5) {
            0 => bytes[at] ^= 1 << draw.next(8),
            1 => bytes[at] = draw.next(256) as u8,
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let token = TOKENS[draw.next(TOKENS.len())];
                bytes.splice(at..at + length, token.iter().copied());
            }
            _ => bytes.truncate(at),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn a_description_with_sizes_that_no_model_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let path = folder.path().join(model_dir::DESCRIPTION);
    let text = unsealed(&path);
    let changed = [
        ("size = 64", "size = 4294967296"),
        ("size = 64", "size = 1000000"),
        ("size = 64", "size = 0"),
        ("size = 64", "size = -64"),
        ("channels = 1", "channels = 0"),
        ("channels = 1", "channels = 1000000000000"),
        ("width = 0.05", "width = 1e12"),
        ("width = 0.05", "width = nan"),
        ("width = 0.05", "width = -0.05"),
        ("width = 0.05", "width = 4.0"),
        ("dropout = 0.25", "dropout = nan"),
        ("findings = [\"Mass\", \"Edema\"]", "findings = []"),
        ("findings = [\"Mass\", \"Edema\"]", "findings = [\"Mass\", \"Mass\"]"),
        ("format = 1", "format = 2"),
    ];
    for (from, to) in changed {
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();

        let error = model_dir::load(folder.path(), &Device::flex()).unwrap_err();

        assert!(error.to_string().contains("model."), "{to}: {error}");
    }
    fs::write(&path, format!("{text}#{}", "x".repeat(2 << 20))).unwrap();
    let error = ModelInfo::read(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}

/// Bytes of memory that this process has taken at most; `None` where the system does not say.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[test]
fn a_network_that_the_weights_do_not_fit_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let path = folder.path().join(model_dir::DESCRIPTION);
    let text = unsealed(&path);
    let large = text
        .replace("architecture = \"mobilenet\"", "architecture = \"convnext-base\"")
        .replace("width = 0.05", "width = 4.0");
    fs::write(&path, large).unwrap();

    let error = model_dir::load(folder.path(), &Device::flex()).unwrap_err();

    assert!(matches!(error, Error::Weights { .. }), "{error}");
    // The network would take more than five gigabytes.
    assert!(peak().is_none_or(|peak| peak < 1 << 30), "{:?}", peak());
}

#[test]
fn a_changed_description_is_an_error_or_a_model() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let path = folder.path().join(model_dir::DESCRIPTION);
    let whole = unsealed(&path).into_bytes();
    let mut refused = 0;
    for seed in 0..turns(TRIES) {
        fs::write(&path, mutated(&whole, whole.len(), seed)).unwrap();

        refused += u64::from(model_dir::load(folder.path(), &Device::flex()).is_err());
    }
    // Some changes are to a comment's worth of nothing, such as one within the dropout.
    assert!(refused > turns(TRIES) / 2, "{refused}");
}

#[test]
fn a_changed_description_with_its_seal_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let path = folder.path().join(model_dir::DESCRIPTION);
    let whole = fs::read(&path).unwrap();
    for seed in 0..turns(TRIES) {
        let changed = mutated(&whole, whole.len(), seed);
        // A file that lost its first line has no seal.
        if changed == whole || !changed.starts_with(b"seal = ") {
            continue;
        }
        fs::write(&path, changed).unwrap();

        assert!(ModelInfo::read(folder.path()).is_err(), "seed {seed}");
    }
}

/// Opens changed files of weights, reads all their values, and loads them into a network.
fn try_all(path: &Path, whole: &[u8], header: usize) {
    let mut refused = 0;
    for seed in 0..turns(TRIES) {
        fs::write(path, mutated(whole, header, seed)).unwrap();
        let Ok(file) = WeightFile::open(path) else {
            refused += 1;
            continue;
        };
        let names: Vec<String> = file.shapes().map(|(name, _)| name.to_owned()).collect();
        let mut is_refused = false;
        for name in names {
            let shape: usize = file.shape(&name).unwrap().iter().product();
            match file.values(&name) {
                Ok(values) => assert_eq!(values.len(), shape, "{name} of seed {seed}"),
                Err(_) => is_refused = true,
            }
        }
        refused += u64::from(is_refused);
        if seed % 50 == 0 {
            let model = config(0.05).init(1, 2, &Device::flex());
            assert!(fit(model, Architecture::Mobilenet, ClassifierPart::Whole, &file).is_err());
        }
    }
    assert!(refused > turns(TRIES) / 4, "{refused}");
}

#[test]
fn changed_checkpoints_are_errors_or_weights() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints");
    for name in ["zip.pth", "legacy.pth.tar", "half.pth", "company.ckpt", "module.pt"] {
        let whole = fs::read(checkpoints.join(name)).unwrap();
        try_all(&folder.path().join(name), &whole, whole.len());
    }
}

#[test]
fn changed_safetensors_are_errors_or_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let bytes = [0; 24];
    let views = ["a.weight", "b.weight", "c.bias"]
        .map(|name| (name, TensorView::new(Dtype::F32, vec![2, 3], &bytes).unwrap()));
    let whole = safetensors::serialize(views, None).unwrap();

    try_all(&path, &whole, whole.len() - 3 * bytes.len());
}

#[test]
fn changed_packs_are_errors_or_weights() {
    let folder = tempfile::tempdir().unwrap();
    saved(folder.path());
    let whole = fs::read(folder.path().join(model_dir::WEIGHTS)).unwrap();

    try_all(&folder.path().join("changed.bpk"), &whole, 4096);

    // The same as a model whose description does not record the sum of its weights.
    let path = folder.path().join(model_dir::DESCRIPTION);
    let text = unsealed(&path);
    let is_sum = |line: &&str| line.starts_with("weights_sha256");
    let text: Vec<&str> = text.lines().filter(|line| !is_sum(line)).collect();
    fs::write(&path, text.join("\n")).unwrap();
    let mut refused = 0;
    for seed in 0..turns(TRIES) / 3 {
        let changed = mutated(&whole, 4096, seed);
        fs::write(folder.path().join(model_dir::WEIGHTS), changed).unwrap();

        refused += u64::from(model_dir::load(folder.path(), &Device::flex()).is_err());
    }
    assert!(refused > turns(TRIES) / 6, "{refused}");
}
