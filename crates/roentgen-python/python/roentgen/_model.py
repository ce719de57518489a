"""Loads models and predicts films."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._argument import check_batch, check_name
from ._errors import BadFilmsWarning, FilmError, RoentgenError
from ._explanation import Explanation
from ._films import FilmLike, Source, listed, source
from ._predictions import Predictions

Progress = Callable[[int, int], object]


def load(
    path: str | os.PathLike[str],
    *,
    engine: Literal["auto", "burn", "onnx"] = "auto",
    operating_point: str = "youden",
    calibration: Literal["platt", "temperature", "isotonic"] | None = None,
    gate: Literal["refuse", "fix", "off"] = "refuse",
    device: str = "auto",
) -> Model:
    """Loads a model from a run directory, another folder with ``model.toml``, or a bundle.

    Parameters
    ----------
    engine : ``auto`` is Burn, which is built in; ``onnx`` needs ONNX Runtime (``pip install
        onnxruntime``).
    operating_point : of the calls: ``youden``, ``max-f1``, ``sensitivity-0.90``,
        ``sensitivity-0.95`` or ``specificity-0.90``.
    calibration : method of the calibrated probabilities, which the model must then have; by default
        Platt scaling, if the model has it.
    gate : what happens to films that do not look like upright frontal chest films: they are refused,
        turned or inverted films are corrected, or all pass.
    device : ``auto``, ``cpu``, ``cuda[:i]``, ``vulkan[:i]`` or ``metal``, if the package was built
        for it.

    Raises ``RoentgenError`` if the model cannot be loaded.
    """
    return Model(
        _native.Model(
            path,
            engine=engine,
            operating_point=operating_point,
            calibration=calibration,
            gate=gate,
            device=device,
        ),
        path,
    )


class Model:
    """A loaded model; make one by ``load``. Threads may share it.

    Attributes
    ----------
    findings : names of the outputs, in order.
    size : height and width of the network's input, in pixels.
    architecture, identity, engine : as ``roentgen`` names them.
    thresholds : of the calls, by finding; empty if the model has none.
    methods : names of the methods by which it can be explained.
    """

    def __init__(self, native: _native.Model, path: str | os.PathLike[str]) -> None:
        self._native = native
        self.path = os.fspath(path)
        about: dict[str, Any] = json.loads(native.describe())
        self.findings: tuple[str, ...] = tuple(about["findings"])
        self.size: int = about["size"]
        self.channels: int = about["channels"]
        self.architecture: str = about["architecture"]
        self.identity: str = about["identity"]
        self.engine: str = about["engine"]
        self.calibration: str | None = about["calibration"]
        self.operating_point: str = about["operating_point"]
        self.thresholds: dict[str, float] = about["thresholds"]
        self.methods: tuple[str, ...] = tuple(about["methods"])
        self.trained_on: str | None = about["trained_on"]
        self._method: str = about["method"]

    def __repr__(self) -> str:
        return (
            f"<roentgen.Model {self.identity}: {self.architecture}, {self.size} px, "
            f"{len(self.findings)} findings, {self.engine}>"
        )

    def predict(
        self,
        films: FilmLike | Iterable[FilmLike],
        *,
        batch: int = 16,
        refused: Literal["raise", "nan"] = "raise",
        progress: Progress | None = None,
    ) -> Predictions:
        """Predicts films: ``[films, findings]`` of ``float64``.

        The numbers are those of ``roentgen predict`` with the same ``--batch`` and engine, to the
        last bit.

        Parameters
        ----------
        films : a film or several. A film is a path, the bytes of a file, gray values
            ``[height, width]`` of ``uint8`` with bones white, or a ``pydicom.Dataset``; an array
            ``[films, height, width]`` is several films, and a folder is the films below it.
        batch : films that pass the network together.
        refused : what happens if a film cannot be read or the gate refuses it: ``raise`` a
            ``FilmError``, or make its row NaN, with the reason in ``predictions.refused``.
        progress : called with the numbers of films done and in all.
        """
        check_name("refused", refused, ("raise", "nan"))
        names, found = listed(films)
        shape = (len(found), len(self.findings))
        columns = [np.full(shape, np.nan) for _ in range(3)]
        reasons: dict[int, str] = {}
        corrected: dict[int, str] = {}
        for rows in _batches(len(found), batch):
            good: list[_native.Film] = []
            kept: list[int] = []
            for row, film in zip(rows, self._read(names, found, rows)):
                if isinstance(film, Exception):
                    if refused == "raise":
                        raise film
                    reasons[row] = film.reason if isinstance(film, FilmError) else str(film)
                    continue
                if film.correction is not None:
                    corrected[row] = film.correction
                good.append(film)
                kept.append(row)
            if good:
                for column, values in zip(columns, self._native.predict(good)):
                    column[kept] = np.frombuffer(values).reshape(len(good), shape[1])
            if progress is not None:
                progress(rows[-1] + 1, len(found))
        return Predictions(
            columns[0],
            findings=self.findings,
            films=names,
            calibrated=columns[1],
            calls=columns[2],
            thresholds=self.thresholds,
            refused=reasons,
            corrected=corrected,
        )

    def explain(
        self,
        films: FilmLike | Iterable[FilmLike],
        findings: str | Sequence[str] | None = None,
        *,
        method: str | None = None,
        batch: int = 16,
    ) -> list[Explanation]:
        """Computes heat maps of films, one ``Explanation`` for each.

        Parameters
        ----------
        films : as of ``predict``.
        findings : what to explain; by default the findings that the model calls, or the most
            probable one if it calls none.
        method : one of ``methods``; by default the attention mask if the model has one, otherwise
            Grad-CAM.

        Raises ``FilmError`` for a film that cannot be read or that the gate refuses.
        """
        asked = [findings] if isinstance(findings, str) else findings
        if asked is not None and (unknown := set(asked) - set(self.findings)):
            raise ValueError(f"the model has no finding {', '.join(sorted(unknown))}")
        chosen = self._method if method is None else method
        names, found = listed(films)
        explained: list[Explanation] = []
        for rows in _batches(len(found), batch):
            good: list[_native.Film] = []
            for film in self._read(names, found, rows):
                if isinstance(film, Exception):
                    raise film
                good.append(film)
            probabilities, _, calls = (
                np.frombuffer(values).reshape(len(good), len(self.findings))
                for values in self._native.predict(good)
            )
            outputs = [
                _outputs(p, c) if asked is None else [self.findings.index(one) for one in asked]
                for p, c in zip(probabilities, calls)
            ]
            wanted = [(film, output) for film, own in enumerate(outputs) for output in own]
            maps = iter(self._native.explain(good, chosen, wanted)[1])
            for row, film, own, of_film in zip(rows, good, outputs, probabilities):
                explained.append(
                    Explanation(
                        name=names[row],
                        film=np.frombuffer(film.pixels, np.uint8).reshape(film.size, film.size),
                        method=chosen,
                        probabilities=dict(zip(self.findings, of_film.tolist())),
                        maps={self.findings[output]: _map(*next(maps)) for output in own},
                        _film=film,
                    )
                )
        return explained

    def write_scores(
        self,
        inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        split: Literal["train", "valid", "test"] | None = None,
        batch: int = 16,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Predicts files, folders or prepared data sets and writes their score table, with labels
        and patients, as ``roentgen predict --out`` does.

        Returns the number of films, and the films that were left out and corrected. Warns of films
        that were left out. The engine ``auto`` is ONNX Runtime for 100 films or more, if it is found.
        """
        check_batch(batch)
        paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
        text = self._native.write_scores(paths, out, split=split, batch=batch, progress=progress)
        done: dict[str, Any] = json.loads(text)
        warn_of(done["bad"])
        return done

    def _read(
        self, names: Sequence[str], films: Sequence[Any], rows: range
    ) -> list[_native.Film | Exception]:
        """Reads films on all cores; a film that cannot be used is its exception."""
        faults: dict[int, Exception] = {}
        sources: list[Source] = []
        for row in rows:
            try:
                sources.append(source(films[row]))
            except (TypeError, ValueError) as fault:
                faults[row] = fault
            except RoentgenError as fault:
                faults[row] = FilmError(names[row], str(fault))
        read = iter(self._native.read(sources))
        return [faults[row] if row in faults else _or_fault(names[row], next(read)) for row in rows]


def warn_of(bad: Sequence[dict[str, str]]) -> None:
    """Warns of films that were left out."""
    if bad:
        first = bad[0]
        warnings.warn(
            f"{len(bad)} films were left out; the first is {first['image']}: {first['reason']}",
            BadFilmsWarning,
            stacklevel=3,
        )


def _batches(films: int, batch: int) -> list[range]:
    check_batch(batch)
    return [range(first, min(first + batch, films)) for first in range(0, films, batch)]


def _or_fault(name: str, film: _native.Film | str) -> _native.Film | Exception:
    return FilmError(name, film) if isinstance(film, str) else film


def _outputs(
    probabilities: npt.NDArray[np.float64], calls: npt.NDArray[np.float64]
) -> list[int]:
    called: list[int] = np.flatnonzero(calls == 1).tolist()
    return called or [int(np.argmax(probabilities))]


def _map(height: int, width: int, values: bytearray) -> npt.NDArray[np.float32]:
    return np.frombuffer(values, np.float32).reshape(height, width)
