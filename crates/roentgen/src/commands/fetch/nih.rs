//! `fetch nih`: downloads ChestX-ray14 from the NIH Clinical Center, ready for `prepare`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use roentgen_data::files;
use roentgen_data::lock::FolderLock;
use serde_json::json;

use super::journal::{Journal, Record};
use super::published::{FILMS, FilmArchive, NIH_ASKS, NIH_PAGE, ReleaseTable, TABLES};
use super::{LOCK, WORK, archive};
use crate::cli::FetchNih;
use crate::context::Context;
use crate::download::{Checksum, Download, DownloadDisplay, Origin, mirror_address, size};
use crate::output::{Output, note, quote, thousands};

/// Fetches the requested files one by one and skips those that are already there.
pub(super) fn run(args: &FetchNih, context: &Context) -> anyhow::Result<Output> {
    let _lock = FolderLock::take_as(&args.out, LOCK)?;
    let is_wanted = |part: &str| args.only.is_empty() || args.only.iter().any(|only| only == part);
    let mut call = FetchCall { args, journal: Journal::read(&args.out)?, records: Vec::new() };
    let films: Vec<&FilmArchive> = FILMS.iter().filter(|films| is_wanted(films.part)).collect();
    let expected = match args.downloads.base_url {
        Some(_) => 0,
        None => {
            films.iter().filter(|films| !call.is_unpacked(films)).map(|films| films.bytes).sum()
        }
    };
    let mut shown = DownloadDisplay::new(context.bars, expected);
    for table in TABLES.iter().filter(|table| is_wanted(table.part)) {
        call.table(table, &mut shown)?;
    }
    for films in films {
        call.films(films, &mut shown)?;
    }
    drop(shown);
    // This fails, and keeps the folder, if it still holds an unfinished archive.
    let _ = fs::remove_dir(args.out.join(WORK));
    Ok(Output::done(call.text(), call.json()))
}

/// One call and its files so far.
struct FetchCall<'a> {
    args: &'a FetchNih,
    journal: Journal,
    records: Vec<Record>,
}

