"""Drawing with matplotlib: what `series` and `bands` have computed.

It uses objects of matplotlib only, and neither pyplot nor any global setting. So it can be used in a notebook, in a
script without a display, and in threads.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xpm_core.results.plotting.bands import Band, Step
from xpm_core.results.plotting.series import Chart, Mark, is_log

STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")
COLOURS = 10
INSIDE = 8
"""A legend of more entries stands beside the axes."""
SAID = 4
"""So many notes stand below a plot; `notes` has all."""


class Plot(Figure):  # type: ignore[misc]  # matplotlib need not be installed, so its types are not read
    """A figure of matplotlib. `savefig("plot.pdf")` writes it; a notebook shows it.

    Attributes:
        notes: What one should know of it, each a sentence; the first ones stand below it.
    """

    notes: Sequence[str] = ()

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png")
        return out.getvalue()


def clean(text: str) -> str:
    """A text that matplotlib shows as it is: without mathematics between `$`, and also if it begins with `_`."""
    line = "".join(each if each.isprintable() else " " for each in text).replace("$", r"\$")
    return f" {line}" if line.startswith("_") else line


def shortened(text: str, most: int = 300) -> str:
    """A text of so many letters at most. `notes` has all of it."""
    return text if len(text) <= most else f"{text[:most]} …"


def draw_points(chart: Chart) -> Plot:
    """Draw a point for each row."""
    figure, axes = _empty(chart.x, chart.y)
    for at, series in enumerate(chart.series):
        places = [_place(chart, mark) for mark in series.marks]
        colour, marker = f"C{at % COLOURS}", MARKERS[at // COLOURS % len(MARKERS)]
        values = [mark.y for mark in series.marks]
        axes.scatter(places, values, color=colour, marker=marker, alpha=0.8, label=clean(series.name))
    return _finished(figure, axes, chart)


def draw_means(chart: Chart) -> Plot:
    """Draw means with their intervals: lines if the axis is one of numbers, else bars."""
    figure, axes = _empty(chart.x, chart.y)
    most = max(mark.n for series in chart.series for mark in series.marks)
    wide = 0.8 / len(chart.series)
    for at, series in enumerate(chart.series):
        colour = f"C{at % COLOURS}"
        shift = (at - (len(chart.series) - 1) / 2) * wide if chart.places else 0.0
        places = [_place(chart, mark) + shift for mark in series.marks]
        values = [mark.y for mark in series.marks]
        below = [0.0 if mark.low is None else max(mark.y - mark.low, 0.0) for mark in series.marks]
        above = [0.0 if mark.high is None else max(mark.high - mark.y, 0.0) for mark in series.marks]
        if chart.places:
            axes.bar(places, values, wide * 0.95, color=colour, alpha=0.8, label=clean(series.name))
            axes.errorbar(places, values, yerr=[below, above], fmt="none", ecolor="black", capsize=3, lw=1)
        else:
            style, marker = STYLES[at // COLOURS % len(STYLES)], MARKERS[at // COLOURS % len(MARKERS)]
            axes.errorbar(
                places, values, yerr=[below, above], color=colour, ls=style, marker=marker, ms=4, capsize=3,
                label=clean(series.name),
            )  # fmt: skip
        for place, mark, up in zip(places, series.marks, above, strict=True):
            if mark.n < most:
                _write_n(axes, place, mark.y + up, mark.n)
    return _finished(figure, axes, chart)


def draw_bands(chart: Chart, bands: Sequence[Band]) -> Plot:
    """Draw curves with their bands. A part in which fewer runs count is dashed, and says how many they are."""
    figure, axes = _empty(chart.x, chart.y)
    for at, band in enumerate(bands):
        colour = f"C{at % COLOURS}"
        label: str | None = clean(f"{band.name} (n={band.n})" if band.name else f"n={band.n}")
        before: list[Any] = []
        for part in band.parts():
            whole = part[0].n == band.n
            line = [*(before if not whole else []), *part]
            steps, means = [step.step for step in line], [step.mean for step in line]
            style = STYLES[at // COLOURS % len(STYLES)] if whole else (0, (1, 2))
            axes.plot(steps, means, color=colour, ls=style, lw=1.5 if whole else 1.0, label=label if whole else None)
            if whole:
                label = None
                low, high = ([math.nan if end is None else end for end in ends] for ends in _ends(part))
                axes.fill_between([step.step for step in part], low, high, color=colour, alpha=0.2, lw=0)
            else:
                _write_n(axes, part[0].step, part[0].mean, part[0].n, colour)
            before = part[-1:]
        if label is not None and band.steps:
            axes.plot([], [], color=colour, ls=(0, (1, 2)), label=label)
    return _finished(figure, axes, chart)


def draw_lines(chart: Chart) -> Plot:
    """Draw a curve for each job."""
    figure, axes = _empty(chart.x, chart.y)
    names: dict[str, int] = {}
    for series in chart.series:
        at = names.setdefault(series.name, len(names))
        first = at == len(names) - 1 and not any(line.get_label() == clean(series.name) for line in axes.lines)
        steps, values = [mark.x for mark in series.marks], [mark.y for mark in series.marks]
        style = STYLES[at // COLOURS % len(STYLES)]
        label = clean(series.name) if first else None
        axes.plot(steps, values, color=f"C{at % COLOURS}", ls=style, lw=1, alpha=0.8, label=label)
    return _finished(figure, axes, chart)


# -- parts -------------------------------------------------------------------------------------------------------------


def _ends(steps: Sequence[Step]) -> tuple[list[float | None], list[float | None]]:
    """Where the band begins and ends at each step. Where there is none, as beside a nan, it has a gap."""
    return [step.low for step in steps], [step.high for step in steps]


def _empty(x: str, y: str) -> tuple[Plot, Axes]:
    figure = Plot(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(clean(x))
    axes.set_ylabel(clean(y))
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _place(chart: Chart, mark: Mark) -> float:
    return float(chart.places.index(str(mark.x))) if chart.places else float(mark.x)


def _write_n(axes: Axes, x: float, y: float, n: int, colour: str = "black") -> None:
    """Write how many runs count, above a point."""
    if y == y:
        axes.annotate(
            f"n={n}", (x, y), (0, 3), textcoords="offset points", fontsize="x-small", ha="center", color=colour
        )


def _finished(figure: Plot, axes: Axes, chart: Chart) -> Plot:
    """The figure with its ticks, its legend, and what is said below it."""
    if chart.places:
        axes.set_xticks(range(len(chart.places)), [clean(place) for place in chart.places])
        if max(map(len, chart.places)) * len(chart.places) > 60:
            axes.tick_params(axis="x", rotation=45)
    elif is_log(chart):
        axes.set_xscale("log")
    _add_legend(figure, axes, clean(chart.by))
    said = [*([chart.caption] if chart.caption else []), *chart.notes]
    figure.notes = said
    if said:
        rest = len(said) - SAID
        more = [f"{rest} more {'note is' if rest == 1 else 'notes are'} not shown here."] if rest > 0 else []
        text = "\n".join(_wrapped(clean(shortened(note))) for note in [*said[:SAID], *more])
        figure.supxlabel(text, x=0.02, ha="left", fontsize="x-small")
    return figure


def _add_legend(figure: Plot, axes: Axes, title: str) -> None:
    """Add a legend; one of many entries stands beside the axes, and the figure becomes as large as it needs."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    if len(labels) <= INSIDE:
        axes.legend(handles, labels, title=title, frameon=False, fontsize="small")
        return
    columns = -(-len(labels) // 25)
    wide = min(max(map(len, labels)), 60) * 0.08 + 0.6
    figure.set_size_inches(6.4 + columns * wide, max(4.2, 0.2 * min(len(labels), 25) + 1))
    axes.legend(
        handles, labels, title=title, frameon=False, fontsize="small", ncols=columns, loc="upper left",
        bbox_to_anchor=(1, 1),
    )  # fmt: skip


def _wrapped(text: str, width: int = 100) -> str:
    """A text in lines of about so many letters."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
