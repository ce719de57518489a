//! Programs that users trust, and that read what we write.
//!
//! Where the environment variable `ROENTGEN_PEERS` is `required`, as in CI, a missing peer is a
//! failure.

use std::path::PathBuf;
use std::process::Command;

use crate::Missing;

/// Says that a peer is missing.
///
/// # Panics
///
/// Panics if peers are required.
pub fn missing(reason: String) -> Missing {
    let are_required = std::env::var_os("ROENTGEN_PEERS").is_some_and(|value| value == "required");
    assert!(!are_required, "{reason}, and ROENTGEN_PEERS says that it is required");
    Missing(reason)
}

/// Checks that `python3` can import modules, which are separated by commas.
///
/// # Errors
///
/// Returns what is missing.
///
/// # Panics
///
/// Panics if it is missing and required.
pub fn python(modules: &str) -> Result<(), Missing> {
    let imported = Command::new("python3").args(["-c", &format!("import {modules}")]).output();
    if imported.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(missing(format!("python3 cannot import {modules}")))
}

/// Checks that a program is on the path, in `/usr/sbin` or in `/sbin`, and returns where.
///
/// # Errors
///
/// Returns that it is missing.
///
/// # Panics
///
/// Panics if it is missing and required.
pub fn program(name: &str) -> Result<PathBuf, Missing> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| missing(format!("the program `{name}` was not found")))
}

/// Returns the name of the browser.
///
/// # Errors
///
/// Returns that there is none.
///
/// # Panics
///
/// Panics if there is none and it is required.
pub fn chromium() -> Result<&'static str, Missing> {
    let is_there = |name: &&str| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there);
    found.ok_or_else(|| missing("there is no Chromium".to_owned()))
}

/// Returns the file of axe-core, which the Python package `axe-playwright-python` brings.
///
/// # Errors
///
/// Returns that there is none.
///
/// # Panics
///
/// Panics if there is none and it is required.
pub fn axe() -> Result<PathBuf, Missing> {
    let find = "from importlib.util import find_spec as find; \
                print(find('axe_playwright_python').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", find]).output();
    let folder = output.ok().filter(|output| output.status.success());
    let folder = folder.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let file = folder.map(|folder| PathBuf::from(folder).join("axe.min.js"));
    file.filter(|file| file.is_file()).ok_or_else(|| {
        missing("python3 does not have axe_playwright_python, which brings axe-core".to_owned())
    })
}
