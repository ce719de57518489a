//! The modules of a crate do not use each other in a circle, by the text of their files.
//!
//! In each folder, the files and subfolders are compared as wholes: whatever a file below `a/` uses
//! of a file below `b/` is a use of `b` by `a`. A name that a module re-exports counts as a use of
//! the module that defines it too, and paths within the code count as imports do.
//!
//! Where Rust's own habits make a circle, it does not count: a module may use what is below it in
//! its folder, and what is below it may use the module; an error may be used by the module that it
//! is an error of. Tests are not read.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a module uses and re-exports. Paths are absolute, without `crate::`.
#[derive(Default)]
struct Module {
    code: String,
    uses: Vec<String>,
    /// Names that it re-exports, with the paths that it has them from.
    exports: BTreeMap<String, String>,
    /// Modules of which it re-exports everything.
    globs: Vec<String>,
}

/// The modules of a crate by path, such as `sweep::place`; the path of the root is empty.
type Modules = BTreeMap<String, Module>;

/// In each folder, which module uses which, with an example of the files.
type Uses = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the path of a file's module: `sweep/place.rs` is `sweep::place`.
fn module(root: &Path, file: &Path) -> String {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
    match parts.as_slice() {
        ["lib" | "main"] => String::new(),
        [folder @ .., "mod"] => folder.join("::"),
        parts => parts.join("::"),
    }
}

/// Splits `a::{b, c::{d, e}}` into `a::b`, `a::c::d`, `a::c::e`.
fn expand(text: &str) -> Vec<String> {
    let Some(open) = text.find('{') else { return vec![text.trim().to_owned()] };
    let (prefix, inner) = (&text[..open], &text[open + 1..text.rfind('}').unwrap()]);
    let mut depth = 0;
    let parts = inner.split(|letter: char| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| expand(part.trim()))
        .map(|part| format!("{}{part}", prefix.trim()))
        .collect()
}

fn join(folder: &str, rest: &str) -> String {
    if folder.is_empty() { rest.to_owned() } else { format!("{folder}::{rest}") }
}

/// Makes a path in the module `own` absolute; `None` for another crate's.
fn absolute(own: &str, path: &str, names: &BTreeSet<String>) -> Option<String> {
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    match first {
        "crate" => Some(rest.to_owned()),
        "self" => Some(join(own, rest)),
        "super" => {
            let above = own.rsplit_once("::").map_or("", |(above, _)| above);
            match rest.starts_with("super::") {
                true => absolute(above, rest, names),
                false => Some(join(above, rest)),
            }
        }
        _ => names.contains(&join(own, first)).then(|| join(own, path)),
    }
}

/// Returns the paths in a line of code that begin with `crate::` or `super::`.
fn paths_in(line: &str) -> Vec<&str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    line.split(|letter: char| !is_part(letter))
        .map(|path| path.trim_end_matches(':'))
        .filter(|path| path.starts_with("crate::") || path.starts_with("super::"))
        .collect()
}

/// Returns the import that begins on the first line, the number of its lines, and whether it is a
/// re-export; `None` for other code, such as a text with the word `use`.
fn import_at(lines: &[&str]) -> Option<(String, usize, bool)> {
    let starts = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
    let start = starts.iter().find(|start| lines[0].starts_with(**start))?;
    let length = 1 + lines.iter().position(|line| line.ends_with(';'))?;
    let import = lines[..length].join(" ");
    let import = import.strip_prefix(start)?.strip_suffix(';')?;
    let is_path = |letter: char| letter.is_alphanumeric() || "_:{},* ".contains(letter);
    import.chars().all(is_path).then(|| (import.to_owned(), length, *start != "use "))
}

/// Reads what a module uses and re-exports.
fn read(own: &str, text: &str, names: &BTreeSet<String>) -> Module {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines: Vec<&str> =
        code.lines().map(|line| line.split("//").next().unwrap().trim()).collect();
    let mut module = Module { code: lines.join("\n"), ..Module::default() };
    let mut number = 0;
    while let Some(line) = lines.get(number) {
        let Some((import, length, is_export)) = import_at(&lines[number..]) else {
            module.uses.extend(paths_in(line).iter().filter_map(|path| absolute(own, path, names)));
            number += 1;
            continue;
        };
        number += length;
        for path in expand(&import) {
            let (path, name) = path.split_once(" as ").unwrap_or((&path, ""));
            let Some(path) = absolute(own, path, names) else { continue };
            let (above, last) = path.rsplit_once("::").unwrap_or(("", &path));
            if is_export && last == "*" {
                module.globs.push(above.to_owned());
            } else if is_export {
                let name = if name.is_empty() { last } else { name };
                module.exports.insert(name.to_owned(), path.clone());
            }
            module.uses.push(path);
        }
    }
    module
}

/// Splits a path into the longest beginning that is a module, and the rest.
fn split<'a>(modules: &Modules, path: &'a str) -> (&'a str, &'a str) {
    let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
    let end = ends.filter(|end| modules.contains_key(&path[..*end])).last().unwrap_or(0);
    (&path[..end], path[end..].trim_start_matches("::"))
}

