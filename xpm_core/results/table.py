"""A table of results: a row for each job, a column for each tag and parameter that differs, and for each result.

Owns: rows, what is selected of them, and their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from xpm_core.filters import Vocabulary, parse
from xpm_core.labels import short
from xpm_core.results.columns import Column, Columns
from xpm_core.results.foreign import ForeignNote, ForeignRun, foreign_notes
from xpm_core.results.jobs import Job, Known
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.words.text import listed, plural
from xpm_core.workspace.workspace import Workspace

_NONE: Mapping[str, Any] = {}


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
        return self.job.results

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


class Table(Sequence[Row]):
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

    # -- selecting -------------------------------------------------------------------------------------------------

    @edge
    def where(self, filter: str) -> Table:
        """Return the rows that match a filter, such as `model=bm25 and accuracy>0.9` (docs/reference/filters.md).

        Raises:
            FilterError: The filter cannot be understood, or names what no row has.
        """
        jobs = [row.job for row in self._rows]
        wanted = parse(filter).bind(Vocabulary.of(jobs), 0.0)
        return self._of(row for row in self._rows if wanted.matches(row.job))

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


def _sortable(value: Any) -> tuple[int, Any] | None:
    """A value so that values of several types have an order; None if there is none."""
    if value is None or value != value:
        return None
    if isinstance(value, (bool, int, float)):
        return 0, value
    return 1, value.value if isinstance(value, State) else str(value)
