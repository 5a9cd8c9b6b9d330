"""The base of all errors, and the base of those that need only a place, a problem and a remedy."""

from __future__ import annotations


class XpmError(Exception):
    """Base of all errors of xpm. Raised when nothing more precise fits: never directly."""


class ShapedError(XpmError):
    """Base of errors that need no fields but a place, a problem and a remedy. Raised when a subclass is."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where, self.problem, self.remedy = where, problem, remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"
