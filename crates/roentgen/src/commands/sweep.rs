//! `sweep`: all points of an experiment file, each once, by as many processes as share the folder.

mod place;
pub(crate) mod shard;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_eval::comparison::Failure;
use roentgen_train::run_dir::Start;
use roentgen_train::sweep::{self, Point};
use serde_json::json;

use super::{Context, compare, train};
use crate::cli;
use crate::mlflow::Server;
use crate::output::{Ending, Output, note};
use place::{Place, State};
use shard::Shard;

/// What the folder's sweep consists of.
const POINTS: &str = "points.toml";

/// Runs what is left to run, then compares what is finished.
pub(crate) fn run(args: &cli::Sweep, context: &Context) -> anyhow::Result<Output> {
    let (sweep, points) = sweep::read(&args.experiment, &args.settings)?;
    if let Some(only) = &args.only
        && !points.iter().any(|point| point.name.contains(only))
    {
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        bail!("no point has `{only}` in its name; there are: {}", names.join("; "));
    }
    let is_asked = |point: &&Point| args.only.as_ref().is_none_or(|only| point.name.contains(only));
    for point in points.iter().filter(is_asked) {
        roentgen_train::check(&point.experiment)
            .with_context(|| format!("the point `{}` of the sweep cannot be run", point.name))?;
    }
    let shard = args.shard.or_else(|| Shard::of_cluster(|name| std::env::var(name).ok()));
    let shard = shard.unwrap_or(Shard::WHOLE);
    same_points(&args.out, &points)?;
    note(&format!("{} points, part {shard} of them here: {}", points.len(), args.out.display()));

    let mut ran = 0;
    let mut busy = Vec::new();
    for point in points.iter().filter(is_asked).filter(|point| shard.has(point.number)) {
        let place = Place::new(&args.out, &point.folder);
        if !is_to_run(&place, args.retry)? {
            continue;
        }
        let Some(_claim) = place.claim()? else {
            busy.push(point.name.as_str());
            continue;
        };
        // Another process may have ended it between the two looks.
        if !is_to_run(&place, args.retry)? {
            continue;
        }
        if args.retry && place.state()? != State::Open {
            place.reopen()?;
        }
        note(&format!("\n[{}/{}] {}", point.number, points.len(), point.name));
        if one(point, &place, context)? == Ending::Interrupted {
            return Ok(Output {
                text: format!(
                    "stopped and saved; the same command goes on: {}",
                    args.out.display()
                ),
                json: json!({ "out": args.out, "finished": false, "ran": ran }),
                ending: Ending::Interrupted,
            });
        }
        ran += 1;
    }
    if !busy.is_empty() {
        note(&format!("run by another process just now: {}", busy.join("; ")));
    }

    let mut finished = Vec::new();
    let mut failed = Vec::new();
    let mut open = 0;
    for point in &points {
        let place = Place::new(&args.out, &point.folder);
        match place.state()? {
            State::Finished => finished.push((point, place.run())),
            State::Failed(reason) => failed.push(Failure { name: point.name.clone(), reason }),
            State::Open => open += 1,
        }
    }
    for Failure { name, reason } in &failed {
        note(&format!("failed: {name}: {reason}"));
    }
    let title = if sweep.title.is_empty() { "Comparison" } else { &sweep.title };
    if let Some(address) = &args.mlflow {
        let server = Server::new(address);
        for (point, run) in &finished {
            // Whoever holds the point tells the server.
            if let Some(_claim) = Place::new(&args.out, &point.folder).claim()? {
                server.record(title, &point.name, run)?;
            }
        }
    }
    let ending = if failed.is_empty() { Ending::Done } else { Ending::FailedPoints };
    let mut json = json!({
        "out": args.out,
        "points": points.len(),
        "finished": finished.len(),
        "failed": failed,
        "open": open,
        "ran": ran,
    });
    if finished.is_empty() {
        let text = "no point has finished yet";
        return Ok(Output { text: text.to_owned(), json, ending });
    }
    let compared = compare::points(title, &finished, failed, open, &args.out)?;
    json["comparison"] = compared.json;
    Ok(Output { text: compared.text, json, ending })
}

fn is_to_run(place: &Place, retry: bool) -> anyhow::Result<bool> {
    Ok(match place.state()? {
        State::Open => true,
        State::Failed(_) => retry,
        State::Finished => false,
    })
}

/// Trains a point and predicts its validation films; what goes wrong is the point's alone.
fn one(point: &Point, place: &Place, context: &Context) -> anyhow::Result<Ending> {
    match train_and_predict(point, place, context) {
        Ok(ending) => {
            if ending == Ending::Done {
                place.tidy();
            }
            Ok(ending)
        }
        Err(error) => {
            let reason = format!("{error:#}");
            note(&format!("failed: {reason}"));
            place.fail(&reason)?;
            Ok(Ending::Done)
        }
    }
}

fn train_and_predict(point: &Point, place: &Place, context: &Context) -> anyhow::Result<Ending> {
    let trained = train::experiment_into(&point.experiment, &place.run(), Start::Resume, context)?;
    if trained.ending == Ending::Interrupted {
        return Ok(Ending::Interrupted);
    }
    compare::predict_valid(&point.experiment, &place.run(), context)?;
    Ok(Ending::Done)
}

/// Writes the sweep's points down, or makes sure that those in the folder are the same.
fn same_points(out: &Path, points: &[Point]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for point in points {
        let experiment =
            toml::to_string(&point.experiment).context("could not write a point out")?;
        lines.push(format!("[{:?}]\n{}", point.folder, indent(&experiment, &point.folder)));
    }
    let text = lines.join("\n");
    let path = out.join(POINTS);
    if path.exists() {
        let there = fs::read_to_string(&path)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        if there != text {
            let differs = there.lines().zip(text.lines()).find(|(a, b)| a != b);
            let (there, here) = differs.unwrap_or(("fewer or more points", "another number"));
            bail!(
                "`{}` holds another sweep (it has `{there}`, this one `{here}`); name another folder",
                out.display()
            );
        }
        return Ok(());
    }
    fs::create_dir_all(out)
        .with_context(|| format!("could not make the folder `{}`", out.display()))?;
    Ok(files::write_whole(&path, text.as_bytes())?)
}

/// Puts the tables of an experiment below the point's.
fn indent(experiment: &str, folder: &str) -> String {
    let line = |line: &str| match line.strip_prefix('[') {
        Some(table) if table.starts_with('[') => format!("[[{folder:?}.{}", &table[1..]),
        Some(table) => format!("[{folder:?}.{table}"),
        None => line.to_owned(),
    };
    experiment.lines().map(|text| line(text) + "\n").collect()
}
