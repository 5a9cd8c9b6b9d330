"""A mean with an honest interval, or with none and the reason why.

Owns: `summary`. May import the other modules of this room that it names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xpm_core.results.statistics import bootstrap
from xpm_core.results.statistics.arguments import Bounds, checked_bounds, checked_choice, checked_level
from xpm_core.results.statistics.distributions import t_limit
from xpm_core.results.statistics.numbers import as_floats, counted, moments, not_finite, percent

KINDS = ("t", "bootstrap", "sd", "se", "minmax")
LEAST = 3
"""Below so many values there is no interval, of any kind."""
MOST_RESAMPLED = 10_000
"""With more values, a bootstrap gives what t gives, and takes long."""
FEW = 10
"""With fewer values, a bootstrap is mostly too narrow."""


WORDS = {
    "t": "t interval",
    "bootstrap": "bootstrap interval",
    "stratified": "stratified bootstrap interval",
    "sd": "standard deviation",
    "se": "standard error",
    "minmax": "range from least to greatest",
}
"""What each kind of interval is called in captions. "stratified" is that of an aggregate."""
NO_LEVEL = ("sd", "se", "minmax")
"""The kinds that have no level of confidence."""


def called(kind: str, level: float) -> str:
    """What an interval is called in a caption: "95 % t interval", "standard deviation"."""
    return WORDS[kind] if kind in NO_LEVEL else f"{percent(level)} {WORDS[kind]}"


class Interval(NamedTuple):
    """From `low` to `high`, both included."""

    low: float
    high: float


class Summary(NamedTuple):
    """What some values say together.

    Attributes:
        mean: Their mean. nan if there are none, or if one of them is no finite number.
        sd: Their sample standard deviation (n - 1). None below 2 values, or where there is no mean.
        n: How many values there are, also those that are no finite numbers.
        interval: None if there is none; then `note` says why.
        method: What the interval is, such as "95 % t", "95 % bootstrap (BCa)", "sd", "se", "min to max"; "" without.
        note: What a reader must know besides, as sentences without their last full stop; mostly "".
    """

    mean: float
    sd: float | None
    n: int
    interval: Interval | None
    method: str
    note: str = ""


def summary(
    values: Iterable[float],
    interval: str = "t",
    level: float = 0.95,
    bounds: Bounds | None = None,
    seed: int = 0,
) -> Summary:
    """The mean of some values, with an interval.

    Args:
        values: Numbers, in any order. Nothing is left out silently: if one is nan or infinite, there is no mean.
        interval: "t": where the true mean lies, by Student's t. "bootstrap": the same, by resampling (BCa). "sd", "se":
            one standard deviation, or one standard error, to each side. "minmax": from the least to the greatest value.
        level: The level of confidence of "t" and "bootstrap", between 0 and 1.
        bounds: The least and the greatest value that the metric can have, such as (0, 1); None or an infinity where it
            has no bound. The interval stays inside: that of t and of se is made on the logit scale (log scale with one
            bound) around the mean.
        seed: For "bootstrap". The same values and seed give the same interval.

    Returns:
        It has no interval below 3 values, whatever the kind.

    Raises:
        ResultsError: An argument makes no sense, such as a level of 95.

    Example:
        summary([0.91, 0.92, 0.90, 0.93, 0.90]).interval  # Interval(low=0.8958..., high=0.9281...)
    """
    checked_choice("interval", interval, KINDS)
    level, limits = checked_level(level), checked_bounds(bounds)
    numbers = as_floats(values)
    if wrong := not_finite(numbers):
        return Summary(math.nan, None, len(numbers), None, "", f"{wrong}, so there is no mean")
    centre, deviation = moments(numbers)
    bare = Summary(centre, deviation, len(numbers), None, "")
    if len(numbers) < LEAST or deviation is None:
        return bare._replace(note=_too_few(len(numbers)))
    if outside := _outside(numbers, limits):
        return bare._replace(note=outside)
    if interval == "minmax":
        return bare._replace(interval=Interval(min(numbers), max(numbers)), method="min to max")
    if interval == "sd":
        return _with_deviation(bare, deviation, limits)
    if interval == "bootstrap" and len(numbers) <= MOST_RESAMPLED:
        return _bootstrapped(bare, numbers, level, seed)
    return _with_error(bare, deviation, limits, level if interval != "se" else None, interval)


def _too_few(count: int) -> str:
    if count == 0:
        return "there are no values"
    return f"{counted(count, 'value')} {'is' if count == 1 else 'are'} too few for an interval, which needs {LEAST}"


def _outside(numbers: Sequence[float], limits: tuple[float, float]) -> str:
    low, high = limits
    beyond = sum(not low <= number <= high for number in numbers)
    if not beyond:
        return ""
    verb = "lies" if beyond == 1 else "lie"
    count = f"{beyond:,} of {counted(len(numbers), 'value')}"
    return f"{count} {verb} outside of the range {low:g} to {high:g}, so there is no interval"


def _with_deviation(bare: Summary, deviation: float, limits: tuple[float, float]) -> Summary:
    """One standard deviation to each side, cut at the bounds."""
    low, high = bare.mean - deviation, bare.mean + deviation
    inside = Interval(max(low, limits[0]), min(high, limits[1]))
    cut = "the interval is cut at the range" if inside != (low, high) else ""
    return bare._replace(interval=inside, method="sd", note=cut)


def _with_error(
    bare: Summary, deviation: float, limits: tuple[float, float], level: float | None, asked: str
) -> Summary:
    """The t interval at a level, or without a level one standard error to each side."""
    error = deviation / math.sqrt(bare.n)
    width = error if level is None else error * t_limit(level, bare.n - 1)
    method = "se" if level is None else f"{percent(level)} t"
    inside, scale = around(bare.mean, width, limits)
    notes = []
    if asked == "bootstrap":
        notes.append(f"t in place of a bootstrap, because there are more than {MOST_RESAMPLED:,} values")
    if deviation == 0:
        notes.append(_CONSTANT)
    return bare._replace(interval=inside, method=method + scale, note=". ".join(notes))


_CONSTANT = "all values are equal, so the interval has no width"


def around(centre: float, width: float, limits: tuple[float, float]) -> tuple[Interval, str]:
    """An interval with some width to each side, which stays inside of bounds; and the scale on which it was made.

    The width is carried to the logit scale (with one bound: the log scale) by the slope there, which is called the
    delta method. So the interval is not symmetric near a bound, never leaves the bounds, and holds the centre.
    """
    low, high = limits
    if width == 0 or (math.isinf(low) and math.isinf(high)):
        return Interval(centre - width, centre + width), ""
    if math.isinf(high):
        return _above(low, centre, width), " (log)"
    if math.isinf(low):
        mirrored = _above(-high, -centre, width)
        return Interval(-mirrored.high, -mirrored.low), " (log)"
    if math.isinf(span := high - low):  # bounds that no value comes near to
        return Interval(max(low, centre - width), min(high, centre + width)), ""
    below, above = centre - low, high - centre
    if below <= 0 or above <= 0:  # all values would lie at the bound, up to a rounding
        return Interval(centre, centre), " (logit)"
    try:
        odds = math.exp(width / below * (span / above))
    except OverflowError:
        return Interval(low, high), " (logit)"
    # The odds below : above, divided and multiplied by the same.
    ends = low + span * (below / (below + above * odds)), high - span * (above / (above + below * odds))
    return Interval(max(low, min(ends[0], centre)), min(high, max(ends[1], centre))), " (logit)"


def _above(low: float, centre: float, width: float) -> Interval:
    """With one bound, below."""
    distance = centre - low
    if distance <= 0:
        return Interval(centre, centre)
    try:
        factor = math.exp(width / distance)
    except OverflowError:
        return Interval(low, math.inf)
    return Interval(max(low, min(low + distance / factor, centre)), max(low + distance * factor, centre))


def _bootstrapped(bare: Summary, numbers: Sequence[float], level: float, seed: int) -> Summary:
    if bare.sd == 0:
        method = f"{percent(level)} bootstrap (BCa)"
        return bare._replace(interval=Interval(bare.mean, bare.mean), method=method, note=_CONSTANT)
    resamples = bootstrap.resamples_for(bare.n)
    means = bootstrap.resampled_means(numbers, resamples, seed)
    found = bootstrap.bca_interval(means, bare.mean, bootstrap.means_left_out(numbers, bare.mean), level)
    notes = [f"a bootstrap of {bare.n} values is mostly too narrow"] if bare.n < FEW else []
    if found is None:
        notes.append("percentiles, because BCa is not defined for these values")
    low, high = found or bootstrap.percentile_interval(means, level)
    fewer = "" if resamples == bootstrap.RESAMPLES else f", {resamples:,} resamples"
    method = f"{percent(level)} bootstrap ({'percentiles' if found is None else 'BCa'}{fewer})"
    return bare._replace(interval=Interval(low, high), method=method, note=". ".join(notes))
