//! Whether what is written may say whose films they are.

use std::error::Error;
use std::io;
use std::path::Path;

use anyhow::anyhow;
use roentgen_dicom::Pseudonyms;

use super::SourceFilm;
use super::patient::patient_of;

/// Whether what is written may say whose films they are.
#[derive(Clone, Debug)]
pub enum Privacy {
    /// Films and patients have their own names.
    Named,
    /// Films and patients have pseudonyms, and ages and sexes are left out.
    DeIdentified(Pseudonyms),
}

impl Privacy {
    /// Returns the pseudonyms, if there are any.
    pub fn pseudonyms(&self) -> Option<&Pseudonyms> {
        match self {
            Self::Named => None,
            Self::DeIdentified(pseudonyms) => Some(pseudonyms),
        }
    }

    /// Returns what was found below an input, or an error that names nothing there: a folder may be
    /// called like a patient.
    pub(super) fn below<T, E: Error + Send + Sync + 'static>(
        &self,
        input: &Path,
        found: Result<T, E>,
    ) -> anyhow::Result<T> {
        found.map_err(|error| match self {
            Self::Named => error.into(),
            Self::DeIdentified(_) => {
                let hidden = anyhow!(
                    "could not read the folders, label file and lists below `{}`; `--de-identify` \
                     leaves out which one, because its name may be that of a patient",
                    input.display()
                );
                match reason_of_system(&error) {
                    Some(reason) => anyhow::Error::from(reason).context(hidden.to_string()),
                    None => hidden,
                }
            }
        })
    }
}

/// Returns the error of the operating system that caused another; it names no file.
fn reason_of_system(error: &(dyn Error + 'static)) -> Option<io::Error> {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let codes = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
    codes.last().map(io::Error::from_raw_os_error)
}

impl SourceFilm {
    /// Replaces what may say whose film it is. Its file keeps its place.
    pub(super) fn hide(&mut self, pseudonyms: &Pseudonyms) {
        // A study is of one patient, and its objects must say so.
        let patient = match &self.study {
            _ if self.has_patient => self.patient.clone(),
            Some(study) => study.clone(),
            None => patient_of(&self.identity),
        };
        self.image = pseudonyms.name("film", &self.identity);
        self.patient = pseudonyms.name("patient", &patient);
        self.source.clone_from(&self.image);
        self.age.clear();
        self.sex.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use roentgen_data::nih;

    use super::*;

    #[test]
    fn an_error_below_an_input_names_no_folder_there_if_it_is_de_identified() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("Doe^Jane");
        let said = |privacy: &Privacy| {
            let error = privacy.below(folder.path(), nih::walk(&missing)).unwrap_err();
            format!("{error:#}")
        };
        fs::write(folder.path().join("film.png"), "").unwrap();

        assert!(said(&Privacy::Named).contains("Doe^Jane"));
        let hidden = said(&Privacy::DeIdentified(Pseudonyms::new(&[3; 16]).unwrap()));
        assert!(!hidden.contains("Doe^Jane"), "{hidden}");
        assert!(hidden.contains("No such file"), "{hidden}");
    }
}
