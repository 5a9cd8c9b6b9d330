"""The mean of several curves with a band around it, and how many runs count at each step.

Where a run has ended, or has not begun, fewer runs count. Such a part has no band, and is told from the others: else a
mean would move only because a run is missing.

Owns: at which steps curves are compared, and these means.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from xpm_core.labels import short
from xpm_core.results.curves import Point
from xpm_core.results.statistics.arguments import Bounds
from xpm_core.results.statistics.intervals import LEAST, summary
from xpm_core.results.statistics.numbers import percent
from xpm_core.words.text import listed, plural

MOST_STEPS = 500
"""At so many steps the means of curves are computed."""
NAMED = 3


class Run(NamedTuple):
    """A curve of a job.

    Attributes:
        job: The identity of the job.
        points: Its points, in the order of their steps.
        state: The state of the job.
    """

    job: str
    points: Sequence[Point]
    state: str = "done"


class Step(NamedTuple):
    """What some runs have at a step.

    Attributes:
        step: The step.
        mean: The mean of the runs that have a value there; nan if one of them has no finite one.
        low: Where the band begins; None without one.
        high: Where it ends.
        n: How many runs have a value there.
    """

    step: float
    mean: float
    low: float | None
    high: float | None
    n: int


class Band(NamedTuple):
    """The mean of some curves.

    Attributes:
        name: What it is called.
        steps: Its steps.
        n: How many runs there are.
        notes: What one should know of it, each a sentence.
    """

    name: str
    steps: Sequence[Step]
    n: int
    notes: Sequence[str]

    def parts(self) -> list[list[Step]]:
        """Its steps in parts in which as many runs count."""
        found: list[list[Step]] = []
        for step in self.steps:
            if found and found[-1][-1].n == step.n:
                found[-1].append(step)
            else:
                found.append([step])
        return found


class Spread(NamedTuple):
    """Which interval a band shows: the arguments of `summary`."""

    interval: str = "t"
    level: float = 0.95
    bounds: Bounds | None = None
    seed: int = 0

    @property
    def said(self) -> str:
        """The interval in words."""
        words = {"t": "t interval", "bootstrap": "bootstrap interval"}
        if self.interval in words:
            return f"{percent(self.level)} {words[self.interval]}"
        return {"sd": "standard deviation", "se": "standard error"}.get(self.interval, "range from least to greatest")


def band_of(name: str, runs: Sequence[Run], spread: Spread) -> Band:
    """The band of some runs.

    Args:
        name: What it is called.
        runs: The runs. Those without points are named in a note, and count nowhere.
        spread: Which interval it shows.
    """
    begun = [run for run in runs if run.points]
    start = f"{name}: " if name else ""
    notes = []
    if len(begun) < len(runs):
        missing = listed([_named(run) for run in runs if not run.points], NAMED)
        notes.append(f"{start}{len(runs) - len(begun)} of {plural(len(runs), 'run')} without a curve ({missing}).")
    if not begun:
        return Band(name, [], 0, notes)
    grid, said = _grid(begun)
    notes += [f"{start}{said}"] if said else []
    columns = [_values(run.points, grid) for run in begun]
    steps = []
    for at, step in enumerate(grid):
        values = [column[at] for column in columns]
        there = [value for value in values if value is not None]
        if there:
            found = summary(there, *spread)
            low, high = found.interval or (None, None)
            steps.append(Step(step, found.mean, low, high, len(there)))
    notes += [f"{start}{each}" for each in _ended(begun)]
    if len(begun) < LEAST:
        notes.append(f"{start}no band, because it needs {LEAST} runs, and there {_are(len(begun))}.")
    return Band(name, steps, len(begun), notes)


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _named(run: Run) -> str:
    return f"{short(run.job)} {run.state}"


def _ended(runs: Sequence[Run]) -> list[str]:
    """Sentences about the runs that ended early, began late, or have values that are no finite numbers."""
    last, first = max(run.points[-1].step for run in runs), min(run.points[0].step for run in runs)
    early = [run for run in runs if run.points[-1].step < last]
    late = [run for run in runs if run.points[0].step > first]
    wild = [run for run in runs if any(not math.isfinite(point.value) for point in run.points)]
    found = []
    if early:
        words = [f"{_named(run)}, at step {run.points[-1].step:g}" for run in early]
        found.append(f"{len(early)} of {plural(len(runs), 'run')} ended before step {last:g} ({listed(words, NAMED)}).")
    if late:
        words = [f"{short(run.job)}, at step {run.points[0].step:g}" for run in late]
        found.append(f"{len(late)} of {plural(len(runs), 'run')} began after step {first:g} ({listed(words, NAMED)}).")
    if wild:
        words = [short(run.job) for run in wild]
        found.append(f"no mean where a run is nan or infinite ({listed(words, NAMED)}).")
    return found


def _grid(runs: Sequence[Run]) -> tuple[list[float], str]:
    """The steps at which means are computed, and a sentence if they are not those that were logged."""
    union = sorted({point.step for run in runs for point in run.points})
    if all(_has_all(run.points, union) for run in runs):
        every = math.ceil(len(union) / MOST_STEPS)
        if every == 1:
            return union, ""
        return [*union[:-1:every], union[-1]], f"means are taken at one in {every} of the logged steps."
    gaps = [
        statistics.median(after.step - before.step for before, after in zip(run.points, run.points[1:], strict=False))
        for run in runs
        if len(run.points) > 1
    ]
    low, high = union[0], union[-1]
    width = max([*gaps, (high - low) / (MOST_STEPS // 2)])
    count = max(1, math.ceil((high - low) / width)) if width else 1
    grid = [*(low + (high - low) * at / count for at in range(count)), *([high] if high > low else [])]
    return (
        grid,
        f"means are taken every {(high - low) / count:.3g} steps; values between logged steps are interpolated.",
    )


def _has_all(points: Sequence[Point], union: Sequence[float]) -> bool:
    """Whether a curve has a value at each step from its first to its last."""
    return len(points) == bisect_left(union, points[-1].step) - bisect_left(union, points[0].step) + 1


def _values(points: Sequence[Point], grid: Sequence[float]) -> list[float | None]:
    """A curve at some steps: None before its first and after its last point."""
    steps = [point.step for point in points]
    found: list[float | None] = []
    for step in grid:
        at = bisect_left(steps, step)
        if at < len(steps) and steps[at] == step:
            found.append(points[at].value)
        elif at in (0, len(steps)):
            found.append(None)
        else:
            before, after = points[at - 1], points[at]
            part = (step - before.step) / (after.step - before.step)
            found.append(before.value * (1 - part) + after.value * part)
    return found
