"""The curves of a metric that the rows of a table have: one for each job, or a mean with its band for each folded row.

Owns: which jobs a curve is made of, and what is said of those that have none. It draws nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from xpm_core.errors import ResultsError
from xpm_core.labels import short
from xpm_core.results.columns import Column, key_of
from xpm_core.results.curves import Curves, curves
from xpm_core.results.formats.sheet import named
from xpm_core.results.latest import latest_metrics
from xpm_core.results.plotting.bands import Band, Run, Spread, band_of
from xpm_core.states import State
from xpm_core.words.text import listed, plural

MOST_POINTS = 1000
"""So many points of a curve are drawn, or taken into a mean: more than there are steps at which means are taken."""
NAMED = 3


class Job(Protocol):
    """A job in a table."""

    @property
    def identity(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def state(self) -> State | None: ...
    @property
    def directory(self) -> Path | None: ...


class Row(Protocol):
    """A row of a table: a job, or several that were folded."""

    @property
    def lines(self) -> Sequence[Job]: ...
    def value(self, column: Column) -> Any: ...


class Source(NamedTuple):
    """What is plotted.

    Attributes:
        rows: The rows of the table.
        telling: The columns that tell them from each other.
        spread: The interval of a folded table; None if each row is a job.
        notes: What one should know of its values, each a sentence.
    """

    rows: Sequence[Row]
    telling: Sequence[Column]
    spread: Spread | None = None
    notes: Sequence[str] = ()


Read = Callable[[Path, str], Curves]
"""Reads the curve of a metric from the directory of a job; an OSError says why it cannot."""


def read_curve(directory: Path, metric: str) -> Curves:
    """Read the curve of a metric, as means need it: points are thinned without a look at their values."""
    return curves(directory, most=MOST_POINTS, keep="every", only=metric)


class Group(NamedTuple):
    """The curves of a row.

    Attributes:
        name: What tells the row from others: `lr=0.1 model=mlp`.
        row: The row.
        runs: The curves of its jobs. One without points has none.
    """

    name: str
    row: Row
    runs: Sequence[Run]


@dataclass
class Curved:
    """The curves of a metric.

    Attributes:
        metric: The metric.
        groups: The curves of each row.
        spread: The interval of the bands; None if each curve is that of a job.
        notes: What one should know of them, each a sentence.
        caption: What a curve is; empty for jobs, and before `bands`.
    """

    metric: str
    groups: Sequence[Group]
    spread: Spread | None
    notes: list[str] = field(default_factory=list)
    caption: str = ""

    def bands(self) -> list[Band]:
        """The mean of each row with its band. What is to be said of them is added to the notes, once."""
        assert self.spread is not None
        found = [band_of(group.name, group.runs, self.spread) for group in self.groups]
        self.notes = [*(note for band in found for note in band.notes), *self.notes]
        shown = any(step.low is not None for band in found for step in band.steps)
        interval = f" and {self.spread.said}" if shown else ""
        self.caption = f"Mean{interval} at each step; dotted where fewer runs count."
        return [band for band in found if band.steps]


def curved(
    source: Source, metric: str, by: Sequence[Column], *, read: Read = read_curve, place: str = "plot"
) -> Curved:
    """The curves of a metric that some rows have.

    Tasks none of whose jobs have logged the metric are left out, and named.

    Args:
        source: The rows.
        metric: The metric.
        by: The columns whose values name a row.
        read: Reads the curve of a job.
        place: Where the metric was asked for, for messages.

    Raises:
        ResultsError: No job has logged the metric, two folded rows have one name, or none of their runs counts.
    """
    notes: dict[str, list[str]] = {}
    groups = [
        Group(
            named(by, [row.value(column) for column in by]),
            row,
            [_run(job, metric, read, notes) for job in row.lines],
        )
        for row in source.rows
    ]
    if not any(run.points for group in groups for run in group.runs):
        raise _no_curve(source.rows, metric, place)
    kept, silent = _logging(groups)
    found = Curved(metric, kept, source.spread, _said_once(notes))
    if silent:
        found.notes.append(f"Left out, because they have not logged {metric}: jobs of {listed(silent)}.")
    if source.spread is None:
        found.notes += _without_curve(kept, metric)
        return found
    if len({tuple(key_of(group.row.value(column)) for column in by) for group in kept}) < len(kept):
        problem = f"several rows have the same {' '.join(column.name for column in by) or 'name'}"
        telling = listed([column.name for column in source.telling])
        raise ResultsError(place, problem, f"Name what tells them apart with `by`: {telling}.")
    if not any(run.points and not run.ended_badly for group in kept for run in group.runs):
        problem = f"each run that has logged {metric} has failed or was cancelled, so none counts in a mean"
        raise ResultsError(place, problem, "Look at the curve of each job: fold nothing.")
    found.notes += source.notes
    return found


def _run(job: Job, metric: str, read: Read, notes: dict[str, list[str]]) -> Run:
    """The curve of a job. What should be known of it is added to the notes: by note, the jobs."""
    state = job.state.value if job.state else "unknown"
    found: Curves | None = None
    if job.directory is not None:
        try:
            found = read(job.directory, metric)
        except OSError as error:
            notes.setdefault(f"metrics cannot be read: {error.strerror}.", []).append(short(job.identity))
    if found is None or metric not in found:
        return Run(job.identity, [], state)
    for note in found.notes:
        notes.setdefault(note, []).append(short(job.identity))
    return Run(job.identity, found[metric], state)


def _logging(groups: Sequence[Group]) -> tuple[Sequence[Group], list[str]]:
    """The rows of tasks that have logged the metric, and the names of the other tasks."""
    tasks: dict[str, bool] = {}
    for group in groups:
        for job, run in zip(group.row.lines, group.runs, strict=True):
            tasks[job.task] = tasks.get(job.task, False) or bool(run.points)
    kept = [group for group in groups if any(tasks[job.task] for job in group.row.lines)]
    return kept, [task for task, logs in tasks.items() if not logs]


def _said_once(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """The notes on curves, each with the jobs that it is about; one about all curves that were thinned."""
    thinned = [(job, note) for note, jobs in notes.items() if "points are kept" in note for job in jobs]
    said = [f"{listed(jobs, NAMED)}: {note}" for note, jobs in notes.items() if "points are kept" not in note]
    if thinned:
        count = plural(len(thinned), "curve")
        said.append(f"Not all points are drawn of {count}, such as {': '.join(thinned[0])}")
    return said


def _without_curve(groups: Sequence[Group], metric: str) -> Iterator[str]:
    """A sentence about the jobs that have no curve."""
    missing = [run for group in groups for run in group.runs if not run.points]
    if missing:
        words = listed([f"{short(run.job)} {run.state}" for run in missing], NAMED)
        yield f"{plural(len(missing), 'job')} without a curve of {metric} ({words})."


def _no_curve(rows: Sequence[Row], metric: str, place: str) -> ResultsError:
    """The error if no job has logged a metric; it names those that a job has."""
    for job in (job for row in rows for job in row.lines):
        known = list(latest_metrics(job.directory).values) if job.directory else []
        if known:
            near = difflib.get_close_matches(metric, known, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            return ResultsError(
                place, f"no job has logged {metric!r} as a number", f"{hint}There are: {listed(known, 10)}."
            )
    return ResultsError(
        place, f"no job has logged {metric!r}", f"Log it in execute(): self.log(step=..., {metric}=...)."
    )
