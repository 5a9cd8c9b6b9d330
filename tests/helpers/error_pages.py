"""The errors as a page of the reference: what the docstring of each class says, as Markdown.

A docstring of an error has these parts: the cause ("Raised when ..."), perhaps its attributes and an example of its
use, `Message:` with an example of its text, and `Remedy:`.

`from helpers.error_pages import errors_text, part_of`.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click
from click.testing import CliRunner

from xpm_cli.app import Program
from xpm_core import errors
from xpm_core.errors import XpmError

WIDTH = 120


def classes() -> list[type[XpmError]]:
    """All error classes, each below the one that it derives from, in the order of the drawn tree."""
    names = re.findall(r"^ {4,}([A-Z]\w+)(?=  |$)", errors.__doc__ or "", re.MULTILINE)
    return [getattr(errors, name) for name in names]


def part_of(cls: type[XpmError], name: str) -> str:
    """A part of the docstring of an error class, `Message` or `Remedy`, in one line; empty if it has none."""
    text = inspect.getdoc(cls) or ""
    found = re.search(rf"^{name}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def errors_text() -> str:
    """All errors, each with its cause, an example of its message, and the remedy."""
    return "\n\n".join(part for cls in classes() for part in _error(cls))


def _error(cls: type[XpmError]) -> Iterator[str]:
    yield f"### {cls.__name__}"
    cause = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    yield _filled(" ".join([cause, *_kinds(cls)]))
    if message := part_of(cls, "Message"):
        yield textwrap.indent(_filled(message, 110), " " * 4)
    yield _filled(f"*Remedy:* {part_of(cls, 'Remedy')}")


def _kinds(cls: type[XpmError]) -> Iterator[str]:
    """What else an error is, and how it ends `xpm`."""
    parents = [base for base in cls.__bases__ if base not in (XpmError, errors.ShapedError, Exception)]
    if parents:
        yield f"It is {' and '.join(_article(base.__name__) for base in parents)}."
    if _exit_code(cls) != _exit_code(XpmError):
        yield f"The program `xpm` ends with exit code {_exit_code(cls)}."


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} `{name}`"


def _exit_code(cls: type[XpmError]) -> int:
    """The exit code of `xpm` when a command raises an error of this class."""
    sample = type("Sample", (cls,), {"__init__": lambda _: None, "__str__": lambda _: "an error"})

    @click.command("raise")
    def fail() -> None:
        raise sample()

    return CliRunner().invoke(Program("xpm", commands={"raise": fail}), ["raise"]).exit_code


def _filled(text: str, width: int = WIDTH) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
