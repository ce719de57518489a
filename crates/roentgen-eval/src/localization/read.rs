//! Reads `localization.json`, of which every key must be known: a misspelled one would be a figure that
//! is left out.

use serde::de::Error as _;
use serde_json::{Error, Value};

use super::Localization;

/// Parses the text of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<Localization, Error> {
    let value: Value = serde_json::from_slice(bytes)?;
    // `serde` cannot refuse unknown keys of a structure that is part of another one's object.
    let parsed: Localization = serde_json::from_slice(bytes)?;
    match unknown(&value, &serde_json::to_value(&parsed)?) {
        Some(key) => Err(Error::custom(format!("unknown field `{key}`"))),
        None => Ok(parsed),
    }
}

/// Returns the first key of a document that another one of the same form lacks.
fn unknown<'a>(value: &'a Value, known: &Value) -> Option<&'a str> {
    match (value, known) {
        (Value::Object(object), Value::Object(known)) => {
            object.iter().find_map(|(key, value)| match known.get(key) {
                Some(known) => unknown(value, known),
                None => Some(key.as_str()),
            })
        }
        (Value::Array(values), Value::Array(known)) => {
            values.iter().zip(known).find_map(|(value, known)| unknown(value, known))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_key_is_found_at_any_depth() {
        let known = json!({ "a": 1, "rows": [{ "iou": null }, { "iou": { "value": 1 } }] });
        let find = |value: &Value| unknown(value, &known).map(str::to_owned);

        assert_eq!(find(&known), None);
        assert_eq!(find(&json!({ "b": 1 })).as_deref(), Some("b"));
        let deep = json!({ "a": 1, "rows": [{ "iou": null }, { "iou": { "values": 1 } }] });
        assert_eq!(find(&deep).as_deref(), Some("values"));
    }
}
