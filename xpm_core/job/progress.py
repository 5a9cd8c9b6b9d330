"""How far a job is, told by its own code: `progress`, and `tqdm` around loops.

Owns: how often that is told (at most 5 times a second, and less often as a job grows old), and that it costs the job
next to nothing. The latest word is always told. What is told becomes an event, and is shown by waiting scripts.
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

OFTEN_S, SELDOM_S = 0.2, 5.0
"""The least time between two words: of a young job, and of an old one."""
AGE = 100
"""In between, a hundredth of the job's age: what it tells shall not crowd out what else happened from the stream."""
DEEPEST = 8
LONGEST = 200
"""Levels that are told, and characters of their texts."""


class Level(Protocol):
    """One of the loops that are under way, the outermost first."""

    def said(self) -> tuple[float | None, str]:
        """How far it is, from 0 to 1 if that is known, and in words."""


class Word:
    """A level that was told by `progress`."""

    __slots__ = ("desc", "fraction")

    def __init__(self, fraction: float, desc: str) -> None:
        self.fraction, self.desc = fraction, desc

    def said(self) -> tuple[float | None, str]:
        """See `Level`."""
        return float(self.fraction), self.desc


class Reporter:
    """Tells the latest of what is under way in this process.

    What may not be told yet is told by a thread, which ends soon after, and before this process is forked.

    Args:
        tell: Tells it; returns whether it went out.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], bool]) -> None:
        self.levels: list[Level] = []
        self._tell = tell
        self._lock = threading.Lock()
        self._began = monotonic()
        self._due = 0.0
        self._fresh = False
        self._told: dict[str, Any] = {}
        self._teller: object = None
        self._forking = threading.Event()
        os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._retire)

    def set(self, level: int, found: Level) -> None:
        """Something is under way at a level; levels below it are over."""
        levels = self.levels
        while len(levels) < level:
            levels.append(Word(0.0, ""))
        levels[level:] = [found]
        self.touch()

    def touch(self) -> None:
        """Something of it has changed. Cheap: a busy loop may call it each time."""
        self._fresh = True
        if self._teller is None:
            self._begin()

    def _begin(self) -> None:
        with self._lock:
            if self._teller is not None or self._forking.is_set():
                return
            if monotonic() < self._due or not self._say():
                thread = threading.Thread(target=self._work, name="xpm-progress", daemon=True)
                self._teller = thread
                thread.start()

    def _work(self) -> None:
        own = self._teller
        while not self._forking.wait(max(self._due - monotonic(), 0.01)):
            with self._lock:
                self._teller = None
                if not self._fresh:
                    return
                self._teller = own  # before that look, whoever touches would begin anew; after it, we see it
                self._say()

    def _say(self) -> bool:
        """Tell what is new. Returns whether there is nothing left to tell."""
        now = monotonic()
        self._due = now + min(max(OFTEN_S, (now - self._began) / AGE), SELDOM_S)
        self._fresh = False
        said = [_short(*level.said()) for level in self.levels[:DEEPEST]]
        data = {**said[0], **({"inner": said[1:]} if len(said) > 1 else {})} if said else {}
        if data != self._told:
            if not self._tell(data):
                self._fresh = True
                return False
            self._told = data
        return True

    # -- forks: no thread and no lock of ours is in the way, and a forked process tells nothing ------------------------

    def _pause(self) -> None:
        self._forking.set()
        thread = self._teller
        if isinstance(thread, threading.Thread) and thread is not threading.current_thread():
            thread.join()
        self._lock.acquire()

    def _resume(self) -> None:
        self._forking.clear()
        self._teller = None
        if self._fresh:
            self._say()
        self._lock.release()

    def _retire(self) -> None:
        self._teller = self
        self._lock.release()


def _short(fraction: float | None, desc: str) -> dict[str, Any]:
    text = desc[:LONGEST].encode("utf-8", "replace").decode()
    return {"fraction": None if fraction is None else round(fraction, 3), "desc": text}


_reporter: Reporter | None = None


def reporter() -> Reporter | None:
    """The one of the job that runs in this process; None outside of a job."""
    global _reporter
    if _reporter is None and job.current is not None:
        report = job.current.report
        _reporter = Reporter(lambda data: report(Event.PROGRESS.value, data))
    return _reporter


def progress(fraction: float, level: int = 0, desc: str | None = None) -> None:
    """Tell how far the job is. Outside of a job, nothing happens.

    It can be called as often as one likes: it is told at most 5 times a second, and never keeps the job waiting.

    Args:
        fraction: From 0 to 1.
        level: 0 for the job as a whole, 1 for what is under way in it, and so on; a word ends the deeper levels.
        desc: What is being done; what was said before stands when there is none.

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
    if level == len(levels) - 1 and type(word := levels[level]) is Word:  # as in a busy loop
        word.fraction = fraction
        if desc is not None:
            word.desc = str(desc)
        found.touch()
        return
    before = levels[level] if level < len(levels) else None
    stands = before.desc if isinstance(before, Word) else ""
    found.set(level, Word(fraction, stands if desc is None else str(desc)))
