"""The native part of the package: plain values only. Use the package, not this module."""

from collections.abc import Callable
from os import PathLike

_Path = str | PathLike[str]
_Columns = list[bytearray]

__version__: str

class RoentgenError(Exception): ...

class Film:
    @property
    def size(self) -> int: ...
    @property
    def pixels(self) -> bytes: ...
    @property
    def correction(self) -> str | None: ...

class Model:
    def __new__(
        cls,
        path: _Path,
        *,
        engine: str,
        operating_point: str,
        calibration: str | None,
        gate: str,
        device: str,
    ) -> Model: ...
    def describe(self) -> str: ...
    def read(self, films: list[_Path | bytes | tuple[bytes, int, int]]) -> list[Film | str]: ...
    def predict(self, films: list[Film]) -> _Columns: ...
    def explain(
        self, films: list[Film], method: str, wanted: list[tuple[int, int]]
    ) -> tuple[_Columns, list[tuple[int, int, bytearray]]]: ...
    def write_scores(
        self,
        inputs: list[_Path],
        out: _Path,
        *,
        split: str | None,
        batch: int,
        progress: Callable[[int, int], object] | None,
    ) -> str: ...

class PreparedFiles:
    def __new__(cls, folder: _Path) -> PreparedFiles: ...
    def describe(self) -> str: ...
    def columns(self) -> dict[str, list[object]]: ...
    def labels(self) -> tuple[list[str], bytes]: ...
    def splits(self, rule: str, leaky: bool, seed: int) -> list[str | None]: ...

def films_below(folder: _Path) -> list[PathLike[str]]: ...
def overlay(film: Film, height: int, width: int, values: list[float], method: str) -> bytes: ...
def evaluate(table: _Path, resamples: int, seed: int) -> str: ...
def write_report(
    table: _Path, out: _Path, *, model: _Path | None, resamples: int, seed: int, date: str
) -> None: ...
def phantom(out: _Path, films: int, size: int, seed: int) -> tuple[int, int]: ...
def prepare(
    source: _Path,
    out: _Path,
    *,
    size: int,
    filter: str,
    labels: _Path | None,
    any_size: bool,
    progress: Callable[[str, int, int], object] | None,
) -> str: ...
def train(
    experiment: _Path,
    out: _Path,
    *,
    settings: list[str],
    resume: bool,
    ignore_memory: bool,
    device: str,
    progress: Callable[[str, str], object] | None,
) -> str | None: ...
