use std::fs;
use std::path::PathBuf;

use roentgen_data::Finding;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{PrepareSettings, prepare};
use roentgen_data::preprocess::{Input, Normalize};
use roentgen_models::{Architecture, ClassifierConfig, Pool};
use roentgen_phantom::PhantomSettings;
use tempfile::TempDir;

use super::*;
use crate::listener::Silent;

const FINDINGS: [Finding; 3] = [Finding::Mass, Finding::Edema, Finding::Nodule];

/// A folder with an untrained model of 32 px and a prepared data set of 40 phantom films.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.save_model("model", FINDINGS.len());
        let settings = PhantomSettings { films: 40, size: 64, seed: 7 };
        roentgen_phantom::write(&place.at("films"), &settings, &|_| ()).unwrap();
        place.prepare("data", 32);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn save_model(&self, name: &str, findings: usize) {
        let network = ClassifierConfig {
            architecture: Architecture::Mobilenet,
            width: 0.125,
            pool: Pool::Average,
            dropout: 0.0,
            stochastic_depth: None,
        };
        let input = Input { size: 32, channels: 1, normalize: Normalize::PerImage };
        let classifier = network.init(1, findings, &Device::flex());
        let description = ModelInfo::new(FINDINGS[..findings].to_vec(), network, input);
        fs::create_dir(self.at(name)).unwrap();
        model_dir::save(&self.at(name), &description, &classifier).unwrap();
    }

    fn prepare(&self, name: &str, size: u32) {
        let settings = PrepareSettings { size, filter: Filter::Box, labels: None, any_size: false };
        prepare(&self.at("films"), &self.at(name), &settings, &|_| ()).unwrap();
    }

    fn open(&self, model: &str, data: &str, scores: Option<&str>) -> anyhow::Result<Viewed> {
        self.open_split(model, data, scores, None)
    }

    fn open_split(
        &self,
        model: &str,
        data: &str,
        scores: Option<&str>,
        split: Option<Split>,
    ) -> anyhow::Result<Viewed> {
        let scores = scores.map(|scores| self.at(scores));
        let request = ViewRequest {
            model: &self.at(model),
            data: &self.at(data),
            split,
            scores: scores.as_deref(),
            batch: 16,
            engine: EngineChoice::Burn,
            operating_point: OperatingRule::Youden,
        };
        Viewed::open(&request, &Device::flex(), &Silent)
    }

    fn refusal(&self, model: &str, data: &str, scores: &str) -> String {
        format!("{:#}", self.open(model, data, Some(scores)).err().unwrap())
    }

    /// Writes the score table of the films that are shown, the last film first: rows belong to films
    /// by their names.
    fn write_scores(&self, viewed: &Viewed, name: &str, films: std::ops::Range<usize>) {
        let ViewedSet { films: all, findings, model, dataset_id, .. } = &viewed.set;
        let all = &all[films];
        let header: Vec<String> =
            findings.iter().map(|finding| format!("{finding},{finding}.truth")).collect();
        let mut text = format!("image,patient,model,dataset_id,{}\n", header.join(","));
        for film in all.iter().rev() {
            let cells = film.probabilities.iter().zip(&film.labels);
            let cells = cells.map(|(p, label)| format!("{},{}", p.unwrap(), label.unwrap()));
            let cells = cells.collect::<Vec<_>>().join(",");
            text += &format!("{},{},{model},{dataset_id},{cells}\n", film.name, film.patient);
        }
        fs::write(self.at(name), text).unwrap();
    }
}

#[test]
fn films_have_the_labels_boxes_and_pixels_of_the_data_set_and_the_scores_of_the_table() {
    let place = Place::new();
    let predicted = place.open("model", "data", None).unwrap();
    place.write_scores(&predicted, "scores.csv", 0..40);

    let viewed = place.open("model", "data", Some("scores.csv")).unwrap();

    assert_eq!(viewed.set.scores, Some(place.at("scores.csv")));
    assert_eq!(predicted.set.scores, None);
    assert_eq!(viewed.set.films, predicted.set.films);
    let prepared = Prepared::open(&place.at("data")).unwrap();
    let boxes = prepared.boxes().unwrap();
    assert!(!boxes.is_empty());
    let shown: usize = viewed.set.films.iter().map(|film| film.boxes.len()).sum();
    assert_eq!(shown, boxes.len());
    let film = viewed.set.films.iter().find(|film| film.name == boxes[0].image).unwrap();
    let own = &film.boxes[0];
    assert_eq!(own.finding, boxes[0].finding.name());
    assert!((own.x - boxes[0].x * 32.0 / 1024.0).abs() < 1e-9);
    assert!((own.height - boxes[0].height * 32.0 / 1024.0).abs() < 1e-9);
    for (row, film) in prepared.rows.iter().zip(&viewed.set.films) {
        let labels = FINDINGS.map(|finding| Some(u8::from(row.findings.contains(finding))));
        assert_eq!((&film.name, &film.labels[..]), (&row.image, &labels[..]));
        assert_eq!(film.label_text, Some(row.findings.to_string()));
        assert_eq!(film.calls, [None; 3]);
    }
    let plane = viewed.film(3).unwrap().unwrap();
    assert_eq!((plane.width, plane.pixels), (32, prepared.store.plane(3).unwrap()));
    assert!(viewed.film(40).is_none());
}

