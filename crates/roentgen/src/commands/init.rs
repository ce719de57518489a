//! `init`: writes an experiment file with comments, to be changed and trained.

use std::fs;
use std::path::Path;

use anyhow::bail;
use roentgen_data::files;
use serde_json::json;

use crate::cli::Init;
use crate::output::{Output, is_standard, quote};

/// The file, in which a prepared data set takes the place of [`PREPARED`].
const EXPERIMENT: &str = include_str!("../../../../experiments/init.toml");
/// Stands for the prepared data set.
const PREPARED: &str = "\"PREPARED\"";

/// Writes the file.
pub(crate) fn run(args: &Init) -> anyhow::Result<Output> {
    if !is_standard(&args.file) && fs::symlink_metadata(&args.file).is_ok() {
        bail!(
            "`{}` exists and is not overwritten; give another name, or remove it",
            args.file.display()
        );
    }
    files::create_folder_of(&args.file)?;
    files::write_whole(&args.file, experiment(&args.prepared).as_bytes())?;
    let text = format!(
        "{}\nnext: roentgen train {} --out runs/first",
        args.file.display(),
        quote(&args.file)
    );
    Ok(Output::done(text, json!({ "out": args.file })).keep_clear_of(&args.file))
}

fn experiment(prepared: &Path) -> String {
    let prepared = toml::Value::String(prepared.to_string_lossy().into_owned());
    EXPERIMENT.replace(PREPARED, &prepared.to_string())
}

#[cfg(test)]
mod tests {
    use roentgen_train::Experiment;

    use super::*;

    #[test]
    fn the_file_is_an_experiment_on_the_named_data_set_also_with_all_its_comments_taken_away() {
        let text = experiment(Path::new("data/my \"films\""));
        let read = |text: &str| toml::from_str::<Experiment>(text);

        assert_eq!(read(&text).unwrap().data.prepared, Path::new("data/my \"films\""));
        // The text after `# ` at the start of a line is a key if it has an equals sign.
        let is_key = |line: &str| {
            let key = line.split(" = ").next().unwrap_or_default();
            line.contains(" = ") && !key.contains(' ')
        };
        let mut shown = 0;
        let whole: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix("# ").filter(|key| is_key(key)) {
                Some(key) if !key.contains('[') || key.contains('{') => {
                    shown += 1;
                    key
                }
                _ => line,
            })
            .collect();
        assert_eq!(shown, 5);
        read(&whole.join("\n")).unwrap();
    }
}
