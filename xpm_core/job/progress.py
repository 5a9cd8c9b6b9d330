"""How far a job is, as its own code reports it: `progress`, and `tqdm` around loops.

Owns: how often a report is sent (at most 5 times a second, and less often as the job grows old), and that reporting
costs the job next to nothing. The latest report is always sent. A report becomes an event, and waiting scripts show it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from xpm_core.job import running as job
from xpm_core.states import Event

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""The least time between two reports: of a young job, and of an old one."""
AGE_PARTS = 100
"""In between, that time is a hundredth of the job's age. A job must not fill the stream with its reports, because the
stream is bounded: other events would be dropped from it."""
MOST_LEVELS, LONGEST_TEXT = 8, 200
"""How many levels a report has at most, and how many characters the text of each."""


class Level(Protocol):
    """Something that goes on in the job, such as a loop. The outermost is level 0; a loop in it is level 1."""

    def status(self) -> tuple[float | None, str]:
        """How far it is, from 0 to 1 (None when unknown), and the same in words."""


class ReportedLevel:
    """A level that the job's code reports by `progress`."""

    __slots__ = ("desc", "fraction")

    def __init__(self, fraction: float, desc: str) -> None:
        self.fraction, self.desc = fraction, desc

    def status(self) -> tuple[float | None, str]:
        """See `Level`."""
        return float(self.fraction), self.desc


class Reporter:
    """Sends the latest state of all levels of this process.

    If it is too early for the next report, a thread sends it later. The thread ends soon after, and before this process
    forks.

    Args:
        send: Sends a report; returns whether it could be sent at once.
    """

    def __init__(self, send: Callable[[dict[str, Any]], bool]) -> None:
        self.levels: list[Level] = []
        self._send = send
        self._lock = threading.Lock()
        self._began = monotonic()
        self._due = 0.0
        self._changed = False
        self._sent: dict[str, Any] = {}
        self._sender: object = None
        self._forking = threading.Event()
        os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._retire)

    def set(self, depth: int, level: Level) -> None:
        """Something goes on at a depth. Deeper levels are over."""
        levels = self.levels
        while len(levels) < depth:
            levels.append(ReportedLevel(0.0, ""))
        levels[depth:] = [level]
        self.touch()

    def touch(self) -> None:
        """A level has changed. This is cheap: a busy loop may call it at each step."""
        self._changed = True
        if self._sender is None:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._sender is not None or self._forking.is_set():
                return
            if monotonic() < self._due or not self._send_latest():
                thread = threading.Thread(target=self._work, name="xpm-progress", daemon=True)
                self._sender = thread
                thread.start()

    def _work(self) -> None:
        own = self._sender
        while not self._forking.wait(max(self._due - monotonic(), 0.01)):
            with self._lock:
                # While this is None, a change calls _begin, which waits for our lock. So a change that we do not see
                # in the next line starts a new thread.
                self._sender = None
                if not self._changed:
                    return
                self._sender = own
                self._send_latest()

    def _send_latest(self) -> bool:
        """Send what has changed; return whether nothing is left to send."""
        now = monotonic()
        self._due = now + min(max(SHORTEST_PAUSE_S, (now - self._began) / AGE_PARTS), LONGEST_PAUSE_S)
        self._changed = False
        found = [_shortened(*level.status()) for level in self.levels[:MOST_LEVELS]]
        report = {**found[0], **({"inner": found[1:]} if len(found) > 1 else {})} if found else {}
        if report != self._sent:
            if not self._send(report):
                self._changed = True
                return False
            self._sent = report
        return True

    # -- forks: a forked process finds no thread and no lock of ours in its way, and reports nothing -------------------

    def _pause(self) -> None:
        self._forking.set()
        thread = self._sender
        if isinstance(thread, threading.Thread) and thread is not threading.current_thread():
            thread.join()
        self._lock.acquire()

    def _resume(self) -> None:
        self._forking.clear()
        self._sender = None
        if self._changed:
            self._send_latest()
        self._lock.release()

    def _retire(self) -> None:
        self._sender = self
        self._lock.release()


def _shortened(fraction: float | None, desc: str) -> dict[str, Any]:
    text = desc[:LONGEST_TEXT].encode("utf-8", "replace").decode()
    return {"fraction": None if fraction is None else round(fraction, 3), "desc": text}


_reporter: Reporter | None = None


def reporter() -> Reporter | None:
    """The reporter of the job that runs in this process; None outside of a job."""
    global _reporter
    if _reporter is None and job.current is not None:
        report = job.current.report
        _reporter = Reporter(lambda data: report(Event.PROGRESS.value, data))
    return _reporter


def progress(fraction: float, level: int = 0, desc: str | None = None) -> None:
    """Report how far the job is. Outside of a job, nothing happens.

    Call it as often as you like: it never waits, and at most 5 reports a second are sent.

    Args:
        fraction: From 0 to 1. A number outside becomes 0 or 1, with a warning.
        level: 0 for the job as a whole, 1 for a step of it, and so on. A report of a level ends the deeper levels.
        desc: What goes on, in words; None keeps the words of the report before.

    Example:
        for step in range(steps):
            progress(step / steps, desc=f"step {step}")
    """
    found = _reporter or reporter()
    if found is None:
        return
    if not 0.0 <= fraction <= 1.0:
        warnings.warn(f"progress({fraction}): expected a number from 0 to 1", stacklevel=2)
        fraction = 1.0 if fraction > 1.0 else 0.0
    levels = found.levels
    if level == len(levels) - 1 and type(innermost := levels[level]) is ReportedLevel:  # as in a busy loop
        innermost.fraction = fraction
        if desc is not None:
            innermost.desc = str(desc)
        found.touch()
        return
    before = levels[level] if level < len(levels) else None
    words = before.desc if isinstance(before, ReportedLevel) else ""
    found.set(level, ReportedLevel(fraction, words if desc is None else str(desc)))
