"""Values that are plain numbers or texts, whatever class they come in."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

PLAIN = (str, float, int)
UNITS = ("datetime64", "timedelta64")
"""Scalars of NumPy with a unit. `item()` keeps it when datetime has such a value; else it makes an int, or None."""
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

    A value that plain Python cannot have without a loss stays as it is. NumPy is not imported here, because a program
    that has such a scalar has imported it.
    """
    if isinstance(value, bool):
        return value
    if is_of_numpy(value) and not isinstance(value, str):
        return plain_of_numpy(value)
    cls = next((each for each in PLAIN if isinstance(value, each)), None)
    if cls is None:
        return value
    found: Any = getattr(cls, f"__{cls.__name__}__")(value)
    return found if found == value or found != found else value  # its class may compare more than the number


def spelled(value: Any) -> str:
    """The `repr` of a value. An integer may have more digits than Python writes: that is told in hexadecimal."""
    try:
        return repr(value)
    except ValueError:
        return hex(value) if isinstance(value, int) else f"a {type(value).__name__}, too long to be shown"


def is_of_numpy(value: Any) -> bool:
    """Whether a value is a scalar of NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def plain_of_numpy(value: Any) -> Any:
    """A scalar of NumPy, other than a text, as plain Python has it; itself when its unit would be lost."""
    if isinstance(value, bytes):
        return bytes(memoryview(value))  # `item()` leaves out the zeros at the end
    found = value.item()
    return value if has_unit(value) and (found is None or isinstance(found, int)) else found


def has_unit(value: Any) -> bool:
    """Whether a value is a date or a duration of NumPy."""
    return type(value).__name__ in UNITS and is_of_numpy(value)
