//! The `data` of a tensor in JSON: nested lists of numbers or of texts, read without a tree of values,
//! which would need many times the memory of the request.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Most texts of an input; `--max-films` cannot be more.
const MOST_TEXTS: usize = 100_000;
/// Most lists within one another; a tensor of films has four axes.
const MOST_AXES: usize = 8;

/// The leaves of nested lists, in order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Data {
    pub(super) numbers: Vec<f32>,
    pub(super) texts: Vec<String>,
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Self::default();
        deserializer.deserialize_seq(Leaves { data: &mut data, axes: 1 })?;
        Ok(data)
    }
}

/// Adds what it reads to `data`.
struct Leaves<'a> {
    data: &'a mut Data,
    axes: usize,
}

impl<'de> Visitor<'de> for Leaves<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nested lists of numbers or of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.axes > MOST_AXES {
            return Err(A::Error::custom(format!("a tensor has at most {MOST_AXES} axes")));
        }
        let axes = self.axes + 1;
        while list.next_element_seed(Leaf(Leaves { data: &mut *self.data, axes }))?.is_some() {}
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.data.numbers.push(value as f32);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        if self.data.texts.len() == MOST_TEXTS {
            return Err(E::custom(format!("an input has at most {MOST_TEXTS} texts")));
        }
        self.data.texts.push(value.to_owned());
        Ok(())
    }
}

/// A list or a leaf in a list.
struct Leaf<'a>(Leaves<'a>);

impl<'de> serde::de::DeserializeSeed<'de> for Leaf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_in_the_order_of_the_text() {
        let read = |text: &str| serde_json::from_str::<Data>(text).ok();
        let numbers = |numbers: &[f32]| Data { numbers: numbers.to_vec(), texts: Vec::new() };

        assert_eq!(read("[[1, 2.5], [-3, 1e2], []]"), Some(numbers(&[1.0, 2.5, -3.0, 100.0])));
        assert_eq!(read(r#"[["a"], ["b\n"]]"#).unwrap().texts, ["a", "b\n"]);
        assert_eq!(read("[]"), Some(Data::default()));
        for refused in
            ["1", r#""a""#, "{}", "[{}]", "[null]", "[true]", "[[[[[[[[[1]]]]]]]]]", "[1"]
        {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn the_number_of_texts_is_limited() {
        let texts = |count: usize| format!("[{}\"\"]", "\"\",".repeat(count - 1));

        assert_eq!(
            serde_json::from_str::<Data>(&texts(MOST_TEXTS)).unwrap().texts.len(),
            MOST_TEXTS
        );
        assert!(serde_json::from_str::<Data>(&texts(MOST_TEXTS + 1)).is_err());
    }
}
