//! Writes calibrated probabilities and calls beside those of the model.

use super::{Calibration, CalibrationMethod, OperatingRule};
use crate::{Error, ScoredFinding, Scores};

impl Calibration {
    /// Adds the columns `F.calibrated` and `F.call` for each finding `F` of the table: the
    /// calibrated probability, and 1 or 0 for whether the probability of the model is at least the
    /// threshold. Cells are empty for a finding for which nothing was fitted.
    ///
    /// # Errors
    ///
    /// Returns an error if the fit was for another model, or if the table already has such a
    /// column.
    pub fn annotate(
        &self,
        scores: &Scores,
        method: CalibrationMethod,
        rule: OperatingRule,
    ) -> Result<Scores, Error> {
        self.check_model(scores)?;
        let mut annotated = scores.clone();
        for ScoredFinding { name, probabilities, .. } in scores.findings() {
            let fitted = self.finding(name);
            let calibrated = |&p: &f64| fitted?.apply(method, p).map(|p| p.to_string());
            let call =
                |&p: &f64| fitted?.call(rule, p).map(|is_called| u8::from(is_called).to_string());
            let cells = |of: &dyn Fn(&f64) -> Option<String>| {
                probabilities.iter().map(|p| of(p).unwrap_or_default()).collect::<Vec<_>>()
            };
            annotated = annotated
                .with_column(format!("{name}.calibrated"), cells(&calibrated))?
                .with_column(format!("{name}.call"), cells(&call))?;
        }
        Ok(annotated)
    }

    /// Refuses a table of another model; a table or a fit that does not name its model passes.
    pub(crate) fn check_model(&self, scores: &Scores) -> Result<(), Error> {
        let own = scores.model().map(|identity| identity.to_string());
        match (&own, &self.model) {
            (Some(own), Some(fitted)) if own != fitted => Err(Error::Join {
                path: scores.origin().to_owned(),
                problem: format!(
                    "it is of model `{own}`, but calibration and thresholds were fitted for model \
                     `{fitted}`\nfit them on validation films of the same model"
                ),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WithIsotonic, calibrate};

    fn table(model: &str) -> Scores {
        let texts = |of: &dyn Fn(usize) -> String| (0..60).map(of).collect::<Vec<_>>();
        let p = |i: usize| 0.01 + (i * 29 % 59) as f64 / 61.0;
        let finding = |name: &str, label: &dyn Fn(usize) -> bool| ScoredFinding {
            name: name.into(),
            probabilities: (0..60).map(p).collect(),
            labels: (0..60).map(|i| Some(label(i))).collect(),
        };
        let mass = finding("Mass", &|i| p(i) + (i * 7 % 11) as f64 / 11.0 > 1.0);
        let findings = vec![mass, finding("Hernia", &|i| i == 3)];
        Scores::new(texts(&|i| i.to_string()), texts(&|i| i.to_string()), findings)
            .and_then(|scores| scores.with_column("model", texts(&|_| model.into())))
            .unwrap()
    }

    #[test]
    fn columns_stand_beside_the_probabilities_of_the_model() {
        let calibration = calibrate(&table("a1"), WithIsotonic::No).unwrap();
        let rule = OperatingRule::Youden;
        let scores = calibration.annotate(&table("a1"), CalibrationMethod::Platt, rule).unwrap();

        assert_eq!(scores.findings(), table("a1").findings());
        assert!(calibration.has(CalibrationMethod::Platt));
        assert!(!calibration.has(CalibrationMethod::Isotonic));
        let mass = calibration.finding("Mass").unwrap();
        for (row, &p) in scores.findings()[0].probabilities.iter().enumerate() {
            let calibrated: f64 = scores.column("Mass.calibrated").unwrap()[row].parse().unwrap();
            assert_eq!(calibrated, mass.platt.unwrap().apply(p));
            let call = if p >= mass.thresholds[&rule] { "1" } else { "0" };
            assert_eq!(scores.column("Mass.call").unwrap()[row], call);
        }
        for column in ["Hernia.calibrated", "Hernia.call"] {
            assert!(scores.column(column).unwrap().iter().all(String::is_empty), "{column}");
        }
    }

    #[test]
    fn an_annotated_table_is_read_again() {
        let calibration = calibrate(&table("a1"), WithIsotonic::No).unwrap();
        let annotated =
            calibration.annotate(&table(""), CalibrationMethod::Temperature, OperatingRule::MaxF1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        annotated.unwrap().write(&path).unwrap();

        let read = Scores::read(&path).unwrap();
        assert_eq!(read.findings(), table("").findings());
        let error = calibration
            .annotate(&read, CalibrationMethod::Platt, OperatingRule::MaxF1)
            .unwrap_err();
        assert!(error.to_string().contains("two columns `Mass.calibrated`"), "{error}");
    }

    #[test]
    fn a_fit_for_another_model_is_refused() {
        let calibration = calibrate(&table("a1"), WithIsotonic::No).unwrap();
        let error =
            calibration.annotate(&table("b2"), CalibrationMethod::Platt, OperatingRule::Youden);

        let error = error.unwrap_err().to_string();
        assert!(error.contains("model `b2`") && error.contains("model `a1`"), "{error}");
    }
}