#[test]
fn scores_of_another_model_are_refused() {
    let place = Place::new();
    place.save_model("other", 2);
    let viewed = place.open("model", "data", None).unwrap();
    place.write_scores(&viewed, "scores.csv", 0..40);

    let error = place.refusal("other", "data", "scores.csv");
    let other = model_dir::identity(&place.at("other")).unwrap();
    let expected = format!("was predicted by the model {}, and this is {other}", viewed.set.model);
    assert!(error.contains(&expected), "{error}");

    let text = fs::read_to_string(place.at("scores.csv")).unwrap();
    fs::write(place.at("nameless.csv"), text.replace(",model,", ",machine,")).unwrap();
    let error = place.refusal("model", "data", "nameless.csv");
    assert!(error.contains("does not say which model predicted it"), "{error}");
}

#[test]
fn a_table_of_other_films_is_refused() {
    let place = Place::new();
    let viewed = place.open("model", "data", None).unwrap();
    let last = &viewed.set.films[39];
    place.write_scores(&viewed, "fewer.csv", 0..39);
    let error = place.refusal("model", "data", "fewer.csv");
    assert!(error.contains(&format!("no row of the film `{}`", last.name)), "{error}");

    place.write_scores(&viewed, "scores.csv", 0..40);
    let text = fs::read_to_string(place.at("scores.csv")).unwrap();
    let row = text.lines().nth(1).unwrap();
    let more = row.replace(&last.name, "99999999_000.png");
    fs::write(place.at("more.csv"), format!("{text}{more}\n")).unwrap();
    let error = place.refusal("model", "data", "more.csv");
    assert!(error.contains("has 41 films, but the data set has 40"), "{error}");

    let patient = format!("{},{},", last.name, last.patient);
    let other = text.replace(&patient, &format!("{},999,", last.name));
    fs::write(place.at("patient.csv"), other).unwrap();
    let error = place.refusal("model", "data", "patient.csv");
    assert!(error.contains("and its patient"), "{error}");

    let other = text.replace(&viewed.set.dataset_id, "0123456789ab");
    fs::write(place.at("data.csv"), other).unwrap();
    let error = place.refusal("model", "data", "data.csv");
    assert!(error.contains("is of the data set 0123456789ab, but this is"), "{error}");

    fs::write(place.at("nowhere.csv"), text.replace(",dataset_id,", ",folder,")).unwrap();
    let error = place.refusal("model", "data", "nowhere.csv");
    assert!(error.contains("does not say of which data set"), "{error}");
}

#[test]
fn the_table_of_the_run_is_used_only_if_it_is_of_these_films() {
    let place = Place::new();
    let split = Some(Split::Test);
    let open = || place.open_split("model", "data", None, split).unwrap();
    let predicted = open();
    let films = predicted.set.films.len();
    assert!(films > 1 && films < 40 && predicted.set.split == "test");
    fs::create_dir(place.at("model/scores")).unwrap();

    place.write_scores(&predicted, "model/scores/test.csv", 0..films - 1);
    assert_eq!(open().set.scores, None);
    place.write_scores(&predicted, "model/scores/test.csv", 0..films);
    assert_eq!(open().set.scores, Some(place.at("model/scores/test.csv")));
    fs::write(place.at("model/scores/test.csv"), "not a table").unwrap();
    assert_eq!(open().set.scores, None);
}

#[test]
fn what_is_missing_or_does_not_fit_is_refused() {
    let place = Place::new();
    place.prepare("larger", 48);

    let error = |model, data| format!("{:#}", place.open(model, data, None).err().unwrap());
    assert!(error("nothing", "data").contains("nothing"));
    assert!(error("model", "films").contains("is not a prepared data set"));
    assert!(error("model", "larger").contains("48 px, but the model takes 32 px"));
    assert!(place.refusal("model", "data", "none.csv").contains("none.csv"));
}

#[test]
fn a_document_has_a_value_of_each_list_for_each_finding() {
    let place = Place::new();
    let viewed = place.open("model", "data", None).unwrap();

    let document = serde_json::to_value(&viewed.set).unwrap();

    assert_eq!(document["findings"], serde_json::json!(["Mass", "Edema", "Nodule"]));
    assert_eq!(document["thresholds"], serde_json::json!([null, null, null]));
    assert_eq!((&document["split"], &document["size"]), (&"all".into(), &32.into()));
    for film in document["films"].as_array().unwrap() {
        for list in ["labels", "probabilities", "calibrated", "calls"] {
            assert_eq!(film[list].as_array().unwrap().len(), 3, "{list}");
        }
        // Nothing is known of how the model was trained.
        assert!(film["training"].is_null());
    }
}
