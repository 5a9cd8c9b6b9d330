"""A table of results: a row for each job, a column for each tag and parameter that differs, and for each result.

Owns: rows, what is selected of them, and their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from xpm_core.errors import ResultsError
from xpm_core.filters import Vocabulary, parse
from xpm_core.labels import short
from xpm_core.results.columns import Column, Columns
from xpm_core.results.comparing.comparable import Comparable
from xpm_core.results.folding.choosing import as_names, best_rows, only_metric, score
from xpm_core.results.folding.folded import Folded
from xpm_core.results.folding.grouping import foldable, grouped
from xpm_core.results.folding.pivot import Pivot, pivoted
from xpm_core.results.folding.settings import Settings
from xpm_core.results.foreign import ForeignNote, ForeignRun, foreign_notes
from xpm_core.results.formats.sheet import Sheet, named
from xpm_core.results.formats.text_form import as_text, begun_with
from xpm_core.results.formats.written import Written
from xpm_core.results.jobs import Job, Known
from xpm_core.results.plotting.curved import Source
from xpm_core.results.plotting.plotted import Plotted
from xpm_core.results.statistics.aggregates import STATISTICS
from xpm_core.results.statistics.arguments import Bounds, checked_choice
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.words.text import listed, plural
from xpm_core.workspace.workspace import Workspace

_NONE: Mapping[str, Any] = {}
_STATE = Column("state", "fact", "state")


class Row(Mapping[str, Any]):
    """A job in a table: a mapping from the names of columns to values, None where the job has none.

    It also has what the table does not show: `row["directory"]`, `row["param.optim.momentum"]`.

    Attributes:
        job: The job.

    Example:
        >>> row["lr"], row["accuracy"], row.state, row.directory / "model.bin"
    """

    __slots__ = ("_table", "job")

    def __init__(self, table: Table, job: Job) -> None:
        self._table, self.job = table, job

    @edge
    def __getitem__(self, name: str) -> Any:
        return self.value(self._table.column(name))

    def __iter__(self) -> Iterator[str]:
        return (column.name for column in self._table.columns)

    def __len__(self) -> int:
        return len(self._table.columns)

    def __repr__(self) -> str:
        return f"<{self.job.title} {short(self.identity)} {self.state.value if self.state else 'unknown'}>"

    def value(self, column: Column) -> Any:
        """The value of a column; None if the job has none."""
        if column.kind == "tag":
            return (self.tags or _NONE).get(column.key)
        if column.kind == "param":
            return self.params.get(column.key)
        if column.kind == "result":
            return self.results.get(column.key)
        return getattr(self, {"id": "identity"}.get(column.key, column.key))

    @property
    def identity(self) -> str:
        """The identity, 64 hexadecimal digits."""
        return self.job.identity

    @property
    def lines(self) -> Sequence[Row]:
        """The row itself: a folded row has several."""
        return [self]

    @property
    def task(self) -> str:
        """The bare name of the task's class."""
        return self.job.name or "?"

    @property
    def state(self) -> State | None:
        """The state; None if it is not known."""
        return self.job.state

    @property
    def tags(self) -> Mapping[str, Any]:
        """The tags."""
        return self.job.tags or _NONE

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters by path, together with those of the jobs that it uses: `train.lr`."""
        return self._table.known.parameters(self.job)

    @property
    def results(self) -> Mapping[str, Any]:
        """What it has reported, in one level: `loss.test`. Lists are in its directory only: `task.results`."""
        found = self.job.results
        return _NONE if found is None else found

    @property
    def foreign(self) -> str | None:
        """The name of the import that has brought it, such as `runs.csv`; None for a job of this workspace."""
        return self.job.foreign if isinstance(self.job, ForeignRun) else None

    @property
    def directory(self) -> Path | None:
        """Its directory; None if its task is not known. Of a foreign row, the folder that it was read from, if any."""
        if isinstance(self.job, ForeignRun):
            return self.job.folder
        task, workspace = self.job.task, self._table.known.workspace
        return Workspace(workspace, "").job(task, self.identity).path if task else None

    @property
    def seconds(self) -> float | None:
        """How long its last attempt took, seconds; None if it has not ended."""
        started, ended = self.job.started_s, self.job.ended_s
        return ended - started if started and ended else None

    @property
    def submitted(self) -> float | None:
        """When it was first submitted, epoch seconds."""
        return self.job.submitted_s or None

    @property
    def started(self) -> float | None:
        """When its last attempt began, epoch seconds."""
        return self.job.started_s or None

    @property
    def ended(self) -> float | None:
        """When it ended, epoch seconds."""
        return self.job.ended_s or None

    @property
    def attempts(self) -> int | None:
        """How many attempts there were."""
        return self.job.attempts

    @property
    def host(self) -> str | None:
        """The machine that runs it, or ran it last."""
        return self.job.host

    @property
    def worker(self) -> str | None:
        """The worker that runs it, or ran it last."""
        return self.job.worker

    @property
    def code(self) -> str | None:
        """The snapshot that it ran, the first digits of its digest."""
        return self.job.code

    @property
    def commit(self) -> str | None:
        """The git commit of its code."""
        return self.job.commit

    @property
    def packages(self) -> str | None:
        """The list of the packages that it ran with, the first digits of its digest."""
        return self.job.packages

    @property
    def experiments(self) -> Collection[str]:
        """The experiments that it belongs to."""
        return sorted(self.job.experiments or ())


class Table(Comparable, Written, Plotted, Sequence[Row]):
    """Rows of jobs. `experiment.results()` and `look(workspace).results("digits")` return one.

    Args:
        jobs: The jobs.
        known: What is known besides them.
        notes: What one should know of it, each a sentence.
        asked: The names of its columns; None for those that differ, and the results.

    Attributes:
        known: What is known besides the jobs.
        notes: What one should know of it, each a sentence.

    Raises:
        UnknownColumnError: No column has a name that was asked for.

    Example:
        >>> for row in xp.results("task=Train"):
        ...     print(row["lr"], row["accuracy"])
    """

    def __init__(
        self, jobs: Iterable[Job], known: Known, notes: Iterable[str] = (), asked: Sequence[str] | None = None
    ) -> None:
        self._rows = [Row(self, job) for job in jobs]
        others = [note for note in notes if not isinstance(note, ForeignNote)]
        self.known, self.notes = known, [*others, *foreign_notes(row.job for row in self._rows)]
        self._asked = asked
        if asked is not None:
            self.columns  # noqa: B018  # it raises the error of an unknown name here

    @cached_property
    def _all(self) -> Columns:
        rows = self._rows
        return Columns([row.tags for row in rows], [row.params for row in rows], [row.results for row in rows])

    @cached_property
    def columns(self) -> Sequence[Column]:
        """The columns, in order."""
        return self._all.shown if self._asked is None else [self.column(name) for name in self._asked]

    def column(self, name: str) -> Column:
        """The column that a name means.

        Args:
            name: The name of a column that is shown, or of a tag, a parameter (its last names are enough), a result or
                a fact. `tag.NAME`, `param.PATH` and `result.NAME` say which of these.

        Raises:
            UnknownColumnError: Nothing has that name, or several parameters have it.
        """
        return self._all.find(name, "results")

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Table: ...
    def __getitem__(self, at: int | slice) -> Row | Table:
        return self._rows[at] if isinstance(at, int) else self._of(self._rows[at])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return (
            f"<{plural(len(self), 'row')} with {listed([column.name for column in self.columns], 8) or 'no columns'}>"
        )

    def _of(self, rows: Iterable[Row]) -> Table:
        return Table([row.job for row in rows], self.known, self.notes, self._asked)

    def sheet(self, bold: str | Sequence[str] = (), within: str | Sequence[str] = ()) -> Sheet:
        """The table as every form of output gets it (`to_csv()` and the like).

        Raises:
            ResultsError: A column is named whose best values are to be bold: one value says nothing of the best.
        """
        if bold or within:
            problem = "one job for each row does not tell which is the best"
            raise ResultsError("bold", problem, 'Fold what was repeated first, such as over("seed").')
        columns, results = list(self.columns), [column.kind == "result" for column in self.columns]
        labels = first = results.index(True) if True in results else len(columns)
        unfinished = self._unfinished([column for column in columns if column.kind == "result"])
        if self._asked is None and any(row.state is not State.DONE for row in self):
            columns.insert(first, _STATE)
            first += 1
        rows = [[row.value(column) for column in columns] for row in self]
        return Sheet(
            headings=[column.name for column in columns],
            rows=rows,
            labels=first,
            names=[named(columns[:labels], row[:labels]) for row in rows],
            jobs=[(row.identity,) for row in self],
            codes={row.identity: row.code for row in self if row.code},
            notes=[*self.notes, *unfinished],
        )

    def __str__(self) -> str:
        """The first rows as `xpm results` prints them, with the IDs of their jobs, and the notes."""
        sheet = self.sheet()
        if self._asked is not None or not len(self):
            return as_text(sheet)
        about = {"ID": [short(row.identity) for row in self]}
        if any(row.state is not State.DONE for row in self):
            about["STATE"] = [row.state.value if row.state else "unknown" for row in self]
        return as_text(begun_with(sheet, about, without=_STATE.name))

    def _unfinished(self, results: Sequence[Column]) -> list[str]:
        """A sentence if jobs that are not done have reported some results: these may be no final values."""
        found = [
            row for row in self if row.state is not State.DONE and any(each.key in row.results for each in results)
        ]
        if not found:
            return []
        words = listed([f"{short(row.identity)} {row.state.value if row.state else 'unknown'}" for row in found], 3)
        return [f"{plural(len(found), 'job')} not done, whose values may not be final: {words}."]

    def to_plot(self) -> Source:
        """Values of jobs that are not done are not drawn. Their curves are."""
        undone = [row for row in self if row.state is not State.DONE]
        words = listed([f"{short(row.identity)} {row.state.value if row.state else 'unknown'}" for row in undone], 3)
        notes = [f"{plural(len(undone), 'job')} not done, and not drawn: {words}."] if undone else []
        telling = [column for column in self.columns if column.kind in ("tag", "param")]
        return Source([_Finished(row) for row in self], telling, None, notes)

    def caption_of(self, *columns: Column) -> str:
        """What a value of some columns is: that of a job, so there is nothing to say."""
        return ""

    # -- selecting -------------------------------------------------------------------------------------------------

    @edge
    def where(self, filter: str) -> Table:
        """Return the rows that match a filter, such as `model=bm25 and accuracy>0.9` (docs/reference/filters.md).

        Raises:
            FilterError: The filter cannot be understood, or names what no row has.
        """
        jobs = [self.known.seen(row.job) for row in self._rows]
        wanted = parse(filter).bind(Vocabulary.of(jobs))
        return self._of(row for row, job in zip(self._rows, jobs, strict=True) if wanted.matches(job))

    @edge
    def select(self, *names: str) -> Table:
        """Return the same rows with these columns.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        return Table([row.job for row in self._rows], self.known, self.notes, names)

    @edge
    def sort(self, *names: str) -> Table:
        """Return the rows sorted by columns: `table.sort("-accuracy", "lr")`. Rows without a value come last.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        rows = list(self._rows)
        for name in reversed(names):
            column, descending = self.column(name.removeprefix("-")), name.startswith("-")
            having = [row for row in rows if _sortable(row.value(column)) is not None]
            lacking = [row for row in rows if _sortable(row.value(column)) is None]
            having.sort(key=lambda row: _sortable(row.value(column)) or (0, 0), reverse=descending)
            rows = having + lacking
        return self._of(rows)

    # -- folding and comparing -------------------------------------------------------------------------------------

    @edge
    def over(
        self,
        *names: str,
        interval: str = "t",
        level: float = 0.95,
        range: Bounds | None = None,
        seed: int = 0,
    ) -> Folded:
        """Return the table folded over some names: a row for each configuration, with the mean of its jobs.

        Jobs that differ in any other tag or parameter, or in their task, are never in one cell. Jobs that are not done
        do not count. They are named as holes, and so are seeds that other rows have.

        Args:
            names: What varies between jobs that belong together, such as `seed`.
            interval: "t": where the true mean lies, by Student's t. "bootstrap": the same, by resampling (BCa). "sd",
                "se", "minmax": how values spread. There is none below 3 values.
            level: The level of confidence of "t" and "bootstrap".
            range: The least and the greatest value that results can have: intervals stay inside.
            seed: For "bootstrap". The same values and seed give the same interval.

        Raises:
            UnknownColumnError: Nothing has such a name.
            ResultsError: There is no name, or an argument makes no sense.

        Example:
            >>> print(xp.results().over("seed")[0]["accuracy"])
            0.912 ± 0.008 (95 % t, n=5 seeds)
        """
        return self._folded("over", names, Settings(names, interval, level, range, seed))

    def _folded(self, place: str, names: Sequence[str], settings: Settings) -> Folded:
        found = grouped(self._rows, self._all, foldable(self._all, names, place))
        return Folded(found, self._values, settings, self.notes, self.known.workspace)

    @property
    def _values(self) -> Sequence[Column]:
        """The columns that are folded: results, and facts that were asked for."""
        return [column for column in self.columns if column.kind in ("result", "fact")]

    def _metric(self, name: str, place: str) -> Column:
        return self.column(name) if name else only_metric(self._values, place)

    @edge
    def pivot(self, rows: str | Sequence[str], columns: str | Sequence[str], value: str = "") -> Pivot:
        """Return a table with the value of one job in each place. To have means, fold it first: `over("seed").pivot`.

        Args:
            rows: The names of the columns that tell rows from each other.
            columns: The names of the columns whose values become columns.
            value: The name of a result; it may be left out if there is only one.

        Raises:
            ResultsError: Several jobs have one place. The message says in what they differ.
            UnknownColumnError: Nothing has such a name.
        """
        by, across = ([self.column(name) for name in as_names(names)] for names in (rows, columns))
        differing = [column for column in self._all.shown if column.kind != "result"]
        found = pivoted(map(_Finished, self._rows), by, across, self._metric(value, "pivot"), differing)
        undone = [repr(row) for row in self._rows if row.state is not State.DONE]
        said = [f"Without a value, because not done: {listed(undone, 3)}."] if undone else []
        found.notes = [*self.notes, *said, *found.notes]
        return found

    @edge
    def best(self, metric: str = "", *, by: str | Sequence[str] = (), lowest: bool = False) -> Table:
        """Return the best row, or of each combination of some columns the best: `table.best("accuracy")[0]["lr"]`.

        Only jobs that are done count. Rows that are equally good are all returned. A note names the jobs whose value is
        no finite number.

        Args:
            metric: The name of a result; it may be left out if there is only one.
            by: The names of columns.
            lowest: Whether the least value is the best.

        Raises:
            UnknownColumnError: Nothing has such a name.
        """
        done = [row for row in self._rows if row.state is State.DONE]
        columns, value = [self.column(name) for name in as_names(by)], self._metric(metric, "best")
        found = self._of(best_rows(done, value, columns, lowest=lowest))
        known = [row for row in done if row.value(value) is not None]
        strange = [short(row.identity) for row in known if score(row.value(value)) is None]
        if strange:
            what = f"{plural(len(strange), 'job')} whose {value.name} is no finite number"
            found.notes.append(f"The best is chosen without {what}: {listed(strange, 3)}.")
        return found

    @edge
    def aggregate(
        self,
        over: str | Sequence[str],
        stat: str = "iqm",
        *,
        level: float = 0.95,
        seed: int = 0,
    ) -> Folded:
        """Return the table folded over tasks and their runs: one number for many data sets or environments.

        Intervals are those of a bootstrap that draws runs again within each task. Results should be normalized, so that
        they mean the same in each task.

        Args:
            over: What tells tasks from each other, and last what varies between the runs of one: `["dataset", "seed"]`.
            stat: "iqm" (interquartile mean), "mean", "median" or "optimality_gap".
            level: The level of confidence.
            seed: The seed of the bootstrap.

        Raises:
            UnknownColumnError: Nothing has such a name.
            ResultsError: An argument makes no sense.
        """
        names = as_names(over)
        checked_choice("stat", stat, STATISTICS)
        return self._folded("aggregate", names, Settings(names, "stratified", level, None, seed, stat))


class _Finished:
    """A row that has results only if its job is done: what a job has reported before it failed says nothing."""

    def __init__(self, row: Row) -> None:
        self.row = row

    @property
    def lines(self) -> Sequence[Row]:
        """The row."""
        return [self.row]

    def value(self, column: Column) -> Any:
        """The value of a column."""
        return self.row.value(column) if column.kind != "result" or self.row.state is State.DONE else None


def _sortable(value: Any) -> tuple[int, Any] | None:
    """A value so that values of several types have an order; None if there is none."""
    if value is None or value != value:
        return None
    if isinstance(value, (bool, int, float)):
        return 0, value
    return 1, value.value if isinstance(value, State) else str(value)