impl FetchCall<'_> {
    /// Returns the download of a published file, from the mirror if there is one.
    fn download(
        &self,
        name: &str,
        url: &str,
        checksum: Option<Checksum>,
        folder: &str,
    ) -> Download {
        let flags = &self.args.downloads;
        Download {
            url: flags
                .base_url
                .as_deref()
                .map_or_else(|| url.to_owned(), |base| mirror_address(base, name)),
            to: self.args.out.join(folder).join(name),
            checksum: checksum.filter(|_| !flags.no_verify),
            tries: flags.tries,
        }
    }

    /// Fetches a table, and tries the next address if one fails.
    fn table(&mut self, table: &ReleaseTable, shown: &mut DownloadDisplay) -> anyhow::Result<()> {
        shown.begin(table.name, 0);
        if let Some(record) = self.journal.of(table.name)
            && self.args.out.join(table.name).is_file()
        {
            self.records.push(record.clone());
            return Ok(());
        }
        let is_mirror = self.args.downloads.base_url.is_some();
        let addresses = if is_mirror { &table.addresses[..1] } else { table.addresses };
        let mut failed = None;
        for (url, sha256) in addresses {
            let checksum = sha256.map(|digits| Checksum::Sha256(digits.to_owned()));
            let download = self.download(table.name, url, checksum, "");
            match shown.download(&download) {
                Ok(fetched) => {
                    let is_verified = download.checksum.is_some();
                    let record = Record::of(table.name, &download.url, &fetched, is_verified);
                    shown.finish(fetched.bytes);
                    return self.note(record, fetched.origin, shown);
                }
                Err(error) if error.is_of_the_address() => {
                    shown.say(&format!("{}: {error}", table.name));
                    failed = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let advice = format!(
            "could not fetch `{}`; download it from {NIH_PAGE} into `{}` and run the command again",
            table.name,
            self.args.out.display()
        );
        Err(match failed {
            Some(error) => anyhow::Error::from(error).context(advice),
            None => anyhow!(advice),
        })
    }

    /// Fetches and unpacks an archive.
    fn films(&mut self, films: &FilmArchive, shown: &mut DownloadDisplay) -> anyhow::Result<()> {
        let name = films.name();
        let folder = self.args.out.join(films.part);
        if self.is_unpacked(films) {
            if !folder.is_dir() {
                archive::name(&folder)?;
            }
            // A killed call may have left it; archives to keep are in another folder.
            let _ = fs::remove_file(self.args.out.join(WORK).join(&name));
            self.records.extend(self.journal.of(&name).cloned());
            return Ok(());
        }
        if folder.exists() {
            note(&format!(
                "`{}` was not fetched by this command and stays unchanged; move it away to \
                 fetch it",
                folder.display()
            ));
            return Ok(());
        }
        let expected = if self.args.downloads.base_url.is_some() { 0 } else { films.bytes };
        shown.begin(&name, expected);
        // An archive that the user put there is used and kept; ours is deleted after unpacking.
        let beside = self.args.out.join(&name);
        let work = if beside.is_file() { "" } else { WORK };
        let download = self.download(&name, &films.url(), Some(films.checksum()), work);
        shown.say(&format!("{name} from {}", download.url));
        self.journal.forget(&self.args.out, &name)?;
        let (fetched, count) = archive::fetch(&download, &folder, shown)?;
        shown.finish(fetched.bytes);
        let is_verified = download.checksum.is_some();
        let mut record = Record::of(&name, &download.url, &fetched, is_verified);
        record.films = Some(count);
        self.note(record, fetched.origin, shown)?;
        archive::name(&folder)?;
        if download.to != beside {
            let tidied = if self.args.downloads.keep_archives {
                fs::rename(&download.to, &beside)
            } else {
                fs::remove_file(&download.to)
            };
            tidied
                .with_context(|| format!("could not move or delete `{}`", download.to.display()))?;
        }
        Ok(())
    }

    /// Returns whether an earlier call unpacked all of an archive, even if its folder has no name
    /// yet.
    fn is_unpacked(&self, films: &FilmArchive) -> bool {
        let folder = self.args.out.join(films.part);
        self.journal.of(&films.name()).is_some()
            && (folder.is_dir() || files::temporary_path(&folder).is_dir())
    }

    fn note(
        &mut self,
        record: Record,
        origin: Origin,
        shown: &DownloadDisplay,
    ) -> anyhow::Result<()> {
        let films =
            record.films.map_or_else(String::new, |films| format!(", {} films", thousands(films)));
        let verified = if record.verified { "" } else { ", not verified" };
        let origin = match origin {
            Origin::Downloaded => "",
            Origin::Kept => ", already there",
        };
        shown.say(&format!("{}: {}{films}{origin}{verified}", record.name, size(record.bytes)));
        self.records.push(record.clone());
        self.journal.note(&self.args.out, record)
    }

    fn film_count(&self) -> usize {
        self.records.iter().filter_map(|record| record.films).sum()
    }

    fn text(&self) -> String {
        let out = self.args.out.display();
        let archives = self.records.iter().filter(|record| record.films.is_some()).count();
        let mut lines = vec![format!(
            "{out}: {} films of {archives} archives, {} tables",
            thousands(self.film_count()),
            self.records.len() - archives,
        )];
        let unverified = self.records.iter().filter(|record| !record.verified).count();
        if unverified > 0 {
            lines.push(format!("{unverified} of these files were not verified by a checksum"));
        }
        let has = |name: &str| self.args.out.join(name).exists();
        let missing = FILMS.iter().filter(|films| !has(films.part)).count();
        if missing > 0 {
            lines.push(format!(
                "{missing} of the twelve archives are missing; `prepare` will list their films"
            ));
        }
        if has(TABLES[0].name) && missing < FILMS.len() {
            let prepared = format!("{}-224", self.args.out.display());
            lines.push(format!(
                "next: roentgen prepare {} --out {} --size 224",
                quote(&self.args.out),
                quote(Path::new(&prepared))
            ));
        }
        lines.push(NIH_ASKS.to_owned());
        lines.join("\n")
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "out": self.args.out,
            "dataset": "NIH ChestX-ray14",
            "films": self.film_count(),
            "files": self.records,
            "page": NIH_PAGE,
        })
    }
}
