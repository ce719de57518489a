//! The points of `product` and `[[sweep.points]]`, each combined with each.

use std::path::Path;

use toml::{Table, Value};

use super::values::{folder, leaves, name};
use super::{MOST_POINTS, NamedPoint, SweepPoint, SweepSettings, invalid, merge_over};
use crate::experiment::overrides::{self, Error};

/// Builds the points of `product` and `points`, each combined with each.
pub(super) fn grid(
    path: &Path,
    base: &Table,
    sweep: &SweepSettings,
) -> Result<Vec<SweepPoint>, Error> {
    let all = count(&sweep.product).saturating_mul(sweep.points.len().max(1));
    if all > MOST_POINTS {
        let what = format!(
            "its lists combine to more than {MOST_POINTS} points; use shorter lists, or draw points \
             with `[sweep.search]`"
        );
        return Err(invalid(path, "sweep.product", what));
    }
    let combinations = product(&sweep.product).map_err(|key| {
        let what = format!("`{key}` needs a list of values in brackets that is not empty");
        invalid(path, "sweep.product", what)
    })?;
    let none = [NamedPoint { name: String::new(), set: Table::new() }];
    let named = if sweep.points.is_empty() { &none[..] } else { &sweep.points };
    let mut points: Vec<SweepPoint> = Vec::new();
    for named in named {
        for combination in &combinations {
            let number = points.len() + 1;
            let mut values = leaves(combination);
            let name = name(&named.name, &values);
            if let Some(earlier) = points.iter().find(|earlier| earlier.name == name) {
                let what = format!("points {} and {number} are both `{name}`", earlier.number);
                return Err(invalid(path, "sweep", what));
            }
            let mut set = named.set.clone();
            overrides::merge(&mut set, combination.clone());
            let experiment = merge_over(path, base, &set, &name)?;
            values.splice(0..0, leaves(&named.set));
            let reported = sweep.reported.iter().find(|reported| match &reported.name {
                Some(about) => *about == named.name || *about == name,
                None => leaves(&reported.at).iter().all(|value| values.contains(value)),
            });
            points.push(SweepPoint {
                number,
                folder: folder(number, &name),
                name,
                values,
                experiment,
                reported: reported.cloned(),
            });
        }
    }
    Ok(points)
}

/// Counts the combinations of the values in a table.
fn count(table: &Table) -> usize {
    let choices = table.values().map(|value| match value {
        Value::Array(values) => values.len(),
        Value::Table(inner) => count(inner),
        _ => 1,
    });
    choices.fold(1, usize::saturating_mul)
}

/// Lists all combinations of the values in a table; on failure returns the key without a list.
fn product(table: &Table) -> Result<Vec<Table>, String> {
    let mut combinations = vec![Table::new()];
    for (key, value) in table {
        let choices: Vec<Value> = match value {
            Value::Array(values) if !values.is_empty() => values.clone(),
            Value::Table(inner) if !inner.is_empty() => {
                let inner = product(inner).map_err(|below| format!("{key}.{below}"))?;
                inner.into_iter().map(Value::Table).collect()
            }
            _ => return Err(key.clone()),
        };
        let with = |combination: &Table, choice: &Value| {
            let mut combination = combination.clone();
            combination.insert(key.clone(), choice.clone());
            combination
        };
        combinations = combinations
            .iter()
            .flat_map(|combination| choices.iter().map(move |choice| with(combination, choice)))
            .collect();
    }
    Ok(combinations)
}
