"""Means and standard deviations of floats, without loss of digits, and what is said of values that are no numbers.

Sums are exact (`math.fsum`), so the order of values does not matter, and no Python gives another last digit. Very large
and very small values are scaled by a power of two, which loses nothing.

Owns: arithmetic, and the notes about values. May import the errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from xpm_core.errors import ResultsError


def mean(values: Sequence[float]) -> float:
    """The mean of finite values, never below the least or above the greatest; nan if there are none."""
    return moments(values)[0]


def moments(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean and the sample standard deviation (n - 1) of finite values. Below 2 values there is no deviation."""
    if not values:
        return math.nan, None
    low, high = min(values), max(values)
    if low == high:  # also: no rounding makes a deviation where there is none
        return float(low), 0.0 if len(values) > 1 else None
    exponent = _scale(max(abs(low), abs(high)))
    scaled = values if exponent == 0 else [math.ldexp(value, -exponent) for value in values]
    count = len(values)
    centre = math.fsum(scaled) / count
    spread = [value - centre for value in scaled]
    nearest = centre + math.fsum(spread) / count  # dividing a rounded sum loses a digit
    again = _scale(max(map(abs, spread)))
    if again:
        spread = [math.ldexp(value, -again) for value in spread]
    # The centre is rounded. The second term takes out what that adds to the squares.
    squares = math.fsum([value * value for value in spread]) - math.fsum(spread) ** 2 / count
    deviation = _unscaled(math.sqrt(max(squares, 0.0) / (count - 1)), exponent + again)
    return min(max(_unscaled(nearest, exponent), low), high), deviation


def _scale(size: float) -> int:
    """The exponent to scale by: 0 where squares and sums neither overflow nor vanish."""
    return 0 if 1e-100 < size < 1e100 or size == 0 else math.frexp(size)[1]


def _unscaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent) if exponent else value
    except OverflowError:
        return math.copysign(math.inf, value)


def as_floats(values: Iterable[float]) -> list[float]:
    """Numbers of any kind as floats, so of NumPy and of `decimal`. An integer beyond all floats is an infinity.

    Raises:
        ResultsError: A value is no number, such as a text, or None.
    """
    return [_float(value) for value in values]


def _float(value: float) -> float:
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        pass
    remedy = "Leave out what is no number, and say that it is missing."
    raise ResultsError("values", f"expected numbers, got {value!r} ({type(value).__name__})", remedy)


def not_finite(values: Sequence[float]) -> str:
    """What to say of values that are no finite numbers; "" if all are.

    Example:
        not_finite([0.5, math.nan, math.inf])  # "2 of 3 values are no finite numbers (nan, inf)"
    """
    wrong = [value for value in values if not math.isfinite(value)]
    if not wrong:
        return ""
    kinds = ", ".join(name for name in ("nan", "inf", "-inf") if name in map(str, wrong))
    if len(wrong) == 1:
        return f"1 of {counted(len(values), 'value')} is no finite number ({kinds})"
    return f"{len(wrong)} of {counted(len(values), 'value')} are no finite numbers ({kinds})"


def counted(count: int, noun: str) -> str:
    """ "1 value", "2 values", "10,000 values"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def percent(level: float) -> str:
    """ "95 %" for 0.95, "99.9 %" for 0.999."""
    return f"{level * 100:.14g} %"
