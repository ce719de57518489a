//! Runs that differ in nothing but their seed, as a mean and a standard deviation.
//!
//! One run says little about a setting: the seed alone moves its figures. The deviation over seeds
//! is what a difference between settings has to be compared with.

use serde::Serialize;

use super::{Row, table::is_seed};
use crate::report::format::given;

/// Runs of the same settings with different seeds.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    /// The settings that they share, or the name of the first run if they are those of all runs.
    settings: String,
    runs: usize,
    loss: String,
    auroc: String,
    /// Whether all were measured on the same films; the seed may also divide the films.
    has_same_films: bool,
}

/// Keys and values.
type Settings<'a> = Vec<(&'a str, &'a str)>;

/// Groups the runs; a run without another seed is in no group.
pub(super) fn groups(rows: &[&Row]) -> Vec<Group> {
    let mut groups: Vec<(Settings, Vec<&Row>)> = Vec::new();
    for &row in rows {
        let settings = row.entrant.settings.iter().filter(|(key, _)| !is_seed(key));
        let mut settings: Settings = settings.map(|(key, value)| (&**key, &**value)).collect();
        settings.sort_unstable();
        match groups.iter_mut().find(|(known, _)| *known == settings) {
            Some((_, members)) => members.push(row),
            None => groups.push((settings, vec![row])),
        }
    }
    let differ = |members: &[&Row]| {
        let mut seeds: Vec<&str> = members.iter().filter_map(|row| seed(row)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        members.len() > 1 && seeds.len() == members.len()
    };
    let groups = groups.iter().filter(|(_, members)| differ(members));
    groups.map(|(settings, members)| group(settings, members)).collect()
}

fn seed(row: &Row) -> Option<&str> {
    let mut settings = row.entrant.settings.iter();
    settings.find(|(key, _)| is_seed(key)).map(|(_, value)| &**value)
}

fn group(settings: &[(&str, &str)], members: &[&Row]) -> Group {
    let named = settings.iter().map(|(key, value)| format!("{key} = {value}"));
    let settings = named.collect::<Vec<_>>().join(", ");
    let films = |row: &Row| {
        let mut films = row.entrant.scores.images().to_vec();
        films.sort_unstable();
        films
    };
    let of = |value: &dyn Fn(&Row) -> Option<f64>, digits: usize| {
        let values: Option<Vec<f64>> = members.iter().map(|row| value(row)).collect();
        values.map_or_else(|| given(None), |values| mean_and_deviation(&values, digits))
    };
    Group {
        settings: if settings.is_empty() { "all settings".to_owned() } else { settings },
        runs: members.len(),
        loss: of(&|row| row.loss.map(|loss| loss.value), 4),
        auroc: of(&|row| row.auroc.map(|auroc| auroc.value), 4),
        has_same_films: members.windows(2).all(|pair| films(pair[0]) == films(pair[1])),
    }
}

/// Formats the mean and the standard deviation of a sample, with `n - 1` in its denominator.
fn mean_and_deviation(values: &[f64], digits: usize) -> String {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (count - 1.0)).sqrt();
    format!("{mean:.digits$} ± {deviation:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(mean_and_deviation(&[0.1, 0.2, 0.6], 4), "0.3000 ± 0.2646");
    }
}
