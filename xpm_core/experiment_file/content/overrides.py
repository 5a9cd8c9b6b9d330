"""Values that are given on the command line: `optimizer.lr=0.1`."""

from __future__ import annotations

import re
from typing import Any

from xpm_core.errors import ConfigurationError, ExperimentFileError
from xpm_core.experiment_file.content.grid_forms import is_grid
from xpm_core.experiment_file.content.keys import KEYS
from xpm_core.experiment_file.content.merging import Document, merge
from xpm_core.language.dict_form import yaml_files
from xpm_core.tracebacks.callsite import CodeLine

CONFIG = "config"

OPTIONS = ("workspace", "experiment", "workers")
"""Keys of a file that the command has an option for."""

_ARGUMENT = "the argument "
_FORM = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)=(.*)", re.DOTALL)


class GivenText(str):
    """A text that was given on the command line. The type of the parameter says whether it is a text or YAML.

    Attributes:
        parsed: The text read as YAML; the text itself if it is none.
    """

    parsed: Any

    def __new__(cls, text: str, parsed: Any) -> GivenText:
        found = super().__new__(cls, text)
        found.parsed = parsed
        return found


def override(document: Document, words: tuple[str, ...]) -> None:
    """Put values into a document. A later one goes before an earlier one.

    Args:
        document: The document; its values change.
        words: `NAME=VALUE`. The name is that of a parameter of the configuration, with dots for those of nested ones.

    Raises:
        ExperimentFileError: A word has another form, or a value around it is no dict.
    """
    for word in words:
        found = _FORM.fullmatch(word)
        if found is None:
            wrong = f"expected NAME=VALUE with the name of a parameter, got {word!r}"
            raise ExperimentFileError("Argument", wrong, "Write lr=0.1, or optimizer.lr=0.1.")
        _put(document, found[1].split("."), found[2], (f"{_ARGUMENT}{word}", 0))


def remedy_for(place: str) -> str | None:
    """What to write instead of an argument that names a key of the file; None if the place is no such argument."""
    name, _, value = place.removeprefix(_ARGUMENT).partition("=")
    first, _, rest = name.partition(".")
    if not place.startswith(_ARGUMENT) or first not in KEYS:
        return None
    if first == CONFIG and rest:
        return f"Write it without {CONFIG}: {rest}={value}."
    if first in OPTIONS:
        return f"Write --{first} {value}: arguments are values of the configuration."
    return f"It is a key of the file: write it there, {name}: {value}. Arguments are values of the configuration."


def _put(document: Document, names: list[str], text: str, place: CodeLine) -> None:
    container: Any = document.values
    for count, name in enumerate([CONFIG, *names[:-1]]):
        if container.get(name) is None:
            container[name] = {}
            document.lines.put(container, name, place)
        inner = container[name]
        if not isinstance(inner, dict) or is_grid(inner):
            around = ".".join(names[:count]) or CONFIG
            at = document.at(CONFIG, *names[:count])
            wrong = f"{around} is {'a grid' if is_grid(inner) else f'no dict, but {inner!r}'} ({at})"
            raise ExperimentFileError(place[0], wrong, f"Give all of it: {around}={{...}}.")
        container[name] = merge({}, inner, document.lines)  # an anchor of YAML can have it elsewhere, too
        container = container[name]
    container[names[-1]] = GivenText(text, _parsed(document, text, place))
    document.lines.put(container, names[-1], place)


def _parsed(document: Document, text: str, place: CodeLine) -> Any:
    try:
        parsed, lines = yaml_files.parsed(text, place[0])
    except ConfigurationError:
        return text
    document.lines.add(parsed, lines, place)
    return parsed
