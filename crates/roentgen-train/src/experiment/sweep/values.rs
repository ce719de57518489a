//! The values of a point: by their keys, as the name of the point and as that of its folder.

use toml::{Table, Value};

/// Lists the values of a table by their full keys. A table with a `name` is one value.
pub(super) fn leaves(table: &Table) -> Vec<(String, String)> {
    let mut values = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.contains_key("name") => values
                .extend(leaves(inner).into_iter().map(|(below, v)| (format!("{key}.{below}"), v))),
            value => values.push((key.clone(), format_value(value))),
        }
    }
    values
}

/// Formats a value for people.
fn format_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) => format!("{number}"),
        Value::Table(table) => {
            let (name, rest): (Vec<_>, Vec<_>) = table.iter().partition(|(key, _)| *key == "name");
            let name = name.iter().map(|(_, value)| format_value(value));
            let rest = rest.iter().map(|(key, value)| format!("{key} {}", format_value(value)));
            name.chain(rest).collect::<Vec<_>>().join(" ")
        }
        value => value.to_string(),
    }
}

/// Combines the point's own name and its values; without a name of its own, only the values.
pub(super) fn name(own: &str, values: &[(String, String)]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().replace('_', " ");
    let own = (!own.is_empty()).then(|| own.to_owned());
    let values = values.iter().map(|(key, value)| format!("{} {value}", last(key)));
    own.into_iter().chain(values).collect::<Vec<_>>().join(", ")
}

pub(super) fn folder(number: usize, name: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => letter,
        _ => '-',
    };
    let mut text: String = name.chars().map(plain).collect();
    while text.contains("--") {
        text = text.replace("--", "-");
    }
    format!("{number:03}-{}", text.chars().take(60).collect::<String>().trim_matches(['-', '.']))
}
