"""The mean of several curves with a band around it, and how many runs count at each step.

Where a run has ended, or has not begun, fewer runs count. Such a part has no band, and is told from the others: else a
mean would move only because a run is missing.

A run that has failed or was cancelled counts nowhere, as in the cells of a table: only done runs count, and those that
go on, as far as they have come.

Owns: at which steps curves are compared, which runs count, and these means.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from operator import sub
from typing import NamedTuple

from xpm_core.labels import short
from xpm_core.results.curves import Point
from xpm_core.results.statistics.arguments import Bounds
from xpm_core.results.statistics.intervals import LEAST, called, summary
from xpm_core.states import SETTLED, State
from xpm_core.words.text import listed, plural

MOST_STEPS = 500
"""At so many steps the means of curves are computed."""
NAMED = 3
ENDED_BADLY = frozenset(state.value for state in SETTLED - {State.DONE})


class Run(NamedTuple):
    """A curve of a job.

    Attributes:
        job: The identity of the job.
        points: Its points, in the order of their steps.
        state: The state of the job; "unknown" counts as one that goes on.
    """

    job: str
    points: Sequence[Point]
    state: str = "done"

    @property
    def ended_badly(self) -> bool:
        """Whether the job has ended, and is not done."""
        return self.state in ENDED_BADLY


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
        n: How many runs count in it.
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
        return called(self.interval, self.level)


def band_of(name: str, runs: Sequence[Run], spread: Spread) -> Band:
    """The band of some runs.

    Args:
        name: What it is called.
        runs: The runs. Those without points, and those that have ended badly, are named in notes, and count nowhere.
        spread: Which interval it shows.
    """
    begun = [_Line.of(run) for run in runs if run.points and not run.ended_badly]
    start = f"{name}: " if name else ""
    notes = []
    if silent := [run for run in runs if not run.points]:
        missing = listed([_named(run) for run in silent], NAMED)
        notes.append(f"{start}{len(silent)} of {plural(len(runs), 'run')} without a curve ({missing}).")
    if bad := [run for run in runs if run.points and run.ended_badly]:
        words = listed([_reached(run) for run in bad], NAMED)
        verb = "does" if len(bad) == 1 else "do"
        notes.append(f"{start}{len(bad)} of {plural(len(runs), 'run')} {verb} not count ({words}).")
    if not begun:
        return Band(name, [], 0, notes)
    grid, said = _grid(begun)
    notes += [f"{start}{said}"] if said else []
    columns = [_values(line, grid) for line in begun]
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


def _reached(run: Run) -> str:
    return f"{_named(run)}, at step {run.points[-1].step:g}"


class _Line(NamedTuple):
    """A curve as its steps and its values."""

    run: Run
    steps: Sequence[float]
    values: Sequence[float]

    @classmethod
    def of(cls, run: Run) -> _Line:
        steps, values = zip(*run.points, strict=True)
        return cls(run, steps, values)


def _ended(lines: Sequence[_Line]) -> list[str]:
    """Sentences about the runs that go on, ended early, began late, or have values that are no finite numbers."""
    runs = [line.run for line in lines]
    last, first = max(line.steps[-1] for line in lines), min(line.steps[0] for line in lines)
    early = [run for run in runs if run.state == State.DONE.value and run.points[-1].step < last]
    going = [run for run in runs if run.state != State.DONE.value]
    late = [run for run in runs if run.points[0].step > first]
    wild = [line.run for line in lines if not all(map(math.isfinite, line.values))]
    found = []
    if going:
        words = list(map(_reached, going))
        verb = "is" if len(going) == 1 else "are"
        found.append(f"{len(going)} of {plural(len(runs), 'run')} {verb} not done yet ({listed(words, NAMED)}).")
    if early:
        words = list(map(_reached, early))
        found.append(f"{len(early)} of {plural(len(runs), 'run')} ended before step {last:g} ({listed(words, NAMED)}).")
    if late:
        words = [f"{short(run.job)}, at step {run.points[0].step:g}" for run in late]
        found.append(f"{len(late)} of {plural(len(runs), 'run')} began after step {first:g} ({listed(words, NAMED)}).")
    if wild:
        words = [short(run.job) for run in wild]
        found.append(f"no mean where a run is nan or infinite ({listed(words, NAMED)}).")
    return found


def _grid(lines: Sequence[_Line]) -> tuple[list[float], str]:
    """The steps at which means are computed, and a sentence if they are not those that were logged.

    They are steps that all runs have which are not over there, and have begun: then a mean is one of values that were
    logged. If there are too few such steps, values between logged steps are interpolated.
    """
    union = sorted(set().union(*(line.steps for line in lines)))
    common = _common(lines, union)
    gap = max((_gap(line.steps) for line in lines if len(line.steps) > 1), default=0.0)
    if len(common) == len(union) or (len(common) > 1 and _gap(common) <= 2 * gap):
        every = math.ceil(len(common) / MOST_STEPS)
        steps = common if every == 1 else [*common[:-1:every], common[-1]]
        is_part = len(steps) < len(union)
        share = math.ceil(len(union) / len(steps))
        return steps, f"means are taken at one in {share} of the logged steps." if is_part else ""
    low, high = union[0], union[-1]
    width = max(gap, (high - low) / (MOST_STEPS // 2))
    count = max(1, math.ceil((high - low) / width)) if width else 1
    grid = [*(low + (high - low) * at / count for at in range(count)), *([high] if high > low else [])]
    return (
        grid,
        f"means are taken every {(high - low) / count:.3g} steps; values between logged steps are interpolated.",
    )


def _gap(steps: Sequence[float]) -> float:
    """The usual distance of two steps that follow each other."""
    return float(statistics.median(map(sub, steps[1:], steps)))


def _common(lines: Sequence[_Line], union: Sequence[float]) -> list[float]:
    """The steps at which each run has a value that has begun there, and is not over."""
    if all(_has_all(line.steps, union) for line in lines):
        return list(union)
    counts = Counter(chain.from_iterable(line.steps for line in lines))
    firsts, lasts = sorted(line.steps[0] for line in lines), sorted(line.steps[-1] for line in lines)
    return [step for step in union if counts[step] == bisect_right(firsts, step) - bisect_left(lasts, step)]


def _has_all(steps: Sequence[float], union: Sequence[float]) -> bool:
    """Whether a curve has a value at each step from its first to its last."""
    return len(steps) == bisect_left(union, steps[-1]) - bisect_left(union, steps[0]) + 1


def _values(line: _Line, grid: Sequence[float]) -> list[float | None]:
    """A curve at some steps: None before its first and after its last point."""
    steps, values = line.steps, line.values
    found: list[float | None] = []
    at = 0
    for step in grid:
        at = bisect_left(steps, step, at)
        if at < len(steps) and steps[at] == step:
            found.append(values[at])
        elif at in (0, len(steps)):
            found.append(None)
        else:
            part = (step - steps[at - 1]) / (steps[at] - steps[at - 1])
            found.append(values[at - 1] * (1 - part) + values[at] * part)
    return found
