//! Keeps a command from replacing what it reads.

use std::fs;
use std::path::Path;

use anyhow::bail;
use roentgen_data::nih;

/// Files of models, runs and prepared data sets.
const FILES: [&str; 13] = [
    "model.toml",
    "model.bpk",
    "films.csv",
    "experiment.toml",
    "data.toml",
    "epochs.csv",
    "facts.toml",
    "prepare.toml",
    "manifest.csv",
    "images.safetensors",
    "boxes.csv",
    "bad-films.csv",
    "duplicates.csv",
];
/// Beginnings of the names of tables beside films, in lower case.
const TABLES: [&str; 4] = ["data_entry_2017", "bbox_list_2017", "train_val_list", "test_list"];

/// Refuses an output that would replace one of the inputs, or a file of a folder that is an input.
///
/// # Errors
///
/// Returns an error that names both.
pub(crate) fn refuse_to_replace(out: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    let Ok(out_there) = fs::canonicalize(out) else { return Ok(()) };
    for input in inputs {
        let Ok(there) = fs::canonicalize(input) else { continue };
        let is_input = out_there == there && there.is_file();
        if is_input || (there.is_dir() && is_part(&out_there, &there)) {
            let of = if is_input { String::new() } else { format!(" `{}`", input.display()) };
            bail!(
                "`{}` is a file of the input{of} and would be replaced; name another output",
                out.display()
            );
        }
    }
    Ok(())
}

/// Whether a file is one of those that a folder is read for.
fn is_part(file: &Path, folder: &Path) -> bool {
    let Ok(below) = file.strip_prefix(folder) else { return false };
    let name = below.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_direct = below.components().count() == 1;
    (is_direct && FILES.contains(&&*name))
        || TABLES.iter().any(|table| name.starts_with(table))
        || (file.is_file() && nih::holds_film(file))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_is_read_is_kept_from_being_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in [
            "film.png",
            "films/a/film.png",
            "films/Data_Entry_2017_v2020.csv",
            "films/scores.csv",
            "run/model.bpk",
            "run/scores/test.csv",
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), b"").unwrap();
        }
        let [film, films, run] = ["film.png", "films", "run"].map(|name| root.join(name));
        let inputs = [&*run, &films, &film];
        let is_refused = |name: &str| refuse_to_replace(&root.join(name), &inputs).is_err();

        for name in [
            "film.png",
            "films/../film.png",
            "films/a/film.png",
            "films/Data_Entry_2017_v2020.csv",
            "run/model.bpk",
        ] {
            assert!(is_refused(name), "{name}");
        }
        for name in ["out.csv", "films/scores.csv", "films/new.png", "run/scores/test.csv"] {
            assert!(!is_refused(name), "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&film, root.join("link.csv")).unwrap();
            assert!(is_refused("link.csv"));
        }
    }
}
