"""A folded table: one row for each configuration, a cell for what its jobs have reported.

Owns: its rows, their order, and what a reader should know of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.columns import Column, key_of
from xpm_core.results.folding.cells import Cell, Hole, notes_of
from xpm_core.results.folding.choosing import as_names, best_rows, only_metric, score, sorted_rows
from xpm_core.results.folding.grouping import Group, Grouping, Key, Line
from xpm_core.results.folding.holes import holes_of, pooled, said_of, sentence
from xpm_core.results.folding.marking import ALIKE, Mark, marked, untested
from xpm_core.results.folding.pivot import Pivot, pivoted
from xpm_core.results.folding.settings import Settings
from xpm_core.results.folding.values import scores_of, value_of
from xpm_core.results.formats.sheet import Sheet
from xpm_core.results.formats.written import Written
from xpm_core.results.plotting.bands import Spread
from xpm_core.results.plotting.curved import Source
from xpm_core.results.plotting.plotted import Plotted
from xpm_core.results.statistics.aggregates import ProfilePoint, performance_profile
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.words.text import listed, plural
from xpm_core.workspace.experiment_directory import ExperimentDirectory

NAMED = 10
"""How many holes the notes name. `Folded.holes` names all."""


class FoldedRow(Mapping[str, Any]):
    """A configuration in a folded table: a mapping from the names of columns to values and cells.

    Attributes:
        group: Its jobs.
        holes: The jobs that no cell of the row counts, and the seeds without a job.

    Example:
        >>> row["lr"], row["accuracy"].mean, row["accuracy"].interval
    """

    __slots__ = ("_table", "_values", "group", "holes")

    def __init__(self, table: Folded, group: Group, holes: Sequence[Hole]) -> None:
        self._table, self.group, self.holes = table, group, holes
        self._values: dict[Column, Any] = dict(zip(table.grouping.columns, group.values, strict=True))

    @edge
    def __getitem__(self, name: str) -> Any:
        return self.value(self._table.column(name))

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._table.columns)

    def __len__(self) -> int:
        return len(self._table.columns)

    def __repr__(self) -> str:
        return f"<{self.name or 'all'}: {plural(len(self.group.rows), 'job')}>"

    @property
    def name(self) -> str:
        """What tells it from other rows: `model=bm25 lr=0.1`. Empty for the only row of a table."""
        return self._table.grouping.name(self.group)

    @property
    def jobs(self) -> tuple[str, ...]:
        """The identities of all its jobs, whether they count or not."""
        return tuple(row.identity for row in self.group.rows)

    @property
    def lines(self) -> Sequence[Line]:
        """All its jobs, as rows of the table that was folded."""
        return self.group.rows

    def bound(self, table: Folded) -> FoldedRow:
        """The same row in another table."""
        row = copy(self)
        row._table = table
        return row

    def value(self, column: Column) -> Any:
        """The value of a column: a cell where jobs were folded; None if its task reports no such result."""
        if column not in self._values:
            self._values[column] = self._table.fold(self.group, column, self.holes)
        return self._values[column]


class Folded(Written, Plotted, Sequence[FoldedRow]):
    """A table folded over some names: `table.over("seed")`.

    Args:
        grouping: The groups.
        values: The columns whose values are folded.
        settings: How values become one.
        notes: What one should know of the table that was folded.
        workspace: The directory of the workspace.

    Attributes:
        grouping: What tells the rows from each other.
        values: The columns whose values are folded.
        settings: How values become one.

    Example:
        >>> for row in xp.results("task=Train").over("seed"):
        ...     print(row["lr"], row["accuracy"])
        0.1 0.912 ± 0.008 (95 % t, n=5 seeds)
    """

    def __init__(
        self, grouping: Grouping, values: Sequence[Column], settings: Settings, notes: Iterable[str], workspace: Path
    ) -> None:
        self.grouping, self.settings, self._workspace = grouping, settings, workspace
        self.values = [column for column in values if column not in grouping.columns and column not in grouping.over]
        self._reported: dict[Column, set[str | None]] = {}
        self._rows = [
            FoldedRow(self, group, holes) for group, holes in zip(grouping.groups, holes_of(grouping), strict=True)
        ]
        independent = pooled(grouping, settings.names) if settings.interval in ("t", "se", "bootstrap") else []
        self._notes = [*notes, *said_of(grouping, settings.names), *independent]

    @property
    def columns(self) -> Sequence[Column]:
        """Its columns: first those that tell the rows from each other, then those whose values are folded."""
        return [*self.grouping.columns, *self.values]

    @cached_property
    def holes(self) -> Sequence[str]:
        """A sentence for each row that lacks jobs: `lr=0.1: 3 of 5 seeds (1 running, 1 failed: xpm show 3f2a91c).`

        Then one for each row and result that done jobs have not reported.
        """
        lacking = [sentence(row.name, self._done(row), row.holes, self.settings.unit) for row in self if row.holes]
        return [*lacking, *(said for row in self for said in self._silent(row))]

    @property
    def notes_but_holes(self) -> Sequence[str]:
        """What one should know of it besides the holes, each a sentence."""
        return self._notes

    @property
    def notes(self) -> Sequence[str]:
        """What one should know of it, each a sentence; the first of the holes, too."""
        rest = len(self.holes) - NAMED
        words = "hole is" if rest == 1 else "holes are"
        more = [f"{rest:,} more {words} not named here. Each cell says how many jobs it counts."] if rest > 0 else []
        return [*self._notes, *self.holes[:NAMED], *more]

    @property
    def caption(self) -> str:
        """What the caption of a table says: what a cell is, over how many seeds, and where a width stopped a sampling.

        It is empty if no job counts in any cell.
        """
        return self.caption_of(*self.values)

    def caption_of(self, *columns: Column) -> str:
        """The same for some of the columns."""
        values = [row.value(column) for row in self._rows for column in columns]
        said = self.settings.caption(value for value in values if isinstance(value, Cell))
        return " ".join([said, *self._sampled(columns)]).strip()

    def _sampled(self, columns: Iterable[Column], places: str = "rows") -> Iterator[str]:
        """A sentence for each result whose sampling was stopped by the width of its interval."""
        if self.settings.stopped:  # this table is what the sampling has returned: its caption says it
            return
        lines = (line for row in self._rows for line in row.lines if line.foreign is None)
        names = {name for line in lines for name in line.job.experiments or ()}
        found = [each for name in sorted(names) for each in ExperimentDirectory(self._workspace, name).samplings()]
        for column in columns if found else ():
            values = [row.value(column) for row in self._rows]
            if said := self.settings.sampled(column.key, values, found, places):
                yield said

    def _silent(self, row: FoldedRow) -> Iterator[str]:
        """A sentence for each result that done jobs of a row have not reported."""
        for column in self.values:
            if lacking := self._unreported(row, column):
                keys = [key for key in self._done(row) if key not in {hole.key for hole in lacking}]
                yield sentence(row.name, keys, lacking, self.settings.unit)

    @staticmethod
    def _done(row: FoldedRow) -> list[Key]:
        """What was folded, of each job of a row that is done."""
        return [key for line, key in zip(row.group.rows, row.group.keys, strict=True) if line.state is State.DONE]

    def _unreported(self, row: FoldedRow, column: Column) -> Sequence[Hole]:
        """Done jobs of a row that have not reported a result, while others of its task have."""
        if all(line.value(column) is not None for line in row.group.rows if line.state is State.DONE):
            return ()
        found = self.fold(row.group, column, ())
        return found.missing if isinstance(found, Cell) else ()

    def fold(self, group: Group, column: Column, holes: Sequence[Hole]) -> Any:
        """The value of a group in a column. A row calls it once, and keeps what it returns."""
        tasks = self._reported.get(column)
        if tasks is None:
            rows = [row for each in self.grouping.groups for row in each.rows]
            tasks = self._reported[column] = {row.job.task for row in rows if row.value(column) is not None}
        reports = any(row.job.task in tasks for row in group.rows)
        return value_of(group, column, holes, self.settings) if reports else None

    def column(self, name: str) -> Column:
        """The column of a name.

        Raises:
            UnknownColumnError: There is none.
        """
        for names in (lambda each: (each.name, f"{each.kind}.{each.key}"), lambda each: (each.key,)):
            if found := [column for column in self.columns if name in names(column)]:
                return found[0]
        known = [column.name for column in self.columns]
        near = difflib.get_close_matches(name, known, 2)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        if name in self.settings.names:
            hint = "It was folded. "
        raise UnknownColumnError("results", f"no column {name!r}", f"{hint}There are: {', '.join(known)}.")

    def _metric(self, name: str, place: str) -> Column:
        return self.column(name) if name else only_metric(self.values, place)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> FoldedRow: ...
    @overload
    def __getitem__(self, at: slice) -> Folded: ...
    def __getitem__(self, at: int | slice) -> FoldedRow | Folded:
        return self._rows[at] if isinstance(at, int) else self._of(self._rows[at])

    def __iter__(self) -> Iterator[FoldedRow]:
        return iter(self._rows)

    def __repr__(self) -> str:
        names = listed([column.name for column in self.columns], 8) or "no columns"
        return f"<{plural(len(self), 'row')} with {names}, over {' and '.join(self.settings.names)}>"

    def _of(self, rows: Sequence[FoldedRow], **changed: Any) -> Folded:
        """A table of some of the rows."""
        found = copy(self)
        found.__dict__.pop("holes", None)
        found.__dict__.update(changed, _rows=[row.bound(found) for row in rows])
        return found

    def stopped(self, why: str) -> Folded:
        """The same table, whose captions say what has stopped the sampling."""
        return self._of(self._rows, settings=replace(self.settings, stopped=why))

    def sheet(self, bold: str | Sequence[str] = (), within: str | Sequence[str] = ()) -> Sheet:
        """The table as every form of output gets it (`to_latex()` and the like).

        Args:
            bold: The names of results whose best values are bold, together with those that are not distinguishable
                from the best; with a minus, as in `-loss`, the least is the best.
            within: The names of columns: there is a best value for each combination of theirs.
        """
        rows = [[row.value(column) for column in self.columns] for row in self]
        metrics = {self.column(name.removeprefix("-")): name.startswith("-") for name in as_names(bold)}
        marks = self._marked(metrics, as_names(within), "bold") if metrics else {}
        places = {column: place for place, column in enumerate(self.columns)}
        best = {
            (at, places[metric])
            for at in range(len(self))
            for metric in metrics
            if marks.get((metric, at)) in ("best", "alike")
        }
        said = [self.caption, ALIKE.format(" of each group" if within else "") if best else ""]
        said += untested(
            marks, {at: row.name for at, row in enumerate(self)}, {metric: metric.name for metric in metrics}
        )
        return Sheet(
            headings=[column.name for column in self.columns],
            rows=rows,
            labels=len(self.grouping.columns),
            names=[row.name for row in self],
            codes={line.identity: line.code for row in self for line in row.lines if line.code},
            bold=best,
            caption=" ".join(filter(None, said)),
            notes=[
                *self.notes,
                *notes_of((row.name, column.name, row.value(column)) for row in self for column in self.values),
            ],
        )

    def notes_on(self, column: Column) -> Sequence[str]:
        """What the cells of a column say of themselves, as why they have no interval."""
        return notes_of((row.name, column.name, row.value(column)) for row in self)

    def to_plot(self) -> Source:
        settings = self.settings
        kind = "t" if settings.interval == "stratified" else settings.interval
        spread = Spread(kind, settings.level, settings.range, settings.seed)
        return Source(self._rows, self.grouping.telling, spread, self.notes)

    # -- choosing --------------------------------------------------------------------------------------------------

    @edge
    def sort(self, *names: str) -> Folded:
        """Return the rows sorted by columns, cells by their means: `folded.sort("-accuracy")`.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        order = [(self.column(name.removeprefix("-")), name.startswith("-")) for name in names]
        return self._of(sorted_rows(self._rows, order))

    @edge
    def select(self, *names: str) -> Folded:
        """Return the same rows with these results only. What tells rows from each other always stays.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        asked = [self.column(name) for name in names]
        return self._of(self._rows, values=[column for column in asked if column in self.values])

    @edge
    def best(self, metric: str = "", *, by: str | Sequence[str] = (), lowest: bool = False) -> Folded:
        """Return the row with the best mean, or of each combination of some columns the best.

        A row may be the best by luck: `marks` says what is not distinguishable from it. Rows that are equally good are
        all returned. Rows without a mean are left out, and rows with holes count: `notes` names both.

        Args:
            metric: The name of a result; it may be left out if there is only one.
            by: The names of columns.
            lowest: Whether the least mean is the best.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        columns, value = [self.column(name) for name in as_names(by)], self._metric(metric, "best")
        found = self._of(best_rows(self._rows, value, columns, lowest=lowest))
        strange = [
            row.name or "all" for row in self if isinstance(cell := row.value(value), Cell) and score(cell) is None
        ]
        if strange:
            said = f"The best is chosen without rows that have no mean of {value.name}: {listed(strange, 3)}."
            found._notes = [*self._notes, said]
        return found

    @edge
    def marks(self, metric: str = "", *, within: str | Sequence[str] = (), lowest: bool = False) -> list[Mark]:
        """Return the mark of each row, in their order: "best"; "alike" if it is not distinguishable from the best;
        "untested" if there are too few values, or one is not finite; empty if it is worse.

        Rows are tested against the best, paired by the seeds that they share. p-values are corrected by Holm's method
        for all comparisons that are made. If the row with the best mean has less than 3 values, there is no best one:
        all are "untested". So the greatest of single runs is never called the best.

        Args:
            metric: The name of a result; it may be left out if there is only one.
            within: The names of columns: there is a best row for each combination of their values.
            lowest: Whether the least mean is the best.

        Raises:
            UnknownColumnError: Nothing has such a name.
            ResultsError: The cells are no means.
        """
        column = self._metric(metric, "marks")
        found = self._marked({column: lowest}, as_names(within), "marks")
        return [found.get((column, at), "") for at in range(len(self))]

    def _marked(
        self, metrics: Mapping[Column, bool], within: Sequence[str], place: str
    ) -> dict[tuple[Hashable, Hashable], Mark]:
        """The marks of results by result and row. p-values are corrected for all comparisons together.

        Args:
            metrics: The results, each with whether its least mean is the best.
            within: As in `marks`.
            place: Where that was asked for, for messages.
        """
        self._refuse_aggregates(place)
        columns = [self.column(name) for name in within]
        cells: dict[Hashable, dict[Hashable, Any]] = {}
        metric_of: dict[Hashable, Column] = {}
        for at, row in enumerate(self):
            group = tuple(key_of(row.value(each)) for each in columns)
            for metric in metrics:
                metric_of[metric, group] = metric
                cells.setdefault((metric, group), {})[at] = row.value(metric)
        lowest = [each for each, metric in metric_of.items() if metrics[metric]]
        found = marked(cells, lowest=lowest, level=self.settings.level)
        return {(metric_of[each], at): mark for (each, at), mark in found.items()}

    @edge
    def profile(self, taus: Iterable[float], metric: str = "") -> dict[str, list[ProfilePoint]]:
        """Return the performance profile of each row, by its name: the share of runs with a result above each tau.

        If several names were folded, all but the last tell tasks from each other, and the bootstrap is stratified by
        task.

        Args:
            taus: Results to compare with.
            metric: The name of a result; it may be left out if there is only one.

        Raises:
            UnknownColumnError: Nothing has that name.
            ResultsError: A tau is no number.

        Example:
            >>> table.over("data", "seed").profile([0.5, 0.9])["model=bm25"][0].share
            0.8
        """
        column, limits, found = self._metric(metric, "profile"), list(taus), {}
        level, seed = self.settings.level, self.settings.seed
        for row in self:
            cell = row.value(column)
            if isinstance(cell, Cell):
                found[row.name] = performance_profile(scores_of(cell.values, cell.keys), limits, level, seed)
        return found

    def _refuse_aggregates(self, place: str) -> None:
        if self.settings.interval == "stratified":
            raise ResultsError(place, "tests compare means, and these cells are aggregates", "Fold with over() first.")

    @edge
    def pivot(
        self, rows: str | Sequence[str], columns: str | Sequence[str], value: str = "", *, lowest: bool = False
    ) -> Pivot:
        """Return a table with one cell in each place. In each column, the best cell and what is like it are marked.

        Args:
            rows: The names of the columns that tell rows from each other.
            columns: The names of the columns whose values become columns.
            value: The name of a result; it may be left out if there is only one.
            lowest: Whether the least mean is the best.

        Raises:
            ResultsError: Several rows have one place. The message says in what they differ.
            UnknownColumnError: Nothing has such a name.

        Example:
            >>> table.over("seed").pivot("model", "dataset", "accuracy")[0]["cranfield"].mean
        """
        by, across = ([self.column(name) for name in as_names(names)] for names in (rows, columns))
        found = pivoted(self._rows, by, across, self._metric(value, "pivot"), self.grouping.columns)
        cells = [cell for row in self for cell in [row.value(found.value)] if isinstance(cell, Cell)]
        said = self.settings.caption(cells, found.value.name)
        found.caption = " ".join([said, *self._sampled([found.value], "places")]).strip()
        of_value = self._of(self._rows, values=[column for column in self.values if column == found.value])
        found.notes = [*of_value.notes, *found.notes]
        if self.settings.interval != "stratified":
            found.mark(lowest=lowest, level=self.settings.level)
        return found
