"""What can go wrong between a folder and a figure; every message ends with something to try."""

from pathlib import Path


class TautError(Exception):
    """Everything that this package raises on purpose."""


class NoResults(TautError):
    """A folder that `taut run` has not written, or not finished."""


class NoSuchTable(TautError, AttributeError, KeyError):
    """A table that these results do not hold. Also an AttributeError and a KeyError, so that `hasattr` works."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the message in quotes


class NothingToCompare(TautError):
    """A comparison for which the tables hold no pair of rows."""


class NoBinary(TautError):
    """The program `taut` was not found."""


class RunFailed(TautError):
    """`taut run` ended with a code other than 0; `code`, `said` and `folder` say which, why and where."""

    def __init__(self, message: str, code: int, said: str, folder: Path) -> None:
        super().__init__(message)
        self.code, self.said, self.folder = code, said, folder
