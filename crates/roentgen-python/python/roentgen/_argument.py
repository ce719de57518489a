"""Checks of arguments that Python passes."""

from __future__ import annotations

from collections.abc import Sequence


def check_name(what: str, asked: object, known: Sequence[str]) -> None:
    """Refuses a name that is not one of the known ones."""
    if asked not in known:
        names = "`, `".join(known)
        raise ValueError(f"{what}=`{asked}` is unknown; give one of `{names}`")


def check_batch(batch: int) -> None:
    """Refuses a batch without films."""
    if batch < 1:
        raise ValueError(f"batch={batch}: give at least 1")
