//! The modules of a crate do not import each other in a circle, by the text of their imports.
//!
//! Where Rust's own habits make a circle, it does not count: a module may know what is below it in
//! its folder, and what is below it may know the module; an error may be imported by what it is an
//! error of. Tests are not looked at.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The imports of a crate's files: each file's module with those that it names.
type Imports = BTreeMap<String, BTreeSet<String>>;

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
    let parts = parts.strip_suffix(&["mod"]).unwrap_or(&parts);
    parts.join("::")
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

/// Reads the imports of one crate.
fn imports(root: &Path) -> Imports {
    let mut paths = Vec::new();
    files(root, &mut paths);
    let modules: BTreeSet<String> = paths.iter().map(|path| module(root, path)).collect();
    let mut imports = Imports::new();
    for path in paths.iter().filter(|path| !path.ends_with("tests.rs")) {
        let own = module(root, path);
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let mut named = BTreeSet::new();
        for import in code.split("\nuse ").skip(1) {
            for path in expand(import.split(';').next().unwrap()) {
                let absolute = match path.split_once("::") {
                    Some(("crate", rest)) => rest.to_owned(),
                    Some(("super", rest)) => {
                        let above = own.rsplit_once("::").map_or("", |(above, _)| above);
                        let mut above = above.to_owned();
                        let mut rest = rest;
                        while let Some(("super", more)) = rest.split_once("::") {
                            above = above.rsplit_once("::").map_or("", |(up, _)| up).to_owned();
                            rest = more;
                        }
                        format!("{above}::{rest}").trim_start_matches("::").to_owned()
                    }
                    _ => continue,
                };
                if absolute.ends_with("Error") || absolute.ends_with("Invalid") {
                    continue;
                }
                // The longest beginning of the path that is a module.
                let mut target = absolute.as_str();
                while !modules.contains(target) {
                    let Some((shorter, _)) = target.rsplit_once("::") else { break };
                    target = shorter;
                }
                let is_root = ["lib", "main"].contains(&own.as_str());
                if modules.contains(target) && target != own && !is_root {
                    named.insert(target.to_owned());
                }
            }
        }
        imports.insert(own, named);
    }
    imports
}

/// Whether one module is in the folder of the other.
fn is_family(a: &str, b: &str) -> bool {
    a.starts_with(&format!("{b}::")) || b.starts_with(&format!("{a}::"))
}

/// Finds a circle of imports, if there is one.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    fn visit<'a>(
        module: &'a str,
        imports: &'a Imports,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|at| *at == module) {
            return Some(path[start..].iter().map(|at| (*at).to_owned()).collect());
        }
        if !done.insert(module) {
            return None;
        }
        path.push(module);
        for next in imports.get(module).into_iter().flatten() {
            if !is_family(module, next)
                && let Some(circle) = visit(next, imports, path, done)
            {
                return Some(circle);
            }
        }
        path.pop();
        None
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| visit(module, imports, &mut Vec::new(), &mut done))
}

#[test]
fn a_circle_is_found_and_a_folder_is_none() {
    let of = |pairs: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (from, to) in pairs {
            imports.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        circle(&imports)
    };
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "a")]).unwrap(), ["a", "b", "c"]);
    assert_eq!(of(&[("a", "a::b"), ("a::b", "a"), ("a", "c")]), None);
    assert_eq!(expand("crate::{a::B, c::{d, e}}"), ["crate::a::B", "crate::c::d", "crate::c::e"]);
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut circles = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(circle) = circle(&imports(&path.join("src"))) {
            circles.push(format!("{name}: {}", circle.join(" -> ")));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}
