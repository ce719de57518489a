//! `weights pull`: downloads published weights, verifies them and stores them in the folder of
//! weights.

use std::fs;

use anyhow::{Context as _, bail};
use roentgen_models::pretrained::{WeightFile, store};
use serde_json::json;

use super::{IMAGENET_ASKS, keep};
use crate::cli::Pull;
use crate::context::Context;
use crate::download::{Checksum, Download, DownloadDisplay, mirror_address};
use crate::output::Output;

/// Downloads the weights of some architectures.
pub(super) fn run(args: &Pull, context: &Context) -> anyhow::Result<Output> {
    let mut files = Vec::new();
    for &architecture in &args.architectures {
        match architecture.published_file() {
            Some(published) => files.push((architecture, published)),
            None => bail!(
                "no weights of {architecture} are published in a readable format; import a \
                 converted file with `roentgen weights import FILE --architecture {architecture}`",
                architecture = architecture.name()
            ),
        }
    }
    let folder = store::folder();
    let (mut lines, mut documents) = (Vec::new(), Vec::new());
    let mut shown = DownloadDisplay::new(context.bars, 0);
    for (architecture, published) in files {
        let name = published.name;
        let place = store::place(&folder, architecture);
        if place.is_file() {
            lines.push(format!("{}: already downloaded: {}", architecture.name(), place.display()));
            documents.push(json!({ "architecture": architecture.name(), "path": place }));
            continue;
        }
        let url = published.url();
        let download = Download {
            url: args.base_url.as_deref().map_or(url, |base| mirror_address(base, name)),
            to: folder.join(name),
            checksum: published
                .checksum()
                .map(|digits| Checksum::Sha256Start(digits.to_owned()))
                .filter(|_| !args.no_verify),
            tries: args.tries,
        };
        roentgen_data::files::create_folder(&folder)?;
        shown.begin(name, 0);
        shown.say(&format!("{name} from {}", download.url));
        let fetched = shown.download(&download)?;
        shown.finish(fetched.bytes);
        let (path, fit) = keep(architecture, &WeightFile::open(&download.to)?, published.licence)?;
        fs::remove_file(&download.to)
            .with_context(|| format!("could not remove `{}`", download.to.display()))?;
        lines.push(format!(
            "{}: {} tensors of the backbone imported, {} ignored ({}): {}",
            architecture.name(),
            fit.found.len(),
            fit.left.len(),
            published.licence,
            path.display()
        ));
        documents.push(json!({
            "architecture": architecture.name(),
            "url": download.url,
            "checksum": fetched.checksum.to_string(),
            "licence": published.licence,
            "path": path,
            "tensors": fit.found.len(),
        }));
    }
    drop(shown);
    lines.push(format!(
        "{IMAGENET_ASKS}.\nnext: `weights = \"imagenet\"` in an experiment's [model]"
    ));
    Ok(Output::done(lines.join("\n"), json!({ "weights": documents })))
}
