//! Which model predicted the films of a table, and which data set they are from.
//!
//! An identity is a short text, such as the first digits of a hash, or several joined by `+` for an
//! ensemble. It is unknown if any row lacks it: what is unknown is said, and never taken for fine.

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::{Error, Scores};

/// The column with the identity of the model.
pub(crate) const MODEL: &str = "model";
/// The column with the identity of the data set. `dataset` is its name, which other data sets may
/// share.
pub(crate) const DATASET: &str = "dataset_id";

/// The identity of a model or of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The same for all films.
    One(String),
    /// Differs between films: all identities, sorted.
    Several(Vec<String>),
}

impl Identity {
    /// Reads a column; returns `None` if there is none, or if any cell is empty.
    fn of(scores: &Scores, column: &str) -> Option<Self> {
        let mut all: Vec<&str> = scores.column(column)?.iter().map(|cell| cell.trim()).collect();
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [] => None,
            all if all.contains(&"") => None,
            [one] => Some(Self::One((*one).to_owned())),
            all => Some(Self::Several(all.iter().map(|&one| one.to_owned()).collect())),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => formatter.write_str(one),
            Self::Several(all) => write!(formatter, "mixed: {}", all.join(", ")),
        }
    }
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Scores {
    /// Returns the identity of the model, or `None` if it is unknown.
    pub fn model(&self) -> Option<Identity> {
        Identity::of(self, MODEL)
    }

    /// Returns the identity of the data set, or `None` if it is unknown.
    pub fn dataset_id(&self) -> Option<Identity> {
        Identity::of(self, DATASET)
    }
}

/// Sets the identities of a combined table from those of its members, in the same order of films.
///
/// The identity of an ensemble is that of its members joined by `+`, in their order. Data sets are
/// named once each: members may have read the same films at several sizes.
pub(crate) fn join(joined: &mut Scores, members: &[&Scores]) {
    for column in [MODEL, DATASET] {
        if members.iter().all(|member| member.column(column).is_none()) {
            continue;
        }
        let cell = |row: usize| {
            let mut parts = Vec::new();
            for member in members {
                let part = member.column(column).map_or("", |cells| cells[row].trim());
                if part.is_empty() {
                    return String::new();
                }
                if column == MODEL || !parts.contains(&part) {
                    parts.push(part);
                }
            }
            parts.join("+")
        };
        let cells = (0..joined.len()).map(cell).collect();
        joined.set_column(column, cells);
    }
}

/// Refuses a model that is in two tables, where it would have two votes.
pub(crate) fn refuse_twice(members: &[Scores]) -> Result<(), Error> {
    let mut tables: HashMap<String, &Scores> = HashMap::new();
    for member in members {
        let Some(Identity::One(of)) = member.model() else { continue };
        for model in of.split('+') {
            match tables.insert(model.to_owned(), member) {
                Some(first) if !std::ptr::eq(first, member) => {
                    return Err(Error::Join {
                        path: member.origin().to_owned(),
                        problem: format!(
                            "the model `{model}` also predicted `{}` and would count twice\n\
                             give one table for each model; `--weights` gives one more weight",
                            first.origin().display()
                        ),
                    });
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnsembleRule, ScoredFinding, ensemble};

    fn table(columns: &[(&str, [&str; 3])]) -> Scores {
        let texts = |texts: [&str; 3]| texts.map(String::from).to_vec();
        let finding = ScoredFinding {
            name: "A".into(),
            probabilities: vec![0.5; 3],
            labels: vec![Some(true); 3],
        };
        let names = texts(["a", "b", "c"]);
        let mut scores = Scores::new(names.clone(), names, vec![finding]).unwrap();
        for (name, cells) in columns {
            scores = scores.with_column(*name, texts(*cells)).unwrap();
        }
        scores
    }

    #[test]
    fn an_identity_that_one_film_lacks_is_unknown() {
        let model = |cells| table(&[("model", cells)]).model();

        assert_eq!(model(["abc", "abc", " abc"]), Some(Identity::One("abc".into())));
        assert_eq!(model(["abc", "", "abc"]), None);
        assert_eq!(model([""; 3]), None);
        assert_eq!(table(&[]).model(), None);
        let mixed = model(["b", "a", "b"]).unwrap();
        assert_eq!(mixed.to_string(), "mixed: a, b");
    }

    #[test]
    fn the_identity_of_an_ensemble_is_that_of_its_members_in_order() {
        let member = |model: &'static str, data: &'static str| {
            table(&[("model", [model; 3]), ("dataset_id", [data; 3])])
        };
        let members = [member("f2", "d1"), member("a1", "d2"), member("c3", "d1")];

        let joined = ensemble(&members, &EnsembleRule::Max).unwrap();
        assert_eq!(joined.model(), Some(Identity::One("f2+a1+c3".into())));
        assert_eq!(joined.dataset_id(), Some(Identity::One("d1+d2".into())));
    }

    #[test]
    fn an_ensemble_with_an_unknown_member_is_unknown() {
        let members = [table(&[("model", ["a1"; 3])]), table(&[]), table(&[("model", ["b"; 3])])];

        assert_eq!(ensemble(&members, &EnsembleRule::Mean).unwrap().model(), None);
        let [_, unknown, known] = members;
        assert_eq!(ensemble(&[unknown, known], &EnsembleRule::Mean).unwrap().model(), None);
    }

    #[test]
    fn a_model_has_one_vote() {
        let join = |models: [&'static str; 3]| {
            let members = models.map(|model| table(&[("model", [model; 3])]));
            ensemble(&members, &EnsembleRule::Mean).map_err(|error| error.to_string())
        };

        assert!(join(["a1", "b2", "c3"]).is_ok() && join(["", "", "c3"]).is_ok());
        for models in [["a1", "b2", "a1"], ["a1", "b2+a1", "c3"]] {
            let error = join(models).unwrap_err();
            assert!(error.contains("the model `a1` also predicted"), "{error}");
        }
    }
}
