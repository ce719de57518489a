"""Films as Python has them: paths, bytes of files, arrays and data sets of pydicom."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from . import _native

FilmLike = Union[str, "os.PathLike[str]", bytes, npt.NDArray[np.uint8], Any]
"""A path of a PNG, JPEG or DICOM file, its bytes, gray values ``[height, width]`` of ``uint8`` with
bones white, or a ``pydicom.Dataset``."""

Source = Union[str, "os.PathLike[str]", bytes, tuple[bytes, int, int]]


def listed(films: FilmLike | Iterable[FilmLike]) -> tuple[list[str], list[Any]]:
    """Returns the names of films and the films; a folder is all films below it."""
    names: list[str] = []
    found: list[Any] = []
    for number, film in enumerate(_iterate(films)):
        if isinstance(film, (str, os.PathLike)):
            paths = _native.films_below(film) if os.path.isdir(film) else [film]
            if not paths:
                raise _native.RoentgenError(f"`{os.fspath(film)}` contains no films")
            names.extend(os.fspath(path) for path in paths)
            found.extend(paths)
        else:
            # Part of a memory map has the file name of the map.
            is_array = isinstance(film, np.ndarray)
            name = None if is_array else getattr(film, "filename", None)
            names.append(str(name or f"film {number}"))
            found.append(film)
    return names, found


def source(film: Any) -> Source:
    """Returns what the native part reads a film from."""
    if isinstance(film, (str, os.PathLike, bytes)):
        return film
    if isinstance(film, (bytearray, memoryview)):
        return bytes(film)
    if isinstance(film, np.ndarray):
        return _of_array(film)
    if hasattr(film, "save_as"):
        return _of_dicom(film)
    raise TypeError(
        f"a film of type {type(film).__name__} is unknown: give a path, bytes, an array "
        "[height, width] of uint8 or a pydicom.Dataset"
    )


def _iterate(films: Any) -> Iterable[Any]:
    is_one = isinstance(films, (str, os.PathLike, bytes, bytearray, memoryview))
    if is_one or hasattr(films, "save_as"):
        return [films]
    if isinstance(films, np.ndarray):
        _check_gray(films)
        return [films] if films.ndim == 2 else films
    if not isinstance(films, Iterable):
        raise TypeError(f"films of type {type(films).__name__} are unknown: give a list of films")
    return films


def _check_gray(films: npt.NDArray[Any]) -> None:
    if films.ndim == 3 and films.shape[-1] in (3, 4):
        raise ValueError(
            f"an array {list(films.shape)} looks like a colour picture, [height, width, 3 or 4]; a film "
            "is gray, [height, width]: give one channel, for example picture[..., 0]"
        )


def _of_array(film: npt.NDArray[Any]) -> tuple[bytes, int, int]:
    _check_gray(film)
    if film.ndim != 2 or film.dtype != np.uint8:
        raise ValueError(
            f"an array of a film is [height, width] of uint8, 0 black and 255 white, but this one is "
            f"{list(film.shape)} of {film.dtype}; scale it, for example by "
            "(film * 255).round().astype('uint8') from 0..1"
        )
    height, width = film.shape
    return film.tobytes(), height, width


def _of_dicom(film: Any) -> bytes:
    if getattr(film, "file_meta", None) is None:
        raise ValueError(
            "a pydicom.Dataset without `file_meta` does not say how its pixels are coded; set it, in "
            "pynetdicom by `dataset.file_meta = event.file_meta`"
        )
    # As a file, so that its header and its gray values are read as a file's are.
    file = io.BytesIO()
    try:
        try:
            film.save_as(file, enforce_file_format=True)
        except TypeError:  # pydicom 2
            film.save_as(file, write_like_original=False)
    except Exception as error:
        raise _native.RoentgenError(f"pydicom cannot write this data set: {error}") from error
    return file.getvalue()
