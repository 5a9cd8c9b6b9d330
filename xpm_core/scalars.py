"""Values that are plain numbers or texts, whatever class they come in."""

from __future__ import annotations

import sys
from typing import Any


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
