"""Values that are plain numbers or texts, whatever class they come in."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

ATOMS = frozenset((type(None), bool, int, float, str, bytes))
"""Types whose values hold nothing else. A long list of them is dealt with whole, not item by item."""


def flat(values: Iterable[Any]) -> bool:
    """Whether all of some values are atoms."""
    return ATOMS.issuperset(map(type, values))


def finite(values: Iterable[Any]) -> bool:
    """Whether all floats among flat values are finite. Very large ones may be taken for infinite, which costs time."""
    return math.isfinite(sum(value for value in values if type(value) is float))


def plain(value: Any) -> Any:
    """A value of a subclass of `int`, `float` or `str`, or a scalar of NumPy, as plain Python has it; else the value.

    NumPy is not imported for it: who has such a scalar has imported it.
    """
    if isinstance(value, bool):
        return value
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        value = value.item()
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else value
