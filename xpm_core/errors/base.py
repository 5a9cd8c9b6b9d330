"""The base of all errors, and the base of those that need only a place, a problem and a remedy."""

from __future__ import annotations


class XpmError(Exception):
    """Base of all errors of xpm. Only its subclasses are raised; each says in its docstring: Raised when ...

    Remedy:
        Catch it to catch every error of xpm. Its classes say what to do.
    """


class ShapedError(XpmError):
    """Base of errors with only a place, a problem and a remedy. Raised when a subclass is.

    Attributes:
        where: The place: a file, a class, a server.
        problem: What is wrong there.
        remedy: What to do.

    Remedy:
        The last sentence of its message says what to do.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(where, problem, remedy)
        self.where, self.problem, self.remedy = where, problem, remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.remedy}"
