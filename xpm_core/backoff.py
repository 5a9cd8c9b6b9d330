"""Pauses between tries: each is about twice as long as the one before, up to a bound."""

from __future__ import annotations

import random


class Backoff:
    """The pauses of something that is tried again and again.

    The pauses double from `first_s` to `longest_s`. Each is then cut by up to a half, at random, so that processes
    that failed together do not all try again together.

    Args:
        first_s: The first pause, seconds.
        longest_s: The longest pause, seconds.

    Example:
        backoff = Backoff(0.1, 10.0)
        while not tried():
            time.sleep(backoff.next_s())
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._whole_s = first_s

    def next_s(self) -> float:
        """Return how long to pause now, seconds."""
        whole_s = min(self._whole_s, self._longest_s)
        self._whole_s = min(2 * whole_s, self._longest_s)
        return whole_s * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the first pause: a try has succeeded."""
        self._whole_s = self._first_s
