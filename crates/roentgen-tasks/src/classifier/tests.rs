use std::collections::BTreeMap;
use std::fs;

use roentgen_data::preprocess::{Input, Normalize};
use roentgen_eval::{Calibration, Platt};
use roentgen_models::{Architecture, ClassifierConfig, Pool, model_dir};
use roentgen_phantom::PhantomSettings;
use tempfile::TempDir;

use super::*;
use crate::listener::Silent;
use crate::predict::{self, PredictRequest};
use crate::shard::Shard;

const OPTIONS: ClassifierOptions = ClassifierOptions {
    engine: EngineChoice::Burn,
    operating_point: OperatingRule::Youden,
    calibration: None,
    gate: Gate::Refuse,
};

/// A folder with an untrained model of 64 px, a calibration of `Mass`, and films of 96 px.
struct Place {
    folder: TempDir,
    films: Vec<PathBuf>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = ClassifierConfig {
            architecture: Architecture::Mobilenet,
            width: 0.125,
            pool: Pool::Attention,
            dropout: 0.0,
            stochastic_depth: None,
        };
        let input = Input { size: 64, channels: 1, normalize: Normalize::PerImage };
        let findings = vec![Finding::Mass, Finding::Edema, Finding::Hernia];
        let network_of_random_weights = network.init(1, findings.len(), &Device::flex());
        let description = ModelInfo::new(findings, network, input);
        let model = folder.path().join("model");
        fs::create_dir(&model).unwrap();
        model_dir::save(&model, &description, &network_of_random_weights).unwrap();
        let settings = PhantomSettings { films: 5, size: 96, seed: 7 };
        let drawn = folder.path().join("films");
        roentgen_phantom::write(&drawn, &settings, &|_| ()).unwrap();
        let mut films = roentgen_data::nih::walk(&drawn).unwrap();
        films.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
        let place = Self { folder, films };
        let identity = model_dir::identity(&place.model()).unwrap();
        model_dir::save_calibration(&place.model(), calibration(&identity)).unwrap();
        place
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    fn open(&self, options: ClassifierOptions) -> FilmClassifier {
        FilmClassifier::open(&self.model(), &options, &Device::flex(), &Silent).unwrap()
    }
}

fn calibration(model: &str) -> Calibration {
    Calibration {
        films: 100,
        patients: 50,
        split: None,
        model: Some(model.to_owned()),
        dataset_id: None,
        findings: vec![FindingCalibration {
            finding: "Mass".to_owned(),
            films: 100,
            positives: 20,
            reason: None,
            temperature: None,
            platt: Some(Platt { slope: 0.7, intercept: -0.3 }),
            isotonic: None,
            thresholds: BTreeMap::from([(OperatingRule::Youden, 0.5)]),
        }],
    }
}

#[test]
fn films_in_memory_have_the_numbers_of_the_score_table() {
    let place = Place::new();
    let request = PredictRequest {
        model: &place.model(),
        inputs: &place.films,
        split: None,
        batch: 16,
        engine: EngineChoice::Burn,
        precision: roentgen_models::Precision::F32,
        onnx: None,
        privacy: &crate::sources::Privacy::Named,
        operating_point: OperatingRule::Youden,
        calibration: None,
        gate: Gate::Refuse,
        shard: Shard::WHOLE,
    };
    let table = predict::table(&request, &Device::flex(), &Silent).unwrap();
    let mut classifier = place.open(OPTIONS);
    let reader = classifier.reader();
    let films: Vec<Film> = place
        .films
        .iter()
        .enumerate()
        .map(|(number, path)| match number % 3 {
            0 => reader.read_file(path),
            1 => reader.read_bytes(&fs::read(path).unwrap()),
            _ => reader.read_plane(pixels::read(path).unwrap()),
        })
        .collect::<Result<_, _>>()
        .unwrap();

    let predictions = classifier.predict(&films).unwrap();

    let (mass, edema) = (&table.scores.findings()[0], &table.scores.findings()[1]);
    for (row, film) in predictions.iter().enumerate() {
        let [of_mass, of_edema, _] = film.findings.as_slice() else { panic!("three findings") };
        assert_eq!(of_mass.probability, mass.probabilities[row]);
        assert_eq!(of_edema.probability, edema.probabilities[row]);
        let cell = |column: &str| table.scores.column(column).unwrap()[row].clone();
        assert_eq!(of_mass.calibrated.unwrap().to_string(), cell("Mass.calibrated"));
        assert_eq!(u8::from(of_mass.call.unwrap()).to_string(), cell("Mass.call"));
        assert_eq!(of_mass.threshold, Some(0.5));
        assert_eq!((of_edema.calibrated, of_edema.threshold, of_edema.call), (None, None, None));
        assert_eq!(film.mask, table.predicted.predictions[row].1.mask);
    }
    assert_eq!(classifier.identity(), table.model);
    assert_eq!(classifier.calibration(), Some(CalibrationMethod::Platt));
}

