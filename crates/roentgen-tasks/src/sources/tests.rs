use std::fs;

use super::*;

const MODEL: &str = "format = 1\nfindings = [\"Mass\"]\n\
    [network]\narchitecture = \"mobilenet\"\nwidth = 0.5\npool = \"attention\"\ndropout = 0.2\n\
    [input]\nsize = 64\nchannels = 1\nnormalize = \"per-image\"\n";

#[test]
fn a_training_film_is_recognized_by_the_last_part_of_its_path() {
    let run = tempfile::tempdir().unwrap();
    let table = "image,patient,split\n00000012_003.png,12,train\n00000012_004.png,12,test\n";
    fs::write(run.path().join(FILMS), table).unwrap();
    let description: ModelInfo = toml::from_str(MODEL).unwrap();
    let trained_on = TrainingFilms::read(run.path(), &description).unwrap();
    let names = [
        "00000012_003.png",
        "images_001/00000012_003.png",
        "images_001/00000012_004.png",
        "00000012_003.png/00000013_000.png",
    ];
    let inbox = run.path().join("inbox");
    let paths = names.map(|name| inbox.join(name));

    let sources = Sources::arrived(&inbox, &paths, trained_on.as_ref());

    assert_eq!(sources.films[1].image, names[1]);
    let marks: Vec<_> = sources.films.iter().map(|film| film.patient_in_training).collect();
    assert_eq!(marks, [Some(true), Some(true), None, None]);
}
