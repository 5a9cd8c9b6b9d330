"""The columns of a table: which there are, what they are called, and which one a name means.

Tags and parameters that differ among the rows come first, then results. A name is as short as it can be.

Owns: these rules.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from xpm_core.errors import UnknownColumnError
from xpm_core.filters.values import kind_and_value
from xpm_core.index.columns import Cells

Kind = Literal["tag", "param", "result", "fact"]

FACTS = (
    "id", "task", "state", "submitted", "started", "ended", "seconds", "attempts", "directory", "host", "worker",
    "code", "commit", "packages", "experiments", "foreign",
)  # fmt: skip
"""What every row has besides tags, parameters and results. It is shown when it is asked for."""


_SCOPES: Mapping[str, Kind] = {"tag": "tag", "param": "param", "result": "result"}


class Column(NamedTuple):
    """A column.

    Attributes:
        name: Its name in the table.
        kind: What it is: a tag, a parameter, a result, or a fact of the job.
        key: The name of the tag, the path of the parameter, the name of the result or of the fact.
    """

    name: str
    kind: Kind
    key: str


Values = Sequence[Mapping[str, Any]]
"""A mapping for each row: its tags, its parameters or its results."""


class Columns:
    """The columns of some rows.

    Args:
        tags: The tags of each row.
        parameters: The parameters of each row, by path.
        results: The results of each row.

    Attributes:
        shown: The columns that a table has when nothing else is asked for.

    Example:
        >>> [column.name for column in Columns(tags, parameters, results).shown]
        ['model', 'lr', 'accuracy']
    """

    def __init__(self, tags: Values, parameters: Values, results: Values) -> None:
        self._tags, self._parameters, self._results = _by_name(tags), _by_name(parameters), _by_name(results)
        rows = self._rows = len(tags)
        varying = [name for name, values in self._tags.items() if _differ(values, rows)]
        paths = self._telling_paths(
            [path for path, values in self._parameters.items() if _differ(values, rows)], varying
        )
        taken = {*varying, *FACTS}
        names = _short_names(paths, list(self._parameters), taken)
        self.shown = [
            *(Column(name if name not in FACTS else f"tag.{name}", "tag", name) for name in varying),
            *(Column(names[path], "param", path) for path in paths),
            *(self._result(name, {*taken, *names.values()}) for name in self._results),
        ]

    @staticmethod
    def _result(name: str, taken: set[str]) -> Column:
        return Column(f"result.{name}" if name in taken else name, "result", name)

    def _telling_paths(self, paths: Sequence[str], tags: Iterable[str]) -> list[str]:
        """Paths without those that only repeat a tag, or a shorter path, as may the seed of a task that is used."""
        told = [self._tags[tag] for tag in tags]
        kept: list[str] = []
        for path in sorted(paths, key=lambda path: (path.count("."), len(path))):
            values = self._parameters[path]
            if not any(_repeats(values, other) for other in told):
                told.append(values)
                kept.append(path)
        found = set(kept)
        return [path for path in self._parameters if path in found and not self._is_told_below(path, kept)]

    def _is_told_below(self, path: str, others: Iterable[str]) -> bool:
        """Whether a parameter has one value, and another one below it is there in the same rows.

        So is the class of a job that only some tasks use, `data=Prepare`, beside `data.corpus`.
        """
        values = self._parameters[path]
        if len(set(map(key_of, values.values()))) > 1:
            return False
        below = f"{path}."
        return any(other.startswith(below) and self._parameters[other].keys() == values.keys() for other in others)

    def varying(self) -> dict[Column, Mapping[int, Any]]:
        """All tags and parameters that differ, also those that only repeat others, with the value of each row."""
        shown = {(column.kind, column.key): column for column in self.shown}
        found: dict[Column, Mapping[int, Any]] = {}
        kinds: tuple[tuple[Kind, Mapping[str, Mapping[int, Any]]], ...]
        kinds = ("tag", self._tags), ("param", self._parameters)
        for kind, known in kinds:
            for key, values in known.items():
                if _differ(values, self._rows):
                    found[shown.get((kind, key)) or Column(f"{kind}.{key}", kind, key)] = values
        return found

    def values(self, column: Column) -> Mapping[int, Any]:
        """The values of a tag, a parameter or a result, by the place of the row that has it."""
        known = {"tag": self._tags, "param": self._parameters, "result": self._results}
        return known[column.kind].get(column.key, {})

    def find(self, name: str, place: str) -> Column:
        """The column that a name means: one that is shown, else any that the rows have.

        Args:
            name: The name; `tag.NAME`, `param.PATH` and `result.NAME` say the kind.
            place: Where it was written, for messages.

        Raises:
            UnknownColumnError: Nothing has that name, or several parameters end with it.
        """
        for column in self.shown:
            if column.name == name:
                return column
        scope, _, rest = name.partition(".")
        if rest and scope in _SCOPES and (found := self._of_kind(_SCOPES[scope], rest, place, name)) is not None:
            return found
        for kind in _SCOPES.values():
            found = self._of_kind(kind, name, place, name)
            if found is not None:
                return found
        if name in FACTS:
            return Column(name, "fact", name)
        raise self._unknown(name, place)

    def _of_kind(self, kind: Kind, text: str, place: str, name: str) -> Column | None:
        known = {"tag": self._tags, "param": self._parameters, "result": self._results}[kind]
        if text in known:
            return Column(name, kind, text)
        if kind != "param":
            return None
        found = [path for path in known if path.endswith(f".{text}")]
        if len(found) > 1:
            problem = f"{name!r} names several parameters: {', '.join(sorted(found))}"
            raise UnknownColumnError(place, problem, f"Write one of them, such as param.{sorted(found)[0]}.")
        return Column(name, "param", found[0]) if found else None

    def _unknown(self, name: str, place: str) -> UnknownColumnError:
        if not self._rows:
            problem = f"no column {name!r}, because there is no row"
            return UnknownColumnError(place, problem, "Choose others, or ask whether there are rows: len(table).")
        shown = [column.name for column in self.shown]
        known = [*shown, *self._tags, *(path.rpartition(".")[2] for path in self._parameters), *self._results, *FACTS]
        near = list(dict.fromkeys(difflib.get_close_matches(name, known, 3)))
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        listed = (
            f"There are: {', '.join(shown)}." if shown else "No row has a tag, a parameter that differs, or a result."
        )
        return UnknownColumnError(place, f"no column {name!r}", hint + listed)


def _by_name(values: Values) -> dict[str, dict[int, Any]]:
    """By name, the value of each row that has one."""
    found: dict[str, dict[int, Any]] = {}
    together: dict[int, tuple[Cells, list[int], list[int]]] = {}
    for at, each in enumerate(values):
        if type(each) is Cells:  # rows whose values lie in columns already
            group = together.get(id(each.columns))
            if group is None:
                group = together[id(each.columns)] = (each, [], [])
                for name in each:
                    found.setdefault(name, {})
            group[1].append(at)
            group[2].append(each.at)
            continue
        for name, value in each.items():
            column = found.get(name)
            if column is None:
                column = found[name] = {}
            column[at] = value
    for cells, rows, places in together.values():
        for name in cells:
            found[name].update(zip(rows, map(cells.columns[name].__getitem__, places), strict=True))
    return found


def told(value: Any) -> Any:
    """A value in a name for people: of a path, its text; of a job, its label.

    Example:
        >>> told({"path": "/data/corpus"}), told({"job": "Train/1d22f0a"}), told(0.1)
        ('/data/corpus', 'Train/1d22f0a', 0.1)
    """
    if isinstance(value, list):
        return [told(item) for item in value]
    kind, found = kind_and_value(value) if isinstance(value, dict) else ("", value)
    return value if kind == "map" else found


def key_of(value: Any) -> Any:
    """A value in a form that can be compared with others: 1 and True are two values, 1 and 1.0 are one."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool) and value == value:
        return value
    return type(value).__name__, repr(value)  # a pair, because the text "None" is not None


