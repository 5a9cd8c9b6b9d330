"""The curves of a workspace in a copy: a picture for each metric, drawn from the chart that the page would show.

Owns: how many metrics are drawn, and their scale. The colours stand in the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from xpm_cli.page.export.shapes import place_of
from xpm_cli.page.results.charts import Chart, Charts, Series
from xpm_cli.page.results.tables import jobs_of, metrics_of, over, seeds_of
from xpm_core.errors import XpmError
from xpm_core.results.folding.folded import Folded
from xpm_core.results.table import Table

if TYPE_CHECKING:
    from xpm_cli.page.desk.desk import Desk

METRICS = 20
"""How many metrics are drawn."""
READINGS = 600
"""How often the files of a metric are read on, each time for as long as a request of the page may take."""
WIDTH, HEIGHT = 640, 260
"""The size of a picture."""


class Drawn(NamedTuple):
    """A curve in a picture.

    Attributes:
        name: What tells it from others.
        runs: How many runs it is the mean of.
        lines: The points of each part in which all runs count, as SVG has them.
        dotted: Those of each part in which fewer do, with the points beside it.
        bands: The outline of its band, one for each part that has one. Where fewer runs count, there is none.
    """

    name: str
    runs: int
    lines: Sequence[str]
    dotted: Sequence[str]
    bands: Sequence[str]


class Picture(NamedTuple):
    """The curves of a metric.

    Attributes:
        chart: What is drawn.
        curves: Its curves.
        first, last: The least and the greatest step.
        least, greatest: The least and the greatest value, bands included.
    """

    chart: Chart
    curves: Sequence[Drawn]
    first: str
    last: str
    least: str
    greatest: str


def pictures_of(desk: Desk) -> tuple[list[Picture], list[str]]:
    """The pictures of all metrics, and what could not be drawn, each a sentence."""
    table = jobs_of(desk, "")
    metrics, pictures, notes = metrics_of(table), list[Picture](), list[str]()
    if not metrics:
        return pictures, notes
    shown, charts = over(desk, "", seeds_of(table), "t"), Charts()
    for metric in metrics[:METRICS]:
        try:
            chart = _whole(charts, shown, metric)
        except XpmError as error:
            notes.append(str(error))
            continue
        if chart is None:
            notes.append(f"{metric} is not drawn: its files could not be read in time.")
        elif (found := _picture(chart)) is not None:
            pictures.append(found)
    if len(metrics) > METRICS:
        notes.append(f"{len(metrics) - METRICS} further metrics are not drawn.")
    return pictures, notes


def _whole(charts: Charts, shown: Table | Folded, metric: str) -> Chart | None:
    """The chart of a metric when all files are read; None if that takes too long."""
    for _ in range(READINGS):
        if not (chart := charts.of(shown, metric)).unread:
            return chart
    return None


def _picture(chart: Chart) -> Picture | None:
    """A picture; None if no curve has a finite value."""
    series = [_without_odd_bands(each) for each in chart.series]
    values = [each for one in series for part in (one.values, one.lows, one.highs) for each in part if each is not None]
    steps = chart.steps
    if not values or not steps:
        return None
    scale = _Scale(steps[0], steps[-1], min(values), max(values))
    curves = [
        Drawn(each.name, each.count, *map(list, (scale.lines(each), scale.dotted(each), scale.bands(each))))
        for each in series
    ]
    return Picture(chart, curves, *(f"{each:.6g}" for each in scale))


class _Scale(NamedTuple):
    left: float
    right: float
    low: float
    high: float

    def point(self, step: float, value: float) -> str:
        across, up = place_of(step, self.left, self.right), place_of(value, self.low, self.high)
        return f"{across * WIDTH:.1f},{(1 - up) * HEIGHT:.1f}"

    def lines(self, series: Series) -> Iterator[str]:
        """The parts of a curve in which all runs count. A step without a finite value parts it."""
        whole = [count == series.count for count in series.counts]
        yield from self._parts(series, whole)

    def dotted(self, series: Series) -> Iterator[str]:
        """The parts in which fewer runs count, each with the points beside it."""
        fewer = [count < series.count for count in series.counts]
        yield from self._parts(series, [any(fewer[max(at - 1, 0) : at + 2]) for at in range(len(fewer))])

    def _parts(self, series: Series, shown: Sequence[bool]) -> Iterator[str]:
        """Lines through the points that are shown. A part of one point is a dot."""
        part: list[str] = []
        for step, value, is_shown in zip(series.steps, series.values, shown, strict=True):
            if value is not None and is_shown:
                part.append(self.point(step, value))
            elif part:
                yield " ".join(part if len(part) > 1 else part * 2)
                part = []
        if part:
            yield " ".join(part if len(part) > 1 else part * 2)

    def bands(self, series: Series) -> Iterator[str]:
        """The outlines of its band: along the upper side, and back along the lower one."""
        upper: list[str] = []
        lower: list[str] = []
        for step, low, high in zip(series.steps, series.lows, series.highs, strict=True):
            if low is not None and high is not None:
                upper.append(self.point(step, high))
                lower.append(self.point(step, low))
            elif upper:
                yield " ".join([*upper, *reversed(lower)])
                upper, lower = [], []
        if upper:
            yield " ".join([*upper, *reversed(lower)])


def _without_odd_bands(series: Series) -> Series:
    """A curve without its band where fewer runs count: that would move only because a run is missing."""
    whole = [count == series.count for count in series.counts]

    def kept(ends: Sequence[float | None]) -> list[float | None]:
        return [end if is_whole else None for end, is_whole in zip(ends, whole, strict=True)]

    return replace(series, lows=kept(series.lows), highs=kept(series.highs))
