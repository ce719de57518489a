"""The exceptions of the package."""

from ._native import RoentgenError

__all__ = ["BadFilmsWarning", "FilmError", "RoentgenError"]


class FilmError(RoentgenError):
    """A film cannot be read, or the input gate refuses it.

    ``film`` is its name and ``reason`` the reason.
    """

    def __init__(self, film: str, reason: str) -> None:
        super().__init__(film, reason)
        self.film = film
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.film}: {self.reason}"


class BadFilmsWarning(UserWarning):
    """Films were left out of a prepared data set or of a score table."""
