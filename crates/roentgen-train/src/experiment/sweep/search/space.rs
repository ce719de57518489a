//! The space of a search: its keys, each with a range, in the forms of TOML and of the samplers.

use optimizer::distribution::{
    CategoricalDistribution, Distribution, FloatDistribution, IntDistribution,
};
use optimizer::param::ParamValue;
use toml::{Table, Value};

/// The most choices of one key; each is made a point and checked before the first one runs.
const MOST_CHOICES: usize = 1000;

/// One key of the space: its path and its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The parts of the key.
    pub key: Vec<String>,
    /// Its range.
    pub range: SearchRange,
}

/// The range of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchRange {
    /// An element of a list.
    Choice(Vec<Value>),
    /// A number in a range.
    Float {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// Whether the scale is logarithmic.
        log: bool,
    },
    /// An integer in a range.
    Int {
        /// Lower end.
        low: i64,
        /// Upper end.
        high: i64,
        /// Whether the scale is logarithmic.
        log: bool,
    },
}

impl SearchRange {
    /// Returns the first and the last value, or all values of a list.
    pub(crate) fn extremes(&self) -> Vec<Value> {
        match self {
            SearchRange::Choice(choices) => choices.clone(),
            SearchRange::Float { low, high, .. } => vec![Value::Float(*low), Value::Float(*high)],
            SearchRange::Int { low, high, .. } => vec![Value::Integer(*low), Value::Integer(*high)],
        }
    }

    pub(super) fn distribution(&self) -> Distribution {
        match *self {
            SearchRange::Choice(ref choices) => {
                Distribution::Categorical(CategoricalDistribution { n_choices: choices.len() })
            }
            SearchRange::Float { low, high, log } => {
                Distribution::Float(FloatDistribution { low, high, log_scale: log, step: None })
            }
            SearchRange::Int { low, high, log } => {
                Distribution::Int(IntDistribution { low, high, log_scale: log, step: None })
            }
        }
    }

    /// Converts a sampled value to TOML.
    pub(super) fn value(&self, drawn: &ParamValue) -> Value {
        match (self, drawn) {
            (SearchRange::Choice(choices), ParamValue::Categorical(at)) => {
                choices[(*at).min(choices.len() - 1)].clone()
            }
            (SearchRange::Float { low, high, .. }, ParamValue::Float(number)) => {
                // Six digits are enough, and reading the value again gives the same number.
                let short = format!("{number:.5e}").parse().unwrap_or(*number);
                Value::Float(short.clamp(*low, *high))
            }
            (SearchRange::Int { low, high, .. }, ParamValue::Int(number)) => {
                Value::Integer(*number.clamp(low, high))
            }
            (range, _) => range.extremes().swap_remove(0),
        }
    }

    /// Converts a value to the form in which a sampler would have drawn it.
    pub(super) fn param(&self, value: &Value) -> Option<ParamValue> {
        match self {
            SearchRange::Choice(choices) => {
                choices.iter().position(|choice| choice == value).map(ParamValue::Categorical)
            }
            SearchRange::Float { .. } => value.as_float().map(ParamValue::Float),
            SearchRange::Int { .. } => value.as_integer().map(ParamValue::Int),
        }
    }
}

pub(super) fn collect(
    table: &Table,
    above: &mut Vec<String>,
    axes: &mut Vec<Axis>,
) -> Result<(), String> {
    for (key, value) in table {
        above.push(key.clone());
        let bad = |what: &str| Err(format!("`{}` {what}", above.join(".")));
        let range = match value {
            Value::Array(choices) if choices.len() > MOST_CHOICES => {
                return bad(&format!(
                    "has {} choices; at most {MOST_CHOICES} are tried, since each is checked first",
                    choices.len()
                ));
            }
            Value::Array(choices) if !choices.is_empty() => SearchRange::Choice(choices.clone()),
            Value::Table(range) if range.contains_key("low") || range.contains_key("high") => {
                let known = ["low", "high", "log"];
                if let Some(other) = range.keys().find(|key| !known.contains(&key.as_str())) {
                    return bad(&format!(
                        "has the unknown key `{other}`; a range has `low`, `high` and `log`"
                    ));
                }
                let log = match range.get("log") {
                    None => false,
                    Some(Value::Boolean(log)) => *log,
                    Some(_) => return bad("needs true or false for `log`"),
                };
                let number = |key: &str| {
                    let value = range.get(key)?;
                    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
                };
                let (Some(low), Some(high)) = (number("low"), number("high")) else {
                    return bad("needs numbers for both `low` and `high`");
                };
                let is_range = low < high && (high - low).is_finite();
                if !is_range || (log && low <= 0.0) {
                    return bad("needs `low` below `high`, and `low` above zero with `log`");
                }
                match (range.get("low"), range.get("high")) {
                    (Some(Value::Integer(low)), Some(Value::Integer(high))) => {
                        SearchRange::Int { low: *low, high: *high, log }
                    }
                    _ => SearchRange::Float { low, high, log },
                }
            }
            Value::Table(inner) => {
                collect(inner, above, axes)?;
                above.pop();
                continue;
            }
            _ => return bad("needs a list to choose from or a range"),
        };
        axes.push(Axis { key: above.clone(), range });
        above.pop();
    }
    Ok(())
}

/// Inserts a value at a path of keys.
pub(in crate::experiment::sweep) fn insert(table: &mut Table, key: &[String], value: Value) {
    match key {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
