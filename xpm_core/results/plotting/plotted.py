"""The method `plot` of tables.

Owns: what is plotted when, and reading the curves of jobs. It imports matplotlib when something is drawn.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from xpm_core.errors import ResultsError
from xpm_core.labels import short
from xpm_core.results.columns import Column
from xpm_core.results.curves import Curves, Point, curves
from xpm_core.results.formats.frames import imported
from xpm_core.results.latest import latest_metrics
from xpm_core.results.plotting.bands import Run, Spread, band_of
from xpm_core.results.plotting.series import Chart, Line, Mark, Series, chart_of, rest_of
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.words.text import listed, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP = "step"
"""As the horizontal axis, it asks for the curve of a metric."""
MOST_POINTS = 2000
"""So many points of a curve are drawn, or taken into a mean."""


class Job(Protocol):
    """A job in a table."""

    @property
    def identity(self) -> str: ...
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


class Plotted(ABC):
    """A table that can be plotted."""

    @abstractmethod
    def _to_plot(self) -> Source:
        """What is plotted."""

    @abstractmethod
    def _metric(self, name: str, place: str) -> Column: ...

    @abstractmethod
    def column(self, name: str) -> Column:
        """The column that a name means."""

    @abstractmethod
    def caption_of(self, *columns: Column) -> str:
        """What a value of some columns is, in a sentence; empty if it is that of a job."""

    def notes_on(self, column: Column) -> Sequence[str]:
        """What the values of a column say of themselves, as why they have no interval."""
        return ()

    @edge
    def plot(self, x: str, y: str = "", *, by: str | Sequence[str] | None = None) -> Figure:
        """Plot a result, or the curve of a metric. It needs matplotlib.

        A table of jobs gives a point for each job. A folded table gives means with their intervals: lines where `x` is
        a number, else bars. With `x="step"`, curves of the metric `y` are drawn that jobs have logged: one for each
        job, or the mean with its band for each row of a folded table. Where some of its runs have ended, a curve is
        dotted, has no band, and says how many runs are left.

        Args:
            x: The name of a column, or "step".
            y: The name of a result, or of a metric; it may be left out if there is only one result.
            by: The names of columns whose values have a colour each. Without it, folded tables take all columns that
                tell their rows from each other.

        Returns:
            A figure of matplotlib. `.savefig("plot.pdf")` writes it, and a notebook shows it. `.notes` has what one
            should know of it, such as runs that ended early; the first notes stand below it, too.

        Raises:
            MissingPackageError: matplotlib is not installed.
            UnknownColumnError: Nothing has such a name.
            ResultsError: There is nothing to draw, or rows of a folded table would share a place.

        Example:
            table.over("seed").plot("step", "loss", by="model").savefig("loss.pdf")
        """
        imported("matplotlib.figure", "plot()")
        from xpm_core.results.plotting import drawing

        rows, telling, spread, notes = self._to_plot()
        if by is None:
            names = [column.name for column in telling if column.name != x] if spread else []
        else:
            names = [by] if isinstance(by, str) else list(by)
        if x == STEP:
            return self._curves(Source(rows, telling, spread, notes), y, names)
        across, value, group = self.column(x), self._metric(y, "plot"), [self.column(name) for name in names]
        chart = chart_of(x, value.name, names, list(_lines(rows, across, group, value, telling)), folded=bool(spread))
        chart.caption = self.caption_of(value)
        chart.notes += [*self.notes_on(value), *notes]
        return drawing.draw_means(chart) if spread else drawing.draw_points(chart)

    def _curves(self, source: Source, metric: str, names: Sequence[str]) -> Figure:
        """The curves of a metric."""
        from xpm_core.results.plotting import drawing

        rows, telling, spread, notes = source
        if not metric:
            raise ResultsError("plot", "a curve needs the name of a metric", 'Write plot("step", "loss").')
        group = [self.column(name) for name in names]
        chart = Chart(STEP, metric, " ".join(names), [], [], [])
        found = [
            (
                " ".join(f"{column.name}={row.value(column)}" for column in group),
                [_run(job, metric, chart.notes) for job in row.lines],
            )
            for row in rows
        ]
        if not any(run.points for _, runs in found for run in runs):
            raise _no_curve(rows, metric)
        chart.notes = _thinned_once(chart.notes)
        if spread is None:
            _without_curve(found, chart)
            chart.series = [
                Series(name, [Mark(*point) for point in run.points]) for name, runs in found for run in runs
            ]
            return drawing.draw_lines(chart)
        if len({name for name, _ in found}) < len(found):
            problem = f"several rows have the same {' '.join(names) or 'name'}"
            raise ResultsError(
                "plot", problem, f"Name what tells them apart with `by`: {listed([column.name for column in telling])}."
            )
        bands = [band_of(name, runs, spread) for name, runs in found]
        chart.notes = [*(note for band in bands for note in band.notes), *chart.notes, *notes]
        shown = any(step.low is not None for band in bands for step in band.steps)
        chart.caption = f"Mean{f' and {spread.said}' if shown else ''} at each step; dotted where fewer runs count."
        return drawing.draw_bands(chart, [band for band in bands if band.steps])


def _lines(
    rows: Sequence[Row], x: Column, by: Sequence[Column], y: Column, telling: Sequence[Column]
) -> Iterator[Line]:
    named = [x.name, *(column.name for column in by)]
    for row in rows:
        rest = rest_of({column.name: row.value(column) for column in telling}, named)
        yield row.value(x), [row.value(column) for column in by], row.value(y), rest


def _run(job: Job, metric: str, notes: list[str]) -> Run:
    """The curve of a job. What should be known of it is added to the notes."""
    state = job.state.value if job.state else "unknown"
    found: Curves | None = None
    if job.directory is not None:
        try:
            found = curves(job.directory, most=MOST_POINTS, keep="every", only=metric)
        except OSError as error:
            notes.append(f"{short(job.identity)}: its metrics cannot be read: {error.strerror}.")
    if found is None or metric not in found:
        return Run(job.identity, [], state)
    notes += [f"{short(job.identity)}: {note}" for note in found.notes]
    points: list[Point] = found[metric]
    return Run(job.identity, points, state)


def _thinned_once(notes: Sequence[str]) -> list[str]:
    """The notes of the curves, with one about all of those that were thinned."""
    thinned = [note for note in notes if "points are kept" in note]
    said = [f"Not all points are drawn of {plural(len(thinned), 'curve')}, such as {thinned[0]}"] if thinned else []
    return [*(note for note in notes if note not in thinned), *said]


def _without_curve(found: Sequence[tuple[str, Sequence[Run]]], chart: Chart) -> None:
    """Note which jobs have no curve."""
    missing = [run for _, runs in found for run in runs if not run.points]
    if missing:
        words = listed([f"{short(run.job)} {run.state}" for run in missing], 3)
        chart.notes.append(f"{plural(len(missing), 'job')} without a curve of {chart.y} ({words}).")


def _no_curve(rows: Sequence[Row], metric: str) -> ResultsError:
    """The error if no job has logged a metric; it names those that a job has."""
    for job in (job for row in rows for job in row.lines):
        known = list(latest_metrics(job.directory).values) if job.directory else []
        if known:
            near = difflib.get_close_matches(metric, known, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            return ResultsError(
                "plot", f"no job has logged {metric!r} as a number", f"{hint}There are: {listed(known, 10)}."
            )
    return ResultsError(
        "plot", f"no job has logged {metric!r}", f"Log it in execute(): self.log(step=..., {metric}=...)."
    )
