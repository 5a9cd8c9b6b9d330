"""The number that a text such as `digits:accuracy:model=bm25` names, and the jobs that it comes from.

Owns: how such a text is read, and that a number of several jobs has all of its holes, whatever the filter leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import ResultsError
from xpm_core.labels import short
from xpm_core.results.columns import Column, key_of
from xpm_core.results.folding.cells import Cell
from xpm_core.results.folding.folded import Folded, FoldedRow
from xpm_core.results.folding.holes import at_text
from xpm_core.results.foreign import ForeignRun
from xpm_core.results.formats.sheet import phrase_of
from xpm_core.results.table import Row, Table
from xpm_core.words.text import listed, plural

SHOWN = 5
"""How many jobs or rows an error names."""

_COMMA = re.compile(r",(?=\s*[\w.]+\s*(?:=|!=|<|>|~))")
"""A comma between two conditions, as tags are written: `model=bm25,lr=0.1`."""


@dataclass(frozen=True)
class Cited:
    """A number, and what it comes from.

    Attributes:
        text: The text that names it.
        experiment: The name of the experiment.
        column: The result.
        filter: The filter; empty without one.
        value: The value of a job, or the cell of several.
        rows: The jobs that count in it.
        name: What the row is called: `model=bm25 lr=0.1`.
        notes: What one should know of it, each a sentence.
        keys: Of several jobs, by identity, what was folded of each, in words: `seed=1`.
    """

    text: str
    experiment: str
    column: Column
    filter: str
    value: Any
    rows: Sequence[Row]
    name: str
    notes: Sequence[str] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def foreign(self) -> list[ForeignRun]:
        """The runs among the rows that are no jobs: they were imported."""
        return [row.job for row in self.rows if isinstance(row.job, ForeignRun)]

    @property
    def cell(self) -> Cell | None:
        """The cell of several jobs; None for the value of one."""
        return self.value if isinstance(self.value, Cell) else None


def cited(opened: OpenWorkspace, text: str, over: Sequence[str], settings: Mapping[str, Any]) -> Cited:
    """Find the number that a text names.

    Args:
        opened: The workspace.
        text: EXPERIMENT:RESULT, or EXPERIMENT:RESULT:FILTER.
        over: What is folded; empty for the number of one job.
        settings: The keyword arguments of `Table.over`.

    Raises:
        ResultsError: The text is none, no job has the number, or several have.
        UnknownColumnError: No job has such a result.
        UnknownExperimentError, FilterError: The experiment or the filter is wrong.
    """
    experiment, _, rest = text.partition(":")
    if not experiment or not rest:
        remedy = 'Write EXPERIMENT:RESULT:FILTER, such as "digits:accuracy:model=bm25,lr=0.1".'
        raise ResultsError(text, "expected an experiment, a result and a filter, with colons between", remedy)
    everything = opened.view.results(experiment)
    column, filter = _parted(everything, rest, text)
    wanted = _COMMA.sub(" and ", filter)
    matching = opened.view.results(experiment, wanted) if wanted else everything
    having = [row for row in matching if column.key in row.results]
    if not having:
        counts = f", {plural(len(matching), 'job')} of {experiment} {'matches' if len(matching) == 1 else 'match'}"
        remedy = f"List what there is: {opened.commands.results(experiment)}"
        raise ResultsError(text, f"no job that matches has reported {column.key!r}{counts}", remedy)
    if over:
        return _folded(everything, matching, having, (text, experiment, column, filter), over, settings)
    if len(having) > 1:
        raise _several(Table([row.job for row in having], everything.known), text)
    (row,) = having
    return Cited(text, experiment, column, filter, row.results[column.key], [row], row.job.title, everything.notes)


def _parted(table: Table, rest: str, text: str) -> tuple[Column, str]:
    """The result that is meant, and the filter. The name of a result may have a colon in it."""
    names = {name for row in table for name in row.results}
    longest = max((name for name in names if rest == name or rest.startswith(f"{name}:")), key=len, default="")
    if longest:
        return Column(longest, "result", longest), rest[len(longest) + 1 :].strip()
    name, _, filter = rest.partition(":")
    column = table.column(name)
    if column.kind != "result":
        raise ResultsError(text, f"{name!r} is no result", "Name what jobs have reported, such as accuracy.")
    return column, filter.strip()


def _several(table: Table, text: str) -> ResultsError:
    """The error for a number that several jobs have: in what these differ, and what can be done."""
    differing = [column for column in table.columns if column.kind in ("tag", "param")]
    jobs = listed([short(row.identity) for row in table], SHOWN)
    problem = f"{plural(len(table), 'job')} match: {jobs}"
    if not differing:
        return ResultsError(text, f"{problem}, and differ in no tag or parameter", "Name one of them: xpm show.")
    told = [f"{column.name} ({listed(_values(table, column), 3)})" for column in differing[:3]]
    first = next((column.name for column in differing if "seed" in column.name), differing[0].name)
    remedy = f"Add one of them to the filter, or fold what is repeated: --over {first}"
    return ResultsError(text, f"{problem}, and differ in {'; '.join(told)}", f"{remedy}.")


def _values(table: Table, column: Column) -> list[str]:
    return [phrase_of(value) for value in {key_of(row.value(column)): row.value(column) for row in table}.values()]


def _folded(
    everything: Table,
    matching: Table,
    having: Sequence[Row],
    asked: tuple[str, str, Column, str],
    over: Sequence[str],
    settings: Mapping[str, Any],
) -> Cited:
    """The cell that has the jobs.

    The whole experiment is folded, because a filter would hide the seeds that other rows have and this one lacks. If
    the filter leaves out jobs of the row, the cell is that of the jobs that match.
    """
    text, experiment, column, filter = asked
    identities = {row.identity for row in matching}
    whole = everything.over(*over, **settings)
    found = _reporting(whole, column, {row.identity for row in having})
    left = len({job for row in found for job in row.jobs} - identities)
    notes = [*everything.notes]
    if left:
        whole = matching.over(*over, **settings)
        found = _reporting(whole, column, identities)
        notes = [*matching.notes, f"The filter leaves out {plural(left, 'job')} of the same row."]
    if len(found) != 1:
        names = "; ".join(row.name or "all" for row in found[:SHOWN])
        same = _like_folded(whole, found)
        remedy = f"Fold what is repeated: --over {','.join([*over, *same])}." if same else ""
        remedy = remedy or "Add to the filter what tells them apart."
        raise ResultsError(text, f"{len(found)} rows match: {names}", remedy)
    (row,) = found
    cell = row.value(column)
    if not isinstance(cell, Cell):
        raise ResultsError(text, f"{column.key!r} is no number: all jobs have {cell!r}", "Leave --over out.")
    by_identity = {each.identity: each for table in (everything, matching) for each in table}
    rows = [by_identity[job] for job in cell.jobs]
    keys = {job: at_text(over, key) for job, key in zip(cell.jobs, cell.keys, strict=True)}
    return Cited(text, experiment, column, filter, cell, rows, row.name, notes, keys)


def _like_folded(folded: Folded, rows: Sequence[FoldedRow]) -> list[str]:
    """The columns in which rows differ, if all have the last name of one that is folded: `train.seed` beside `seed`."""
    last = {name.rpartition(".")[2] for name in folded.settings.names}
    columns = folded.grouping.columns
    differing = [column for column in columns if len({key_of(row.value(column)) for row in rows}) > 1]
    alike = [column.name for column in differing if column.key.rpartition(".")[2] in last]
    return alike if len(alike) == len(differing) else []


def _reporting(folded: Folded, column: Column, identities: set[str]) -> list[FoldedRow]:
    """The rows of a folded table that have a value, and some of these jobs."""
    return [row for row in folded if identities.intersection(row.jobs) and row.value(column) is not None]
