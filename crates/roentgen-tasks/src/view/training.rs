//! Whether the model learned from a film that is shown, which may be unknown.
//!
//! The name of a split is not enough: films of an imported model have the splits of NIH's lists, and
//! those of a run that began with other weights may have been training films before.

use roentgen_data::prepare::PreparedInfo;
use roentgen_data::split::Split;
use roentgen_models::ModelInfo;
use roentgen_models::model_dir::{self, EarlierFilms, TrainingInfo};
use roentgen_train::films::TrainingFilms;
use roentgen_train::relation::Relation;

use super::ViewRequest;

/// What is known of the training films of a model.
pub(super) struct Training<'a> {
    /// `None` if the model was imported.
    info: Option<&'a TrainingInfo>,
    /// `None` without the run's table of films.
    films: Option<TrainingFilms>,
    relation: Relation,
}

impl<'a> Training<'a> {
    /// Reads the run's table of films, if there is one.
    ///
    /// # Errors
    ///
    /// Returns an error if the table or the description of the data set cannot be used.
    pub(super) fn read(
        request: &ViewRequest<'_>,
        description: &'a ModelInfo,
    ) -> anyhow::Result<Self> {
        let info = description.training.as_ref();
        let films = TrainingFilms::read(request.model, description)?;
        let data = PreparedInfo::read(request.data)?;
        let relation = info.map_or(Relation::Unknown, |info| {
            Relation::between(info, &data.dataset, &data.fingerprint)
        });
        Ok(Self { info, films, relation })
    }

    /// Whether a film with this split is a training film; `None` if that is unknown.
    pub(super) fn contains(&self, image: &str, patient: &str, split: &str) -> Option<bool> {
        let info = self.info?;
        let is_listed = self.films.as_ref().is_some_and(|films| films.have_film(image, patient));
        match self.relation {
            Relation::Same if is_listed || split == info.selection.name(Split::Train) => Some(true),
            Relation::Same if self.films.is_some() => are_listed(info).then_some(false),
            // Without the table, no split or `official train_val` may be that of a training film.
            Relation::Same => {
                let is_other = [Split::Valid, Split::Test].map(|side| info.selection.name(side));
                let is_other = split == "none" || is_other.iter().any(|name| name == split);
                (is_other && !has_earlier(info)).then_some(false)
            }
            Relation::Unknown => is_listed.then_some(true),
            Relation::Other => (!has_earlier(info)).then_some(false),
        }
    }
}

/// Whether the initial weights were trained on films of a run.
fn has_earlier(info: &TrainingInfo) -> bool {
    // Models of earlier versions have only the name of the file.
    let is_run = |of: &String| of.starts_with(model_dir::WEIGHTS);
    info.earlier_films.is_some() || info.weights.as_ref().is_some_and(is_run)
}

/// Whether the run's table has all training films of its data set.
fn are_listed(info: &TrainingInfo) -> bool {
    match info.earlier_films {
        Some(EarlierFilms::Listed | EarlierFilms::OtherDataSet) => true,
        Some(EarlierFilms::Unknown) => false,
        None => !has_earlier(info),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const MODEL: &str = "format = 1\nfindings = [\"Mass\"]\n\
        [network]\narchitecture = \"mobilenet\"\nwidth = 0.5\npool = \"attention\"\ndropout = 0.2\n\
        [input]\nsize = 64\nchannels = 1\nnormalize = \"per-image\"\n\
        [training]\ndataset = \"phantom (seed 2018)\"\ndata = \"\"\nsplit = \"\"\nseed = 1\nfilms = 1\n\
        patients = 1\nepoch = 1\n\
        [training.selection]\nsplit = \"official\"\nleaky = false\nnormal = \"keep\"\n";

    /// Says of the films `a.png` (in training), `b.png` (earlier, if it is listed) and `c.png` of a
    /// model with these keys of `[training]` what is known, if they have this split.
    fn known(keys: &str, table: bool, relation: Relation, split: &str) -> [Option<bool>; 3] {
        let text = MODEL.replace("epoch = 1", &format!("epoch = 1\n{keys}"));
        let description: ModelInfo = toml::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        if table {
            let rows = "image,patient,split\na.png,7,train\nb.png,8,earlier\nc.png,9,test\n";
            fs::write(folder.path().join("films.csv"), rows).unwrap();
        }
        let films = TrainingFilms::read(folder.path(), &description).unwrap();
        let training = Training { info: description.training.as_ref(), films, relation };
        [("a.png", "7"), ("b.png", "8"), ("c.png", "9")]
            .map(|(image, patient)| training.contains(image, patient, split))
    }

    #[test]
    fn the_table_of_the_run_says_which_films_were_in_training() {
        let (yes, no) = (Some(true), Some(false));
        let listed = "earlier_films = \"listed\"";

        assert_eq!(known(listed, true, Relation::Same, "official test"), [yes, yes, no]);
        let unknown = "earlier_films = \"unknown\"";
        assert_eq!(known(unknown, true, Relation::Same, "official test"), [yes, yes, None]);
        assert_eq!(known(listed, true, Relation::Unknown, "external"), [yes, yes, None]);
        assert_eq!(known(listed, true, Relation::Other, "external"), [None; 3]);
    }

    #[test]
    fn without_a_table_the_selection_says_it_where_it_is_that_of_the_model() {
        for (split, expected) in [
            ("official train", Some(true)),
            ("official valid", Some(false)),
            ("none", Some(false)),
            ("official train_val", None),
            ("", None),
        ] {
            assert_eq!(known("", false, Relation::Same, split), [expected; 3], "{split}");
        }
        let earlier = "weights = \"model.bpk, SHA-256 0123\"";
        assert_eq!(known(earlier, false, Relation::Same, "official test"), [None; 3]);
        assert_eq!(known("", false, Relation::Other, "external"), [Some(false); 3]);
    }

    #[test]
    fn nothing_is_known_of_an_imported_model() {
        let training = Training { info: None, films: None, relation: Relation::Unknown };

        assert_eq!(training.contains("a.png", "7", "official train"), None);
    }
}
