//! The commands in the project's documents are valid command lines of this program.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::Cli;

/// Returns the project's documents.
fn documents() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<_> = fs::read_dir(project.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files
        .extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|name| project.join(name)));
    files.sort();
    files
}

/// Returns the lines of the shell blocks of a document, with continued lines joined and without
/// comments.
fn shell_lines(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let joined = blocks.map(|block| block.replace("\\\n", " "));
    let lines: Vec<String> =
        joined.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned()).collect()
}

/// Splits a line as a shell does.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The variables of a document's shell, such as `px` with the value `64`.
#[derive(Default)]
struct Shell(Vec<(String, String)>);

impl Shell {
    /// Returns the command line of `roentgen` in a line, if there is one, and remembers variables: of a
    /// loop the first value.
    fn command_line(&mut self, line: &str) -> Option<Vec<String>> {
        let mut line = line.replace("cargo run --release --", "roentgen");
        line = line.replace("target/release/roentgen", "roentgen");
        for (name, value) in &self.0 {
            line = line.replace(&format!("${name}"), value);
        }
        if let Some((name, rest)) =
            line.strip_prefix("for ").and_then(|line| line.split_once(" in "))
        {
            let (values, inner) = rest.split_once("; do").unwrap();
            self.0.push((name.to_owned(), words(values).remove(0)));
            return self.command_line(inner.trim());
        }
        let command = words(line.split(['|', '>', ';']).next()?);
        if let [single] = &command[..]
            && let Some((name, value)) = single.split_once('=')
        {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        command.first().is_some_and(|first| first == "roentgen").then_some(command)
    }
}

#[test]
fn commands_in_documents_are_valid() {
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let mut shell = Shell::default();
        for line in shell_lines(&text) {
            let Some(words) = shell.command_line(&line) else { continue };
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "{}: {line}: {}", path.display(), parsed.unwrap_err());
            count += 1;
        }
    }
    assert!(count > 25, "only {count} commands were found");
}

#[test]
fn a_line_is_read_as_by_a_shell() {
    let mut shell = Shell::default();
    let mut read = |line: &str| shell.command_line(line).map(|words| words.join("|"));

    let line = "for px in 64 128; do roentgen prepare films --size $px; done";
    assert_eq!(read(line).as_deref(), Some("roentgen|prepare|films|--size|64"));
    assert_eq!(read("small=\"--set a.b=1\""), None);
    assert_eq!(read("roentgen train $small").as_deref(), Some("roentgen|train|--set|a.b=1"));
    assert_eq!(read("pip install roentgen"), None);
}
