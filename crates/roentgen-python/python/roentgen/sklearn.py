"""A model where scikit-learn's tools expect a fitted classifier of several labels."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._films import FilmLike
from ._model import Model, load


class FilmClassifier:
    """Predicts films as a fitted multi-label classifier does.

    ``X`` is what ``Model.predict`` takes: a list of paths, or an array ``[films, height, width]``.
    scikit-learn itself is not needed.
    """

    def __init__(self, model: str | os.PathLike[str] | Model, *, batch: int = 16) -> None:
        self.model = model
        self.batch = batch
        self._loaded = model if isinstance(model, Model) else load(model)
        self.classes_ = np.array(self._loaded.findings)

    def fit(self, X: object = None, y: object = None) -> FilmClassifier:
        """Does nothing, because the model is trained; returns itself."""
        return self

    def predict_proba(self, X: FilmLike | Iterable[FilmLike]) -> npt.NDArray[np.float64]:
        """Returns probabilities, ``[films, findings]``."""
        predictions = self._loaded.predict(X, batch=self.batch)
        return np.asarray(predictions).view(np.ndarray)

    def predict(self, X: FilmLike | Iterable[FilmLike]) -> npt.NDArray[np.int8]:
        """Returns calls, 0 and 1, ``[films, findings]``, by the model's thresholds.

        A finding without a threshold is called from a probability of 0.5 on.
        """
        predictions = self._loaded.predict(X, batch=self.batch)
        probabilities = predictions.view(np.ndarray)
        by_half = (probabilities >= 0.5).astype(float)
        calls = np.where(np.isnan(predictions.calls), by_half, predictions.calls)
        return calls.astype(np.int8)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"model": self.model, "batch": self.batch}

    def set_params(self, **params: Any) -> FilmClassifier:
        """Sets arguments of the constructor; returns itself."""
        self.__init__(**{**self.get_params(), **params})  # type: ignore[misc]
        return self
