"""Probabilities of films, as an array with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

_Array = npt.NDArray[np.float64]


class Predictions(np.ndarray):  # type: ignore[type-arg,unused-ignore]
    """Probabilities, ``[films, findings]`` of ``float64``: the numbers of a score table.

    A row is NaN if its film was refused. ``predictions["Mass"]`` is the column of a finding. What is
    computed from the array, and a part of it, is a plain array.

    Attributes
    ----------
    findings : names of the columns.
    films : names of the rows.
    calibrated : calibrated probabilities, ``[films, findings]``; NaN where the model has none.
    calls : 1 and 0 for called and not called, ``[films, findings]``; NaN where the model has no
        threshold.
    thresholds : the thresholds of the calls, by finding.
    refused : the reasons of the films that were not predicted, by row.
    corrected : how films lay that were corrected, by row.
    """

    findings: tuple[str, ...]
    films: tuple[str, ...]
    calibrated: _Array
    calls: _Array
    thresholds: Mapping[str, float]
    refused: Mapping[int, str]
    corrected: Mapping[int, str]

    def __new__(
        cls,
        probabilities: _Array,
        *,
        findings: Sequence[str],
        films: Sequence[str],
        calibrated: _Array,
        calls: _Array,
        thresholds: Mapping[str, float],
        refused: Mapping[int, str],
        corrected: Mapping[int, str],
    ) -> Predictions:
        array = np.ascontiguousarray(probabilities, dtype=np.float64).view(cls)
        array.findings = tuple(findings)
        array.films = tuple(films)
        array.calibrated = calibrated
        array.calls = calls
        array.thresholds = dict(thresholds)
        array.refused = dict(refused)
        array.corrected = dict(corrected)
        return array

    def __getitem__(self, key: Any) -> Any:
        array = self.view(np.ndarray)
        if isinstance(key, str):
            if key not in self.findings:
                raise KeyError(f"`{key}` is not one of {', '.join(self.findings)}")
            return array[:, self.findings.index(key)]
        return array[key]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.get("out")
        if out is not None:
            options["out"] = tuple(_plain(array) for array in out)
        return getattr(ufunc, method)(*(_plain(array) for array in inputs), **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        plain = {name: _plain(value) for name, value in options.items()}
        return function(*(_plain(value) for value in inputs), **plain)

    @property
    def T(self) -> Any:
        """The transposed array, without the names."""
        return self.view(np.ndarray).T

    def view(self, *arguments: Any, **options: Any) -> Any:
        """As ``ndarray.view``, but a plain array: the names would not fit another type."""
        viewed = super().view(*arguments, **options)
        return np.asarray(viewed) if isinstance(viewed, Predictions) else viewed

    def copy(self, order: Any = "C") -> Predictions:
        """Returns a copy with the names."""
        return _rebuild(np.array(self, order=order), self.__dict__)

    def __copy__(self) -> Predictions:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Predictions:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.view(np.ndarray), self.__dict__)

    def to_pandas(self, *, calibrated: bool = False, calls: bool = False) -> pd.DataFrame:
        """Returns a data frame with a row per film and a column per finding.

        ``calibrated`` adds the columns ``F.calibrated``, and ``calls`` adds ``F.call``, as score
        tables name them. Needs pandas.
        """
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]

        columns = list(self.findings)
        values = [self.view(np.ndarray)]
        more = [("calibrated", self.calibrated)] if calibrated else []
        more += [("call", self.calls)] if calls else []
        for suffix, of_suffix in more:
            columns += [f"{finding}.{suffix}" for finding in self.findings]
            values.append(of_suffix)
        # By position and not joined by name: several films may have the same name.
        index = pd.Index(self.films, name="image")
        return pd.DataFrame(np.hstack(values), index=index, columns=columns)


def _plain_method(name: str) -> Any:
    def method(self: Predictions, *arguments: Any, **options: Any) -> Any:
        return getattr(self.view(np.ndarray), name)(*arguments, **options)

    method.__name__ = name
    method.__doc__ = f"As ``ndarray.{name}``, on the plain array."
    return method


# NumPy's own methods would return this class without its attributes.
for _name in (
    "argmax argmin argsort astype byteswap choose clip compress conj conjugate cumprod cumsum diagonal "
    "dot flatten ravel repeat reshape round squeeze swapaxes take transpose"
).split():
    setattr(Predictions, _name, _plain_method(_name))


def _plain(value: Any) -> Any:
    if isinstance(value, Predictions):
        return value.view(np.ndarray)
    if isinstance(value, (list, tuple)) and any(isinstance(one, Predictions) for one in value):
        return type(value)(_plain(one) for one in value)
    return value


def _rebuild(array: _Array, attributes: dict[str, Any]) -> Predictions:
    return Predictions(array, **attributes)
