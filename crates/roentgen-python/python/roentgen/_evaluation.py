"""Figures of score tables."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

from . import _native

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]


def evaluate(
    table: str | os.PathLike[str] | pd.DataFrame,
    *,
    out: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    resamples: int = 1000,
    seed: int = 2018,
) -> dict[str, Any]:
    """Computes AUROC, average precision, calibration and more of a score table, with intervals.

    Parameters
    ----------
    table : path of a score table, or a data frame with its columns: ``image``, ``patient``, and for
        each finding ``F`` the probability in ``F`` and the label in ``F.truth`` (0, 1 or empty).
    out : folder for the report (``report.html``, ``metrics.json``, pictures); by default nothing is
        written.
    model : folder of the model that predicted the table, for the report.
    resamples : of the patients, for the intervals; 0 gives none.

    Returns the content of ``metrics.json``. A figure that is undefined is ``None``.

    Raises ``RoentgenError`` if the table cannot be read or contains training films.
    """
    if isinstance(table, (str, os.PathLike)):
        return _evaluate(table, out, model, resamples, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scores.csv")
        table.to_csv(path, index="image" not in table.columns)
        return _evaluate(path, out, model, resamples, seed)


def _evaluate(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None,
    model: str | os.PathLike[str] | None,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    if out is None:
        if model is not None:
            raise ValueError("`model` is for the report; give `out` too")
        figures: dict[str, Any] = json.loads(_native.evaluate(path, resamples, seed))
        return figures
    today = datetime.date.today().isoformat()
    _native.write_report(path, out, model=model, resamples=resamples, seed=seed, date=today)
    with open(os.path.join(out, "metrics.json"), encoding="utf-8") as file:
        figures = json.load(file)
    return figures
