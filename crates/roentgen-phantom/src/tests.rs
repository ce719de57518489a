//! Tests of synthetic films and of whole data sets.

use std::collections::BTreeMap;

use super::patient::{Sign, View};
use super::*;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{PrepareSettings, prepare};
use roentgen_data::{Dataset, FilmFindings, Finding};

/// A patient whose first film shows `finding` or nothing.
fn patient(id: u32, finding: Option<Finding>, strength: f32) -> Patient {
    let mut patient = Patient::random(5, id, 1);
    let visit = &mut patient.visits[0];
    visit.signs = finding.map(|finding| Sign { finding, strength, since: 0 }).into_iter().collect();
    patient
}

fn draw(patient: &Patient, size: usize) -> DrawnFilm {
    film::draw(patient, &patient.visits[0], size)
}

fn difference(a: &DrawnFilm, b: &DrawnFilm) -> Vec<f64> {
    a.pixels.iter().zip(&b.pixels).map(|(&a, &b)| f64::from(a.abs_diff(b))).collect()
}

/// All files below a folder and their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn write_on_threads(threads: usize, settings: &PhantomSettings) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| write(&folder.path().join("new"), settings, &|_| {})).unwrap();
    files(&folder.path().join("new"))
}

#[test]
fn same_seed_draws_the_same_files_on_any_number_of_threads() {
    let settings = PhantomSettings { films: 8, size: 64, seed: 3 };
    let one = write_on_threads(1, &settings);

    assert!(one == write_on_threads(2, &settings));
    assert!(one != write_on_threads(2, &PhantomSettings { seed: 4, ..settings }));
}

#[test]
fn a_data_set_has_the_layout_of_nih_and_one_rgba_film() {
    let settings = PhantomSettings { films: 120, size: 64, seed: 1 };
    let files = write_on_threads(2, &settings);
    let text = |name: &str| String::from_utf8(files[Path::new(name)].clone()).unwrap();

    let films: Vec<_> = files.keys().filter(|path| path.extension().unwrap() == "png").collect();
    assert_eq!(films.len(), 120);
    assert!(films[0].ends_with("images_001/images/00000001_000.png"));
    assert!(films[119].starts_with("images_012/images"));
    assert_eq!(files.len(), 120 + 5);
    let labels = text("Data_Entry_2017_v2020.csv");
    assert_eq!(labels.lines().count(), 121);
    assert!(
        labels
            .lines()
            .skip(1)
            .all(|row| { FilmFindings::parse(row.split(',').nth(1).unwrap()).is_ok() })
    );
    let test = text("test_list.txt");
    assert_eq!(test.lines().count() + text("train_val_list.txt").lines().count(), 120);
    for row in text("BBox_List_2017.csv").lines().skip(1) {
        let columns: Vec<_> = row.split(',').collect();
        assert!(test.contains(columns[0]), "{row}");
        assert!(Finding::from_box_name(columns[1]).is_ok());
        assert!(columns[2..].iter().all(|number| number.parse::<f32>().is_ok_and(|n| n >= 0.0)));
    }
    let films = films.into_iter().map(|path| image::load_from_memory(&files[path]).unwrap());
    let (rgba, gray): (Vec<_>, Vec<_>) = films.partition(|film| film.as_rgba8().is_some());
    assert_eq!(rgba.len(), 1);
    assert!(gray.iter().all(|film| film.as_luma8().is_some()));
    assert!(rgba[0].to_rgba8().pixels().all(|p| p[0] == p[1] && p[1] == p[2] && p[3] == 255));
    assert!(text(PHANTOM_MARK).contains("120"));
}

#[test]
fn every_finding_changes_the_film_visibly() {
    for id in 1..=5 {
        let normal = draw(&patient(id, None, 0.0), 64);
        for finding in Finding::ALL {
            let film = draw(&patient(id, Some(finding), 0.0), 64);
            let difference = difference(&normal, &film);
            let plain = difference.iter().filter(|&&difference| difference > 10.0).count();
            assert!(plain >= 10, "{finding} of patient {id}: {plain} pixels");
        }
    }
}

