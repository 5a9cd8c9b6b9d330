"""The method `plot` of tables.

Owns: what is plotted when. It imports matplotlib when something is drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xpm_core.errors import ResultsError
from xpm_core.results.columns import Column
from xpm_core.results.formats.frames import imported
from xpm_core.results.plotting.curved import Row, Source, curved
from xpm_core.results.plotting.series import Chart, Line, Mark, Series, chart_of, rest_of
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEP = "step"
"""As the horizontal axis, it asks for the curve of a metric."""


class Plotted(ABC):
    """A table that can be plotted."""

    @abstractmethod
    def to_plot(self) -> Source:
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
        job, or the mean with its band for each row of a folded table. Runs that are done or go on count in a mean, and
        those that have failed are named. Where some runs have ended, a curve is dotted, has no band, and says how many
        runs are left.

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

        rows, telling, spread, notes = self.to_plot()
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

        if not metric:
            raise ResultsError("plot", "a curve needs the name of a metric", 'Write plot("step", "loss").')
        found = curved(source, metric, [self.column(name) for name in names])
        chart = Chart(STEP, metric, " ".join(names), [], [], [], found.caption)
        if source.spread is None:
            chart.notes = found.notes
            chart.series = [
                Series(group.name, [Mark(*point) for point in run.points])
                for group in found.groups
                for run in group.runs
            ]
            return drawing.draw_lines(chart)
        bands = found.bands()
        chart.notes, chart.caption = found.notes, found.caption
        return drawing.draw_bands(chart, bands)


def _lines(
    rows: Sequence[Row], x: Column, by: Sequence[Column], y: Column, telling: Sequence[Column]
) -> Iterator[Line]:
    named = [x.name, *(column.name for column in by)]
    for row in rows:
        rest = rest_of({column.name: row.value(column) for column in telling}, named)
        yield row.value(x), [row.value(column) for column in by], row.value(y), rest
