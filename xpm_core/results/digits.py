"""How many digits of a number are written.

Owns: this rule, for cells, tables and papers.
"""

from __future__ import annotations

import math

PLAIN = 4
"""So many digits a number has that has no interval; a greater one has no decimals."""
MOST = 9
"""With more decimals than that, or from 1e15 on, numbers are written with an exponent."""


def decimals(half_width: float) -> int | None:
    """How many decimals a mean has whose interval is so wide to each side; None if its width does not say that.

    One digit of the half width is written, and two if the first is a 1, because 0.01 may stand for 0.0149.

    Example:
        >>> decimals(0.0081), decimals(0.0149), decimals(12.3), decimals(0)
        (3, 3, 0, None)
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return None
    first, _, size = f"{half_width:.1e}".partition("e")
    rounded = int(f"{half_width:.0e}".partition("e")[2])  # one more than `size` for 0.0096, which is written as 0.010
    digits = 2 if first.startswith("1") or rounded > int(size) else 1
    return max(0, digits - 1 - rounded)


def fixed(value: float, places: int | None) -> str:
    """A number with so many decimals; without them, with four digits at most, but whole digits are never rounded.

    Example:
        >>> fixed(0.91237, 3), fixed(0.91237, None), fixed(1234567, None), fixed(1e-12, 13)
        ('0.912', '0.9124', '1234567', '1.0e-12')
    """
    if not math.isfinite(value):
        return str(float(value))
    if places is None:
        whole = abs(value) < 1e15 and (float(value).is_integer() or abs(value) >= 10 ** (PLAIN - 1))
        return str(round(value)) if whole else f"{value:.{PLAIN}g}"
    if places > MOST or abs(value) >= 1e15:
        size = math.floor(math.log10(abs(value))) if value else -places
        return f"{value:.{max(1, min(size + places, 15))}e}"
    text = f"{value:.{places}f}"
    return text if float(text) else text.removeprefix("-")  # nobody reads -0.00 as a number below zero
