"""How values become one: what was folded, and which interval was asked for.

Owns: these settings, how a caption says them, and how it says that a width has stopped a sampling.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_core.results.folding.cells import Cell, singular
from xpm_core.results.folding.holes import unit_of
from xpm_core.results.statistics.arguments import Bounds, checked_bounds, checked_choice, checked_level
from xpm_core.results.statistics.intervals import KINDS, called
from xpm_core.workspace.experiment_directory import WIDTH, Sampling

LEVELLED = ("t", "bootstrap", "stratified")
"""Intervals that have a level of confidence."""
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
        """What cells show, a sentence for the caption of their table; empty if no job counts in any.

        Args:
            cells: The cells.
            of: The name of their result, if they have only one.

        Example:
            >>> Settings(["seed"]).caption(cells, "accuracy")
            'Mean and 95 % t interval of accuracy over 3 to 5 seeds.'
        """
        counting = [cell for cell in cells if cell.n]
        if not counting:
            return self.stopped
        counts = [cell.n for cell in counting]
        few, many = min(counts), max(counts)
        unit = self.unit if all(cell.unit == self.unit for cell in counting) else "runs"  # a seed may come twice
        count = f"{many} {unit if many != 1 else singular(unit)}"
        over = f"over {count}" if few == many else f"over {few} to {count}"
        shown = any(cell.interval is not None for cell in counting)
        spread = f" and {called(self.interval, self.level)}{self._scale}" if shown else ""
        centre = _STATISTICS[self.statistic]
        said = f"{centre[:1].upper()}{centre[1:]}{spread}{f' of {of}' if of else ''} {over}"
        return f"{said}{'' if shown else ', without an interval'}. {self.stopped}".rstrip()

    def sampled(self, metric: str, values: Sequence[Any], samplings: Iterable[Sampling], places: str = "rows") -> str:
        """What a caption says of cells whose sampling was stopped by the width of their interval; empty without any.

        That makes intervals a little too narrow: it stops where the spread is small by chance. A sampling that ended at
        its limit needs no word, because its spread was not small. A sampling concerns a cell that counts most of its
        jobs: so what it varied is folded there.

        Args:
            metric: The name of the result as samplings know it.
            values: The cells. Others are passed over.
            samplings: The samplings.
            places: What the cells are called.
        """
        of_job: dict[str, list[Sampling]] = {}
        for each in samplings:
            if each.why == WIDTH and each.metric == metric:
                for job in each.jobs:
                    of_job.setdefault(job, []).append(each)
        counts: set[int] = set()
        concerned = 0
        for cell in values:
            if not isinstance(cell, Cell) or cell.interval is None:
                continue
            shared = Counter(each for job in cell.jobs for each in of_job.get(job, ()))
            found = {each.n for each, jobs in shared.items() if each.is_of(jobs)}
            counts |= found
            concerned += bool(found)
        if not concerned:
            return ""
        total = len(values)
        many = f"all {total}" if concerned == total else f"{concerned} of {total}"
        where = f" in {many} {places}" if total > 1 else ""
        what = "level holds only roughly" if self.interval in LEVELLED else "spread may be larger than it looks"
        whose = "its" if concerned == 1 else "their"
        head = f"The width of the interval stopped the sampling of {metric}{where}"
        return f"{head}, {at_counts(counts)}: {whose} {what}."


def at_counts(counts: Iterable[int]) -> str:
    """At how many jobs samplings were stopped: `at n=7`, `at n=7 and n=9`, `at n=5 to n=12`."""
    known = set(counts)
    least, most = min(known), max(known)
    return f"at n={least}" if least == most else f"at n={least} {'and' if len(known) == 2 else 'to'} n={most}"
