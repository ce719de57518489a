//! Decision curves of a finding.

use roentgen_figures::Svg;

use super::{axis, frame, polyline};
use crate::{
    FindingFigures, NetBenefit, Platt, ScoredFinding, decision_curve, decision_curve::grid,
};

/// Round ends of the axes of a decision curve.
const ROUNDS: [f64; 10] = [0.002, 0.004, 0.01, 0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8];

/// Computes the net benefit of a finding, as predicted or after Platt scaling.
pub(in crate::report) fn net_benefit(
    finding: &ScoredFinding,
    platt: Option<Platt>,
) -> Vec<NetBenefit> {
    let (mut probabilities, labels) = finding.known_pairs();
    if let Some(platt) = platt {
        probabilities.iter_mut().for_each(|p| *p = platt.apply(*p));
    }
    decision_curve(&probabilities, &labels, &grid())
}

/// Draws the panel of a finding.
pub(super) fn decision_panel(figures: &FindingFigures, finding: &ScoredFinding) -> Svg {
    let curve = net_benefit(finding, None);
    let scaled = figures.platt.map(|platt| net_benefit(finding, Some(platt)));
    let prevalence = figures.prevalence.unwrap_or(0.0);
    // Beyond, a handful of films keeps the curve just above the floor.
    let is_used = |point: &&NetBenefit| point.model > 0.01 * prevalence;
    let all = curve.iter().chain(scaled.iter().flatten());
    let last = all.filter(is_used).map(|point| point.threshold).fold(2.0 * prevalence, f64::max);
    let [right, top] = [last.min(1.0), prevalence].map(|end| axis(end, &ROUNDS));
    let mut svg = frame(figures, "", &describe_use(figures.useful_thresholds), [right, top]);
    let line = |curve: &[NetBenefit], value: fn(&NetBenefit) -> f64| {
        let inside = curve.iter().filter(|point| point.threshold <= right);
        let point = |point: &NetBenefit| [point.threshold / right, (value(point) / top).max(0.0)];
        polyline(&inside.map(point).collect::<Vec<_>>())
    };
    svg.path("p-chance", &line(&curve, |point| point.treat_all));
    if let Some(scaled) = &scaled {
        svg.path("p-second", &line(scaled, |point| point.model));
    }
    svg.path("p-curve", &line(&curve, |point| point.model));
    svg
}

/// States at which thresholds a model is of use.
pub(super) fn describe_use(useful: Option<[f64; 2]>) -> String {
    match useful {
        Some([low, high]) => format!("{low}–{high}"),
        None => "at no threshold".to_owned(),
    }
}
