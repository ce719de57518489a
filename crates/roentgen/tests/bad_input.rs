//! Bad input is reported with its reason, nothing is lost, and no half-written file remains.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;

use common::{EXPERIMENT, HEADER, Place, encode, label_row, png, stderr};

/// Prepares a data set of one good film and one bad film, and returns the reason why `prepare`
/// skipped the bad film.
fn reason(bad: &[u8]) -> String {
    let place = Place::new();
    let labels = [HEADER, &label_row("good.png", "Mass", 1), &label_row("bad.png", "Mass", 2)];
    place.write("films/Data_Entry_2017_v2020.csv", labels.concat());
    place.write("films/images/good.png", png([64, 64]));
    place.write("films/images/bad.png", bad);
    let output = place.run("prepare films --out prepared --size 32 --json");

    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["prepared"]["films"], 1, "the sound film is kept");
    assert_eq!(document["bad"][0]["image"], "bad.png");
    let reason = document["bad"][0]["reason"].as_str().unwrap().to_owned();
    assert!(stderr(&output).contains(&reason));
    assert!(place.text("prepared/bad-films.csv").contains("bad.png"));
    reason
}

#[test]
fn a_truncated_png_is_left_out_and_named() {
    let whole = png([64, 64]);
    assert!(reason(&whole[..whole.len() * 2 / 3]).contains("the PNG is broken or cut off"));
    assert!(reason(&whole[..20]).contains("the PNG is broken or cut off"));
}

#[test]
fn an_empty_file_is_left_out_and_named() {
    assert!(reason(b"").contains("the file is empty (0 bytes)"));
}

#[test]
fn a_text_file_called_png_is_left_out_and_named() {
    assert!(
        reason(b"patient refused the film")
            .contains("not a PNG, JPEG or DICOM file (it begins with `patient `)")
    );
}

#[test]
fn a_film_of_another_size_is_left_out_and_named() {
    let place = Place::new();
    let mut labels = HEADER.to_owned();
    for film in 0..3 {
        let size = if film == 1 { [48, 64] } else { [64, 64] };
        place.write(&format!("films/{film}.png"), png(size));
        labels.push_str(&label_row(&format!("{film}.png"), "Mass", film));
    }
    place.write("films/Data_Entry_2017.csv", labels);

    let error = place.fails("prepare films --out prepared --size 32");
    assert!(
        error.contains("1.png: wrong size: 64 x 48 pixels, where most films have 64 x 64"),
        "{error}"
    );
    place.ok("prepare films --out any --size 32 --any-size");
}

#[test]
fn sixteen_bits_and_rgba_are_read() {
    let place = Place::new();
    let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(64, 64, |x, y| {
        image::Luma([((x * 5 + y * 3) as u8 as u16) * 257])
    });
    let gray = image::load_from_memory(&png([64, 64])).unwrap();
    place.write("films/deep.png", encode(deep.into()));
    place.write("films/rgba.png", encode(gray.to_rgba8().into()));
    place.write("films/gray.png", png([64, 64]));
    let labels: String = ["deep.png", "gray.png", "rgba.png"]
        .iter()
        .zip(1..)
        .map(|(film, patient)| label_row(film, "Mass", patient))
        .collect();
    place.write("films/Data_Entry_2017.csv", format!("{HEADER}{labels}"));
    place.ok("prepare films --out prepared --size 32");

    let bytes = place.read("prepared/images.safetensors");
    let planes: Vec<&[u8]> = bytes[4096..].chunks(32 * 32).collect();
    assert_eq!(planes.len(), 3);
    assert!(planes[0] == planes[1] && planes[1] == planes[2]);
}

#[test]
fn a_listed_film_that_is_absent_is_named() {
    let place = Place::new();
    let labels = [HEADER, &label_row("here.png", "Mass", 1), &label_row("gone.png", "Mass", 2)];
    place.write("films/Data_Entry_2017.csv", labels.concat());
    place.write("films/here.png", png([64, 64]));

    let error = place.fails("prepare films --out prepared --size 32");
    assert!(
        error.contains("gone.png: the label file lists it, but the file does not exist"),
        "{error}"
    );
    assert_eq!(place.text("prepared/manifest.csv").lines().count(), 2);
}

#[test]
fn label_files_are_refused_with_the_line_at_fault() {
    let place = Place::new();
    let prepare = |labels: &str| {
        place.write("films/Data_Entry_2017.csv", labels);
        place.fails("prepare films --out prepared --size 32")
    };
    let row = label_row("a.png", "Mass", 1);

    let error = prepare("Image Index,Finding Labels\na.png,Mass\n");
    assert!(error.contains("no column `Follow-up #`"), "{error}");
    let error = prepare(&format!("{HEADER}{row}{row}"));
    assert!(error.contains("line 3") && error.contains("first on line 2"), "{error}");
    let error = prepare(&format!("{HEADER}{}", label_row("a.png", "Mass|Efusion", 1)));
    assert!(error.contains("line 2") && error.contains("`Efusion` is not a finding"), "{error}");
    assert!(!place.at("prepared").exists(), "nothing half-written remains");
}

