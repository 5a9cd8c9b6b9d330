"""Calls of hooks for which nobody waits: one thread makes them, in order."""

from __future__ import annotations

import logging
import queue
import threading
from time import monotonic

from xpm_core.hooks.calls import LIMIT_S, Hooks

log = logging.getLogger("xpm")

MOST = 1000
"""How many calls may wait. If hooks are slower than jobs, later calls are left out, and the log says so."""


class LateCalls:
    """Calls the hooks of one name, one call after the other, in a thread of its own.

    Args:
        hooks: The hooks of this process.
        name: The name of the hooks.

    Example:
        >>> calls = LateCalls(Hooks(), "job_ended")
        >>> calls.put(job, outcome)
        >>> calls.close()
    """

    def __init__(self, hooks: Hooks, name: str) -> None:
        self._hooks, self._name = hooks, name
        self._waiting: queue.Queue[tuple[object, ...] | None] = queue.Queue(MOST)
        self._thread: threading.Thread | None = None
        self._left_out = 0

    def put(self, *arguments: object) -> None:
        """Have the hooks called with these arguments, soon. This takes no time."""
        if not self._hooks.any(self._name):
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"hooks {self._name}", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(arguments)
        except queue.Full:
            if not self._left_out:
                log.warning("hooks %s: left out, because %d calls wait for them", self._name, MOST)
            self._left_out += 1

    def close(self, limit_s: float = LIMIT_S) -> None:
        """Wait until the calls are made, at most for a time in seconds. What is left then is not called."""
        if self._thread is None:
            return
        ends = monotonic() + limit_s
        try:
            self._waiting.put(None, timeout=limit_s)
            self._thread.join(max(ends - monotonic(), 0.0))
        except queue.Full:
            pass
        if self._thread.is_alive():
            log.warning("hooks %s: %d calls were not made in time", self._name, self._waiting.qsize())

    def _run(self) -> None:
        while (arguments := self._waiting.get()) is not None:
            self._hooks.call(self._name, *arguments)
