"""The project itself, for the tests of style and documents: its files, and the programs that it installs.

`from helpers.project_files import PACKAGES, python_files, program`.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("xpm_core", "xpm_worker", "xpm_cli")
PROGRAMS = {"xpm": "xpm_cli:main", "xpm-worker": "xpm_worker.cli:main"}

PROGRAM_NAME = re.compile(r"(?<![\w./@:-])(xpm-worker|xpm)(?= +[a-z-])")
END_OF_COMMAND = re.compile(r"[\n\"'`;,()·|]|\. |\.$")


def files(suffix: str, *tops: str) -> list[Path]:
    """All files with that suffix below the named folders of the project, in order."""
    return sorted(path for top in tops for path in (ROOT / top).rglob(f"*{suffix}") if "__pycache__" not in path.parts)


def python_files(*tops: str) -> list[Path]:
    """The Python files below the named folders; of the three packages when none is named."""
    return files(".py", *(tops or PACKAGES))


def modules() -> list[str]:
    """The names of all modules of the three packages."""
    dotted = (path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in python_files())
    return [name.removesuffix(".__init__") for name in dotted]


def place(path: Path, line: int | None = None) -> str:
    """A file of the project as messages name it: `xpm_core/states.py:12`."""
    where = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    return where if line is None else f"{where}:{line}"


def require(found: object, what: str) -> None:
    """Skip a test for want of an optional program or package, and in CI let it fail.

    Example:
        >>> require(shutil.which("make"), "make")
    """
    if not found:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not installed")


class Text(NamedTuple):
    """A string that stands in the code."""

    line: int
    value: str


def strings(source: str) -> Iterator[Text]:
    """The strings of a Python source, without docstrings; what an f-string fills in reads `…`."""
    nodes = list(ast.walk(ast.parse(source)))
    others = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    others |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield Text(node.lineno, "".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in others:
            yield Text(node.lineno, node.value)


@cache
def program(name: str) -> click.Command:
    """The click command behind an installed program, `xpm` or `xpm-worker`."""
    module, attribute = PROGRAMS[name].split(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command), f"{PROGRAMS[name]} is no click command"
    return command


def command_lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """The command lines of xpm that a text names: the program and its words.

    Example:
        >>> list(command_lines("See it: xpm show 3f2a91c --debug."))
        [('xpm', ['show', '3f2a91c', '--debug'])]
    """
    for match in PROGRAM_NAME.finditer(text):
        rest = PROGRAM_NAME.split(text[match.end() :])[0]
        words = (word.rstrip("…") for word in END_OF_COMMAND.split(rest)[0].rstrip(".:").split())
        yield match[1], [word for word in words if word]


def command_problem(name: str, words: list[str]) -> str | None:
    """What is wrong with a command line that a text names; None when such a command and its options exist."""
    command = program(name)
    for word in words:
        if word.startswith("-"):
            option = word.split("=")[0]
            if option not in {known for parameter in command.params for known in parameter.opts} | {"--help", "-h"}:
                return f"{' '.join([name, *words])}: {command.name} has no option {option}"
        elif isinstance(command, click.Group) and not word.startswith("["):  # else it is a place for words
            found = command.get_command(click.Context(command), word)
            if found is None:
                return f"{' '.join([name, *words])}: {name} has no command {word!r}"
            command = found
    return None