#[test]
fn a_box_surrounds_its_sign() {
    let size = 80;
    for id in 1..=5 {
        let normal = draw(&patient(id, None, 0.0), size);
        for finding in Finding::ALL {
            let film = draw(&patient(id, Some(finding), 0.7), size);
            let Some(&(_, area)) = film.boxes.first() else { continue };
            let (mut inside, mut outside) = ((0.0, 0), (0.0, 0));
            for (index, value) in difference(&normal, &film).into_iter().enumerate() {
                let x = (index % size) as f32 / size as f32;
                let y = (index / size) as f32 / size as f32;
                let within =
                    (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y);
                let sum = if within { &mut inside } else { &mut outside };
                *sum = (sum.0 + value, sum.1 + 1);
            }
            let mean = |(sum, count): (f64, i32)| sum / f64::from(count);
            let (inside, outside) = (mean(inside), mean(outside));
            assert!(inside > 2.5 * outside, "{finding} of patient {id}: {inside} {outside}");
        }
    }
}

#[test]
fn eight_findings_have_boxes() {
    let boxed = |&finding: &Finding| !draw(&patient(1, Some(finding), 0.5), 64).boxes.is_empty();

    let boxed: Vec<_> = Finding::ALL.into_iter().filter(boxed).map(Finding::name).collect();

    let nih = "Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax";
    assert_eq!(boxed.join(" "), nih);
}

#[test]
fn a_patient_looks_the_same_on_two_visits_but_not_to_the_pixel() {
    let mut patient = patient(1, None, 0.0);
    let mut second = patient.visits[0].clone();
    second.number = 1;
    (patient.visits[0].view, second.view) = (View::Pa, View::Pa);

    let (a, b) = (draw(&patient, 64), film::draw(&patient, &second, 64));

    let difference = difference(&a, &b);
    let mean = difference.iter().sum::<f64>() / difference.len() as f64;
    assert!((2.0..60.0).contains(&mean), "{mean}");
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();

    let error = write(folder.path(), &PhantomSettings { films: 3, size: 64, seed: 0 }, &|_| {});

    assert!(matches!(error, Err(Error::NotEmpty { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_films_and_odd_sizes_are_refused() {
    let out = Path::new("never-made");
    let refused =
        |films, size| write(out, &PhantomSettings { films, size, seed: 0 }, &|_| {}).is_err();

    assert!(refused(0, 64) && refused(3, 63) && refused(3, 2049));
    assert!(!out.exists());
}

#[test]
fn a_drawing_that_was_stopped_continues_to_the_same_files_and_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    let settings = PhantomSettings { films: 12, size: 64, seed: 5 };
    write(&whole, &settings, &|_| {}).unwrap();
    write(&stopped, &settings, &|_| {}).unwrap();
    // As if it had been killed while it wrote a film.
    fs::write(stopped.join(unfinished::NOTE), mark(&settings)).unwrap();
    fs::remove_file(stopped.join("Data_Entry_2017_v2020.csv")).unwrap();
    let film = files(&stopped).into_keys().find(|path| is_png(path));
    let film = stopped.join(film.unwrap());
    fs::rename(&film, roentgen_files::temporary_path(&film)).unwrap();

    let other = PhantomSettings { seed: 6, ..settings };
    assert!(matches!(write(&stopped, &other, &|_| {}), Err(Error::Unfinished { .. })));
    write(&stopped, &settings, &|_| {}).unwrap();

    assert_eq!(files(&stopped), files(&whole));
    assert!(matches!(write(&stopped, &settings, &|_| {}), Err(Error::NotEmpty { .. })));
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "png")
}

#[test]
fn drawn_films_are_known_without_their_marker() {
    let folder = tempfile::tempdir().unwrap();
    let films = folder.path().join("films");
    let settings = PhantomSettings { films: 12, size: 64, seed: 7 };
    write(&films, &settings, &|_| ()).unwrap();
    fs::remove_file(films.join(PHANTOM_MARK)).unwrap();

    let out = folder.path().join("out");
    let settings =
        PrepareSettings { size: 16, filter: Filter::Lanczos3, labels: None, any_size: false };
    let outcome = prepare(&films, &out, &settings, &|_| ()).unwrap();

    assert_eq!(outcome.description.dataset, Dataset::Phantom { seed: Some(7) });
}