#[test]
fn the_gate_refuses_or_corrects_pictures_as_it_does_files() {
    let place = Place::new();
    let reader = |gate| FilmReader::new(gate, 64);
    let upright = pixels::read(&place.films[0]).unwrap();
    let upside_down = Plane { pixels: upright.pixels.iter().rev().copied().collect(), ..upright };

    let refused = reader(Gate::Refuse).read_plane(upside_down.clone()).unwrap_err().to_string();
    assert!(refused.contains("upside down"), "{refused}");
    let fixed = reader(Gate::Fix).read_plane(upside_down.clone()).unwrap();
    assert_eq!(fixed.correction().unwrap().to_string(), "upside down");
    assert_eq!(fixed.pixels(), reader(Gate::Refuse).read_file(&place.films[0]).unwrap().pixels());
    let taken = reader(Gate::Off).read_plane(upside_down).unwrap();
    assert_eq!(taken.correction(), None);
    assert_ne!(taken.pixels(), fixed.pixels());
}

#[test]
fn pictures_that_are_none_are_refused() {
    let reader = FilmReader::new(Gate::Off, 4);

    let short = reader.read_plane(Plane { width: 4, height: 4, pixels: vec![1; 15] });
    assert!(short.unwrap_err().to_string().contains("15 pixels, but 4 rows of 4"));
    assert!(reader.read_plane(Plane { width: 0, height: 4, pixels: Vec::new() }).is_err());
    let text = reader.read_bytes(b"not a film").unwrap_err().to_string();
    assert!(text.contains("not a PNG, JPEG or DICOM file"), "{text}");
}

#[test]
fn maps_are_those_of_the_explainer() {
    let place = Place::new();
    let mut classifier = place.open(OPTIONS);
    let reader = classifier.reader();
    let films: Vec<Film> = place.films.iter().map(|path| reader.read_file(path).unwrap()).collect();
    let wanted = [WantedMap { film: 4, output: 2 }, WantedMap { film: 0, output: 1 }];

    let (predictions, masks) = classifier.explain(&films, None, &wanted).unwrap();
    assert_eq!(Some(&masks[0]), predictions[4].mask.as_ref());
    let (_, maps) = classifier.explain(&films, Some(Method::GradCam), &wanted).unwrap();
    let explainer = Explainer::load(&place.model(), &Device::flex()).unwrap();
    let planes: Vec<&[u8]> = films.iter().map(Film::pixels).collect();
    assert_eq!(maps, explainer.maps(Method::GradCam, &explainer.look(&planes), &wanted));

    let error = classifier.explain(&films, Some(Method::Cam), &wanted).unwrap_err().to_string();
    assert!(error.contains("it allows `attention`"), "{error}");
    let absent = [WantedMap { film: 5, output: 0 }];
    let error = classifier.explain(&films, None, &absent).unwrap_err().to_string();
    assert!(error.contains("there are 5 films and 3 findings"), "{error}");
}

#[test]
fn what_does_not_fit_the_model_is_refused() {
    let place = Place::new();
    let mut classifier = place.open(OPTIONS);

    assert_eq!(classifier.predict(&[]).unwrap(), []);
    let film = FilmReader::new(Gate::Off, 32).read_file(&place.films[0]).unwrap();
    let error = classifier.predict(&[film]).unwrap_err().to_string();
    assert!(error.contains("read at 32 px, but the model takes 64 px"), "{error}");
    let options = ClassifierOptions { calibration: Some(CalibrationMethod::Isotonic), ..OPTIONS };
    let error = FilmClassifier::open(&place.model(), &options, &Device::flex(), &Silent);
    assert!(error.err().unwrap().to_string().contains("no calibration by `isotonic`"));
    model_dir::save_calibration(&place.model(), calibration("0123456789ab")).unwrap();
    let error = FilmClassifier::open(&place.model(), &OPTIONS, &Device::flex(), &Silent);
    assert!(error.err().unwrap().to_string().contains("fitted for the model `0123456789ab`"));
}

#[test]
fn a_classifier_can_be_handed_to_another_thread_and_a_reader_shared() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}

    is_send::<FilmClassifier>();
    is_send::<Film>();
    is_sync::<FilmReader>();
}

#[test]
fn a_film_that_is_read_for_drawing_is_the_same_film_in_its_own_size() {
    let place = Place::new();
    let reader = place.open(OPTIONS).reader();
    let bytes = fs::read(&place.films[0]).unwrap();

    let (film, own) = reader.read_whole(&bytes).unwrap();
    assert_eq!(film, reader.read_bytes(&bytes).unwrap());
    assert_eq!(own, pixels::read(&place.films[0]).unwrap());
    assert_eq!((film.size(), own.width), (64, 96));
}
