"""A table of results for people and as JSON: rows of jobs, folded rows, or a pivot.

Owns: which columns go if the terminal is narrow: results from the right, but not the first one, because tags and
parameters tell what a row is; then these, from the right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from xpm_cli.lookup.publishing.asked_table import Shown
from xpm_cli.output.json_form import moment
from xpm_cli.output.terminal import Terminal, state
from xpm_core.labels import short
from xpm_core.results.columns import Column
from xpm_core.results.folding.cells import Cell, notes_of
from xpm_core.results.folding.folded import Folded, FoldedRow
from xpm_core.results.folding.pivot import Pivot, PivotRow
from xpm_core.results.formats.sheet import folded_text, most_jobs, shown_text
from xpm_core.results.table import Row, Table
from xpm_core.states import State
from xpm_core.words.text import ago, line, plural

WIDEST_VALUE = 24
"""Characters of a value in a table on a terminal."""
LONGEST = 10_000
"""Characters of a value elsewhere. It has one line there, too."""
TIMES = ("submitted", "started", "ended")
DIGESTS = ("id", "code", "commit", "packages")
MARKS = {"best": "*", "alike": "~", "untested": "?"}
LEGEND = {"*": "best", "~": "not distinguishable from the best", "?": "cannot be tested"}


def lines(found: Shown, terminal: Terminal, now_s: float, *, asked: bool = False) -> Iterator[str]:
    """The lines to print.

    Args:
        found: The table.
        terminal: What the terminal can show.
        now_s: The time from which others count, epoch seconds.
        asked: Whether its columns were asked for. Then nothing is added to them.
    """
    if not len(found):
        yield "no rows"
        return
    first = _about(found) if isinstance(found, Table) and not asked else []
    cell = Cells(found, terminal, now_s)
    columns = [(column, [column.name, *(cell.text(row, column) for row in found)]) for column in found.columns]
    labels = [each for column, each in columns if column.kind in ("tag", "param")]
    values = [each for column, each in columns if column.kind not in ("tag", "param")]
    while not terminal.fits(list(zip(*first, *labels, *values, strict=True))):
        if len(values) > 1:
            values.pop()
        elif len(labels) > (not first):
            labels.pop()
        else:
            break
    kept = {id(each) for each in (*labels, *values)}
    ordered = [each for _, each in columns if id(each) in kept]
    hidden = [each[0] for _, each in columns if id(each) not in kept]
    if not first and not ordered:
        yield "no columns"
        return
    yield from terminal.table([list(row) for row in zip(*first, *ordered, strict=True)], hidden=hidden)
    yield from _below(found, terminal)


def _about(table: Table) -> list[list[str]]:
    """The first columns of rows of jobs: what they are called, and, if they differ, their states and tasks."""
    columns = [["ID", *(short(row.identity) for row in table)]]
    if {row.state for row in table} != {State.DONE}:
        columns.append(["STATE", *(state(row.state.value) if row.state else "unknown" for row in table)])
    if len({row.task for row in table}) > 1:
        columns.append(["TASK", *(row.task for row in table)])
    return columns


class Cells:
    """The texts of a table.

    Args:
        found: The table.
        terminal: What shows them.
        now_s: The time from which others count, epoch seconds.
    """

    def __init__(self, found: Shown, terminal: Terminal, now_s: float) -> None:
        self._found, self._terminal, self._now_s = found, terminal, now_s
        rows: Iterable[Any] = () if isinstance(found, Table) else found
        self._most = most_jobs([row.value(column) for column in found.columns] for row in rows)

    def text(self, row: Any, column: Column) -> str:
        """The text of a value, with its mark and how many jobs count, where these are not the same everywhere."""
        value = row.value(column)
        if isinstance(value, Cell):
            mark = MARKS.get(row.marks.get(column.name, ""), "") if isinstance(self._found, Pivot) else ""
            return folded_text(value, self._most, mark)
        if value is None or (value == "" and column.kind == "fact"):
            return "-"
        if column.kind == "result" and isinstance(value, float):
            mark = MARKS.get(row.marks.get(column.name, ""), "") if isinstance(self._found, Pivot) else ""
            return f"{shown_text(value)}{mark}"
        return self._fact(column, value)

    def _fact(self, column: Column, value: Any) -> str:
        if column.kind == "fact" and column.key in DIGESTS and isinstance(value, str):
            return f"{short(value)}{'+' if value.endswith('+') else ''}"
        if column.kind == "fact" and column.key in TIMES and isinstance(value, float):
            return ago(self._now_s - value)
        if isinstance(value, Enum):
            return state(str(value.value))
        text = shown_text(value, exact=True)
        return line(text, LONGEST if self._terminal.width is None else WIDEST_VALUE)


def _below(found: Shown, terminal: Terminal) -> Iterator[str]:
    """What stands below the table: what a cell is, and what the marks mean."""
    for each in said_below(found):
        yield from terminal.wrapped("", each)


def said_below(found: Shown) -> list[str]:
    """What is said of a table: what a cell is, what the marks mean, and what cells say of themselves."""
    if isinstance(found, Table):
        return [plural(len(found), "row")]
    marks = {MARKS[mark] for row in found for mark in row.marks.values()} if isinstance(found, Pivot) else set()
    legend = [f"{mark} {text}" for mark, text in LEGEND.items() if mark in marks]
    notes = notes_of((row.name, column.name, row.value(column)) for row in found for column in found.columns)
    return [found.caption] * bool(found.caption) + ["   ".join(legend)] * bool(legend) + notes


# -- for programs ------------------------------------------------------------------------------------------------------


def as_data(found: Shown) -> dict[str, Any]:
    """The columns and rows as JSON; a row of jobs, a folded row and a row of a pivot have fields of their own."""
    form = "jobs" if isinstance(found, Table) else "folded" if isinstance(found, Folded) else "pivot"
    return {
        "form": form,
        "columns": [column._asdict() for column in found.columns],
        "caption": None if isinstance(found, Table) else found.caption or None,
        "rows": [{**_own(row), "values": _values(row, found.columns)} for row in found],
    }


def _own(row: Row | FoldedRow | PivotRow) -> dict[str, Any]:
    """The fields that each kind of row has besides its values."""
    if isinstance(row, Row):
        about = {"id": row.identity, "state": row.state.value if row.state else None, "task": row.job.task}
        return {**about, "foreign": row.foreign}
    return {"ids": list(row.jobs)} if isinstance(row, FoldedRow) else {"marks": dict(row.marks)}


def _values(row: Any, columns: Sequence[Column]) -> dict[str, Any]:
    return {column.name: _value(column, row.value(column)) for column in columns}


def _value(column: Column, value: Any) -> Any:
    """A value as JSON has it: a cell is an object, a time a text with its zone."""
    if isinstance(value, Cell):
        return cell_data(value)
    if isinstance(value, Enum):
        return value.value
    if column.kind == "fact" and column.key in TIMES and isinstance(value, float):
        return moment(value)
    return str(value) if isinstance(value, Path) else value


def cell_data(cell: Cell) -> Mapping[str, Any]:
    """A cell as JSON."""
    return {
        "mean": None if math.isnan(cell.mean) and not cell.n else cell.mean,
        "sd": cell.sd,
        "n": cell.n,
        "interval": None if cell.interval is None else list(cell.interval),
        "method": cell.method or None,
        "unit": cell.unit,
        "ids": list(cell.jobs),
        "missing": [{"at": hole.at, "why": hole.why, "id": hole.job or None} for hole in cell.missing],
        "note": cell.note or None,
        "text": str(cell),
    }
