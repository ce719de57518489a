"""An example for mypy, which is not run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

import roentgen
from roentgen.sklearn import FilmClassifier


def watch(event: roentgen.TrainEvent) -> bool:
    print(event.kind, event.values)
    return event.kind != "epoch" or event.values["epoch"] < 3


def study(folder: Path) -> float:
    prepared = roentgen.prepare(folder / "films", folder / "prepared", size=64)
    test: npt.NDArray[np.intp] = prepared.rows("test")
    films: npt.NDArray[np.uint8] = prepared.images[test]
    outcome: roentgen.TrainOutcome = roentgen.train(
        folder / "experiment.toml", folder / "run", settings={"train.epochs": 5}, progress=watch
    )
    model: roentgen.Model = roentgen.load(outcome.run, operating_point="max-f1")
    predictions: roentgen.Predictions = model.predict(films, refused="nan")
    names: tuple[str, ...] = predictions.findings
    overlay: npt.NDArray[np.uint8] = model.explain(films[0], names[0])[0].overlay()
    model.write_scores(prepared.folder, folder / "scores.csv", split="test")
    figures = roentgen.evaluate(folder / "scores.csv")
    door: npt.NDArray[np.float64] = FilmClassifier(model).predict_proba(films)
    print(overlay.shape, door.shape)
    mean: float = figures["mean"]["auroc"]
    return mean
