"""Data sets, tables and figures."""

from __future__ import annotations

import json
import pickle
import subprocess

import numpy as np
import pandas as pd
import PIL.Image
import pytest

import roentgen


def test_images_are_mapped_from_the_file_without_a_copy(place):
    prepared = roentgen.Prepared(place.prepared)

    images = prepared.images
    assert isinstance(images, np.memmap) and not images.flags.writeable
    assert images.shape == (700, 64, 64) and len(prepared) == 700 and prepared.size == 64
    content = (place.prepared / "images.safetensors").read_bytes()
    assert content.endswith(images.tobytes())
    assert np.shares_memory(images, images[3:5])
    # A process that gets the object opens the file itself.
    assert len(pickle.dumps(prepared)) < 1000
    assert (pickle.loads(pickle.dumps(prepared)).images[699] == images[699]).all()


def test_rows_are_the_manifest_and_labels_its_findings(place):
    prepared = roentgen.Prepared(place.prepared)
    frame = prepared.to_pandas()
    manifest = pd.read_csv(place.prepared / "manifest.csv")

    assert (frame["image"] == manifest["image"]).all()
    assert (frame["patient"] == manifest["patient"]).all()
    labels = pd.read_csv(next(place.films.glob("Data_Entry*.csv")))
    listed = dict(zip(labels["Image Index"], labels["Finding Labels"]))
    for row in frame.itertuples():
        assert bool(row.Effusion) == ("Effusion" in listed[row.image].split("|"))
    assert prepared.info["films"] == 700 and prepared.labels.shape == (700, 14)


def test_splits_are_those_of_a_run_and_share_no_patients(place):
    prepared = roentgen.Prepared(place.prepared)
    used = pd.read_csv(place.run / "films.csv").set_index("image")["split"]
    patients = np.array(prepared.columns()["patient"])
    images = prepared.columns()["image"]

    rows = {split: prepared.rows(split, seed=3) for split in ("train", "valid", "test")}
    assert sum(map(len, rows.values())) == 700
    for split in ("train", "valid"):
        assert {images[row] for row in rows[split]} == set(used.index[used == split])
    assert not set(patients[rows["train"]]) & set(patients[rows["test"]])
    with pytest.raises(roentgen.RoentgenError, match="patients"):
        prepared.splits("by-image")
    assert set(prepared.splits("by-image", leaky=True)) == {"train", "valid"}


def test_bad_films_are_warned_of_and_an_absent_folder_is_refused(place, tmp_path):
    films = tmp_path / "films"
    roentgen.phantom(films, films=6, size=64)
    next(films.rglob("*.png")).write_bytes(b"cut")
    steps = []

    with pytest.warns(roentgen.BadFilmsWarning, match="1 films were left out"):
        out = tmp_path / "out"
        prepared = roentgen.prepare(films, out, size=32, progress=lambda *step: steps.append(step))
    assert len(prepared) == 5 and ("packing", 5, 5) in steps and steps[-1][0] == "sealing"
    with pytest.raises(roentgen.RoentgenError):
        roentgen.prepare(tmp_path / "absent", tmp_path / "other")
    with pytest.raises(roentgen.RoentgenError, match="absent"):
        roentgen.Prepared(tmp_path / "absent")


def test_a_score_table_and_its_figures_are_those_of_the_program(place, model, program, tmp_path):
    own, table = tmp_path / "own.csv", tmp_path / "table.csv"
    done = model.write_scores(place.prepared, own, split="test")
    command = [program, "predict", place.run, place.prepared, "--split", "test", "--out", table]
    subprocess.run(command, check=True, capture_output=True)
    assert own.read_bytes() == table.read_bytes()
    assert done["films"] == len(pd.read_csv(own))

    figures = roentgen.evaluate(own, resamples=50)
    report = tmp_path / "report"
    command = [program, "evaluate", table, "--resamples", "50", "--out", report]
    subprocess.run(command, check=True, capture_output=True)
    expected = json.loads((report / "metrics.json").read_text())
    assert figures["findings"]["Effusion"]["auroc"] == expected["findings"]["Effusion"]["auroc"]
    assert figures["mean"] == expected["mean"]
    frame = pd.read_csv(own)
    assert roentgen.evaluate(frame, resamples=50)["mean"] == expected["mean"]
    written = roentgen.evaluate(own, out=tmp_path / "page", model=place.run, resamples=50)
    assert (tmp_path / "page/report.html").exists()
    # It also has the model's operating points.
    assert written["mean"]["auroc_ci95"] == expected["mean"]["auroc_ci95"]
    assert "youden" in written["findings"]["Infiltration"]["operating_points"]


def test_a_split_that_does_not_exist_is_refused(place):
    with pytest.raises(ValueError, match="split=`testing` is unknown; give one of `train`, `valid`"):
        roentgen.Prepared(place.prepared).rows("testing")


def test_training_films_are_not_evaluated(place, model, tmp_path):
    model.write_scores(place.prepared, tmp_path / "train.csv", split="train")
    with pytest.raises(roentgen.RoentgenError, match="training"):
        roentgen.evaluate(tmp_path / "train.csv")


def test_a_classifier_for_scikit_learn_has_the_numbers_of_predict(place, model):
    from roentgen.sklearn import FilmClassifier

    classifier = FilmClassifier(place.run).fit()
    paths = place.paths[:6]
    probabilities = classifier.predict_proba(paths)
    assert type(probabilities) is np.ndarray and (probabilities == model.predict(paths)).all()
    calls = classifier.predict(paths)
    assert (calls[:, 2] == model.predict(paths).calls[:, 2]).all()
    # Of this finding too few films were known for a threshold.
    assert "Cardiomegaly" not in model.thresholds
    assert (calls[:, 0] == (probabilities[:, 0] >= 0.5)).all()
    assert list(classifier.classes_) == list(model.findings)
    assert classifier.set_params(batch=2).get_params() == {"model": place.run, "batch": 2}


def test_films_of_another_mode_are_read_as_files(place, model, tmp_path):
    # Some of NIH's films are RGBA.
    path = tmp_path / "film.png"
    with PIL.Image.open(place.paths[0]) as film:
        film.convert("RGBA").save(path)
    assert (model.predict(path) == model.predict(place.paths[0])).all()
