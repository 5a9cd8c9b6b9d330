"""A table as every form of output gets it: headings, rows of values and cells, and what is to be said of them.

Owns: this record, and its flat form, in which a cell takes several columns.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeGuard

from xpm_core.results.columns import told
from xpm_core.results.digits import fixed
from xpm_core.words.text import line

LONGEST = 1000
"""Characters of a value in the name of a row."""


class Named(Protocol):
    """A column."""

    @property
    def name(self) -> str: ...


class Missing(Protocol):
    """A job that does not count in a cell (`folding.cells.Hole`)."""

    @property
    def at(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def job(self) -> str: ...


class Folded(Protocol):
    """What stands in a cell where jobs were folded (`folding.cells.Cell`)."""

    @property
    def mean(self) -> float: ...
    @property
    def sd(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...
    @property
    def method(self) -> str: ...
    @property
    def jobs(self) -> tuple[str, ...]: ...
    @property
    def missing(self) -> Sequence[Missing]: ...
    @property
    def note(self) -> str: ...
    @property
    def value_text(self) -> str: ...
    @property
    def count_text(self) -> str: ...


class Span(NamedTuple):
    """A heading above several others, from the column `first` to the column `last`, both included."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Sheet:
    """A table to be written.

    Attributes:
        headings: The names of the columns.
        rows: Their values: numbers, texts, None, or cells where jobs were folded.
        labels: How many of the first columns say what a row is. Their numbers are written with all digits.
        names: What each row is called in a footnote; empty for none.
        jobs: The identities of the jobs of each row, where they do not differ among its values.
        sources: The identities of the jobs of values that are no cells, by the numbers of their row and column.
        codes: The code of a job, by its identity.
        spans: Headings above the headings.
        bold: Rows and columns of the values that are the best, or not distinguishable from it.
        caption: What a cell is, in sentences.
        notes: What one should know of the table, each a sentence.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    labels: int = 0
    names: Sequence[str] = ()
    jobs: Sequence[Sequence[str]] = ()
    sources: Mapping[tuple[int, int], Sequence[str]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    spans: Sequence[Span] = ()
    bold: Collection[tuple[int, int]] = ()
    caption: str = ""
    notes: Sequence[str] = ()

    def column(self, at: int) -> list[Any]:
        """The values of a column."""
        return [row[at] for row in self.rows]


def is_folded(value: object) -> TypeGuard[Folded]:
    """Whether a value is a cell of folded jobs."""
    return isinstance(value, tuple) and hasattr(value, "interval") and hasattr(value, "method")


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, (bool, Enum))


def plain(value: Any) -> Any:
    """A value as a number, a text, a truth value or None. Lists and dicts become JSON, and a path its text."""
    if isinstance(value, Enum):
        return str(value.value)
    value = told(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        return str(value)


def text_of(value: Any, *, exact: bool = False) -> str:
    """A value for people; empty for None.

    Args:
        value: The value.
        exact: Whether a number keeps all its digits, as those of parameters do.

    Example:
        >>> text_of(0.912345), text_of(0.00012345, exact=True), text_of(None)
        ('0.9123', '0.00012345', '')
    """
    if is_folded(value):
        return value.value_text
    found = plain(value)
    if isinstance(found, float) and not exact:
        return fixed(found, None)
    return "" if found is None else str(found)


def shown_text(value: Any, *, exact: bool = False) -> str:
    """The same in aligned columns, where an empty place must be seen: `-` for None, and two quotes for no letter."""
    return "-" if value is None else text_of(value, exact=exact) or '""'


def most_jobs(rows: Iterable[Sequence[Any]]) -> int:
    """How many jobs a cell of a table counts at most."""
    return max((value.n for row in rows for value in row if is_folded(value)), default=0)


def folded_text(cell: Folded, most: int, mark: str = "") -> str:
    """A cell in aligned columns: its value and a mark, and how many jobs it counts if others count more.

    Args:
        cell: The cell.
        most: How many jobs a cell of the table counts at most.
        mark: What stands behind the value.
    """
    count = f" ({cell.count_text})" if cell.n != most or cell.missing else ""
    return f"{cell.value_text}{mark}{count}"


def count_of(cell: Folded) -> str:
    """How many jobs a cell counts, and whether it has no interval although it has a value."""
    return f"no interval, {cell.count_text}" if cell.n and cell.interval is None else cell.count_text


def named(columns: Sequence[Named], values: Sequence[Any]) -> str:
    """What a row is called, in one line: the values of the columns that tell it from others.

    A column without a value is left out, unless no column has one.

    Example:
        >>> named(columns, ["mlp", 0.1]), named(columns, ["mlp", None]), named(columns, [None, None])
        ('model=mlp lr=0.1', 'model=mlp', 'model=none lr=none')
    """
    pairs = list(zip(columns, values, strict=True))
    having = [(column, value) for column, value in pairs if value is not None]
    return " ".join(f"{column.name}={phrase_of(value)}" for column, value in having or pairs)


def phrase_of(value: Any) -> str:
    """A value within a sentence, in one line: `none` for None, and two quotes for no letter."""
    text = "none" if value is None else shown_text(value, exact=True)
    return text if text.isprintable() and len(text) <= LONGEST else line(text, LONGEST)


def flat(sheet: Sheet) -> dict[str, list[Any]]:
    """The columns by name. In place of folded cells stand their parts: `accuracy.mean`, `.sd`, `.n`, `.low`, …

    A column of cells that also has other values, such as a text that all jobs have reported, keeps these under its own
    name.
    """
    found: dict[str, list[Any]] = {}
    for at, heading in enumerate(sheet.headings):
        for name, values in _parts(heading, sheet.column(at)):
            found[_free(name, found)] = values
    return found


def _parts(heading: str, values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    cells = [value if is_folded(value) else None for value in values]
    if not any(cell is not None for cell in cells):
        yield heading, [plain(value) for value in values]
        return
    if any(value is not None and cell is None for value, cell in zip(values, cells, strict=True)):
        yield heading, [None if is_folded(value) else plain(value) for value in values]
    yield f"{heading}.mean", [None if cell is None or cell.mean != cell.mean else cell.mean for cell in cells]
    yield f"{heading}.sd", [cell and cell.sd for cell in cells]
    yield f"{heading}.n", [cell and cell.n for cell in cells]
    yield f"{heading}.low", [cell and cell.interval and cell.interval[0] for cell in cells]
    yield f"{heading}.high", [cell and cell.interval and cell.interval[1] for cell in cells]
    yield f"{heading}.method", [cell and cell.method for cell in cells]


def _free(name: str, taken: Collection[str]) -> str:
    """A name that no other column has."""
    number = 2
    found = name
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    return found
