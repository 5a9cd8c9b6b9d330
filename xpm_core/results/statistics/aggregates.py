"""One number for many tasks, as the package rliable defines it (Agarwal et al., 2021), with bootstrap intervals.

Scores are a mapping from a task (an environment, a data set) to the scores of its runs (seeds). They should be
normalized, so that they mean the same in each task. The bootstrap is stratified: runs are drawn again within each task.

Owns: interquartile mean, mean, median, optimality gap, probability of improvement, performance profiles. May import the
other modules of this room that it names.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from xpm_core.errors import ResultsError
from xpm_core.results.statistics import bootstrap
from xpm_core.results.statistics.arguments import checked_choice, checked_level
from xpm_core.results.statistics.intervals import LEAST, Interval
from xpm_core.results.statistics.numbers import as_floats, counted, mean, not_finite, percent

Scores = Mapping[Hashable, Sequence[float]]
Matrix = list[list[float]]
"""The scores of each task. Runs and tasks are sorted, so that neither order matters."""

STATISTICS = ("iqm", "mean", "median", "optimality_gap")
PROFILE_RESAMPLES = 2_000


class Aggregate(NamedTuple):
    """One number for some tasks.

    Attributes:
        value: nan if there are no scores, or if one of them is no finite number.
        interval: Of the bootstrap; None if a task has less than 3 runs: then `note` says so.
        method: What the interval is, such as "95 % stratified bootstrap"; "" without.
        tasks: How many tasks there are.
        n: How many runs, in all tasks together.
        note: What a reader must know besides, as `Summary.note`.
    """

    value: float
    interval: Interval | None
    method: str
    tasks: int
    n: int
    note: str = ""


class ProfilePoint(NamedTuple):
    """The share of runs with a score above `tau`, with its interval."""

    tau: float
    share: float
    interval: Interval | None


def iqm(scores: Scores) -> float:
    """The interquartile mean: the mean of the middle half of all runs of all tasks."""
    return _iqm(_matrix(scores))


def task_mean(scores: Scores) -> float:
    """The mean over tasks of the mean over their runs."""
    return _task_mean(_matrix(scores))


def task_median(scores: Scores) -> float:
    """The median over tasks of the mean over their runs."""
    return _task_median(_matrix(scores))


def optimality_gap(scores: Scores, gamma: float = 1.0) -> float:
    """How much is lacking to a score of `gamma`, on average over all runs; more than gamma counts as gamma."""
    return _gap(_matrix(scores), gamma)


def aggregate(
    scores: Scores, stat: str = "iqm", level: float = 0.95, seed: int = 0, resamples: int | None = None
) -> Aggregate:
    """A statistic of the scores of several tasks, with a bootstrap interval stratified by task.

    Args:
        scores: The scores of the runs of each task.
        stat: "iqm", "mean", "median" (over tasks, of the means of their runs) or "optimality_gap".
        level: The level of confidence, between 0 and 1.
        seed: The same scores and seed give the same interval.
        resamples: How many resamples are made, at least 1,000. None: 10,000, or fewer if there are very many runs.

    Raises:
        ResultsError: An argument makes no sense.

    Example:
        aggregate({"pong": [0.9, 1.1, 1.0], "breakout": [0.4, 0.5, 0.6]}).value  # 0.75
    """
    checked_choice("stat", stat, STATISTICS)
    checked_level(level)
    function = _FUNCTIONS[stat]
    matrix = _matrix(scores)
    return _with_interval([matrix], lambda drawn: function(drawn[0]), level, seed, _checked_resamples(resamples))


def probability_of_improvement(
    better: Scores, than: Scores, level: float = 0.95, seed: int = 0, resamples: int | None = None
) -> Aggregate:
    """The probability that a run of one method scores higher than a run of the other, on a task drawn at random.

    On each task it is Mann and Whitney's U divided by the number of pairs, where an equal score counts one half.

    Raises:
        ResultsError: The two have not the same tasks, or an argument makes no sense.
    """
    checked_level(level)
    if set(better) != set(than):
        missing = sorted(map(repr, set(better) ^ set(than)))
        problem = f"expected the same tasks in both, but only one has {', '.join(missing)}"
        raise ResultsError("probability_of_improvement", problem, "Give the scores of tasks that both have.")
    both = sorted((sorted(as_floats(better[task])), sorted(as_floats(than[task]))) for task in better)
    matrices = [[row for row, _ in both], [row for _, row in both]]
    return _with_interval(matrices, _improvement, level, seed, _checked_resamples(resamples))


def performance_profile(
    scores: Scores,
    taus: Iterable[float],
    level: float = 0.95,
    seed: int = 0,
    resamples: int | None = None,
) -> list[ProfilePoint]:
    """For each `tau`, the share of runs of all tasks with a score above it, with an interval for each point.

    Without scores in a task, or if one is no finite number, shares are nan. Below 3 runs in a task, no point has an
    interval; `aggregate` of the same scores says so in its note. There are 2,000 resamples, or `resamples`.

    Raises:
        ResultsError: A tau is no number, or an argument makes no sense.
    """
    checked_level(level)
    limits = as_floats(taus)
    if wrong := [tau for tau in limits if math.isnan(tau)]:
        raise ResultsError("taus", f"expected numbers, got {wrong[0]!r}", "Give scores to compare with.")
    matrix = _matrix(scores)
    everything = sorted(score for runs in matrix for score in runs)
    if not all(matrix) or not everything or not_finite(everything):
        return [ProfilePoint(tau, math.nan, None) for tau in limits]
    shares = _shares(everything, limits)
    if min(map(len, matrix)) < LEAST:
        return [ProfilePoint(tau, share, None) for tau, share in zip(limits, shares, strict=True)]
    count = _checked_resamples(resamples) or bootstrap.resamples_for(len(everything), PROFILE_RESAMPLES)
    drawn = [_shares(sorted(_flat(resample)), limits) for [resample] in _resamples([matrix], count, seed)]
    bands = [bootstrap.percentile_interval(sorted(point), level) for point in zip(*drawn, strict=True)]
    return [ProfilePoint(*point[:2], Interval(*point[2])) for point in zip(limits, shares, bands, strict=True)]


def _checked_resamples(resamples: int | None) -> int | None:
    if resamples is not None and (not isinstance(resamples, int) or resamples < bootstrap.LEAST_RESAMPLES):
        least = bootstrap.LEAST_RESAMPLES
        problem = f"expected a whole number of at least {least:,}, got {resamples!r}"
        raise ResultsError("resamples", problem, f"Write resamples={bootstrap.RESAMPLES}.")
    return resamples


def _matrix(scores: Scores) -> Matrix:
    return sorted(sorted(as_floats(runs)) for runs in scores.values())


def _flat(matrix: Matrix) -> list[float]:
    return list(chain.from_iterable(matrix))


def _resamples(matrices: Sequence[Matrix], count: int, seed: int) -> Iterator[list[Matrix]]:
    """Matrices of runs that are drawn again, each run from its own task."""
    draws = bootstrap.stratified_draws([runs for matrix in matrices for runs in matrix], count, seed)
    tasks = len(matrices[0])
    for drawn in draws:
        yield [drawn[start : start + tasks] for start in range(0, len(drawn), tasks)]


def _with_interval(
    matrices: Sequence[Matrix],
    statistic: Callable[[Sequence[Matrix]], float],
    level: float,
    seed: int,
    resamples: int | None,
) -> Aggregate:
    tasks, counts = len(matrices[0]), [len(runs) for matrix in matrices for runs in matrix]
    everything = [score for matrix in matrices for score in _flat(matrix)]
    empty = Aggregate(math.nan, None, "", tasks, len(everything))
    if not counts or min(counts) == 0:
        return empty._replace(note="there are no scores" if not everything else "a task has no scores")
    if wrong := not_finite(everything):
        return empty._replace(note=f"{wrong}, so there is no aggregate")
    found = empty._replace(value=statistic(matrices), note=_uneven(counts))
    if min(counts) < LEAST:
        few = f"a task has {counted(min(counts), 'run')}, too few for an interval, which needs {LEAST}"
        return found._replace(note=f"{few}. {found.note}" if found.note else few)
    made = resamples or bootstrap.resamples_for(len(everything))
    values = sorted(statistic(drawn) for drawn in _resamples(matrices, made, seed))
    method = f"{percent(level)} stratified bootstrap" + (
        "" if made == bootstrap.RESAMPLES else f" ({made:,} resamples)"
    )
    return found._replace(interval=Interval(*bootstrap.percentile_interval(values, level)), method=method)


def _uneven(counts: Sequence[int]) -> str:
    return "" if len(set(counts)) == 1 else f"tasks have {min(counts)} to {max(counts)} runs"


def _iqm(matrix: Matrix) -> float:
    ordered = sorted(_flat(matrix))
    cut = len(ordered) // 4
    return _quick_mean(ordered[cut : len(ordered) - cut])


def _quick_mean(ordered: Sequence[float]) -> float:
    """The mean. Resamples need it often, so it has no care for sums beyond all floats unless there is one."""
    try:
        return math.fsum(ordered) / len(ordered) if ordered else math.nan
    except OverflowError:
        return mean(ordered)


def _task_mean(matrix: Matrix) -> float:
    return _quick_mean([_quick_mean(runs) for runs in matrix])


def _task_median(matrix: Matrix) -> float:
    means = sorted(_quick_mean(runs) for runs in matrix)
    if not means:
        return math.nan
    low, high = means[(len(means) - 1) // 2], means[len(means) // 2]
    return low if low == high else low / 2 + high / 2


def _gap(matrix: Matrix, gamma: float = 1.0) -> float:
    return gamma - _quick_mean([min(score, gamma) for score in _flat(matrix)])


_FUNCTIONS: dict[str, Callable[[Matrix], float]] = {
    "iqm": _iqm,
    "mean": _task_mean,
    "median": _task_median,
    "optimality_gap": _gap,
}


def _improvement(matrices: Sequence[Matrix]) -> float:
    better, than = matrices
    return _quick_mean([_superiority(a, b) for a, b in zip(better, than, strict=True)])


def _superiority(a: Sequence[float], b: Sequence[float]) -> float:
    ordered = sorted(b)
    twice = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in a)
    return twice / (2 * len(a) * len(b))


def _shares(ordered: Sequence[float], taus: Sequence[float]) -> list[float]:
    """The share of sorted scores above each tau."""
    return [(len(ordered) - bisect_right(ordered, tau)) / len(ordered) for tau in taus]
