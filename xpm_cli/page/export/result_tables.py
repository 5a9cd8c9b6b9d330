"""The tables of results in a copy: as a page, as CSV and as LaTeX; folded over seeds if there are some.

Owns: how many rows a page has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xpm_cli.lookup.publishing.asked_table import Shown, notes_on
from xpm_cli.output.publishing.result_lines import Cells
from xpm_cli.output.terminal import Terminal
from xpm_cli.page.results.tables import seeds_of
from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.table import Row, Table

ROWS = 2000
"""Rows of a table that a page shows. Its CSV has all of them."""


class Part(NamedTuple):
    """One table on a page.

    Attributes:
        title: What it is.
        heads: The names of its columns.
        rows: The texts of each row, with the identity of its job; empty for a folded row.
        more: How many rows are not shown.
        caption: What a cell is; empty for rows of jobs.
        latex: The table for a paper; empty if it is too long for one.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    more: int
    caption: str
    latex: str


class ResultTable(NamedTuple):
    """The results of an experiment.

    Attributes:
        experiment: Its name.
        parts: Its tables: folded, if that can be; and of all jobs.
        texts: The text of each other file: csv, tex.
        notes: What one should know, each a sentence.
    """

    experiment: str
    parts: Sequence[Part]
    texts: Mapping[str, str]
    notes: Sequence[str]


IN_A_PAPER = 200
"""A table of more rows is not written as LaTeX."""


def result_table(experiment: str, table: Table, now_s: float) -> ResultTable | None:
    """The results of an experiment; None if its jobs have reported none.

    Args:
        experiment: Its name.
        table: All its rows.
        now_s: The time from which others count, epoch seconds.
    """
    if not len(table) or not any(column.kind == "result" for column in table.columns):
        return None
    shown: list[tuple[str, Shown]] = [*_folded(table), ("Each job", table)]
    parts = [_part(title, found, now_s) for title, found in shown]
    texts = {"csv": str(table.to_csv())}
    if latex := next((part.latex for part in parts if part.latex), ""):
        texts["tex"] = latex
    notes = dict.fromkeys(note for _, found in shown for note in notes_on(found, shows_states=True))
    return ResultTable(experiment, parts, texts, list(notes))


def _folded(table: Table) -> Iterator[tuple[str, Shown]]:
    if not (names := seeds_of(table)):
        return
    try:
        yield f"Means over {', '.join(names)}", table.over(*names)
    except (ResultsError, UnknownColumnError):  # these rows cannot be folded: the other table has them all
        return


def _part(title: str, found: Shown, now_s: float) -> Part:
    cells, columns = Cells(found, Terminal(), now_s), found.columns
    rows = [
        (row.identity if isinstance(row, Row) else "", [cells.text(row, column) for column in columns])
        for row, _ in zip(found, range(ROWS), strict=False)
    ]
    latex = str(found.to_latex()) if len(found) <= IN_A_PAPER else ""
    caption = "" if isinstance(found, Table) else found.caption
    return Part(title, [column.name for column in columns], rows, max(len(found) - ROWS, 0), caption, latex)
