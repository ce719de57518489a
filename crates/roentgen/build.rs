//! Notes the commit from which the program is built, for `roentgen --version`.

use std::path::Path;
use std::process::Command;

fn main() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let commit = commit(&top).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=ROENTGEN_COMMIT={commit}");
    // A path that does not exist would run this script before every build.
    let logs = top.join(".git/logs/HEAD");
    let crates = std::fs::read_dir(top.join("crates")).into_iter().flatten().flatten();
    let sources = crates.map(|folder| folder.path().join("src"));
    for watched in [logs, top.join("Cargo.lock")].into_iter().chain(sources) {
        if watched.exists() {
            println!("cargo::rerun-if-changed={}", watched.display());
        }
    }
}

/// Returns the commit, with `-dirty` if tracked files were changed since; nothing if these sources
/// are not a Git checkout of their own.
fn commit(top: &Path) -> Option<String> {
    if !top.join(".git").exists() {
        return None;
    }
    let arguments = ["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"];
    let answer = Command::new("git").arg("-C").arg(top).args(arguments).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    (answer.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
