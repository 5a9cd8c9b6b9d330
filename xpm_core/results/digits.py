"""How many digits of a number are written.

Owns: this rule, for cells, tables and papers.
"""

from __future__ import annotations

import math

SIGNIFICANT = 2
"""So many digits of the half width of an interval are written; a mean has as many decimals."""
PLAIN = 4
"""So many digits a number has at least that has no interval."""
MOST = 9
"""With more decimals than that, or from 1e15 on, numbers are written with an exponent."""


def decimals(half_width: float) -> int | None:
    """How many decimals a mean has whose interval is so wide to each side; None if its width does not say that.

    Example:
        >>> decimals(0.0081), decimals(12.3), decimals(0)
        (4, 0, None)
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return None
    digits = int(f"{half_width:.{SIGNIFICANT - 1}e}".partition("e")[2])  # rounded first: 0.0996 is 0.10
    return max(0, SIGNIFICANT - 1 - digits)


def fixed(value: float, places: int | None) -> str:
    """A number with so many decimals; without them, as few digits as say it: at most four, or all before the point.
    or around the point.

    Example:
        >>> fixed(0.91237, 3), fixed(0.91237, None), fixed(23456.7, None), fixed(1e-12, 13)
        ('0.912', '0.9124', '23457', '1.0e-12')
    """
    if not math.isfinite(value):
        return str(float(value))
    if places is None:
        few = f"{value:.{PLAIN}g}"
        whole = float(value).is_integer() or abs(float(few)) >= 10**PLAIN
        return f"{value:.0f}" if whole and abs(value) < 1e15 else few
    if places > MOST or abs(value) >= 1e15:
        size = math.floor(math.log10(abs(value))) if value else -places
        return f"{value:.{max(1, min(size + places, 15))}e}"
    return f"{value:.{places}f}"
