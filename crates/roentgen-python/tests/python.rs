//! The Python package: a wheel of the library that Cargo built is installed into an empty folder, and
//! pytest, mypy and the notebooks run with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use roentgen_test_support::{Missing, Outcome, peers, test_file};
use tempfile::TempDir;

test_file![
    the_test_suite_passes_with_the_installed_wheel,
    an_example_and_the_package_pass_mypy_strict,
    a_prepared_data_set_and_a_model_serve_pytorch,
    the_notebooks_run_on_films_that_they_draw,
];

/// Makes the wheel that maturin would make, of a library that is built already.
const WHEEL: &str = include_str!("wheel.py");

/// A folder with the installed package.
struct Installed {
    folder: TempDir,
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = Self { folder };
        let python = |args: &[&str]| {
            let output = Command::new("python3").args(args).output().unwrap();
            assert!(output.status.success(), "{}", text(&output));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let (library, wheels) = (library(), installed.path("wheels"));
        let library = library.to_str().unwrap();
        let wheel = python(&["-c", WHEEL, manifest(""), library, wheels.to_str().unwrap()]);
        let site = installed.site();
        let target = ["--quiet", "--no-deps", "--no-index", "--target", site.to_str().unwrap()];
        python(&[&["-m", "pip", "install"], target.as_slice(), &[&wheel]].concat());
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn site(&self) -> PathBuf {
        self.path("site")
    }

    /// Runs Python with the installed package, away from its source.
    fn run(&self, args: &[&str]) -> String {
        let output = Command::new("python3")
            .args(args)
            .current_dir(self.folder.path())
            .env("PYTHONPATH", self.site())
            .env("MYPYPATH", self.site())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("ROENTGEN_PROGRAM", program())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    }
}

fn text(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Returns a path below this crate.
fn manifest(path: &'static str) -> &'static str {
    match path {
        "" => env!("CARGO_MANIFEST_DIR"),
        "tests" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python"),
        "example" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/example.py"),
        "torch" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/with_torch.py"),
        "notebook" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/notebook.py"),
        "inference" => concat!(env!("CARGO_MANIFEST_DIR"), "/../../notebooks/inference.ipynb"),
        "first-study" => concat!(env!("CARGO_MANIFEST_DIR"), "/../../notebooks/first-study.ipynb"),
        other => panic!("`{other}` is unknown"),
    }
}

/// Returns the folder of the libraries that Cargo built for this test.
fn libraries() -> PathBuf {
    env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn library() -> PathBuf {
    let (prefix, suffix) = (env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    libraries().join(format!("{prefix}roentgen_native{suffix}"))
}

/// Returns the program, which is built with the tests of its own crate; empty if it is not there.
fn program() -> OsString {
    let program = libraries().with_file_name(format!("roentgen{}", env::consts::EXE_SUFFIX));
    if program.exists() { program.into_os_string() } else { OsString::new() }
}

fn the_test_suite_passes_with_the_installed_wheel() -> Outcome {
    peers::python("numpy, pandas, pydicom, pytest, PIL")?;
    if !Path::new(&program()).exists() {
        return Err(peers::missing("`target/debug/roentgen` is not built".to_owned()));
    }
    let said =
        Installed::new().run(&["-m", "pytest", "-q", "-p", "no:cacheprovider", manifest("tests")]);
    // Tests that were skipped would be reported as passed.
    assert!(!said.contains("skipped"), "{said}");
    Ok(())
}

fn an_example_and_the_package_pass_mypy_strict() -> Outcome {
    peers::python("mypy, numpy")?;
    let installed = Installed::new();
    assert!(installed.site().join("roentgen/py.typed").exists());
    installed.run(&["-m", "mypy", "--strict", "--no-incremental", manifest("example")]);
    let wrong = installed.path("wrong.py");
    fs::write(&wrong, "import roentgen\nroentgen.load('run').predict('f.png', batch='2')\n")
        .unwrap();
    let output = Command::new("python3")
        .args(["-m", "mypy", "--strict", "--no-incremental"])
        .arg(&wrong)
        .env("MYPYPATH", installed.site())
        .output()
        .unwrap();
    assert!(text(&output).contains("incompatible type"), "{}", text(&output));
    Ok(())
}

/// PyTorch is too large a download for `.ci/run`, so this may be ignored there too.
fn a_prepared_data_set_and_a_model_serve_pytorch() -> Outcome {
    let found = Command::new("python3").args(["-c", "import numpy, pytest, torch"]).output();
    if !found.is_ok_and(|output| output.status.success()) {
        return Err(Missing("python3 cannot import numpy, pytest, torch".to_owned()));
    }
    Installed::new().run(&["-m", "pytest", "-q", "-p", "no:cacheprovider", manifest("torch")]);
    Ok(())
}

fn the_notebooks_run_on_films_that_they_draw() -> Outcome {
    peers::python("nbclient, nbformat, ipykernel, matplotlib, pandas")?;
    let installed = Installed::new();
    for name in ["inference", "first-study"] {
        // The notebook in the repository contains its outputs, and they are small.
        let saved = fs::read_to_string(manifest(name)).unwrap();
        assert!(saved.contains("image/png") && saved.len() < 1 << 20, "{name}: {}", saved.len());
        installed.run(&[manifest("notebook"), manifest(name)]);
    }
    Ok(())
}
