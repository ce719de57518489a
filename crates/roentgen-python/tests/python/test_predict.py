"""Predictions have the numbers of the program, whatever a film is."""

from __future__ import annotations

import concurrent.futures
import copy
import io
import pickle
import resource
import subprocess

import numpy as np
import pandas as pd
import PIL.Image
import pydicom
import pydicom.uid
import pytest

import roentgen


def gray(path):
    with PIL.Image.open(path) as film:
        return np.asarray(film.convert("L"))


def dicom_of(path):
    pixels = gray(path)
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "DX", "CHEST", "PA"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    return dataset


@pytest.fixture(scope="module")
def table(place, program, tmp_path_factory):
    out = tmp_path_factory.mktemp("table") / "scores.csv"
    command = [program, "predict", place.run, place.some, "--out", out]
    subprocess.run(command, check=True, capture_output=True)
    return pd.read_csv(out)


def test_the_numbers_are_those_of_the_programs_table_to_the_last_bit(place, model, table):
    found = model.predict(place.some)

    assert found.shape == (len(table), 3) and found.dtype == np.float64
    assert [name.rsplit("/", 1)[1] for name in found.films] == list(table["image"])
    for number, finding in enumerate(model.findings):
        assert (found[finding] == table[finding].to_numpy()).all()
        for own, suffix in [(found.calls, "call"), (found.calibrated, "calibrated")]:
            of_table = table[f"{finding}.{suffix}"].to_numpy(float)
            assert np.array_equal(own[:, number], of_table, equal_nan=True)
    threshold = found.thresholds["Infiltration"]
    assert ((found["Infiltration"] >= threshold) == found.calls[:, 2]).all()
    assert len(np.unique(found["Effusion"])) == len(table) > 50


def test_films_pass_in_batches_of_the_size_given_with_the_numbers_of_the_program(place, model, program, tmp_path):
    out = tmp_path / "scores.csv"
    command = [program, "predict", place.run, *place.paths[:10], "--batch", "3", "--out", out]
    subprocess.run(command, check=True, capture_output=True)
    table = pd.read_csv(out)

    told = []
    found = model.predict(place.paths[:10], batch=3, progress=lambda *done: told.append(done))
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]
    assert (found == table[list(model.findings)].to_numpy()).all()


def test_a_film_is_a_path_or_bytes_or_an_array_or_a_dicom_data_set(place, model):
    paths = place.paths[:4]
    expected = model.predict(paths)

    with open(paths[1], "rb") as file:
        content = file.read()
    films = [str(paths[0]), content, gray(paths[2]), dicom_of(paths[3])]
    assert (model.predict(films) == expected).all()
    stack = np.stack([gray(path) for path in paths])
    assert (model.predict(stack) == expected).all()
    one = model.predict(stack[0])
    assert one.shape == (1, 3) and one.films == ("film 0",)
    assert model.predict([]).shape == (0, 3)


def test_a_dicom_header_that_says_something_else_is_refused(place, model):
    hand = dicom_of(place.paths[0])
    hand.BodyPartExamined = "HAND"

    with pytest.raises(roentgen.FilmError, match="body part HAND"):
        model.predict(hand)