def _differ(values: Mapping[int, Any], rows: int) -> bool:
    """Whether the values differ among the rows. A row that has none differs from those that have one."""
    if len(values) < rows:
        return True
    kinds = set(map(type, values.values()))
    if kinds <= {int, float, str}:
        different = set(values.values())  # one NaN may stand there several times
        return len(different) > 1 and (float not in kinds or len(set(map(key_of, different))) > 1)
    return len(set(map(key_of, values.values()))) > 1


def _repeats(values: Mapping[int, Any], other: Mapping[int, Any]) -> bool:
    """Whether a column has what another one has already."""
    return values.keys() <= other.keys() and all(key_of(value) == key_of(other[at]) for at, value in values.items())


def _short_names(paths: Sequence[str], others: Sequence[str], taken: set[str]) -> dict[str, str]:
    """For each path, the shortest end of it that no other path has."""
    counts: dict[str, int] = {}
    for path in others:
        for end in _ends(path):
            counts[end] = counts.get(end, 0) + 1
    return {path: _short_name(path, counts, taken) for path in paths}


def _short_name(path: str, counts: Mapping[str, int], taken: set[str]) -> str:
    if path in taken:
        return f"param.{path}"
    return next((end for end in _ends(path) if counts[end] == 1 and end not in taken), path)


def _ends(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
