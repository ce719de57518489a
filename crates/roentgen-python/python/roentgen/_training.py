"""Trains models."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import _native

Event = Literal["started", "features", "step", "validated", "epoch"]


@dataclass(frozen=True)
class TrainEvent:
    """What happened in a run.

    ``kind`` and ``values``: ``started`` (``epochs``, ``steps`` of an epoch, ``train_films``,
    ``valid_films``, ``parameters``), ``step`` (``epoch``, ``step``, ``loss``), ``validated``
    (``epoch``, ``done`` films), ``epoch`` (the columns of ``epochs.csv``, such as ``valid_auroc``),
    and ``features`` (``done`` and ``films``) while a frozen backbone computes its features.
    """

    kind: Event
    values: Mapping[str, Any]


@dataclass(frozen=True)
class TrainOutcome:
    """How a run ended.

    ``run`` is its folder, which ``load`` opens. ``best`` is the best epoch, with the columns of
    ``epochs.csv``, or ``None`` if the run was stopped.
    """

    run: str
    best: Mapping[str, Any] | None

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or nothing improved for long enough."""
        return self.best is not None


def train(
    experiment: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | Sequence[str] = (),
    resume: bool = False,
    ignore_memory: bool = False,
    device: str = "auto",
    progress: Callable[[TrainEvent], object] | None = None,
) -> TrainOutcome:
    """Runs an experiment file into a run directory, as ``roentgen train`` does, with the same weights.

    Parameters
    ----------
    settings : values of keys that replace those of the file, such as ``{"train.epochs": 5}``, or
        texts as ``--set`` has them.
    resume : whether to resume a run that was stopped.
    ignore_memory : whether to start a run that is estimated to need more memory than there is.
    progress : called with each ``TrainEvent``. If it returns ``False`` or raises an exception, the
        run is saved after the current step; ``resume=True`` continues it. The exception is raised
        again. Ctrl-C does the same.

    Raises ``RoentgenError`` if the run cannot start or continue.
    """
    watch = None
    if progress is not None:
        told = progress

        def watch(kind: Event, values: str) -> object:
            return told(TrainEvent(kind, json.loads(values)))

    if isinstance(settings, Mapping):
        settings = [f"{key}={_toml(value)}" for key, value in settings.items()]
    best = _native.train(
        experiment,
        out,
        settings=list(settings),
        resume=resume,
        ignore_memory=ignore_memory,
        device=device,
        progress=watch,  # type: ignore[arg-type]
    )
    return TrainOutcome(os.fspath(out), None if best is None else json.loads(best))


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # Texts, numbers and truth values are written alike in JSON and TOML.
    return json.dumps(os.fspath(value) if isinstance(value, os.PathLike) else value)
