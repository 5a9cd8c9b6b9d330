"""Numbers and texts of any class, NumPy's too, as plain Python values."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

SCALAR_TYPES = (str, float, int)
"""The plain types whose subclasses are converted."""

UNITS = ("datetime64", "timedelta64")
"""NumPy's scalars with a unit. Their `item()` returns an int or None if the module datetime has no such value."""

ATOMS = frozenset((type(None), bool, int, float, str, bytes))
"""Types whose values contain no other values. A long list of atoms is treated as a whole, not item by item."""


def all_atoms(values: Iterable[Any]) -> bool:
    """Whether all values are atoms."""
    return ATOMS.issuperset(map(type, values))


def all_finite(values: Iterable[Any]) -> bool:
    """Whether all floats among atoms are finite. It may be False for very large ones, which then only costs time."""
    return math.isfinite(sum(value for value in values if type(value) is float))


def plain_scalar(value: Any) -> Any:
    """A value of a subclass of `int`, `float` or `str`, or a scalar of NumPy, as a plain value; any other value itself.

    A value that would lose something stays as it is. NumPy is not imported here: a program that has such a scalar has
    imported it.
    """
    if isinstance(value, bool):
        return value
    if is_of_numpy(value) and not isinstance(value, str):
        return plain_of_numpy(value)
    cls = next((each for each in SCALAR_TYPES if isinstance(value, each)), None)
    if cls is None:
        return value
    found: Any = getattr(cls, f"__{cls.__name__}__")(value)
    return found if found == value or found != found else value  # a subclass can compare more than the number


def is_whole(value: Any, least: float, most: float = math.inf) -> bool:
    """Whether a value is an integer within bounds. True and False are not numbers here."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_number(value: Any, least: float, most: float = sys.float_info.max) -> bool:
    """Whether a value is an integer or a finite float within bounds. True and False are not numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def safe_repr(value: Any) -> str:
    """The `repr` of a value. An integer with more digits than Python writes in decimal is written in hexadecimal."""
    try:
        return repr(value)
    except ValueError:
        return hex(value) if isinstance(value, int) else f"a {type(value).__name__}, too long to be shown"


def is_of_numpy(value: Any) -> bool:
    """Whether a value is a scalar of NumPy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def plain_of_numpy(value: Any) -> Any:
    """A scalar of NumPy, other than a text, as a plain value; the scalar itself when its unit would be lost."""
    if isinstance(value, bytes):
        return bytes(memoryview(value))  # `item()` leaves out the zeros at the end
    found = value.item()
    return value if has_unit(value) and (found is None or isinstance(found, int)) else found


def has_unit(value: Any) -> bool:
    """Whether a value is a date or a duration of NumPy."""
    return type(value).__name__ in UNITS and is_of_numpy(value)
