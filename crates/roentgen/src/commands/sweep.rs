//! `sweep`: runs every point of an experiment file once, with any number of processes on one
//! folder.

mod history;
mod optuna;
mod place;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_eval::comparison::Failure;
use roentgen_tasks::Shard;
use roentgen_tasks::compare::{own_scores, points as points_of_sweep};
use roentgen_train::TrainOptions;
use roentgen_train::run_dir::Start;
use roentgen_train::sweep::{self, Points, SweepPoint, SweepSettings};
use serde_json::json;

use super::{compare, train};
use crate::cli;
use crate::context::Context;
use crate::mlflow::Server;
use crate::output::{Ending, Output, note};
use crate::progress::{Hashing, Judge, TrainingDisplay};
use place::{PointFolder, PointState};

/// The file with the points of the sweep in a folder.
const POINTS: &str = "points.toml";

/// Runs the remaining points, then compares the finished ones.
pub(crate) fn run(args: &cli::Sweep, context: &Context) -> anyhow::Result<Output> {
    let (sweep, points) = sweep::read(&args.experiment, &args.settings)?;
    let server = args.mlflow.as_deref().map(Server::connect).transpose()?;
    check(&points, args, context)?;
    let shard = args.shard.or_else(|| Shard::of_cluster(|name| std::env::var(name).ok()));
    let shard = shard.unwrap_or(Shard::WHOLE);
    same_points(&args.out, &points)?;
    history::check_finished(&args.out, &points)?;
    let count = points.count();
    note(&format!(
        "{count} points, of which this process runs part {shard}: {}",
        args.out.display()
    ));

    let mut ran = 0;
    let mut busy = Vec::new();
    for number in (1..=count).filter(|number| shard.has(*number)) {
        let place = PointFolder::new(&args.out, &points.folder(number));
        if !is_asked(&args.only, &points, number) || !should_run(&place, args.retry)? {
            continue;
        }
        let Some(_claim) = place.claim()? else {
            busy.push(number.to_string());
            continue;
        };
        // Another process may have finished it between the two checks.
        if !should_run(&place, args.retry)? {
            continue;
        }
        if args.retry && place.state()? != PointState::Open {
            place.reopen()?;
        }
        let point = match history::begin(&args.out, &points, number) {
            Ok(point) => point,
            Err(error) => {
                place.fail(&format!("{error:#}"))?;
                continue;
            }
        };
        note(&format!("\n[{number}/{count}] {}", point.name));
        let judge = |losses: &[f64]| {
            sweep
                .stop
                .is_some_and(|stop| history::is_hopeless(stop, &args.out, &points, &point, losses))
        };
        let options = TrainOptions { start: Start::Resume, memory: train::limit(args.force) };
        if train_point(&point, &place, options, &judge, context)? == Ending::Interrupted {
            let out = args.out.display();
            return Ok(Output {
                text: format!("stopped and saved; run the command again to resume: {out}"),
                json: json!({ "out": args.out, "finished": false, "ran": ran }),
                ending: Ending::Interrupted,
            });
        }
        ran += 1;
    }
    if !busy.is_empty() {
        note(&format!("currently run by another process: {}", busy.join(", ")));
    }
    let title = if sweep.title.is_empty() { "Comparison" } else { &sweep.title };
    summary(args, server.as_ref(), &sweep, &points, title, ran, context)
}

/// Checks every point, or the ends of every range of a search, before the first point runs.
fn check(points: &Points, args: &cli::Sweep, context: &Context) -> anyhow::Result<()> {
    let all = match points {
        Points::Fixed(points) => points.clone(),
        Points::Drawn(drawn) => drawn.build_ends()?,
    };
    if args.only.is_some() && matches!(points, Points::Drawn(_)) {
        bail!("`--only` selects points by name, but the points of a search have no names yet");
    }
    if let Some(only) = &args.only
        && !all.iter().any(|point| point.name.contains(only))
    {
        let names: Vec<&str> = all.iter().map(|point| point.name.as_str()).collect();
        bail!("no point has `{only}` in its name; the points are: {}", names.join("; "));
    }
    let bar = Hashing::new(context.bars);
    let mut checker = roentgen_train::Checker::default();
    for point in all.iter().filter(|point| is_named(&args.only, point)) {
        checker
            .check(&point.experiment, &|done, bytes| bar.set(done, bytes))
            .with_context(|| format!("the point `{}` of the sweep cannot be run", point.name))?;
    }
    Ok(())
}

fn is_named(only: &Option<String>, point: &SweepPoint) -> bool {
    only.as_ref().is_none_or(|only| point.name.contains(only))
}

/// Returns whether `--only` selects a point; the points of a search have no names yet.
fn is_asked(only: &Option<String>, points: &Points, number: usize) -> bool {
    match points {
        Points::Fixed(points) => is_named(only, &points[number - 1]),
        Points::Drawn(_) => true,
    }
}

