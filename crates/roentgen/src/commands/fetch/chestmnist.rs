//! `fetch chestmnist`: downloads MedMNIST's small copy of ChestX-ray14 as a prepared data set.

use std::fs;

use anyhow::Context as _;
use roentgen_data::lock::FolderLock;
use roentgen_data::medmnist::{self, ArchiveOrigin};
use roentgen_data::prepare::PreparedInfo;
use roentgen_models::Architecture;
use serde_json::json;

use super::published::{self, MEDMNIST_ASKS, NIH_ASKS};
use super::{LOCK, WORK};
use crate::cli::FetchChestmnist;
use crate::context::Context;
use crate::download::{Download, DownloadDisplay, Fetched, mirror_address};
use crate::output::{Output, thousands};

/// Fetches the archive of one size and prepares its films.
pub(super) fn run(args: &FetchChestmnist, context: &Context) -> anyhow::Result<Output> {
    let _lock = FolderLock::take_as(&args.out, LOCK)?;
    let (pixels, name, checksum) = published::chestmnist(args.size);
    if let Some(done) = medmnist::prepared(&args.out, pixels)? {
        return Ok(output(args, &done));
    }
    let flags = &args.downloads;
    // An archive that the user put into the folder is used and kept.
    let beside = args.out.join(name);
    let download = Download {
        url: flags
            .base_url
            .as_deref()
            .map_or_else(|| published::chestmnist_url(name), |base| mirror_address(base, name)),
        to: if beside.is_file() { beside.clone() } else { args.out.join(WORK).join(name) },
        checksum: Some(checksum).filter(|_| !flags.no_verify),
        tries: flags.tries,
    };
    let mut shown = DownloadDisplay::new(context.bars, 0);
    shown.begin(name, 0);
    shown.say(&format!("{name} from {}", download.url));
    let fetched = shown.download(&download)?;
    drop(shown);

    let description = prepare(args, context, &download, &fetched, pixels)?;
    if download.to != beside {
        let tidied = if flags.keep_archives {
            fs::rename(&download.to, &beside)
        } else {
            fs::remove_file(&download.to)
        };
        tidied.with_context(|| format!("could not move or delete `{}`", download.to.display()))?;
        let _ = fs::remove_dir(args.out.join(WORK));
    }
    Ok(output(args, &description))
}

fn prepare(
    args: &FetchChestmnist,
    context: &Context,
    download: &Download,
    fetched: &Fetched,
    pixels: u32,
) -> anyhow::Result<PreparedInfo> {
    let bar = context.bars.add_bar("packing", 0);
    let checksum = fetched.checksum.to_string();
    let origin = ArchiveOrigin { source: &download.url, checksum: &checksum };
    let progress = |side: &str, done: usize, films: usize| {
        bar.set_length(films as u64);
        bar.set_position(done as u64);
        bar.set_message(side.to_owned());
    };
    let description = medmnist::prepare(&download.to, &args.out, pixels, origin, &progress)?;
    bar.finish_and_clear();
    Ok(description)
}

fn output(args: &FetchChestmnist, description: &PreparedInfo) -> Output {
    let out = args.out.display();
    let mut lines = vec![
        format!(
            "{out}: {} films of ChestMNIST at {} px, prepared",
            thousands(description.films),
            description.size
        ),
        "MedMNIST publishes no patient numbers, so each film counts as a patient: intervals are \
         too narrow,\nand no check can find a patient in two splits"
            .to_owned(),
        "split = \"official\" is MedMNIST's own split, not NIH's lists: compare figures only with \
         those of ChestMNIST"
            .to_owned(),
    ];
    let least = Architecture::ALL.into_iter().map(Architecture::least_size).min().unwrap_or(0);
    if (description.size as usize) < least {
        lines.push(format!(
            "no network accepts films below {least} px: the smallest size to train on \
             is `--size 64`"
        ));
    } else {
        lines.push(format!(
            "next: roentgen describe {out}, or `prepared = \"{out}\"` in an experiment file"
        ));
    }
    lines.push(format!("{MEDMNIST_ASKS};\n{NIH_ASKS}"));
    Output::done(lines.join("\n"), json!({ "out": args.out, "prepared": description }))
}