#[test]
fn another_size_is_not_mixed_into_a_prepared_data_set() {
    let place = Place::new();
    place.write("films/Data_Entry_2017.csv", format!("{HEADER}{}", label_row("a.png", "Mass", 1)));
    place.write("films/a.png", png([64, 64]));
    place.ok("prepare films --out prepared --size 32");
    let before = place.read("prepared/images.safetensors");

    let error = place.fails("prepare films --out prepared --size 48");
    assert!(error.contains("already contains 1 film of 32 px"), "{error}");
    assert!(place.read("prepared/images.safetensors") == before);
    place.ok("prepare films --out prepared --size 32");
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_utf8_work_and_such_film_names_are_named() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let odd = std::ffi::OsStr::from_bytes(b"films-\xff");
    let folder = place.at("").join(odd);
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("Data_Entry_2017.csv"),
        format!("{HEADER}{}", label_row("a.png", "Mass", 1)),
    )
    .unwrap();
    fs::write(folder.join("a.png"), png([64, 64])).unwrap();
    let prepare = |out: &str| {
        let mut command = place.command(["prepare", "--size", "32", "--out", out]);
        command.arg(&folder).output().unwrap()
    };
    let output = prepare("prepared");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xfe.png")), png([64, 64])).unwrap();
    let output = prepare("again");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the file name is not UTF-8"), "{}", stderr(&output));
}

#[test]
fn score_tables_are_refused_with_the_line_at_fault() {
    let place = Place::new();
    let evaluate = |rows: &str| {
        place.write("scores.csv", format!("image,patient,Mass,Mass.truth\n{rows}"));
        place.fails("evaluate scores.csv --out report")
    };

    let error = evaluate("a.png,1,0.5,1\nb.png,2,NaN,0\n");
    assert!(error.contains("line 3") && error.contains("NaN"), "{error}");
    let error = evaluate("a.png,1,1.5,1\nb.png,2,0.5,0\n");
    assert!(error.contains("line 2") && error.contains("0..1"), "{error}");
    assert!(!place.at("report").exists(), "nothing half-written remains");
}

#[test]
fn a_finding_with_one_class_has_no_auroc() {
    let place = Place::new();
    place.write(
        "scores.csv",
        "image,patient,Mass,Mass.truth,Hernia,Hernia.truth\na,1,0.9,1,0.1,0\nb,2,0.2,0,0.3,0\n",
    );
    let metrics = place.json("evaluate scores.csv --out report --resamples 20");

    assert_eq!(metrics["findings"]["Mass"]["auroc"], 1.0);
    assert!(metrics["findings"]["Hernia"]["auroc"].is_null());
    assert_eq!((&metrics["mean"]["auroc"], &metrics["mean"]["findings"]), (&1.0.into(), &1.into()));
}

#[test]
fn experiments_are_refused_with_the_line_at_fault() {
    let place = Place::new();
    place.write("a.toml", EXPERIMENT.replace("epochs", "epoch"));
    let error = place.fails("train a.toml --out run");
    assert!(error.contains("line 8") && error.contains("epoch"), "{error}");

    place.write("b.toml", EXPERIMENT);
    let error = place.fails("train b.toml --out run --set model.widht=2");
    assert!(error.contains("--set model.widht=2") && error.contains("widht"), "{error}");
    assert!(!place.at("run").exists());
}

#[test]
fn unknown_keys_of_every_optimizer_and_schedule_are_refused_also_in_a_sweep() {
    let place = Place::new();
    for line in [
        "optimizer = { name = \"adam\", lr = 0.1 }",
        "optimizer = { name = \"adadelta\", rho = 0.5 }",
        "optimizer = { name = \"adagrad\", decay = 0.5 }",
        "optimizer = { name = \"adamw\", amsgrad = true }",
        "optimizer = { name = \"sgd\", dampening = 0.5 }",
        "schedule = { name = \"constant\", warmup = 0.3 }",
        "schedule = { name = \"cosine\", warm_up = 0.3 }",
        "early_stopping = { patience = 3, mode = \"min\" }",
    ] {
        place.write("a.toml", format!("{EXPERIMENT}{line}\n"));
        let error = place.fails("train a.toml --out run");
        assert!(error.contains("unknown field"), "{line}: {error}");
    }
    let sweep = "[sweep.product]\ntrain.optimizer = [{ name = \"adam\", decay = 0.1 }]\n";
    place.write("a.toml", format!("{EXPERIMENT}{sweep}"));
    let error = place.fails("sweep a.toml --out swept");
    assert!(error.contains("unknown field"), "{error}");
    assert!(!place.at("swept").exists() && !place.at("run").exists());
}

