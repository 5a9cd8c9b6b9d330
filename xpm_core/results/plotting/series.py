"""What a plot of a table shows: series of points with their intervals, by the values of some columns.

Owns: which rows are which points. Two rows of a folded table never share a place: nothing is averaged here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from xpm_core.errors import ResultsError
from xpm_core.results.columns import key_of
from xpm_core.results.formats.sheet import is_folded, is_number, phrase_of, text_of
from xpm_core.words.text import listed, plural


class Mark(NamedTuple):
    """A point.

    Attributes:
        x: Where it is: a number, or the text of a category.
        y: The value.
        low: Where its interval begins; None without one.
        high: Where it ends.
        n: How many jobs it stands for; 1 for a job.
    """

    x: float | str
    y: float
    low: float | None = None
    high: float | None = None
    n: int = 1


@dataclass
class Series:
    """Points of one colour.

    Attributes:
        name: What they are called in the legend.
        marks: The points.
    """

    name: str
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Chart:
    """What is drawn.

    Attributes:
        x: The name of the horizontal axis.
        y: The name of the vertical axis.
        by: What the legend is about; empty without one.
        series: The points.
        places: The categories of the horizontal axis, in order; empty if it is one of numbers.
        notes: What one should know of it, each a sentence.
        caption: What a point is.
    """

    x: str
    y: str
    by: str
    series: list[Series]
    places: list[str]
    notes: list[str]
    caption: str = ""


Line = tuple[Any, Sequence[Any], Any, str]
"""A row: its x, the values of `by`, its y, and what else tells it from others."""


def chart_of(x: str, y: str, by: Sequence[str], rows: Sequence[Line], *, folded: bool) -> Chart:
    """Put rows into series.

    Args:
        x: The column of the horizontal axis.
        y: The column of the values.
        by: The columns whose values have a colour each.
        rows: The rows.
        folded: Whether the values are means, of which each place has at most one.

    Raises:
        ResultsError: Two rows of a folded table have one place, or there is nothing to draw.
    """
    series: dict[Any, Series] = {}
    taken: dict[Any, str] = {}
    lacking = 0
    numeric = all(_is_place(row[0]) for row in rows if row[0] is not None) and any(row[0] is not None for row in rows)
    places: dict[str, None] = {}
    for at, group, value, rest in rows:
        place = float(at) if numeric and at is not None else text_of(at, exact=True)
        mark = None if at is None and numeric else _mark(place, value)
        if mark is None:
            lacking += 1
            continue
        key = tuple(key_of(each) for each in group)
        if folded:
            _claim(taken, (place, key), rest, f"{x}={text_of(at, exact=True)}")
        places.setdefault(str(place))
        named = " ".join(phrase_of(each) for each in group)
        series.setdefault(key, Series(named)).marks.append(mark)
    if not series:
        raise ResultsError("plot", f"no row has a number as {y!r}, and a place on {x!r}", "Name other columns.")
    notes = []
    if lacking:
        verb = "has" if lacking == 1 else "have"
        notes.append(f"{lacking} of {plural(len(rows), 'row')} {verb} no {y}, or no {x}, and {_be(lacking)} not drawn.")
    found = list(series.values())
    if numeric:
        for each in found:
            each.marks.sort(key=lambda mark: mark.x)
    return Chart(x, y, " ".join(by), found, [] if numeric else list(places), notes)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _is_place(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def _mark(place: float | str, value: Any) -> Mark | None:
    """The point of a value; None if it is no finite number."""
    if is_folded(value):
        low, high = value.interval or (None, None)
        return Mark(place, value.mean, low, high, value.n) if math.isfinite(value.mean) else None
    if isinstance(value, bool) or is_number(value):
        return Mark(place, float(value)) if math.isfinite(value) else None
    return None


def _claim(taken: dict[Any, str], place: Any, rest: str, text: str) -> None:
    """Raise an error if another row has the place."""
    if place not in taken:
        taken[place] = rest
        return
    problem = f"several rows have {text}: {listed([each or 'no other tag' for each in (taken[place], rest)])}"
    raise ResultsError("plot", problem, "Name what tells them from each other with `by`, or choose some of them.")


def is_log(chart: Chart) -> bool:
    """Whether the horizontal axis is better logarithmic: over two powers of ten, and no zero."""
    values = [mark.x for each in chart.series for mark in each.marks if isinstance(mark.x, float)]
    return bool(values) and not chart.places and min(values) > 0 and max(values) >= 100 * min(values)


def rest_of(values: Mapping[str, Any], named: Sequence[str]) -> str:
    """What tells a row from others besides the columns that a plot names."""
    return " ".join(f"{name}={phrase_of(value)}" for name, value in values.items() if name not in named)
