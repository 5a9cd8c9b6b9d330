"""Values that are made of the workspace, and remembered until something has changed.

Owns: how often a value is made, and that nothing old is given out for ever. Whoever gets a value that has to be made
anew can be told when that is done; and a value that was made of an old one is old, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from xpm_cli.page.desk.orders import SHARE

FRESH_S = 10.0
"""For how long a value is good that nothing has changed: it may say how long something lasts, seconds."""
MOST_KEPT, MOST_HEAVY = 64, 6
"""How many values are remembered, and how many of those that are large."""


@dataclass
class _Kept:
    """A value, the generation of which it is, until when it is good, and until when it is not made anew."""

    value: Any
    generation: int
    good_s: float
    rests_s: float


class Memory:
    """What is remembered. Whoever uses it holds the desk's lock.

    Attributes:
        due_s: When something that was given out old can be made anew, by the monotonic clock; infinite if nothing was.
    """

    def __init__(self) -> None:
        self.due_s = math.inf
        self._light: dict[Hashable, _Kept] = {}
        self._heavy: dict[Hashable, _Kept] = {}
        self._borrowed_s = 0.0
        """When what was given out old to the value that is made now can be made anew; 0 if nothing was."""

    def get(self, key: Hashable, make: Callable[[], Any], generation: int, heavy: bool) -> Any:
        """Return a value; it is made if there is none of that generation, and if it may be made again already.

        Args:
            key: Names the value.
            make: Makes it.
            generation: That of the workspace.
            heavy: Whether it is large. Such a value does not change with the time.
        """
        kept, most = (self._heavy, MOST_HEAVY) if heavy else (self._light, MOST_KEPT)
        found, now_s = kept.pop(key, None), time.monotonic()
        is_old = found is None or found.generation != generation or now_s >= found.good_s
        if found is None or (is_old and now_s >= found.rests_s):
            found = self._made(make, generation, heavy)
        elif found.generation != generation:
            self.borrow(found.rests_s)
        kept[key] = found
        while len(kept) > most:
            del kept[next(iter(kept))]
        return found.value

    def _made(self, make: Callable[[], Any], generation: int, heavy: bool) -> _Kept:
        before_s, self._borrowed_s = self._borrowed_s, 0.0
        began_s = time.monotonic()
        try:
            value, ended_s = make(), time.monotonic()
            rests_s = max(ended_s + SHARE * (ended_s - began_s), self._borrowed_s)
            good_s = math.inf if heavy else ended_s + FRESH_S
            return _Kept(value, -1 if self._borrowed_s else generation, good_s, rests_s)
        finally:
            self._borrowed_s = max(before_s, self._borrowed_s)

    def borrow(self, rests_s: float) -> None:
        """Note that something old was given out.

        Args:
            rests_s: When it can be made anew, by the monotonic clock; 0 if it was not old.
        """
        if rests_s:
            self._borrowed_s, self.due_s = max(self._borrowed_s, rests_s), min(self.due_s, rests_s)
