"""Chest X-ray films to a trained, evaluated and explained classifier.

>>> import roentgen
>>> model = roentgen.load("runs/nih")
>>> model.predict(["film.png"])["Mass"]

``load`` opens a model, ``prepare`` and ``train`` make one, ``evaluate`` computes the figures of a
score table, and ``Prepared`` is a prepared data set as NumPy arrays. ``roentgen.torch`` and
``roentgen.sklearn`` put a model where those libraries expect one of theirs. For research, not for
diagnosis.
"""

import os

# Burn restores the state of an optimizer on its default device, which would be a GPU in a build for
# GPUs, also on a machine that has none.
os.environ.setdefault("BURN_DEVICE", "flex")

from ._errors import BadFilmsWarning, FilmError, RoentgenError  # noqa: E402
from ._evaluation import evaluate
from ._explanation import Explanation
from ._films import FilmLike
from ._model import Model, load
from ._native import __version__
from ._predictions import Predictions
from ._prepared import Prepared, phantom, prepare
from ._training import TrainEvent, TrainOutcome, train

__all__ = [
    "BadFilmsWarning",
    "Explanation",
    "FilmError",
    "FilmLike",
    "Model",
    "Predictions",
    "Prepared",
    "RoentgenError",
    "TrainEvent",
    "TrainOutcome",
    "__version__",
    "evaluate",
    "load",
    "phantom",
    "prepare",
    "train",
]