/// Returns the module that defines what the path names.
fn definer(modules: &Modules, path: &str, depth: usize) -> String {
    let (module, rest) = split(modules, path);
    let name = rest.split("::").next().unwrap();
    if name.is_empty() || depth > 8 {
        return module.to_owned();
    }
    if let Some(path) = modules[module].exports.get(name) {
        return definer(modules, path, depth + 1);
    }
    let through_globs = modules[module].globs.iter().find_map(|glob| {
        let found = definer(modules, &join(glob, name), depth + 1);
        let defines = ["fn", "struct", "enum", "trait", "const", "static", "type"]
            .iter()
            .any(|kind| modules[glob].code.contains(&format!("{kind} {name}")));
        (found != *glob || defines).then_some(found)
    });
    through_globs.unwrap_or_else(|| module.to_owned())
}

/// Finds which modules of each folder use which.
fn uses(texts: &BTreeMap<String, String>) -> Uses {
    let names: BTreeSet<String> = texts.keys().cloned().collect();
    let modules: Modules =
        texts.iter().map(|(own, text)| (own.clone(), read(own, text, &names))).collect();
    let mut uses = Uses::new();
    for (own, module) in modules.iter().filter(|(own, _)| !own.is_empty()) {
        let is_error = |path: &&String| {
            path.split("::").any(|part| part.ends_with("Error") || part == "Invalid")
        };
        for path in module.uses.iter().filter(|path| !is_error(path)) {
            for used in [split(&modules, path).0.to_owned(), definer(&modules, path, 0)] {
                let (from, to): (Vec<&str>, Vec<&str>) =
                    (own.split("::").collect(), used.split("::").collect());
                let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                // A module and what is below it are no two parts of a folder.
                if let (Some(a), Some(b), false) = (from.get(same), to.get(same), used.is_empty()) {
                    let folder = uses.entry(from[..same].join("::")).or_default();
                    let used_by = folder.entry((*a).to_owned()).or_default();
                    used_by.entry((*b).to_owned()).or_insert(format!("{own} uses {used}"));
                }
            }
        }
    }
    uses
}

/// Finds a circle among the parts of a folder, if there is one; says which files make it.
fn circle(uses: &BTreeMap<String, BTreeMap<String, String>>) -> Option<Vec<String>> {
    fn visit<'a>(
        module: &'a str,
        uses: &'a BTreeMap<String, BTreeMap<String, String>>,
        path: &mut Vec<(&'a str, &'a str)>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|(at, _)| *at == module) {
            return Some(path[start..].iter().map(|(_, what)| (*what).to_owned()).collect());
        }
        if !done.insert(module) {
            return None;
        }
        for (next, what) in uses.get(module).into_iter().flatten() {
            path.push((module, what));
            if let Some(circle) = visit(next, uses, path, done) {
                return Some(circle);
            }
            path.pop();
        }
        None
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|module| visit(module, uses, &mut Vec::new(), &mut done))
}

/// Finds the circles of a crate.
fn circles(texts: &BTreeMap<String, String>) -> Vec<String> {
    uses(texts).values().filter_map(circle).map(|circle| circle.join(", ")).collect()
}

fn of(texts: &[(&str, &str)]) -> Vec<String> {
    circles(&texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

#[test]
fn a_circle_of_three_is_found_and_a_folder_is_none() {
    let three = [("", ""), ("a", "use crate::b;"), ("b", "use crate::c;"), ("c", "use crate::a;")];
    let folder =
        [("", ""), ("a", "use b::B;"), ("a::b", "use super::A;\nuse crate::c;"), ("c", "")];

    assert_eq!(of(&three), ["a uses b, b uses c, c uses a"]);
    assert!(of(&folder).is_empty());
    assert_eq!(expand("crate::{a::B, c::{d, e}}"), ["crate::a::B", "crate::c::d", "crate::c::e"]);
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let root = "mod a;\nmod b;\npub use a::*;";
    let named = [
        ("", root),
        ("a", "mod c;\npub use c::{\n    C,\n    D,\n};"),
        ("a::c", "use crate::b::B;"),
        ("b", "use crate::D;"),
    ];
    let defined = [("", root), ("a", "use crate::b::B;\npub struct D;"), ("b", "use crate::D;")];

    assert_eq!(of(&named), ["a::c uses b, b uses a::c"]);
    assert_eq!(of(&defined), ["a uses b, b uses a"]);
}

#[test]
fn a_circle_through_a_path_in_the_code_or_through_files_of_two_folders_is_found() {
    let inline = [("", ""), ("a", "use super::b;"), ("b", "fn f() {\n    crate::a::g();\n}")];
    let folders =
        [("", ""), ("a::x", "use crate::b::y;"), ("b::y", ""), ("b::z", "use crate::a::w;")];

    assert_eq!(of(&inline), ["a uses b, b uses a"]);
    let with_w = [folders.as_slice(), &[("a::w", "// use crate::b::z;")]].concat();
    assert_eq!(of(&with_w), ["a::x uses b::y, b::z uses a::w"]);
    let tests =
        [("", ""), ("a", "use super::b;"), ("b", "#[cfg(test)]\nmod tests { use super::a; }")];
    assert!(of(&tests).is_empty());
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let path = entry.unwrap().path();
        let (root, mut paths) = (path.join("src"), Vec::new());
        files(&root, &mut paths);
        let is_test = |path: &PathBuf| path.with_extension("").iter().any(|part| part == "tests");
        let texts = paths.iter().filter(|path| !is_test(&path.strip_prefix(&root).unwrap().into()));
        let texts = texts.map(|path| (module(&root, path), fs::read_to_string(path).unwrap()));
        let name = path.file_name().unwrap().to_str().unwrap();
        found.extend(circles(&texts.collect()).iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
