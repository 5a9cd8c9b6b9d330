"""Which rows belong together when some names are folded: those that differ in nothing else.

All tags and parameters that differ count, whether the table shows them or not, and the class of the task. Facts of
jobs, such as their machine, do not count. A parameter that has the same last name as one that is folded, and its value
in each row, is the same thing (`train.seed`, `seed`). Foreign rows are put together with jobs if they count as their
task, and have the same tags and parameters: a parameter that they do not say is not taken to be equal.

Owns: groups. It computes no values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from xpm_core.errors import ResultsError
from xpm_core.filters import row as filters
from xpm_core.results.columns import Column, Columns, key_of, told
from xpm_core.results.formats.sheet import named
from xpm_core.states import State

TASK = Column("task", "fact", "task")
Key = tuple[Any, ...]


class Line(Protocol):
    """A row of a table."""

    @property
    def identity(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def state(self) -> State | None: ...
    @property
    def directory(self) -> Path | None: ...
    @property
    def job(self) -> filters.Row: ...
    @property
    def code(self) -> str | None: ...
    @property
    def packages(self) -> str | None: ...
    @property
    def foreign(self) -> str | None: ...
    def value(self, column: Column) -> Any: ...


@dataclass
class Group:
    """Rows that differ in nothing but what is folded.

    Attributes:
        values: The value of each column of the grouping.
        rows: The rows.
        keys: What is folded, of each row.
    """

    values: tuple[Any, ...]
    rows: list[Line] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)


@dataclass(frozen=True)
class Grouping:
    """Groups, and what tells them from each other.

    Attributes:
        over: The columns that are folded.
        columns: The columns in which groups differ.
        telling: Those of them that are enough to tell groups from each other, the first ones that are.
        groups: The groups, in the order of their first rows.
        unknown: Identities of jobs whose parameters are not known; each is a group of its own.
        along: The columns that are not folded, but differ wherever the folded ones do.
        together: The parameters that are folded, too, because they are the same thing as a parameter that is.
        unlike: The columns that are None in some rows and absent from others, which look the same; a job of each kind.
    """

    over: Sequence[Column]
    columns: Sequence[Column]
    telling: Sequence[Column]
    groups: Sequence[Group]
    unknown: Sequence[str]
    along: Sequence[Column]
    together: Sequence[Column]
    unlike: Sequence[tuple[Column, str, str]] = ()

    def name(self, group: Group) -> str:
        """A group in words: `model=bm25 lr=0.1`. Empty for the only one."""
        values = dict(zip(self.columns, group.values, strict=True))
        has_any = any(values[column] is not None for column in self.telling)
        columns = self.telling if has_any else self.columns  # that it lacks what others have says little
        return named(columns, [values[column] for column in columns])


def foldable(columns: Columns, names: Sequence[str], place: str) -> list[Column]:
    """The columns that are to be folded.

    Raises:
        ResultsError: There is no name, or one of them is a result or a fact of the job.
        UnknownColumnError: Nothing has such a name.
    """
    remedy = "Name what varies between runs, such as seed."
    if not names:
        raise ResultsError(place, "expected the name of a column to fold", remedy)
    found = [columns.find(name, place) for name in dict.fromkeys(names)]
    for column in found:
        if column.kind not in ("tag", "param") and column != TASK:
            what = "a result" if column.kind == "result" else "a fact of the job"
            raise ResultsError(place, f"expected a tag or a parameter, but {column.name!r} is {what}", remedy)
    return found


def grouped(rows: Sequence[Line], columns: Columns, over: Sequence[Column]) -> Grouping:
    """Put rows together that differ in nothing but the columns that are folded.

    Args:
        rows: The rows.
        columns: Their columns.
        over: The columns that are folded.
    """
    parts = _Parts(len(rows))
    kept: list[tuple[Column, Mapping[int, Any]]] = []
    if TASK not in over:
        tasks = dict(enumerate(_task_names(rows)))
        if parts.refine(tasks):
            kept.append((TASK, tasks))
    unknown = {at: row.identity for at, row in enumerate(rows) if row.job.params is None}
    parts.refine(unknown)
    together: list[Column] = []
    differing = _differing(columns, over, together)
    shown = [column for column in columns.shown if column in differing]
    telling = [*(column for column, _ in kept), *(column for column in shown if parts.refine(differing[column]))]
    others = [column for column in differing if column not in set(shown) and parts.refine(differing[column])]
    kept += [(column, differing[column]) for column in [*shown, *others]]
    keys = _keys(rows, columns, over)
    groups: dict[int, Group] = {}
    for at, (row, part) in enumerate(zip(rows, parts.of_row, strict=True)):
        group = groups.get(part)
        if group is None:
            group = groups[part] = Group(tuple(values.get(at) for _, values in kept))
        group.rows.append(row)
        group.keys.append(keys[at])
    found = [column for column, _ in kept]
    telling = found if unknown else [*telling, *others]  # those whose parameters are not known stand apart already
    along = _along(keys, kept) if len(groups) == len(rows) > 1 else []
    unlike = list(_unlike(rows, kept))
    return Grouping(over, found, telling, list(groups.values()), list(unknown.values()), along, together, unlike)


class _Parts:
    """Rows in parts, which each further column may divide."""

    def __init__(self, rows: int) -> None:
        self.of_row = [0] * rows
        self._count = 1

    def refine(self, values: Mapping[int, Any]) -> bool:
        """Divide each part by the values of a column; return whether there are more parts now."""
        numbers: dict[Any, int] = {}
        self.of_row = [
            numbers.setdefault((part, key_of(values[at]) if at in values else ()), len(numbers))
            for at, part in enumerate(self.of_row)
        ]
        before, self._count = self._count, len(numbers)
        return self._count > before


def _differing(columns: Columns, over: Sequence[Column], together: list[Column]) -> dict[Column, Mapping[int, Any]]:
    """The columns in which rows differ, without those that are folded. It adds to those that are folded, too."""
    found: dict[Column, Mapping[int, Any]] = {}
    ways = {(column.kind, column.key) for column in over}
    folded = [(column.kind, _last(column), columns.values(column)) for column in over if column != TASK]
    for column, values in columns.varying().items():
        if (column.kind, column.key) in ways:
            continue
        alike = [(kind, other) for kind, last, other in folded if last == _last(column) and _repeats(values, other)]
        if not alike:
            found[column] = values
            continue
        if all(kind == column.kind == "param" for kind, _ in alike):
            together.append(column)
        if len(values) < len(alike[0][1]):
            found[column] = dict.fromkeys(values, "folded")  # rows that lack it are not of the same kind
    return found


def _last(column: Column) -> str:
    return column.key.rpartition(".")[2]


def _repeats(values: Mapping[int, Any], other: Mapping[int, Any]) -> bool:
    return values.keys() <= other.keys() and all(key_of(value) == key_of(other[at]) for at, value in values.items())


def _keys(rows: Sequence[Line], columns: Columns, over: Sequence[Column]) -> list[Key]:
    """What is folded, of each row. Equal values are one object, so that 1 and 1.0 are written alike."""
    lists = []
    for column in over:
        values = dict(enumerate(_task_names(rows))) if column == TASK else columns.values(column)
        known: dict[Any, Any] = {}
        lists.append([known.setdefault(key_of(values.get(at)), _hashable(values.get(at))) for at in range(len(rows))])
    return list(zip(*lists, strict=True))


def _hashable(value: Any) -> Any:
    value = told(value)
    return value if isinstance(value, (int, float, str, type(None))) and value == value else repr(value)


def _task_names(rows: Sequence[Line]) -> list[str]:
    """The name of each row's task: the class, with its module where two classes have one name.

    A foreign row has no class. It counts as the class of the name that its import gave it, if only one has that name.
    """
    classes: dict[str, set[str]] = {}
    for row in rows:
        if row.foreign is None:
            classes.setdefault(row.task, set()).add(row.job.task or "?")
    full = [_class_of(row, classes) for row in rows]
    bare = {(row.task, name) for row, name in zip(rows, full, strict=True)}
    unique = len({name for name, _ in bare}) == len(bare)
    return [row.task for row in rows] if unique else full


def _class_of(row: Line, classes: Mapping[str, Collection[str]]) -> str:
    known = classes.get(row.task, ()) if row.foreign is not None else ()
    return next(iter(known)) if len(known) == 1 else row.job.task or "?"


def _unlike(
    rows: Sequence[Line], kept: Sequence[tuple[Column, Mapping[int, Any]]]
) -> Iterator[tuple[Column, str, str]]:
    """The columns that are None in some rows, and that others have not; and a job of each kind."""
    for column, values in kept:
        none = next((at for at, value in values.items() if value is None), None)
        absent = None if none is None else next((at for at in range(len(rows)) if at not in values), None)
        if none is not None and absent is not None and rows[absent].job.params is not None:
            yield column, rows[none].identity, rows[absent].identity


def _along(keys: Sequence[Key], kept: Sequence[tuple[Column, Mapping[int, Any]]]) -> list[Column]:
    """Of groups of one row each: the columns that have another value for each row, or for each value that is folded."""
    found = []
    for column, values in kept:
        each = [key_of(values.get(at)) for at in range(len(keys))]
        pairs, distinct = set(zip(keys, each, strict=True)), len(set(each))
        if distinct == len(keys) or len(pairs) == distinct == len(set(keys)):
            found.append(column)
    return found
