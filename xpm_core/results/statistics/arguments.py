"""Arguments that statistics are asked with: each is checked where it comes in.

Owns: the checks and their errors. May import the errors.
"""

from __future__ import annotations

import math

from xpm_core.errors import ResultsError

Bounds = tuple[float | None, float | None]


def checked_level(level: float) -> float:
    """A level of confidence, strictly between 0 and 1.

    Raises:
        ResultsError: It is none, such as 95.
    """
    if not isinstance(level, (int, float)) or isinstance(level, bool) or not 0 < level < 1:
        likely = level / 100 if isinstance(level, (int, float)) and 1 < level < 100 else 0.95
        raise ResultsError("level", f"expected a number between 0 and 1, got {level!r}", f"Write level={likely:g}.")
    return float(level)


def checked_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """One of some words.

    Raises:
        ResultsError: It is none of them.
    """
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ResultsError(name, f"expected one of {known}, got {value!r}", f"Write {name}={choices[0]!r}.")
    return value


def checked_bounds(bounds: Bounds | None) -> tuple[float, float]:
    """The least and the greatest value that a metric can have; infinite where it has no bound.

    Raises:
        ResultsError: They are no pair of numbers, or the first is not below the second.
    """
    if bounds is None:
        return -math.inf, math.inf
    try:
        given_low, given_high = bounds
        low = -math.inf if given_low is None else float(given_low)
        high = math.inf if given_high is None else float(given_high)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not low < high:
        remedy = "Write the least and the greatest value that there can be, such as (0, 1) or (0, None)."
        raise ResultsError("range", f"expected two numbers in order, got {bounds!r}", remedy)
    return low, high
