"""Where a model looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from . import _native


@dataclass(frozen=True, eq=False)
class Explanation:
    """The heat maps of a film.

    Attributes
    ----------
    name : name of the film.
    film : the film as the network sees it, ``[size, size]`` of ``uint8``.
    method : ``attention``, ``cam``, ``grad-cam``, ``grad-cam++`` or ``occlusion``.
    probabilities : the probability of each finding.
    maps : the map of each explained finding, ``[h, w]`` of ``float32``, smaller than the film: in
        0..1 for an attention mask, which is one for all findings, otherwise in units of the logit.
    """

    name: str
    film: npt.NDArray[np.uint8]
    method: str
    probabilities: Mapping[str, float]
    maps: Mapping[str, npt.NDArray[np.float32]]
    _film: _native.Film = field(repr=False)

    def overlay(self, finding: str | None = None) -> npt.NDArray[np.uint8]:
        """Draws the map of a finding over the film: ``[size, size, 3]`` of ``uint8``.

        The finding can be left out if a single one was explained. The colours of a map are from 0 to
        its highest value, so brightness cannot be compared between films.
        """
        if finding is None:
            if len(self.maps) != 1:
                raise ValueError(f"name one of the explained findings: {', '.join(self.maps)}")
            finding = next(iter(self.maps))
        if finding not in self.maps:
            raise KeyError(f"`{finding}` was not explained: {', '.join(self.maps)}")
        heat = self.maps[finding]
        height, width = heat.shape
        pixels = _native.overlay(self._film, height, width, heat.ravel().tolist(), self.method)
        return np.frombuffer(pixels, np.uint8).reshape(*self.film.shape, 3)