/// Compares the points that this or another process has finished, and records them on the MLflow
/// server.
fn summary(
    args: &cli::Sweep,
    server: Option<&Server>,
    sweep: &SweepSettings,
    points: &Points,
    title: &str,
    ran: usize,
    context: &Context,
) -> anyhow::Result<Output> {
    let _lock = place::lock(&args.out)?;
    let mut finished = Vec::new();
    let mut failures = Vec::new();
    let mut failed_points = Vec::new();
    for number in 1..=points.count() {
        let place = PointFolder::new(&args.out, &points.folder(number));
        match place.state()? {
            PointState::Finished => {
                if let Some(point) = history::find_point(&args.out, points, number)? {
                    let (device, listener) = (&context.device, context.listener());
                    own_scores(&point.experiment, &place.run(), &[], device, &listener)?;
                    finished.push((point, place.run()));
                }
            }
            PointState::Failed(reason) => {
                // A search may have drawn values that do not make a valid experiment.
                let point = history::find_point(&args.out, points, number).ok().flatten();
                let name = point.as_ref().map_or(points.folder(number), |point| point.name.clone());
                note(&format!("failed: {name}: {reason}"));
                failures.push(Failure { name, reason });
                failed_points.extend(point);
            }
            PointState::Open => {}
        }
    }
    if let Some(server) = server {
        for (point, run) in &finished {
            // Only the process that holds the point records it.
            if let Some(_claim) = PointFolder::new(&args.out, &point.folder).claim()? {
                server.record(title, &point.name, run)?;
            }
        }
    }
    let open = points.count() - finished.len() - failures.len();
    let ending = if failures.is_empty() { Ending::Done } else { Ending::FailedPoints };
    let mut json = json!({
        "out": args.out,
        "points": points.count(),
        "finished": finished.len(),
        "failed": failures,
        "open": open,
        "ran": ran,
    });
    if finished.is_empty() {
        let text = "no point has finished yet";
        return Ok(Output { text: text.to_owned(), json, ending });
    }
    optuna::write(&args.out, title, points, &finished, &failed_points)?;
    let comparison = points_of_sweep(sweep, title, &finished, failures, open)?;
    let compared = compare::write(&comparison, &args.out)?;
    json["comparison"] = compared.json;
    Ok(Output { text: compared.text, json, ending })
}

fn should_run(place: &PointFolder, retry: bool) -> anyhow::Result<bool> {
    Ok(match place.state()? {
        PointState::Open => true,
        PointState::Failed(_) => retry,
        PointState::Finished => false,
    })
}

/// Trains a point and predicts its validation films; a failure affects this point only.
fn train_point(
    point: &SweepPoint,
    place: &PointFolder,
    options: TrainOptions,
    judge: Judge<'_>,
    context: &Context,
) -> anyhow::Result<Ending> {
    match train_and_predict(point, place, options, judge, context) {
        Ok(ending) => {
            if ending == Ending::Done {
                place.remove_checkpoint();
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

fn train_and_predict(
    point: &SweepPoint,
    place: &PointFolder,
    options: TrainOptions,
    judge: Judge<'_>,
    context: &Context,
) -> anyhow::Result<Ending> {
    let training = TrainingDisplay::new(context.bars).with_judge(judge);
    let trained =
        train::experiment_with(&point.experiment, &place.run(), options, context, training)?;
    if trained.ending == Ending::Interrupted {
        return Ok(Ending::Interrupted);
    }
    let (run, listener) = (place.run(), context.listener());
    own_scores(&point.experiment, &run, &[], &context.device, &listener)?;
    Ok(Ending::Done)
}

/// Writes the points of the sweep to the folder, or checks that those in the folder are the same.
fn same_points(out: &Path, points: &Points) -> anyhow::Result<()> {
    let _lock = place::lock(out)?;
    let text = match points {
        Points::Fixed(points) => {
            let mut lines = Vec::new();
            for point in points {
                let experiment =
                    toml::to_string(&point.experiment).context("could not write a point")?;
                lines.push(format!("[{:?}]\n{}", point.folder, indent(&experiment, &point.folder)));
            }
            lines.join("\n")
        }
        Points::Drawn(drawn) => drawn.to_text().context("could not write the search")?,
    };
    let path = out.join(POINTS);
    if path.exists() {
        let there = fs::read_to_string(&path)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        if there != text {
            let differs = there.lines().zip(text.lines()).find(|(a, b)| a != b);
            let (there, here) = differs.unwrap_or(("fewer or more points", "another number"));
            bail!(
                "`{}` contains another sweep (with `{there}`, this one has `{here}`); choose \
                 another folder",
                out.display()
            );
        }
        return Ok(());
    }
    files::create_folder(out)?;
    Ok(files::write_whole(&path, text.as_bytes())?)
}

/// Nests the tables of an experiment in the table of its point.
fn indent(experiment: &str, folder: &str) -> String {
    let line = |line: &str| match line.strip_prefix('[') {
        Some(table) if table.starts_with('[') => format!("[[{folder:?}.{}", &table[1..]),
        Some(table) => format!("[{folder:?}.{table}"),
        None => line.to_owned(),
    };
    experiment.lines().map(|text| line(text) + "\n").collect()
}
