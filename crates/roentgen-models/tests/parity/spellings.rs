//! Weights under the names in use over the years give the same network.

use burn::module::Module;
use burn::tensor::Device;
use roentgen_models::Architecture;
use roentgen_models::pretrained::{ClassifierPart, FitError, FoundTensor, WeightFile, fit};

use crate::Mode;
use crate::network::{FINDINGS, Filled, Network, config, filled, films, tensors, write, zeros};

/// The names of CheXNet's re-implementations, as in 2017: the network under `module.`, norms with
/// dots, a classifier of one layer in a sequence.
fn of_chexnet(name: &str) -> String {
    let name = ["norm", "conv"].iter().fold(name.to_owned(), |name, kind| {
        let is_layer = name.contains("denselayer");
        let numbered =
            |name: String, n| name.replace(&format!(".{kind}{n}."), &format!(".{kind}.{n}."));
        if is_layer { numbered(numbered(name, 1), 2) } else { name }
    });
    let name = name.replace("head.", "classifier.0.");
    format!("state_dict.module.densenet121.{name}")
}

#[test]
fn a_chexnet_of_2017_is_the_same_network() {
    let architecture = Architecture::Densenet121;
    let newest = Network::filled(architecture);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let published = filled(tensors(architecture)).into_iter();
    let mut tensors: Vec<_> =
        published.map(|(name, values, shape)| (of_chexnet(&name), values, shape)).collect();
    let counter = "state_dict.module.densenet121.features.norm0.num_batches_tracked".to_owned();
    tensors.push((counter.clone(), vec![7.0], vec![1]));
    write(&path, tensors);

    let file = WeightFile::open(&path).unwrap();
    let new = zeros(&config(architecture), 3, &Device::flex().autodiff());
    let (model, found) = fit(new, architecture, ClassifierPart::Whole, &file).unwrap();

    assert_eq!(found.left, [counter]);
    let source = |path: &str| {
        let is_it = |found: &&FoundTensor| found.path.ends_with(path);
        found.found.iter().find(is_it).unwrap().source.clone()
    };
    assert!(source("head.logits.weight").ends_with("densenet121.classifier.0.weight"));
    let of_2017 = Network { architecture, model };
    let films = [1, 3, 64, 96];
    let logits = newest.run(films, Mode::Inference).logits;
    assert_eq!(of_2017.run(films, Mode::Inference).logits, logits);
    assert_eq!(logits.len(), FINDINGS);
}

#[test]
fn a_gray_network_sees_what_a_colour_network_sees_in_a_gray_film() {
    let architecture = Architecture::MobilenetV2;
    let colour = Network::filled(architecture);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("formula.safetensors");
    write(&path, filled(tensors(architecture)));

    let file = WeightFile::open(&path).unwrap();
    let new = zeros(&config(architecture), 1, &Device::flex());
    let (gray, found) = fit(new, architecture, ClassifierPart::Whole, &file).unwrap();

    assert!(found.is_gray);
    let shape = [2, 1, 64, 96];
    let film = films(shape, &Device::flex());
    let expected: Vec<f32> = {
        let colour = colour.model.valid();
        colour.forward(film.clone().repeat_dim(1, 3)).into_data().try_to_vec().unwrap()
    };
    let logits: Vec<f32> = gray.forward(film).into_data().try_to_vec().unwrap();
    let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
    assert!(crate::difference(&expected, &logits) < 1e-5);
}

/// Returns the error for the file of a DenseNet after `change`.
fn refused(change: impl FnOnce(&mut Vec<Filled>)) -> FitError {
    let architecture = Architecture::Densenet121;
    let new = zeros(&config(architecture), 3, &Device::flex());
    let mut tensors = filled(tensors(architecture));
    change(&mut tensors);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.safetensors");
    write(&path, tensors);
    fit(new, architecture, ClassifierPart::Whole, &WeightFile::open(&path).unwrap()).unwrap_err()
}

#[test]
fn one_tensor_that_is_missing_refuses_the_file_and_is_named() {
    let name = "features.denseblock4.denselayer16.norm2.running_var";

    let error = refused(|tensors| tensors.retain(|tensor| tensor.0 != name));

    let FitError::Missing { missing: 1, example, .. } = error else { panic!("{error}") };
    assert_eq!(example, name);
}

#[test]
fn one_tensor_of_another_shape_refuses_the_file_and_is_named() {
    let error = refused(|tensors| {
        let tensor = tensors.iter_mut().find(|t| t.0 == "features.norm5.weight").unwrap();
        tensor.1.truncate(1000);
        tensor.2 = vec![1000];
    });

    let FitError::Shape { name, there, here, .. } = error else { panic!("{error}") };
    assert_eq!((name.as_str(), there, here), ("features.norm5.weight", vec![1000], vec![1024]));
}

#[test]
fn a_classifier_of_other_findings_or_a_second_one_refuses_the_file() {
    let thirteen = refused(|tensors| {
        for tensor in tensors.iter_mut().filter(|tensor| tensor.0.starts_with("head")) {
            tensor.2[0] = 13;
            tensor.1.truncate(tensor.2.iter().product());
        }
    });
    let twice = refused(|tensors| {
        for name in ["weight", "bias"] {
            let tensor = tensors.iter().find(|tensor| tensor.0 == format!("head.{name}")).unwrap();
            let (_, values, shape) = tensor.clone();
            tensors.push((format!("other.{name}"), values, shape));
        }
    });

    assert!(matches!(thirteen, FitError::Head { found: 0, .. }), "{thirteen}");
    assert!(matches!(twice, FitError::Head { found: 2, .. }), "{twice}");
}
