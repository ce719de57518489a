//! `man`: writes a man page for each command.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory;
use clap_mangen::Man as Page;
use roentgen_data::files;
use serde_json::json;

use crate::cli::{Cli, Man};
use crate::output::Output;

/// Writes the pages.
pub(crate) fn run(args: &Man) -> anyhow::Result<Output> {
    files::create_folder(&args.out)?;
    let pages = pages()?;
    let mut paths: Vec<PathBuf> = Vec::with_capacity(pages.len());
    for (name, page) in &pages {
        let path = args.out.join(name);
        files::write_whole(&path, page)?;
        paths.push(path);
    }
    let text = format!("{} man pages in {}", paths.len(), args.out.display());
    Ok(Output::done(text, json!({ "out": args.out, "pages": paths })))
}

/// Returns the file name and the text of each page, without `help` and hidden commands.
fn pages() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Cli::command().disable_help_subcommand(true);
    // Gives each command its full name and the flags of all commands.
    program.build();
    let mut pages = Vec::new();
    let mut waiting = vec![program];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|below| !below.is_hide_set()).cloned());
        let page = Page::new(command);
        let mut text = Vec::new();
        page.render(&mut text).context("could not write a man page")?;
        pages.push((page.get_filename(), text));
    }
    pages.sort();
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_with_its_flags_and_examples() {
        let pages = pages().unwrap();
        let page = |name: &str| {
            let (_, text) = pages.iter().find(|(file, _)| file == name).unwrap();
            String::from_utf8(text.clone()).unwrap()
        };

        assert_eq!(page("roentgen.1").matches("roentgen\\-train(1)").count(), 1);
        let train = page("roentgen-train.1");
        assert!(train.contains("\\-\\-resume") && train.contains("\\-\\-device"), "{train}");
        assert!(train.contains("roentgen train nih.toml"), "{train}");
        assert!(page("roentgen-bench-train.1").contains("roentgen bench train"));
        assert!(!pages.iter().any(|(file, _)| file.contains("help")));
    }
}
