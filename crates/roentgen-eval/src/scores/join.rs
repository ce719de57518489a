//! Joins the tables of the parts of one prediction.

use std::collections::HashMap;

use super::Scores;
use crate::Error;

impl Scores {
    /// Joins tables of different films by the same model, in the order in which they are given.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no tables, if one has other findings or columns than the first
    /// or was predicted by another model, or if a film is in two of them.
    pub fn join(parts: &[Self]) -> Result<Self, Error> {
        let [first, others @ ..] = parts else {
            let problem = "there are no tables to join".to_owned();
            return Err(Error::Join { path: "(none)".into(), problem });
        };
        let mut joined = first.clone();
        let mut tables: HashMap<&str, &Self> =
            first.images.iter().map(|image| (image.as_str(), first)).collect();
        for part in others {
            let refused = |problem| Error::Join { path: part.origin.clone(), problem };
            first.check_same_layout(part).map_err(refused)?;
            for image in &part.images {
                if let Some(other) = tables.insert(image, part) {
                    return Err(refused(format!(
                        "film `{image}` is in `{}` too\ngive each part once",
                        other.origin.display()
                    )));
                }
            }
            joined.append(part);
        }
        Ok(joined)
    }

    /// Describes how another table differs in its findings, columns and models.
    fn check_same_layout(&self, other: &Self) -> Result<(), String> {
        let origin = self.origin.display();
        let findings =
            |of: &Self| of.findings.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        if findings(self) != findings(other) {
            return Err(format!(
                "it has other findings, or another order of them, than `{origin}`"
            ));
        }
        let columns = |of: &Self| of.columns.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        if columns(self) != columns(other) {
            return Err(format!("it has other columns, or another order of them, than `{origin}`"));
        }
        let [model, of_other] = [self, other].map(|of| of.single_value("model"));
        if model != of_other {
            let name = |model: Option<String>| model.unwrap_or_else(|| "unknown".to_owned());
            return Err(format!(
                "its model is {}, that of `{origin}` is {}\nparts of one prediction have one model; \
                 `roentgen ensemble` combines models",
                name(of_other),
                name(model)
            ));
        }
        Ok(())
    }

    /// Adds the rows of a table with the same findings and columns.
    fn append(&mut self, part: &Self) {
        self.images.extend_from_slice(&part.images);
        self.patients.extend_from_slice(&part.patients);
        for (column, more) in self.columns.iter_mut().zip(&part.columns) {
            column.values.extend_from_slice(&more.values);
        }
        for (finding, more) in self.findings.iter_mut().zip(&part.findings) {
            finding.probabilities.extend_from_slice(&more.probabilities);
            finding.labels.extend_from_slice(&more.labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Scores {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Scores::read(&path).unwrap()
    }

    const FIRST: &str = "image,patient,model,Mass,Mass.truth\na,1,m1,0.1,1\nb,1,m1,0.25,\n";

    #[test]
    fn parts_in_order_are_the_whole() {
        let second = "image,patient,model,Mass,Mass.truth\nc,2,m1,1e-7,0\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("joined.csv");

        let joined = Scores::join(&[table("1.csv", FIRST), table("2.csv", second)]).unwrap();
        joined.write(&path).unwrap();

        let whole = format!("{FIRST}c,2,m1,1e-7,0\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
    }

    #[test]
    fn what_is_no_part_of_the_same_prediction_is_refused() {
        let refused = |text: &str, part: &str| {
            let error = Scores::join(&[table("1.csv", FIRST), table("2.csv", text)]).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("2.csv") && error.contains(part), "{error}");
        };

        refused("image,patient,model,Mass,Mass.truth\nb,2,m1,0.5,0\n", "film `b` is in");
        refused("image,patient,model,Mass,Mass.truth\nc,2,m2,0.5,0\n", "its model is m2");
        refused("image,patient,model,Mass,Mass.truth\nc,2,,0.5,0\n", "its model is unknown");
        refused("image,patient,model,Nodule,Nodule.truth\nc,2,m1,0.5,0\n", "other findings");
        refused("image,patient,model,age,Mass,Mass.truth\nc,2,m1,60,0.5,0\n", "other columns");
        assert!(Scores::join(&[]).unwrap_err().to_string().contains("no tables"));
    }
}
