"""Prepared data sets as NumPy arrays, without copies."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from . import _native
from ._argument import check_name
from ._errors import RoentgenError
from ._model import warn_of

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

Split = Literal["train", "valid", "test"]
Rule = Literal["official", "by-patient", "by-image"]


def phantom(
    out: str | os.PathLike[str], *, films: int, size: int = 256, seed: int = 2018
) -> tuple[int, int]:
    """Draws synthetic chest films in the NIH layout into a new folder, to try things out.

    Returns the numbers of films and of patients, who do not exist.
    """
    return _native.phantom(out, films, size, seed)


def prepare(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    size: int = 224,
    filter: Literal["lanczos3", "bilinear", "box"] = "lanczos3",
    labels: str | os.PathLike[str] | None = None,
    any_size: bool = False,
    progress: Callable[[str, int, int], object] | None = None,
) -> Prepared:
    """Checks, decodes, resizes and packs a data set in the NIH layout, once.

    Warns of films that were left out; ``bad-films.csv`` in ``out`` lists all of them. Run it again
    to resume. ``progress`` is called, from any thread, with the name of the step and the numbers of
    films done and in all; an exception that it raises is raised at the end.
    """
    text = _native.prepare(
        source,
        out,
        size=size,
        filter=filter,
        labels=labels,
        any_size=any_size,
        progress=progress,
    )
    warn_of(json.loads(text)["bad"])
    return Prepared(out)


class Prepared:
    """A prepared data set. Opening it checks that its files are those that ``prepare`` wrote.

    Attributes
    ----------
    images : ``[films, size, size]`` of ``uint8``, mapped from ``images.safetensors``: a film is read
        from the disk when it is used, and processes share it.
    labels : ``[films, findings]`` of ``uint8``, 1 where the label file has the finding.
    findings : names of the columns of ``labels``.
    info : the content of ``prepare.toml``.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self._files = _native.PreparedFiles(folder)
        self.info: dict[str, Any] = json.loads(self._files.describe())
        names, labels = self._files.labels()
        self.findings = tuple(names)
        self.labels: npt.NDArray[np.uint8] = np.frombuffer(labels, np.uint8)
        self.labels = self.labels.reshape(-1, len(names))
        self.images = map_images(self.folder)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"<roentgen.Prepared {self.folder}: {len(self)} films of {self.size} px>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The map is opened again, so that a process gets no copy of the films.
        return Prepared, (self.folder,)

    @property
    def size(self) -> int:
        """Height and width of the films, in pixels."""
        return int(self.images.shape[1])

    def columns(self) -> dict[str, list[Any]]:
        """Returns the manifest: ``image``, ``patient``, ``follow_up``, ``age``, ``sex``, ``view`` and
        ``list``, each with one value per film."""
        return self._files.columns()

    def splits(
        self, rule: Rule = "official", *, leaky: bool = False, seed: int = 2018
    ) -> list[Split | None]:
        """Returns the split of each film: ``train``, ``valid``, ``test``, or ``None``.

        The rules are those of an experiment, where ``seed`` is the seed of the run. A split that
        shares patients is refused without ``leaky``.
        """
        return self._files.splits(rule, leaky, seed)  # type: ignore[return-value]

    def rows(
        self, split: Split, rule: Rule = "official", *, leaky: bool = False, seed: int = 2018
    ) -> npt.NDArray[np.intp]:
        """Returns the numbers of the films of a split, in order."""
        check_name("split", split, ("train", "valid", "test"))
        splits = self.splits(rule, leaky=leaky, seed=seed)
        return np.array([row for row, of in enumerate(splits) if of == split], np.intp)

    def to_pandas(self) -> pd.DataFrame:
        """Returns the manifest and the labels as a data frame with a row per film. Needs pandas."""
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]

        labels = pd.DataFrame(self.labels, columns=list(self.findings))
        return pd.DataFrame(self.columns()).join(labels)


def map_images(folder: str) -> npt.NDArray[np.uint8]:
    """Maps the films of a prepared data set into memory, for reading."""
    path = os.path.join(folder, "images.safetensors")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    images = header["images"]
    if images["dtype"] != "U8":
        raise RoentgenError(f"`{path}` has films of {images['dtype']}, not U8")
    offset = 8 + length + images["data_offsets"][0]
    return np.memmap(path, np.uint8, mode="r", offset=offset, shape=tuple(images["shape"]))