#[test]
fn a_size_that_the_network_cannot_take_is_refused() {
    let place = Place::new();
    place.ok("phantom --films 20 --size 64 --out films");
    place.ok("prepare films --out prepared --size 24");
    place.write("a.toml", EXPERIMENT);
    let error = place.fails("train a.toml --out run");
    assert!(error.contains("at least 32 px, but these have 24 px"), "{error}");

    let error = place.fails("train a.toml --out run --set image.size=64");
    assert!(error.contains("prepare them at 64 px"), "{error}");
    assert!(!place.at("run").exists());
}

#[test]
fn sixteen_bits_are_refused_on_the_cpu_before_anything_is_written() {
    let place = Place::new();
    place.ok("phantom --films 40 --size 64 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    for precision in ["bf16", "f16"] {
        let train = "train a.toml --out run --device cpu --set train.precision";
        let error = place.fails(&format!("{train}={precision}"));
        let expected = format!("`train.precision = \"{precision}\"` needs an NVIDIA GPU");
        assert!(error.contains(&expected), "{error}");
        assert!(!place.at("run").exists());

        let error = place.fails(&format!("bench train --device cpu --precision {precision}"));
        let expected = format!("`--precision {precision}` needs an NVIDIA GPU");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn a_film_repaired_between_two_calls_is_not_paired_with_labels_of_another() {
    let place = Place::new();
    place.ok("phantom --films 600 --size 64 --seed 6 --out films");
    place.ok("prepare films --out clean --size 128");
    let first = place
        .text("clean/manifest.csv")
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let film = common::find(&place.at("films"), &first);
    let whole = fs::read(&film).unwrap();
    // A kill that comes too late proves nothing, so the test tries again in another folder.
    let was_killed = (0..5).any(|number| {
        let out = format!("broken-{number}");
        fs::write(&film, b"").unwrap();
        let line = format!("prepare films --out {out} --size 128");
        let mut child = place.command(line.split(' ')).spawn().unwrap();
        let journal = place.at(&format!("{out}/prepare.part.toml"));
        while !journal.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        child.kill().ok();
        child.wait().unwrap();
        fs::write(&film, &whole).unwrap();
        if place.at(&format!("{out}/prepare.toml")).exists() {
            return false;
        }
        place.ok(&line);
        for file in ["images.safetensors", "manifest.csv"] {
            let [clean, broken] = ["clean", &out].map(|out| place.read(&format!("{out}/{file}")));
            assert!(clean == broken, "{file} differs");
        }
        true
    });
    assert!(was_killed, "no kill came while it ran");
    let error = place.run("prepare films --out clean --size 128 --any-size");
    assert_eq!(error.status.code(), Some(1), "other settings are not mixed in");
}

#[test]
fn a_run_is_not_resumed_on_other_films() {
    let place = Place::new();
    place.ok("phantom --films 40 --size 64 --seed 1 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    place.ok("train a.toml --out run");
    let films = place.read("run/films.csv");
    fs::remove_dir_all(place.at("prepared")).unwrap();
    place.ok("phantom --films 40 --size 64 --seed 2 --out others");
    place.ok("prepare others --out prepared --size 32");

    let error = place.fails("train a.toml --out run --resume");
    assert!(error.contains("other films than `data.prepared` contains now"), "{error}");
    assert!(place.read("run/films.csv") == films);
}

#[test]
fn films_of_no_list_are_predicted_and_a_split_of_files_is_refused() {
    let place = Place::new();
    place.ok("phantom --films 40 --size 64 --seed 1 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    place.ok("train a.toml --out run --set train.epochs=1");
    fs::remove_file(place.at("films/test_list.txt")).unwrap();
    fs::remove_file(place.at("films/train_val_list.txt")).unwrap();
    place.ok("prepare films --out unlisted --size 32");

    place.ok("predict run unlisted --out scores.csv");
    // The run's own list of films says which were its test films.
    let listed = place.json("predict run prepared --split test --out listed.csv");
    let unlisted = place.json("predict run unlisted --split test --out unlisted.csv");
    assert_eq!((&listed["films"], &listed["split"]), (&unlisted["films"], &unlisted["split"]));
    fs::rename(place.at("run/films.csv"), place.at("films.csv")).unwrap();
    let error = place.fails("predict run unlisted --split test --out scores.csv");
    assert!(error.contains("unknown which films are in the split"), "{error}");
    assert!(
        place.fails("predict run films --split test --out scores.csv").contains("`--split test`")
    );
}

#[test]
fn quickstart_deletes_nobodys_films() {
    let place = Place::new();
    place.write("mine/films/precious.png", png([8, 8]));
    let error = place.fails("quickstart --out mine");

    assert!(error.contains("contains other films"), "{error}");
    assert!(place.at("mine/films/precious.png").exists());
}
