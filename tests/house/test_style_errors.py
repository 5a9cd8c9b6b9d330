"""The house's rules for errors: one tree, named alike, and each survives pickling and copying."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from helpers.project_files import modules

from xpm_core import errors
from xpm_core.errors import XpmError

NAMED_BY_EXPERIMAESTRO = {"FailedExperiment", "GracefulTimeout", "TaskCancelled"}
"""Words of the script language that users know as they are."""

SAMPLES: dict[Any, Any] = {
    str: "word",
    int: 3,
    float: 0.5,
    bool: True,
    bytes: b"bytes",
    object: "anything",
    Any: "anything",
    Path: Path("/data"),
    Exception: ValueError("inner"),
    BaseException: ValueError("inner"),
    type: int,
}


def sample(annotation: Any) -> Any:
    """A value that an annotated parameter takes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return sample(next(option for option in arguments if option is not type(None)))
    if origin is tuple:
        return tuple(sample(argument) for argument in arguments if argument is not Ellipsis)
    if origin is not None and issubclass(origin, Mapping):
        return {sample(arguments[0]): sample(arguments[1])}
    if origin is not None and arguments:
        return [sample(arguments[0])]
    if annotation in SAMPLES:
        return SAMPLES[annotation]
    return made(annotation)


def made(cls: type) -> Any:
    """An instance of a class, made of sample values for all its parameters."""
    initializer = inspect.getattr_static(cls, "__init__")
    if not inspect.isfunction(initializer):
        return cls("a message")
    parameters = list(inspect.signature(cls).parameters.values())
    hints = get_type_hints(initializer)
    positional = [sample(hints[p.name]) for p in parameters if p.kind is not p.KEYWORD_ONLY]
    named = {p.name: sample(hints[p.name]) for p in parameters if p.kind is p.KEYWORD_ONLY}
    return cls(*positional, **named)


def exceptions() -> list[type[BaseException]]:
    """All exception classes that the three packages define."""
    found = {
        value
        for module in map(importlib.import_module, modules())
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda cls: (cls.__module__, cls.__qualname__))


ERRORS = [cls for cls in exceptions() if issubclass(cls, Exception)]


def problems(cls: type[Exception]) -> list[str]:
    """What is wrong with the place of an error class in the tree, and with its name and text."""
    found = []
    if not issubclass(cls, XpmError):
        found.append("does not derive from XpmError")
    if issubclass(cls, OSError):
        found.append("derives from OSError, which cuts its arguments to two")
    if not cls.__name__.endswith("Error") and cls.__name__ not in NAMED_BY_EXPERIMAESTRO:
        found.append("its name does not end in Error")
    if "Raised when" not in (cls.__doc__ or ""):
        found.append("its docstring does not say 'Raised when'")
    return found


def difference(error: Exception, other: Exception) -> str | None:
    """What tells an error from its copy; None when they are alike."""
    if type(other) is not type(error):
        return f"is a {type(other).__name__}"
    if str(other) != str(error):
        return f"says {str(other)!r}, not {str(error)!r}"
    if repr(other.args) != repr(error.args) or repr(vars(other)) != repr(vars(error)):
        return f"has {other.args} {vars(other)}, not {error.args} {vars(error)}"
    return None


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_error_stands_in_the_tree_and_is_named_alike(cls: type[Exception]) -> None:
    assert problems(cls) == []


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
def test_error_survives_pickling_and_copying(cls: type[Exception]) -> None:
    error = made(cls)
    assert difference(error, pickle.loads(pickle.dumps(error))) is None
    assert difference(error, copy.copy(error)) is None


@pytest.mark.parametrize("cls", [cls for cls in ERRORS if cls is not XpmError], ids=lambda cls: cls.__name__)
def test_message_is_one_quiet_sentence_after_another(cls: type[Exception]) -> None:
    text = str(made(cls))
    assert text, "an error says something"
    assert "!" not in text
    assert "please" not in text.lower()
    assert "object at 0x" not in text


def drawn_tree() -> dict[str, str]:
    """Each error class that the docstring of xpm_core.errors draws, and the one above it."""
    above: list[tuple[int, str]] = []
    found = {}
    for match in re.finditer(r"^( {4,})([A-Z]\w+)(?=  |$)", errors.__doc__ or "", re.MULTILINE):
        depth, name = len(match[1]), match[2]
        above = [(other, parent) for other, parent in above if other < depth]
        found[name] = above[-1][1] if above else ""
        above.append((depth, name))
    return found


def test_docstring_draws_the_tree_as_it_is() -> None:
    classes = [cls for cls in ERRORS if cls.__module__ == errors.__name__]
    bases = {cls.__name__: [base.__name__ for base in cls.__bases__ if issubclass(base, XpmError)] for cls in classes}
    assert drawn_tree() == {name: parents[0] if parents else "" for name, parents in bases.items()}


class Lost(OSError):
    """Names nothing and loses its fields."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port}")
        self.host, self.port = host, port


class Cut(XpmError):
    """Raised when a class keeps less than it is given."""

    def __init__(self, host: str, port: int = 0) -> None:
        super().__init__(host)
        self.port = port

    def __str__(self) -> str:
        return f"{self.args[0]}:{self.port}"


def test_rules_notice_a_wrong_class() -> None:
    assert len(problems(Lost)) == 4
    error = Cut("head", 6379)
    assert difference(error, Cut(*error.args)) is not None
