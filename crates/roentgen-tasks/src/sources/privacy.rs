//! Whether what is written may say whose films they are.

use roentgen_dicom::Pseudonyms;

use super::SourceFilm;

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
}

impl SourceFilm {
    /// Replaces what may say whose film it is. Its file keeps its place.
    pub(super) fn hide(&mut self, pseudonyms: &Pseudonyms) {
        self.image = pseudonyms.name("film", &self.image);
        self.patient = pseudonyms.name("patient", &self.patient);
        self.source.clone_from(&self.image);
        self.age.clear();
        self.sex.clear();
    }
}
