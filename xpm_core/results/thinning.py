"""The points of a curve in bounded memory.

Owns: which points are kept.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from typing import Literal

Pair = tuple[float, float]
Placed = tuple[int, float, float]
"""A point, after its number among its neighbours."""


class Thinned:
    """The points of a curve, in the order in which they are added. Above `most` of them, neighbours are thinned.

    The first and the last point are kept, and the least and the greatest value with `keep="extremes"`.

    Args:
        most: How many points it may hold, at least 9.
        keep: "extremes" keeps the least and the greatest value of some neighbours; "every" keeps one in `stride`.

    Attributes:
        count: How many points were added, without those that were cut; about, if some of these were thinned before.
        nans: How many of these had nan as value.
        stride: How many points stand for one that is kept ("every"), or for two ("extremes").

    Example:
        >>> points = Thinned(1000)
        >>> for step in range(1_000_000):
        ...     points.add(step, loss)
        >>> len(points) <= 1000 + 3
        True
    """

    def __init__(self, most: int, keep: Literal["extremes", "every"] = "extremes") -> None:
        self._most, self.keep = max(most, 9) - (most + 1) % 2, keep  # odd: the points after the first one are halved
        self.count = self.nans = 0
        self.stride = 1
        self._steps, self._values = array("d"), array("d")
        self._last: Pair | None = None
        self._filled = 0
        """How many points wait for their neighbours. Of these, only the following are held."""
        self._low: Placed | None = None
        self._high: Placed | None = None
        self._nan: Placed | None = None
        self._start = 0
        """Where the points of the current part begin."""

    @property
    def is_thinned(self) -> bool:
        """Whether points were left out."""
        return self.stride > 1

    @property
    def held(self) -> int:
        """How many points are held, about: without those that wait for their neighbours."""
        return len(self._steps)

    def __len__(self) -> int:
        return len(self.pairs())

    def pairs(self) -> list[Pair]:
        """The points that are kept."""
        found = [*zip(self._steps, self._values, strict=True), *self._waiting()]
        if self._last is not None and (not found or repr(found[-1]) != repr(self._last)):  # by repr, because of nan
            found.append(self._last)
        return found

    def add(self, step: float, value: float) -> None:
        """Add a point after the others."""
        self.count += 1
        self._last = step, value = float(step), float(value)
        if value != value:
            self.nans += 1
        if self.stride == 1 or not self._steps:
            self._steps.append(step)
            self._values.append(value)
            if len(self._steps) >= self._most:
                self._thin()
            return
        self._filled += 1
        if self.keep == "extremes":
            if value != value:
                self._nan = self._nan or (self._filled, step, value)
            elif self._low is None or self._high is None:
                self._low = self._high = (self._filled, step, value)
            elif value < self._low[2]:
                self._low = (self._filled, step, value)
            elif value >= self._high[2]:
                self._high = (self._filled, step, value)
        if self._filled >= self.stride:
            self._close()
            if len(self._steps) >= self._most:
                self._thin()

    def _waiting(self) -> list[Pair]:
        """The points that stand for those that wait for their neighbours."""
        if not self._filled:
            return []
        if self.keep == "every":
            return [] if self._last is None else [self._last]
        if self._low is None or self._high is None:
            return [] if self._nan is None else [self._nan[1:]]
        return [pair[1:] for pair in sorted({self._low, self._high})]

    def new_part(self) -> None:
        """Begin a new part: `cut` shortens those before."""
        self._close()
        self._start = len(self._steps)

    def cut(self, step: float) -> None:
        """Remove the points of earlier parts at or after a step."""
        steps, values, start = self._steps, self._values, self._start
        keep = [at for at in range(start) if steps[at] < step]
        if len(keep) == start:
            return
        gone = start - len(keep)
        self.count -= gone * (self.stride if self.keep == "every" or self.stride == 1 else self.stride // 2)
        self.nans -= min(self.nans, sum(values[at] != values[at] for at in range(start) if not steps[at] < step))
        self._steps = array("d", (*(steps[at] for at in keep), *steps[start:]))
        self._values = array("d", (*(values[at] for at in keep), *values[start:]))
        self._start = len(keep)

    def _close(self) -> None:
        for step, value in self._waiting():
            self._steps.append(step)
            self._values.append(value)
        self._filled, self._low, self._high, self._nan = 0, None, None, None

    def _thin(self) -> None:
        """Keep half of the points. The first one stays."""
        pairs = list(zip(self._steps, self._values, strict=True))
        first, rest, size = pairs[:1], pairs[1:], 4 if self.keep == "extremes" else 2
        before = self._start - 1
        self.stride *= 4 if self.stride == 1 and self.keep == "extremes" else 2
        parts = [rest[: max(before, 0)], rest[max(before, 0) :]]
        kept = [
            [pair for at in range(0, len(part), size) for pair in self._chosen(part[at : at + size])] for part in parts
        ]
        self._start = min(self._start, 1 + len(kept[0])) if self._start else 0
        self._set([*first, *kept[0], *kept[1]])

    def _set(self, pairs: Iterable[Pair]) -> None:
        self._steps, self._values = array("d"), array("d")
        for step, value in pairs:
            self._steps.append(step)
            self._values.append(value)

    def _chosen(self, pairs: list[Pair]) -> list[Pair]:
        """The points that stand for some neighbours."""
        if len(pairs) < 2:
            return pairs
        if self.keep == "every":
            return pairs[-1:]
        numbers = [at for at, (_, value) in enumerate(pairs) if not math.isnan(value)]
        if not numbers:
            return pairs[:1]
        low = min(numbers, key=lambda at: pairs[at][1])
        high = max(numbers, key=lambda at: (pairs[at][1], at))
        return [pairs[at] for at in sorted({low, high})]
