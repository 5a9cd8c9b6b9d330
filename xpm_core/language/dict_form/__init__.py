"""Configurations as plain values and back: `Learn.from_dict(...)`, `learn.to_dict()`, `Learn.from_yaml(...)`.

Plain values are those of JSON and YAML: dicts, lists, texts, numbers, bools, None. The parameters say what type they
stand for. The entry `class` of a dict names a class if there are several. A dict has the names of the parameters and no
other form of its own. May import every room of the language.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, Any, TypeVar

from xpm_core.errors import NestingError
from xpm_core.language.dict_form.dict_reader import DictReader, SourceLines
from xpm_core.language.dict_form.dict_writer import DictWriter
from xpm_core.language.graph.state import state_of
from xpm_core.language.values.decoding import too_deep
from xpm_core.tracebacks.callsite import caller, format_line

__all__ = ["from_dict", "from_yaml", "to_dict"]

C = TypeVar("C")


def from_dict(cls: type[C], values: Mapping[str, Any]) -> C:
    """Make a configuration from plain values, or from values that OmegaConf loaded; see `Config.from_dict`."""
    return read(cls, values, SourceLines(caller()))


def read(cls: type[C], values: Any, lines: SourceLines) -> C:
    try:
        return DictReader(lines).configuration(cls, values, cls.__name__)  # type: ignore[no-any-return]
    except RecursionError:
        place = format_line(lines.place(values))
        raise NestingError(cls.__name__, f"its values are {too_deep()}", "Flatten them.", place) from None


def from_yaml(cls: type[C], file: str | os.PathLike[str] | IO[str]) -> C:
    """Make a configuration from a YAML file; see `Config.from_yaml`."""
    from xpm_core.language.dict_form import yaml_files  # late, because most scripts read no YAML

    values, lines = yaml_files.read(file)
    return read(cls, values, lines)


def to_dict(config: Any) -> dict[str, Any]:
    """The plain values of a configuration; see `Config.to_dict`."""
    try:
        return DictWriter().configuration(config, type(config).__name__)
    except RecursionError:
        where, made = type(config).__name__, state_of(config).created
        raise NestingError(where, f"its values are {too_deep()}", "Flatten them.", made) from None
