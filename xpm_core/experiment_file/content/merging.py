"""An experiment's YAML file, merged with the files that its `base` names. Each value keeps its own line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content import keys
from xpm_core.experiment_file.content.grid_forms import is_grid
from xpm_core.language.dict_form import yaml_files
from xpm_core.language.dict_form.class_names import CLASS
from xpm_core.language.dict_form.dict_reader import SourceLines
from xpm_core.tracebacks.callsite import CodeLine, format_line

BASE = "base"


class FileLines(SourceLines):
    """The lines of values that come from several files."""

    def __init__(self, default: CodeLine) -> None:
        super().__init__(default)
        self._places: dict[Any, CodeLine] = {}
        self._kept: list[Any] = []

    def add(self, values: Any, lines: SourceLines, place: CodeLine | None = None) -> None:
        """Take over the lines of one file.

        Args:
            values: Its content. It is kept, so that no other object gets an `id` of it.
            lines: Its lines.
            place: The line of all of it, if it has no lines of its own.
        """
        self._kept.append(values)
        self._places.update((key, place or (lines.file, line)) for key, line in lines.lines.items())

    def put(self, container: Any, key: Any, place: CodeLine) -> None:
        """Set the line of an entry; of the container itself if the key is None."""
        self._kept.append(container)
        self._places[id(container), key] = place

    def place(self, container: Any, key: Any = None) -> CodeLine:
        """The line of a dict or list, or of one of its entries."""
        return self._places.get((id(container), key)) or self._places.get((id(container), None)) or self.default


class Document(NamedTuple):
    """A file, merged with those below it.

    Attributes:
        values: Its content, without `base`.
        lines: The lines of all values.
    """

    values: dict[str, Any]
    lines: FileLines

    def at(self, *path: Any) -> str:
        """The line of a value, as messages write it; the line around it, if it is not there."""
        return format_line(self.place(*path))

    def place(self, *path: Any) -> CodeLine:
        """The line of a value, or the nearest one around it."""
        container: Any = self.values
        found = self.lines.place(container)
        for key in path:
            if not isinstance(container, dict) or key not in container:
                break
            found, container = self.lines.place(container, key), container[key]
        return found


def read(file: Path) -> Document:
    """Read a file, and all that its `base` names.

    Where several give a value, the file's own counts, then that of the last base, and so on. Dicts are merged entry by
    entry. All other values, also lists and grids, replace each other as a whole. So does a dict that names another
    `class`.

    Raises:
        YamlError: A file cannot be read, or is no YAML.
        ExperimentFileError: A file has an unknown key, or is a base of itself.
    """
    file = Path(os.path.abspath(Path(file).expanduser()))
    lines = FileLines((str(file), 1))
    return Document(_read(file, lines, ()), lines)


def _read(file: Path, lines: FileLines, above: Sequence[Path]) -> dict[str, Any]:
    values, own = yaml_files.read(file)
    values = {} if values is None else values
    if not isinstance(values, dict):
        wrong = f"expected a dict of {', '.join(list(keys.KEYS)[:3])}, ..., got {values!r} ({type(values).__name__})"
        raise ExperimentFileError(format_line((str(file), 1)), wrong, "Write keys and values.")
    lines.add(values, own)
    keys.check(values, lines)
    merged: dict[str, Any] = {}
    for base, place in _bases(values, file, lines):
        if base in (*above, file):
            circle = " → ".join(each.name for each in (*above, file, base))
            raise ExperimentFileError(format_line(place), f"it is a base of itself ({circle})", "Break the circle.")
        merged = merge(merged, _read(base, lines, (*above, file)), lines)
    merged = merge(merged, values, lines)
    merged.pop(BASE, None)
    return merged


def _bases(values: dict[str, Any], file: Path, lines: FileLines) -> list[tuple[Path, CodeLine]]:
    """The files that a file names as its bases, each with the line that does."""
    given = values.get(BASE, [])
    named = given if isinstance(given, list) else [given]
    found = []
    for index, name in enumerate(named):
        place = lines.place(given, index) if isinstance(given, list) else lines.place(values, BASE)
        if not isinstance(name, str):
            wrong = f"{BASE}: expected the path of a YAML file, or a list of them, got {name!r} ({type(name).__name__})"
            raise ExperimentFileError(format_line(place), wrong, f"Write {BASE}: common.yaml.")
        path = Path(os.path.abspath(Path(file.parent, Path(name).expanduser())))
        if not path.is_file():
            here = sorted(each.name for each in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
            near = get_close_matches(path.name, here, 1, 0.5)
            remedy = f"Did you mean {near[0]!r}?" if near else "Name a YAML file, relative to this one."
            raise ExperimentFileError(format_line(place), f"{BASE}: there is no file {name}", remedy)
        found.append((path, place))
    return found


def merge(lower: dict[str, Any], upper: dict[str, Any], lines: FileLines) -> dict[str, Any]:
    """Two dicts as one. Where both have an entry, that of the upper one counts.

    Args:
        lower: The values of a base.
        upper: The values that go before them.
        lines: The lines of both; those of the result are added.
    """
    merged: dict[str, Any] = {}
    lines.put(merged, None, lines.place(upper))
    for key in (*lower, *(key for key in upper if key not in lower)):
        source = upper if key in upper else lower
        merged[key] = source[key]
        if key in lower and key in upper and _joins(lower[key], upper[key]):
            merged[key] = merge(lower[key], upper[key], lines)
        lines.put(merged, key, lines.place(source, key))
    return merged


def _joins(lower: Any, upper: Any) -> bool:
    """Whether two values are merged, and not replaced: dicts that are no grids, and name no other class."""
    if not (isinstance(lower, dict) and isinstance(upper, dict)) or is_grid(lower) or is_grid(upper):
        return False
    return CLASS not in upper or lower.get(CLASS, upper[CLASS]) == upper[CLASS]
