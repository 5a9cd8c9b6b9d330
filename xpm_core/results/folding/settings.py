"""How values become one: what was folded, and which interval was asked for.

Owns: these settings, and how a caption says them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xpm_core.results.folding.holes import unit_of
from xpm_core.results.statistics.arguments import Bounds, checked_bounds, checked_choice, checked_level
from xpm_core.results.statistics.intervals import KINDS
from xpm_core.results.statistics.numbers import percent

_STATISTICS = {
    "mean": "mean",
    "iqm": "interquartile mean",
    "median": "median of the means",
    "optimality_gap": "optimality gap",
}
_INTERVALS = {"sd": "standard deviation", "se": "standard error", "minmax": "range from least to greatest"}


@dataclass(frozen=True)
class Settings:
    """How values become one.

    Attributes:
        names: The names that were folded.
        interval: "t", "bootstrap", "sd", "se" or "minmax"; "stratified" for an aggregate over tasks.
        level: The level of confidence.
        range: The least and the greatest value that the metric can have.
        seed: The seed of a bootstrap.
        statistic: "mean", or what an aggregate is.
        stopped: What stopped the sampling, a sentence; empty if that was not an interval.

    Raises:
        ResultsError: An interval, a level or a range makes no sense.
    """

    names: Sequence[str]
    interval: str = "t"
    level: float = 0.95
    range: Bounds | None = None
    seed: int = 0
    statistic: str = "mean"
    stopped: str = ""

    def __post_init__(self) -> None:
        if self.interval != "stratified":
            checked_choice("interval", self.interval, KINDS)
        checked_level(self.level)
        checked_bounds(self.range)

    @property
    def unit(self) -> str:
        """What is counted, such as "seeds"."""
        return unit_of(self.names)

    @property
    def _scale(self) -> str:
        """The scale on which intervals are made, if they stay inside of a range."""
        low, high = map(math.isfinite, checked_bounds(self.range))
        if self.interval not in ("t", "se") or not (low or high):
            return ""
        return f" ({'logit' if low and high else 'log'} scale)"

    def caption(self, counts: Sequence[int]) -> str:
        """A sentence for the caption of a table whose cells have so many jobs each.

        Example:
            >>> Settings(["seed"]).caption([5, 5, 3])
            'Mean and 95 % t interval over 3 to 5 seeds.'
        """
        few, many = min(counts, default=0), max(counts, default=0)
        count = str(many) if few == many else f"{few} to {many}"
        kinds = {"t": "t interval", "bootstrap": "bootstrap interval", "stratified": "stratified bootstrap interval"}
        spread = _INTERVALS.get(self.interval) or f"{percent(self.level)} {kinds[self.interval]}"
        spread += self._scale
        centre = _STATISTICS[self.statistic]
        said = f"{centre[:1].upper()}{centre[1:]} and {spread} over {count} {self.unit}."
        return f"{said} {self.stopped}".rstrip()
