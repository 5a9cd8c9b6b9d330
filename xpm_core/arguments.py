"""What `experiment(...)` can be given.

Owns: which values are refused at once, before anything is made or connected to. Names have their own rules (names.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from xpm_core.errors import ExperimentError
from xpm_core.graph import caller, written


def check(**given: Any) -> None:
    """Refuse arguments of `experiment` that cannot work.

    Raises:
        ExperimentError: Names the first of them, what was expected, and the line.
    """
    for name, value in given.items():
        right, wanted = _CHECKS[name]
        if not right(value):
            problem = f"experiment({name}={value!r}): expected {wanted}"
            raise ExperimentError(written(caller()), problem, "Pass such a value.")


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _seconds(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "workdir": (lambda value: isinstance(value, str | os.PathLike) and bool(os.fspath(value)), "a path"),
    "port": (lambda value: value is None or _whole(value, 1, 65535), "a number from 1 to 65535"),
    "redis": (lambda value: value is None or isinstance(value, str), "the address of a server"),
    "workers": (lambda value: value is None or _whole(value, 0, 10000), "a number of slots, 0 to 10000"),
    "lease_s": (lambda value: _seconds(value, 0.5, 3600), "a number of seconds, 0.5 to 3600"),
}
