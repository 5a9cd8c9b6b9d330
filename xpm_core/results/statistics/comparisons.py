"""Whether two groups of runs differ: paired by the seeds that both have, Welch's test if these are too few.

The t test comes first, because it also gives an interval. Where there are enough pairs, a test that assumes no normal
distribution stands beside it.

Owns: comparisons of two groups, and Holm's correction. May import the other modules of this room that it names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.arguments import checked_level
from xpm_core.results.statistics.distributions import t_limit, two_sided_p
from xpm_core.results.statistics.intervals import LEAST, Interval
from xpm_core.results.statistics.numbers import as_floats, counted, moments, not_finite
from xpm_core.results.statistics.signed_tests import FLIPPED, sign_flip_p, wilcoxon_p

NAMED = 3
"""So many keys a note names."""
GRAIN = 13
"""So many digits of the largest value count where differences are ranked: floats have 15 to 17."""

Values = Mapping[Hashable, float] | Sequence[float]
"""Values of a group: by what they are paired with, such as {seed: accuracy}, or without that."""

ROUNDING = 1e-14
"""Differences below this share of the largest value are taken for none."""


class Comparison(NamedTuple):
    """How much greater the values of one group are than those of another.

    Attributes:
        difference: The mean of the differences, or the difference of the means. nan if there is none.
        interval: The t interval of the difference. None below 3 pairs, or 3 values in each group.
        p: Two-sided, of the t test. None where there is no interval.
        adjusted: p after Holm's correction for all comparisons of a table; None before that.
        exact_p: Two-sided, of a test that assumes no normal distribution; None if there is none.
        test: Which test gave the interval and p: "paired t" or "Welch t"; "" if none did.
        n: The number of pairs, or of the values of both groups together.
        paired: Whether values of the same seed were compared with each other.
        exact_test: Which test gave exact_p: "sign flips" (6 to 12 pairs), "Wilcoxon" (more), or "Wilcoxon (normal)"
            where that one is not exact but by the normal distribution.
        statistic: The t value; infinite if nothing varies but the difference is not 0.
        df: The degrees of freedom of t.
        sizes: How many values each group has.
        note: What a reader must know besides, as `Summary.note`.
    """

    difference: float
    interval: Interval | None
    p: float | None
    adjusted: float | None
    exact_p: float | None
    test: str
    n: int
    paired: bool
    exact_test: str = ""
    statistic: float | None = None
    df: float | None = None
    sizes: tuple[int, int] = (0, 0)
    note: str = ""


def compare(a: Values, b: Values, level: float = 0.95, named: Callable[[Hashable], str] = str) -> Comparison:
    """Compare two groups: paired by the keys that both have, by Welch's test if these are fewer than 3.

    Values whose key only one group has do not count in a paired test, and `note` names their keys. If a value of either
    group is no finite number, there is no difference, whether it has a counterpart or not.

    Args:
        a: The values of the first group; a mapping if they have keys, such as seeds.
        b: Those of the second.
        level: The level of confidence.
        named: What a key is called in the note.

    Raises:
        ResultsError: The level is no number between 0 and 1.

    Example:
        compare({1: 0.91, 2: 0.93, 3: 0.92}, {1: 0.90, 2: 0.91, 3: 0.91}).test  # "paired t"
    """
    if not isinstance(a, Mapping) or not isinstance(b, Mapping):
        return welch(_numbers(a), _numbers(b), level)
    common = [key for key in a if key in b]
    alone = [[named(key) for key in one if key not in other] for one, other in ((a, b), (b, a))]
    if not any(alone) or (len(common) >= LEAST and not not_finite(_numbers(a) + _numbers(b))):
        found = paired([a[key] for key in common], [b[key] for key in common], level)
        return found._replace(note=". ".join(filter(None, [_left_out(*alone), found.note])))
    found = welch(_numbers(a), _numbers(b), level)
    note = f"not paired: {len(common)} in common of {len(a)} and {len(b)}"
    return found._replace(note=f"{note}. {found.note}" if found.note else note)


def _left_out(first: Sequence[str], second: Sequence[str]) -> str:
    """What to say of values without a counterpart; empty if there are none."""
    parts = []
    for names, side in ((first, "first"), (second, "second")):
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        if names:
            parts.append(f"without {', '.join(names[:NAMED])}{more}, which only the {side} side has")
    return "; ".join(parts)


def _numbers(values: Values) -> list[float]:
    return as_floats(values.values() if isinstance(values, Mapping) else values)


def paired(a: Iterable[float], b: Iterable[float], level: float = 0.95) -> Comparison:
    """Compare values that belong together: a[0] with b[0], a[1] with b[1], and so on.

    Raises:
        ResultsError: There are not as many values in both, or the level is no number between 0 and 1.
    """
    checked_level(level)
    first, second = as_floats(a), as_floats(b)
    if len(first) != len(second):
        problem = f"expected as many values in both groups, got {len(first)} and {len(second)}"
        raise ResultsError("paired", problem, "Give the values of the same seeds, or use welch.")
    differences = [x - y for x, y in zip(first, second, strict=True)]
    sizes = (len(first), len(second))
    empty = Comparison(math.nan, None, None, None, None, "", len(first), True, sizes=sizes)
    if wrong := not_finite(first + second) or not_finite(differences):
        return empty._replace(note=f"{wrong}, so there is no difference")
    difference, deviation = moments(differences)
    if len(first) < LEAST or deviation is None:
        return empty._replace(difference=difference, note=_too_few(counted(len(first), "pair")))
    error = deviation / math.sqrt(len(first))
    found = _tested(empty, difference, error, len(first) - 1.0, level, first + second)
    return _with_exact(found, _without_rounding(differences, max(map(abs, first + second))))


def _without_rounding(differences: Sequence[float], largest: float) -> list[float]:
    """The differences without what floats add: 0.93 - 0.92 and 0.92 - 0.91 are equal, so they share a rank.

    Args:
        differences: Differences of numbers.
        largest: The size of the largest of these numbers.
    """
    grain = 10.0 ** (math.floor(math.log10(largest)) - GRAIN) if 1e-200 < largest < 1e200 else 0.0
    return [round(each / grain) * grain if grain else each for each in differences]


def _with_exact(found: Comparison, differences: Sequence[float]) -> Comparison:
    if found.n in FLIPPED:
        return found._replace(exact_p=sign_flip_p(differences), exact_test="sign flips")
    if found.n < FLIPPED.start:
        return found
    p, exact = wilcoxon_p(differences)
    return found._replace(exact_p=p, exact_test="Wilcoxon" if exact else "Wilcoxon (normal)")


def welch(a: Iterable[float], b: Iterable[float], level: float = 0.95) -> Comparison:
    """Compare the means of two independent groups, which may vary differently.

    Raises:
        ResultsError: The level is no number between 0 and 1.
    """
    checked_level(level)
    first, second = as_floats(a), as_floats(b)
    sizes = len(first), len(second)
    empty = Comparison(math.nan, None, None, None, None, "", sum(sizes), False, sizes=sizes)
    if wrong := not_finite(first + second):
        return empty._replace(note=f"{wrong}, so there is no difference")
    (mean_a, sd_a), (mean_b, sd_b) = moments(first), moments(second)
    difference = mean_a - mean_b
    if min(sizes) < LEAST or sd_a is None or sd_b is None:
        return empty._replace(difference=difference, note=_too_few(f"{sizes[0]} and {counted(sizes[1], 'value')}"))
    error_a, error_b = sd_a / math.sqrt(sizes[0]), sd_b / math.sqrt(sizes[1])
    error = math.hypot(error_a, error_b)
    # Welch and Satterthwaite's degrees of freedom, by shares, because squares of variances overflow.
    share_a, share_b = ((error_a / error) ** 2, (error_b / error) ** 2) if error else (1.0, 1.0)
    df = 1.0 / (share_a**2 / (sizes[0] - 1) + share_b**2 / (sizes[1] - 1))
    return _tested(empty, difference, error, df, level, first + second)


def _too_few(what: str) -> str:
    return f"too few for a test: {what}, and it needs {LEAST}"


def _tested(
    empty: Comparison, difference: float, error: float, df: float, level: float, numbers: Sequence[float]
) -> Comparison:
    """The t test of a difference of some numbers with its standard error."""
    if not math.isfinite(difference) or not math.isfinite(error):
        return empty._replace(difference=difference, note="the values are too large for a test")
    rounding = ROUNDING * max(map(abs, numbers))
    if error <= rounding:  # 0.1 + 0.2 is not 0.3, and that is no finding
        note, interval = "nothing varies, so t has no spread to go by", Interval(difference, difference)
        same = abs(difference) <= rounding
        t, p = (0.0, 1.0) if same else (math.copysign(math.inf, difference), 0.0)
    else:
        note, t, width = "", difference / error, error * t_limit(level, df)
        interval, p = Interval(difference - width, difference + width), two_sided_p(t, df)
    test = "paired t" if empty.paired else "Welch t"
    return empty._replace(difference=difference, interval=interval, p=p, test=test, statistic=t, df=df, note=note)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of p-values for their number: each is at least as large as before, and they keep their order.

    A comparison that could not be tested has None, stays None, and does not count.

    Raises:
        ResultsError: A p is not between 0 and 1.

    Example:
        holm([0.01, 0.04, 0.03])  # [0.03, 0.06, 0.06]
    """
    tested = [(p, index) for index, p in enumerate(ps) if p is not None]
    if wrong := [p for p, _ in tested if not 0 <= p <= 1]:
        raise ResultsError("holm", f"expected numbers from 0 to 1, got {wrong[0]!r}", "Give p-values.")
    adjusted: list[float | None] = [None] * len(ps)
    reached = 0.0
    for rank, (p, index) in enumerate(sorted(tested)):
        reached = max(reached, min(1.0, (len(tested) - rank) * p))
        adjusted[index] = reached
    return adjusted


def with_holm(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons of a table, with `adjusted` set for all of them together."""
    adjusted = holm([comparison.p for comparison in comparisons])
    return [found._replace(adjusted=p) for found, p in zip(comparisons, adjusted, strict=True)]
