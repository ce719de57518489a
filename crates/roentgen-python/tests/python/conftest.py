"""A trained model and films, made once by the package itself."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass

import pytest

import roentgen

EXPERIMENT = """
seed = 3
findings = ["Cardiomegaly", "Effusion", "Infiltration"]

[data]
prepared = "{prepared}"

[model]
architecture = "mobilenet"
width = 0.125
pool = "attention"

[train]
epochs = 1
batch_size = 16
"""


@dataclass(frozen=True)
class Place:
    folder: pathlib.Path

    @property
    def films(self) -> pathlib.Path:
        return self.folder / "films"

    @property
    def prepared(self) -> pathlib.Path:
        return self.folder / "prepared"

    @property
    def experiment(self) -> pathlib.Path:
        return self.folder / "experiment.toml"

    @property
    def run(self) -> pathlib.Path:
        return self.folder / "run"

    @property
    def some(self) -> pathlib.Path:
        """One of the twelve folders of films."""
        return self.films / "images_003"

    @property
    def paths(self) -> list[pathlib.Path]:
        return sorted(self.some.rglob("*.png"))


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("place"))
    roentgen.phantom(place.films, films=700, size=80, seed=4)
    roentgen.prepare(place.films, place.prepared, size=64)
    place.experiment.write_text(EXPERIMENT.format(prepared=place.prepared))
    outcome = roentgen.train(place.experiment, place.run)
    assert outcome.finished
    return place


@pytest.fixture(scope="session")
def model(place: Place) -> roentgen.Model:
    return roentgen.load(place.run)


@pytest.fixture(scope="session")
def program() -> str:
    """The program, whose tables are compared with."""
    return os.environ["ROENTGEN_PROGRAM"]
