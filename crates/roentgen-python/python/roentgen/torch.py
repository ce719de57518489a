"""Prepared data sets and models for PyTorch, which this module needs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ._model import Model, load
from ._prepared import Prepared, Rule, Split


class FilmDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """The films of a split as pairs of a film and its labels.

    A film is ``[1, size, size]`` of ``float32`` in 0..1, or what ``transform`` makes of it; labels
    are ``[findings]`` of ``float32``, 0 and 1. The films are mapped from the file, so the workers of
    a ``DataLoader`` share them.
    """

    def __init__(
        self,
        prepared: Prepared | str | os.PathLike[str],
        split: Split | None = None,
        *,
        rule: Rule = "official",
        leaky: bool = False,
        seed: int = 2018,
        findings: Sequence[str] | None = None,
        transform: Callable[[torch.Tensor], Any] | None = None,
    ) -> None:
        self.prepared = prepared if isinstance(prepared, Prepared) else Prepared(prepared)
        self.findings = tuple(self.prepared.findings if findings is None else findings)
        unknown = set(self.findings) - set(self.prepared.findings)
        if unknown:
            raise ValueError(f"the data set has no finding {', '.join(sorted(unknown))}")
        if split is None:
            self.rows = np.arange(len(self.prepared))
        else:
            self.rows = self.prepared.rows(split, rule, leaky=leaky, seed=seed)
        columns = [self.prepared.findings.index(finding) for finding in self.findings]
        labels = self.prepared.labels[self.rows][:, columns]
        self.labels = torch.from_numpy(labels.astype(np.float32))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, torch.Tensor]:
        # One copy, which leaves the map: the tensor may be changed.
        film = torch.from_numpy(self.prepared.images[self.rows[index]].astype(np.float32))
        film = film.div_(255.0).unsqueeze_(0)
        return (film if self.transform is None else self.transform(film)), self.labels[index]


class XrvModel(torch.nn.Module):
    """A model where torchxrayvision's were: ``forward`` takes ``[films, 1, height, width]`` in
    -1024..1024 and returns probabilities ``[films, findings]`` in the order of ``pathologies``.

    It passes no gradients, and computes on its own device whatever the device of its input is. Films
    are rounded to 256 gray values and resized to the model's size.
    """

    def __init__(self, model: Model | str | os.PathLike[str]) -> None:
        super().__init__()
        # The pictures are cut and normalized already, so the gate is left out.
        self.model = model if isinstance(model, Model) else load(model, gate="off")
        self.pathologies = list(self.model.findings)
        self.targets = self.pathologies

    def forward(self, films: torch.Tensor) -> torch.Tensor:
        """Predicts films; see the class."""
        if films.ndim != 4 or films.shape[1] != 1:
            raise ValueError(
                f"films are [films, 1, height, width], but these are {list(films.shape)}"
            )
        if not torch.isfinite(films).all():
            raise ValueError("films are in -1024..1024, but these have values that are not finite")
        low, high = films.min().item(), films.max().item()
        if low < -1024.5 or high > 1024.5:
            raise ValueError(f"films are in -1024..1024, but these are in {low:.1f}..{high:.1f}")
        if low >= 0 and high <= 255:
            warnings.warn(
                f"films are in -1024..1024, but these are in {low:g}..{high:g}, which is the scale of "
                f"films in {'0..1' if high <= 1 else '0..255'}",
                stacklevel=2,
            )
        gray = ((films.detach().cpu().double() / 1024 + 1) * 127.5).round().clamp(0, 255)
        arrays = gray.to(torch.uint8)[:, 0].numpy()
        predictions = self.model.predict(arrays, batch=max(1, len(arrays)))
        probabilities = torch.from_numpy(np.array(predictions.view(np.ndarray), np.float32))
        return probabilities.to(films.device)