def test_a_bad_film_is_an_exception_or_a_row_of_nan(place, model, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not a film")
    good = place.paths[:2]

    with pytest.raises(roentgen.FilmError, match="bad.png: .*not a PNG") as raised:
        model.predict([good[0], bad, good[1]])
    assert raised.value.film == str(bad) and isinstance(raised.value, roentgen.RoentgenError)
    found = model.predict([good[0], bad, good[1]], refused="nan")
    assert np.isnan(found[1]).all() and np.isnan(found.calls[1]).all()
    assert (found[[0, 2]] == model.predict(good)).all()
    assert list(found.refused) == [1]


def test_a_film_upside_down_is_refused_or_corrected(place, model):
    upright = gray(place.paths[0])

    with pytest.raises(roentgen.FilmError, match="upside down"):
        model.predict(upright[::-1, ::-1])
    fixed = roentgen.load(place.run, gate="fix").predict(upright[::-1, ::-1])
    assert (fixed == model.predict(upright)).all()
    assert fixed.corrected == {0: "upside down"}


@pytest.mark.parametrize(
    ("film", "error", "text"),
    [
        (np.zeros((4, 4)), ValueError, "float64"),
        (np.zeros((2, 3, 4, 4), np.uint8), ValueError, r"\[3, 4, 4\]"),
        (np.zeros((5, 4, 3), np.uint8), ValueError, "colour picture"),
        ([np.zeros((5, 6, 4), np.uint8)], ValueError, "colour picture"),
        ([7], TypeError, "int is unknown"),
        (7, TypeError, "int are unknown"),
        ("absent.png", roentgen.FilmError, "absent.png"),
    ],
)
def test_a_value_that_does_not_hold_a_film_is_refused(model, film, error, text):
    with pytest.raises(error, match=text):
        model.predict(film)


def test_an_unknown_name_is_answered_with_those_that_exist(place):
    with pytest.raises(ValueError, match="youden"):
        roentgen.load(place.run, operating_point="best")
    with pytest.raises(ValueError, match="auto, burn or onnx"):
        roentgen.load(place.run, engine="torch")
    with pytest.raises(roentgen.RoentgenError, match="no calibration by `isotonic`"):
        roentgen.load(place.run, calibration="isotonic")
    with pytest.raises(roentgen.RoentgenError, match="absent"):
        roentgen.load(place.folder / "absent")


def test_predictions_have_names_and_arrays_computed_from_them_do_not(place, model):
    found = model.predict(place.paths[:5])

    assert isinstance(found, np.ndarray) and found.findings == model.findings
    for plain in (found[1:], found.mean(axis=0), found > 0.5, np.concatenate([found, found])):
        assert type(plain) is not roentgen.Predictions
    with pytest.raises(KeyError, match="Hernia"):
        found["Hernia"]
    for same in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert same.findings == found.findings and (same == found).all()
    frame = found.to_pandas(calibrated=True, calls=True)
    assert frame.shape == (5, 9) and list(frame.index) == list(found.films)
    assert (frame["Effusion"].to_numpy() == found["Effusion"]).all()
    assert set(frame["Infiltration.call"]) <= {0.0, 1.0}
    saved = io.BytesIO()
    np.save(saved, found)


def test_films_with_the_same_name_keep_their_own_calls_in_a_data_frame(place, model):
    x, y = place.paths[:2]
    found = model.predict([x, x, y])

    frame = found.to_pandas(calibrated=True, calls=True)
    assert list(frame.index) == [str(x), str(x), str(y)]
    for number, finding in enumerate(found.findings):
        for column, values in [("call", found.calls), ("calibrated", found.calibrated)]:
            of_frame = frame[f"{finding}.{column}"].to_numpy()
            assert np.array_equal(of_frame, values[:, number], equal_nan=True)


def test_films_of_a_memory_map_are_numbered(place, model):
    images = roentgen.Prepared(place.prepared).images[:3]

    assert model.predict(images).films == ("film 0", "film 1", "film 2")


def test_methods_that_change_the_shape_or_type_return_plain_arrays(place, model):
    found = model.predict(place.paths[:5])
    expected = np.array(found)

    computed = {
        "T": (found.T, expected.T),
        "astype": (found.astype("f4"), expected.astype("f4")),
        "reshape": (found.reshape(3, 5), expected.reshape(3, 5)),
        "ravel": (found.ravel(), expected.ravel()),
        "flatten": (found.flatten("F"), expected.flatten("F")),
        "take": (found.take([1, 3], axis=0), expected.take([1, 3], axis=0)),
        "transpose": (found.transpose(1, 0), expected.transpose(1, 0)),
        "view": (found.view(), expected),
        "view of a type": (found.view(np.int64), expected.view(np.int64)),
        "argsort": (found.argsort(axis=0), expected.argsort(axis=0)),
        "copy of T": (found.T.copy(), expected.T),
        "deep copy of T": (copy.deepcopy(found.T), expected.T),
    }
    for name, (array, same) in computed.items():
        assert type(array) is np.ndarray and np.array_equal(array, same), name


def test_an_unknown_value_of_refused_is_answered_with_those_that_exist(place, model):
    with pytest.raises(ValueError, match="refused=`Raise` is unknown; give one of `raise`, `nan`"):
        model.predict(place.paths[0], refused="Raise")


def test_a_batch_without_films_is_refused(place, model, tmp_path):
    for batch in (0, -1):
        with pytest.raises(ValueError, match=f"batch={batch}: give at least 1"):
            model.predict(place.paths[:2], batch=batch)
        with pytest.raises(ValueError, match=f"batch={batch}: give at least 1"):
            model.explain(place.paths[:2], batch=batch)
        with pytest.raises(ValueError, match=f"batch={batch}: give at least 1"):
            model.write_scores(place.paths[:2], tmp_path / "scores.csv", batch=batch)


@pytest.mark.filterwarnings("ignore:A value of type")
def test_a_fault_of_one_value_is_the_reason_of_its_row(place, model):
    without_meta = dicom_of(place.paths[0])
    del without_meta.file_meta
    unwritable = dicom_of(place.paths[0])
    unwritable.Rows = "many"
    films = [place.paths[0], np.zeros((4, 4)), without_meta, unwritable, 7, place.paths[1]]

    found = model.predict(films, refused="nan")
    assert list(found.refused) == [1, 2, 3, 4]
    assert "float64" in found.refused[1] and "event.file_meta" in found.refused[2]
    assert "pydicom cannot write" in found.refused[3] and "int is unknown" in found.refused[4]
    assert (found[[0, 5]] == model.predict(place.paths[:2])).all()
    with pytest.raises(ValueError, match="without `file_meta`"):
        model.predict(without_meta)
    with pytest.raises(roentgen.FilmError, match="film 0: pydicom cannot write"):
        model.predict([unwritable])


def test_progress_counts_the_films_and_may_stop_by_an_exception(place, model):
    told = []
    model.predict(place.paths[:40], progress=lambda done, films: told.append((done, films)))
    assert told == [(16, 40), (32, 40), (40, 40)]

    def stop(done, films):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        model.predict(place.paths[:40], progress=stop)


def test_threads_predict_at_once_and_python_runs_meanwhile(place, model):
    expected = model.predict(place.paths[:48])
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: model.predict(place.paths[:48]), range(8)))
    assert all((one == expected).all() for one in found)

    # While another thread computes, this one counts.
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        future = threads.submit(model.predict, place.paths * 4)
        turns = 0
        while not future.done():
            turns += 1
    assert turns > 1000


def test_a_thousand_predictions_leak_no_memory(place, model):
    film = gray(place.paths[0])

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20

    for _ in range(100):
        model.predict(film)
    before = resident()
    for _ in range(1000):
        model.predict(film)
    grown = resident() - before
    print(f"{before:.1f} MiB, then {grown:+.1f} MiB")
    assert grown < 8
