"""How values become one: what was folded, and which interval was asked for.

Owns: these settings, and how a caption says them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xpm_core.results.folding.cells import Cell, singular
from xpm_core.results.folding.holes import unit_of
from xpm_core.results.statistics.arguments import Bounds, checked_bounds, checked_choice, checked_level
from xpm_core.results.statistics.intervals import KINDS, called

_STATISTICS = {
    "mean": "mean",
    "iqm": "interquartile mean",
    "median": "median of the means",
    "optimality_gap": "optimality gap",
}


@dataclass(frozen=True)
class Settings:
    """How values become one.

    Attributes:
        names: The names that were folded. A name that is given twice is taken once.
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
        object.__setattr__(self, "names", tuple(dict.fromkeys(self.names)))
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

    def caption(self, cells: Iterable[Cell], of: str = "") -> str:
        """What cells show, a sentence for the caption of their table.

        Args:
            cells: The cells.
            of: The name of their result, if they have only one.

        Example:
            >>> Settings(["seed"]).caption(cells, "accuracy")
            'Mean and 95 % t interval of accuracy over 3 to 5 seeds.'
        """
        counting = [cell for cell in cells if cell.n]
        counts = [cell.n for cell in counting]
        few, many = min(counts, default=0), max(counts, default=0)
        unit = self.unit if all(cell.unit == self.unit for cell in counting) else "runs"  # a seed may come twice
        count = f"{many} {unit if many != 1 else singular(unit)}"
        over = f"over {count}" if few == many else f"over {few} to {count}"
        shown = any(cell.interval is not None for cell in counting)
        spread = f" and {called(self.interval, self.level)}{self._scale}" if shown else ""
        centre = _STATISTICS[self.statistic]
        said = f"{centre[:1].upper()}{centre[1:]}{spread}{f' of {of}' if of else ''} {over}"
        return f"{said}{'' if shown else ', without an interval'}. {self.stopped}".rstrip()
