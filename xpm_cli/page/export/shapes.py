"""A curve as the points of a line in a picture of a fixed size.

Owns: the scale. A value that is no finite number breaks the line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from xpm_core.results.curves import Point

WIDTH, HEIGHT = 320, 120
"""The size of the picture."""


class Curve(NamedTuple):
    """A curve to draw.

    Attributes:
        name: The metric.
        lines: The points of each part, as SVG has them: `0,12.5 3,9`.
        first, last: The least and the greatest step.
        least, greatest: The least and the greatest value.
        value: The value at the end.
        points: How many points there are.
    """

    name: str
    lines: Sequence[str]
    first: str
    last: str
    least: str
    greatest: str
    value: str
    points: int


def curve_of(name: str, points: Sequence[Point]) -> Curve | None:
    """A curve to draw; None if no value is a finite number."""
    finite = [point for point in points if math.isfinite(point.value) and math.isfinite(point.step)]
    if not finite:
        return None
    steps, values = [point.step for point in finite], [point.value for point in finite]
    left, right, low, high = min(steps), max(steps), min(values), max(values)
    parts: list[list[str]] = [[]]
    for step, value in points:
        if math.isfinite(value) and math.isfinite(step):
            parts[-1].append(
                f"{place_of(step, left, right) * WIDTH:.1f},{(1 - place_of(value, low, high)) * HEIGHT:.1f}"
            )
        elif parts[-1]:
            parts.append([])
    lines = [" ".join(part if len(part) > 1 else part * 2) for part in parts if part]
    texts = [f"{each:.6g}" for each in (left, right, low, high, points[-1].value)]
    first, last, least, greatest, final = texts
    return Curve(name, lines, first, last, least, greatest, final, len(points))


def place_of(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, 0 to 1; in the middle if these are equal, or too far apart to tell."""
    span = high - low
    return (value - low) / span if span and math.isfinite(span) else 0.5
