//! The viewer at `/`: a page, its style and its scripts, which are part of the program.
//!
//! They need no token, since they are the same for everybody; the page asks for the token that its
//! requests need. Its scripts run as they are in `viewer/`, without a build step.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::problem::{Problem, Reason};

/// What the page may do: load its own files and ask its own server. Text never becomes HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// The files by name.
const FILES: [(&str, &str, &[u8]); 17] = [
    ("api.js", SCRIPT, include_bytes!("../../viewer/api.js")),
    ("choice.js", SCRIPT, include_bytes!("../../viewer/choice.js")),
    ("dataset.js", SCRIPT, include_bytes!("../../viewer/dataset.js")),
    ("export.js", SCRIPT, include_bytes!("../../viewer/export.js")),
    ("files.js", SCRIPT, include_bytes!("../../viewer/files.js")),
    ("film.js", SCRIPT, include_bytes!("../../viewer/film.js")),
    ("findings.js", SCRIPT, include_bytes!("../../viewer/findings.js")),
    ("gestures.js", SCRIPT, include_bytes!("../../viewer/gestures.js")),
    ("heat.js", SCRIPT, include_bytes!("../../viewer/heat.js")),
    ("icon.svg", PICTURE, include_bytes!("../../viewer/icon.svg")),
    ("keys.js", SCRIPT, include_bytes!("../../viewer/keys.js")),
    ("main.js", SCRIPT, include_bytes!("../../viewer/main.js")),
    ("pane.js", SCRIPT, include_bytes!("../../viewer/pane.js")),
    ("panes.js", SCRIPT, include_bytes!("../../viewer/panes.js")),
    ("queue.js", SCRIPT, include_bytes!("../../viewer/queue.js")),
    ("style.css", STYLE, include_bytes!("../../viewer/style.css")),
    ("worklist.js", SCRIPT, include_bytes!("../../viewer/worklist.js")),
];

const PAGE: &str = include_str!("../../viewer/index.html");
/// Where the page says which films it shows. A page that had to ask for a data set would leave an
/// error in the browser's console if there is none.
const OPENED: &str = "<meta name=\"films\" content=\"opened\">";
const OF_DATA_SET: &str = "<meta name=\"films\" content=\"dataset\">";

static PAGE_OF_DATA_SET: LazyLock<String> = LazyLock::new(|| PAGE.replace(OPENED, OF_DATA_SET));

/// Which films the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Films {
    /// Those that a user opens.
    Opened,
    /// Those of `/v1/dataset`.
    OfDataSet,
}

/// Returns the routes of the viewer.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(films: Films) -> Router<S> {
    let page: &'static str = match films {
        Films::Opened => PAGE,
        Films::OfDataSet => PAGE_OF_DATA_SET.as_str(),
    };
    let page = move || async move { answer(HTML, page.as_bytes()) };
    Router::new().route("/", get(page)).route("/viewer/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let missing = || Problem::new(Reason::NotFound, "the viewer has no such file; it is at `/`");
    found.map(|&(_, kind, bytes)| answer(kind, bytes)).ok_or_else(missing)
}

fn answer(kind: &'static str, bytes: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (HeaderName::from_static("content-security-policy"), POLICY),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_every_name_in_them_is_a_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/viewer");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        let there: BTreeSet<String> =
            fs::read_dir(folder).unwrap().map(|entry| name(entry).unwrap()).collect();
        let served = FILES.iter().map(|(name, ..)| (*name).to_owned());
        let served: BTreeSet<String> = served.chain(["index.html".to_owned()]).collect();

        assert_eq!(there, served);
        for (name, _, bytes) in FILES.iter().filter(|(name, ..)| name.ends_with(".js")) {
            let text = std::str::from_utf8(bytes).unwrap();
            let imports = text.lines().filter(|line| line.starts_with("import "));
            for import in imports {
                let file = import.split("\"./").nth(1).unwrap().split('"').next().unwrap();
                assert!(there.contains(file), "{name}: {import}");
            }
            // Text that a film or a server brings must not become HTML.
            for bad in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(bad), "{name}: {bad}");
            }
        }
    }

    #[test]
    fn the_page_has_no_inline_script_or_style_and_names_no_other_server() {
        let page = include_str!("../../viewer/index.html");

        assert_eq!(page.matches(OPENED).count(), 1);
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("://"));
        assert!(!page.contains(" on") || !page.contains("onclick="));
        assert_eq!(page.matches("<script").count(), page.matches("src=\"/viewer/").count());
    }
}
