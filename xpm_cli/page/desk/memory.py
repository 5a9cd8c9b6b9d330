"""Values that are made of the workspace, and remembered until something has changed.

Owns: how often a value is made, and that nothing old is given out for ever. Whoever gets a value that has to be made
anew can be told when that is done; and a value that was made of an old one is old, too.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from xpm_cli.page.desk.orders import SHARE

FRESH_S = 10.0
"""For how long a value is good that nothing has changed: it may say how long something lasts, seconds."""


@dataclass
class _Kept:
    """A value, the generation of which it is, until when it is good, and until when it is not made anew."""

    value: Any
    generation: int
    good_s: float
    rests_s: float


class Memory:
    """What is remembered. One thread uses it at a time; only `is_due` may be called by any.

    Args:
        most: How many values are kept, the latest ones.
        ages: Whether a value is made anew after some seconds although nothing has changed.
    """

    def __init__(self, most: int, *, ages: bool) -> None:
        self._most, self._ages = most, ages
        self._kept: dict[Hashable, _Kept] = {}
        self._lock, self._due_s = threading.Lock(), math.inf
        """When something that was given out old can be made anew; infinite if nothing was."""
        self._borrowed_s = 0.0
        """When what was given out old to the value that is made now can be made anew; 0 if nothing was."""

    def get(self, key: Hashable, make: Callable[[], Any], generation: int) -> Any:
        """Return a value; it is made if there is none of that generation, and if it may be made again already.

        Args:
            key: Names the value.
            make: Makes it.
            generation: That of the workspace.
        """
        found, now_s = self._kept.pop(key, None), time.monotonic()
        is_old = found is None or found.generation != generation or now_s >= found.good_s
        if found is None or (is_old and now_s >= found.rests_s):
            found = self._made(make, generation)
        elif found.generation != generation:
            self.borrow(found.rests_s)
        self._kept[key] = found
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return found.value

    def _made(self, make: Callable[[], Any], generation: int) -> _Kept:
        before_s, self._borrowed_s = self._borrowed_s, 0.0
        began_s = time.monotonic()
        try:
            value, ended_s = make(), time.monotonic()
            rests_s = max(ended_s + SHARE * (ended_s - began_s), self._borrowed_s)
            good_s = ended_s + FRESH_S if self._ages else math.inf
            return _Kept(value, -1 if self._borrowed_s else generation, good_s, rests_s)
        finally:
            self._borrowed_s = max(before_s, self._borrowed_s)

    def borrow(self, rests_s: float) -> None:
        """Note that something old was given out.

        Args:
            rests_s: When it can be made anew, by the monotonic clock; 0 if it was not old.
        """
        if rests_s:
            with self._lock:
                self._borrowed_s, self._due_s = max(self._borrowed_s, rests_s), min(self._due_s, rests_s)

    def is_due(self) -> bool:
        """Whether something that was given out old can be made anew now. This is said once."""
        with self._lock:
            due = time.monotonic() >= self._due_s
            self._due_s = math.inf if due else self._due_s
            return due
