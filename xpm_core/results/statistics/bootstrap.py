"""The bootstrap: how a statistic varies when values are drawn again from the values that there are.

A draw is `int(random() * n)`, because Python promises the numbers of `random()` for a seed in every version. Values are
sorted first, so their order does not matter.

Owns: draws and intervals from them. May import the other modules of this room that it names.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from random import Random

from xpm_core.results.statistics.distributions import normal_cdf, normal_quantile

RESAMPLES = 10_000
DRAWS = 2_000_000
"""So many values are drawn at most; with many values, there are fewer resamples, but never below LEAST_RESAMPLES."""
LEAST_RESAMPLES = 1_000
ROUNDING = 1e-15
"""Statistics that differ by less than this share of the largest one differ by rounding."""


def resamples_for(count: int, wanted: int = RESAMPLES) -> int:
    """How many resamples of so many values are made, so that it takes about a second at most."""
    return min(wanted, max(LEAST_RESAMPLES, DRAWS // max(count, 1)))


def stratified_draws(rows: Sequence[Sequence[float]], resamples: int, seed: int) -> Iterator[list[list[float]]]:
    """For each resample: for each row, as many of its values as it has, each drawn at random."""
    draw = Random(seed).random
    sized = [(row, len(row), range(len(row))) for row in rows]
    for _ in range(resamples):
        yield [[row[int(draw() * count)] for _ in places] for row, count, places in sized]


def resampled_means(values: Sequence[float], resamples: int, seed: int) -> list[float]:
    """The means of resamples, in order of size. The values must be finite."""
    ordered, count = sorted(values), len(values)
    low, high = ordered[0], ordered[-1]
    size = max(abs(low), abs(high))
    if size > 1e300:  # their sum could be beyond all floats
        scaled = resampled_means([value * 2.0**-64 for value in values], resamples, seed)
        return [min(max(mean * 2.0**64, low), high) for mean in scaled]  # a tiny value is 0 when it is scaled
    draw, fsum = Random(seed).random, math.fsum
    means = [fsum([ordered[int(draw() * count)] for _ in range(count)]) / count for _ in range(resamples)]
    return sorted([min(max(mean, low), high) for mean in means])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of sorted values lies, by linear interpolation (NumPy's default)."""
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    low, high = ordered[below], ordered[above]
    if low == high:
        return low
    fraction = place - below
    return min(max(low * (1 - fraction) + high * fraction, low), high)


def percentile_interval(ordered: Sequence[float], level: float) -> tuple[float, float]:
    """The middle part of sorted resampled statistics."""
    tail = (1 - level) / 2
    return quantile(ordered, tail), quantile(ordered, 1 - tail)


def bca_interval(
    ordered: Sequence[float], estimate: float, left_out: Sequence[float], level: float
) -> tuple[float, float] | None:
    """The interval of Efron's BCa method: percentiles, corrected for bias and for a spread that varies (acceleration).

    Args:
        ordered: The statistic of each resample, sorted.
        estimate: The statistic of the values.
        left_out: The statistic of the values without the first, without the second, and so on (the jackknife).
        level: The level of confidence, such as 0.95.

    Returns:
        None if the correction is not defined: all resamples lie on one side of the estimate, or nothing varies.
    """
    # A resample that has each value once has the statistic of all, but for a rounding: such ones count one half, too.
    near = ROUNDING * max(abs(ordered[0]), abs(ordered[-1]))
    share = (bisect_left(ordered, estimate - near) + bisect_right(ordered, estimate + near)) / (2 * len(ordered))
    bias, acceleration = normal_quantile(share), _acceleration(left_out)
    if math.isinf(bias) or acceleration is None:
        return None
    tail = normal_quantile((1 - level) / 2)
    ends = []
    for z in (bias + tail, bias - tail):
        if (rest := 1 - acceleration * z) <= 0:
            return None
        ends.append(quantile(ordered, normal_cdf(bias + z / rest)))
    return min(ends), max(ends)


def _acceleration(left_out: Sequence[float]) -> float | None:
    """A sixth of the skewness of the jackknife; None if it does not vary."""
    size = max(map(abs, left_out))
    scaled = [value / size for value in left_out] if size else [0.0]
    centre = math.fsum(scaled) / len(scaled)
    parts = [centre - value for value in scaled]
    if not any(parts):
        return None
    squares = math.fsum([part * part for part in parts])
    return math.fsum([part * part * part for part in parts]) / (squares * math.sqrt(squares)) / 6


def means_left_out(values: Sequence[float], mean: float) -> list[float]:
    """The mean of at least 3 values without each of them in turn, less the mean of all: only differences count."""
    rest = len(values) - 1
    return [mean / rest - value / rest for value in values]
