//! The seal of `model.toml`: its first line, the SHA-256 of everything below.
//!
//! Findings, input and selection decide what a probability is of. An edited description would put
//! other words on the same numbers, and no hash of the weights would notice.

use super::sha256;

/// Beginning of the line.
const SEAL: &str = "seal = \"";

/// Puts the seal before the text of a description.
pub(super) fn seal(text: &str) -> String {
    format!("{SEAL}{}\"\n{text}", sha256(text.as_bytes()))
}

/// Takes the seal off, and says whether the text below is the one that was sealed; `None` if there is
/// no seal, as in models of earlier versions. An empty line remains in its place, so that errors count
/// lines as an editor does.
pub(super) fn open(text: &str) -> (&str, Option<bool>) {
    let Some(rest) = text.strip_prefix(SEAL) else { return (text, None) };
    let end = rest.find('\n').unwrap_or(rest.len());
    let (seal, below) = rest.split_at(end);
    let body = below.strip_prefix('\n').unwrap_or(below);
    (below, Some(seal.trim_end() == format!("{}\"", sha256(body.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_sealed_until_a_letter_of_it_changes() {
        let text = seal("format = 1\n[input]\n");

        assert_eq!(open(&text), ("\nformat = 1\n[input]\n", Some(true)));
        assert_eq!(open("format = 1\n"), ("format = 1\n", None));
        for changed in [
            text.replace("format = 1", "format = 2"),
            text.replace("[input]", "[inputs]"),
            text.trim_end().to_owned(),
            text.lines().next().unwrap().to_owned(),
        ] {
            assert_eq!(open(&changed).1, Some(false), "{changed}");
        }
    }
}
