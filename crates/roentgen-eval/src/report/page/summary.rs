//! The figures in plain words, for the first screen of a report.

use super::super::{Report, provenance::name_model};
use super::{format_interval, readable};
use crate::format::{count, figure, interval, percent};
use crate::{Evaluation, FindingFigures, Interval};

/// Returns one paragraph for each thing that a reader should know first: what was evaluated and on
/// whom, how good it is, where it fails, and what must not be concluded.
pub(super) fn summary(report: &Report, reaches_half: bool) -> Vec<String> {
    let evaluation = report.evaluation;
    let mut all = vec![on_whom(report), summarize(evaluation)];
    all.extend(best_and_worst(evaluation));
    all.extend(calls(evaluation, reaches_half));
    all.extend(gap(evaluation));
    all.push(limits(evaluation));
    all
}

/// States what was evaluated and on whom.
fn on_whom(report: &Report) -> String {
    let evaluation = report.evaluation;
    let group = |by: &str| {
        let groups = evaluation.subgroups.get(by)?;
        let films: usize = groups.values().map(|group| group.images).sum();
        let share = |(name, group): (&String, &crate::Subgroup)| {
            format!("{name} ({})", percent(Some(group.images as f64 / films as f64)))
        };
        let shares: Vec<String> = groups.iter().map(share).collect();
        let unknown = match evaluation.images - films {
            0 => String::new(),
            unknown => format!(" of the films that say so ({} do not)", count(unknown)),
        };
        Some(format!("{by} {}{unknown}", shares.join(", ")))
    };
    let known: Vec<String> = ["sex", "age", "view"].into_iter().filter_map(group).collect();
    let whom = match known.is_empty() {
        true => " Sex, age and view are unknown.".to_owned(),
        false => format!(" By films: {}.", known.join("; ")),
    };
    format!(
        "{} gave probabilities of {} finding{} to {} films of {} patients.{whom}",
        name_model(report),
        evaluation.findings.len(),
        if evaluation.findings.len() == 1 { "" } else { "s" },
        count(evaluation.images),
        count(evaluation.patients),
    )
}

fn summarize(evaluation: &Evaluation) -> String {
    let mean = &evaluation.mean;
    match mean.auroc {
        None => {
            "No finding has both positive and negative films, so AUROC is undefined.".to_owned()
        }
        Some(auroc) => format!(
            "In {} of the pairs of a film with a finding and a film without it, the first has the \
             higher probability (mean AUROC {} over {} findings, {}); chance is 50 %.",
            percent(Some(auroc)),
            figure(mean.auroc),
            mean.findings,
            interval(mean.auroc_ci95),
        ),
    }
}

fn best_and_worst(evaluation: &Evaluation) -> Option<String> {
    let mut ranked: Vec<(f64, &FindingFigures)> =
        evaluation.findings.iter().filter_map(|finding| Some((finding.auroc?, finding))).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let [(_, best), .., (_, worst)] = ranked[..] else { return None };
    let named = |finding: &FindingFigures| {
        format!("{} ({})", readable(&finding.name), figure(finding.auroc))
    };
    let holds_chance = |ends: Interval| ends.low <= 0.5 && 0.5 <= ends.high;
    let chance: Vec<String> = ranked
        .iter()
        .filter(|(_, finding)| finding.auroc_ci95.is_some_and(holds_chance))
        .map(|(_, finding)| readable(&finding.name))
        .collect();
    let end = match chance.is_empty() {
        true => String::new(),
        false => format!(" Intervals that include chance: {}.", chance.join(", ")),
    };
    Some(format!("It is best for {} and worst for {}.{end}", named(best), named(worst)))
}

fn calls(evaluation: &Evaluation, reaches_half: bool) -> Option<String> {
    let main = evaluation.main_point();
    if main == "0.5" {
        let none = "No threshold was fitted on other films, and no probability reaches 0.5, so \
                    there are no calls to judge.";
        return (!reaches_half).then(|| none.to_owned());
    }
    let points: Vec<_> =
        evaluation.findings.iter().filter_map(|finding| finding.operating_point(main)).collect();
    let mean = |of: &dyn Fn(&crate::CallFigures) -> Option<f64>| {
        let values: Vec<f64> = points.iter().filter_map(|point| of(&point.figures)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    Some(format!(
        "At thresholds that were chosen on other films for the highest sensitivity + specificity, \
         {} of the positive films are called and {} of the negative ones are not, as means over \
         {} findings.",
        percent(mean(&|figures| figures.sensitivity)),
        percent(mean(&|figures| figures.specificity)),
        points.len(),
    ))
}

/// States the largest gap between groups whose interval excludes zero, or that there is none.
fn gap(evaluation: &Evaluation) -> Option<String> {
    let gaps = evaluation.subgroup_gaps.iter();
    let is_clear = |ends: Interval| ends.low > 0.0;
    let clear = gaps.filter(|(by, gap)| {
        // Films with more findings are other films, not other people.
        **by != "number_of_findings" && gap.auroc_ci95.is_some_and(is_clear)
    });
    let largest = clear.max_by(|a, b| a.1.auroc.total_cmp(&b.1.auroc));
    let Some((by, gap)) = largest else {
        let is_there = evaluation.subgroup_gaps.keys().any(|by| *by != "number_of_findings");
        let none = "No difference between groups of patients is larger than chance explains; small \
                    groups may hide one.";
        return is_there.then(|| none.to_owned());
    };
    Some(format!(
        "The largest difference between groups is by {by}: AUROC is lower by {} ({}) for {} than \
         for {}, over {} findings.",
        figure(Some(gap.auroc)),
        format_interval(gap.auroc_ci95),
        gap.worst,
        gap.best,
        gap.findings
    ))
}

/// States what the figures do not show.
fn limits(evaluation: &Evaluation) -> String {
    let mut limits = Vec::new();
    if evaluation.is_phantom() {
        limits.push("The films are synthetic: nothing follows for real patients.".to_owned());
    }
    if evaluation.training_marks.unknown > 0 && !evaluation.is_phantom() {
        limits.push(format!(
            "For {} of {} films it is unknown whether the model was trained on their patients; if \
             it was, the figures are too good.",
            count(evaluation.training_marks.unknown),
            count(evaluation.images)
        ));
    }
    if evaluation.dataset.as_deref().is_some_and(|dataset| dataset.contains("ChestX-ray14")) {
        limits.push(
            "The labels were mined from reports by text processing, so the figures measure \
             agreement with them and not with a radiologist."
                .to_owned(),
        );
    }
    limits.push(
        "The figures apply to films like these. Do not conclude from them that the model may be \
         used for patients."
            .to_owned(),
    );
    limits.join(" ")
}
