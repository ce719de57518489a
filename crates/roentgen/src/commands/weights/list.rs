//! `weights list`: lists all architectures, the source of their weights, and the local copies.

use roentgen_models::Architecture;
use roentgen_models::pretrained::store;
use serde_json::json;

use super::IMAGENET_ASKS;
use crate::output::{Output, table};

/// Lists the weights of all architectures.
pub(super) fn run() -> anyhow::Result<Output> {
    let folder = store::folder();
    let (mut rows, mut documents) = (Vec::new(), Vec::new());
    for architecture in Architecture::ALL {
        let published = architecture.published_file();
        let path = store::place(&folder, architecture);
        let kept = if path.is_file() { Some(store::origin(&path)?) } else { None };
        let from = published.map_or("not in a readable format", |published| published.name);
        let terms = published.map_or("", |published| published.licence);
        rows.push(vec![
            architecture.name().to_owned(),
            from.to_owned(),
            terms.to_owned(),
            kept.clone().unwrap_or_else(|| "no".to_owned()),
        ]);
        documents.push(json!({
            "architecture": architecture.name(),
            "url": published.map(|published| published.url()),
            "licence": published.map(|published| published.licence),
            "path": path,
            "origin": kept,
        }));
    }
    let text = format!(
        "{}\nTo download weights, run `roentgen weights pull NAME`; to import a file, run \
         `roentgen weights import FILE --architecture NAME`.\nBoth store weights in {}. \
         {IMAGENET_ASKS}.",
        table(&["architecture", "published", "licence", "local copy"], &rows),
        folder.display(),
    );
    Ok(Output::done(text, json!({ "folder": folder, "weights": documents })))
}
