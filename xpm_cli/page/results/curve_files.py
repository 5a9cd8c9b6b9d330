"""The curves of jobs that were read. A file that has grown is read on; one that has not is not opened.

Owns: how many points are held. Above that, the curves that were not asked for the longest are forgotten, and read again
when they are asked for.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from errno import ELOOP
from itertools import count
from pathlib import Path
from typing import NamedTuple

from xpm_core.job.reporting.metrics import NAME
from xpm_core.results.curves import CurveFile, Curves, Keep
from xpm_core.results.plotting.curved import MOST_POINTS

MOST_HELD = 4_000_000
"""How many points are held, 16 bytes each."""
MOST_OF_EACH = 500
"""How many points of each curve are kept if all metrics of a job are read, which may be as many."""
EACH = 100
"""As many points a file counts for besides those that it has."""


class Wanted(NamedTuple):
    """Which curve of a job is read.

    Attributes:
        metric: The metric; empty for all.
        keep: What is kept of a long curve, as in `xpm_core.results.curves`.
    """

    metric: str
    keep: Keep


class _Kept:
    """The curves of a job, and how its file stood when it was read last."""

    def __init__(self, directory: Path, wanted: Wanted) -> None:
        most = MOST_POINTS if wanted.metric else MOST_OF_EACH
        self.file = CurveFile(directory, most=most, keep=wanted.keep, only=wanted.metric)
        self.changes = 0
        self.error: OSError | None = None
        self.held = 0


class CurveFiles:
    """Reads the curves of jobs. Any thread may call it.

    Args:
        most: How many points are held.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most, self._held = most, 0
        self._kept: OrderedDict[tuple[Path, Wanted], _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._numbers = count(1)
        """A number for each change. A file that was forgotten and is read again counts as changed."""

    @property
    def held(self) -> int:
        """How many points are held now."""
        return self._held

    def read_on(self, directories: Sequence[Path], wanted: Wanted, budget_s: float) -> int:
        """Read what was added to the files of some jobs.

        Args:
            directories: The directories of the jobs.
            wanted: Which curve is read.
            budget_s: After so many seconds of reading it stops. The next call goes on; a look at a file that has not
                changed does not count.

        Returns:
            How many of them were read.
        """
        spent_s = 0.0
        for done, directory in enumerate(directories):
            if spent_s > budget_s:
                return done
            began_s, before = time.monotonic(), self.changes(directory, wanted)
            with self._lock:
                kept = self._read_on(directory, wanted, budget_s - spent_s)
            if not kept.file.is_whole and kept.error is None:
                return done
            if kept.changes != before:
                spent_s += time.monotonic() - began_s
        return len(directories)

    def changes(self, directory: Path, wanted: Wanted) -> int:
        """How often a file that was read had changed. It is another number after each change."""
        with self._lock:
            kept = self._kept.get((directory, wanted))
            return kept.changes if kept is not None else -1

    def curve(self, directory: Path, wanted: Wanted, metric: str) -> Curves:
        """The curve of a metric of a job, as it was read last.

        Raises:
            OSError: The file cannot be read, or is none.
        """
        with self._lock:
            kept = self._kept.get((directory, wanted)) or self._read_on(directory, wanted, math.inf)
            if kept.error is not None:
                raise kept.error
            return kept.file.curves(metric)

    def _read_on(self, directory: Path, wanted: Wanted, budget_s: float) -> _Kept:
        key = (directory, wanted)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept(directory, wanted)
        self._kept.move_to_end(key)
        try:
            if (directory / NAME).is_symlink():  # it could lead to a file of which the job's user is to see nothing
                raise OSError(ELOOP, "it is a link, which the page does not follow")
            changed, error = kept.file.read_on(budget_s), None
        except OSError as found:
            changed, error = str(found) != str(kept.error), found
        kept.error = error
        if changed or not kept.changes:
            kept.changes = next(self._numbers)
        held = kept.file.held + EACH
        self._held += held - kept.held
        kept.held = held
        while self._held > self._most and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._held -= gone.held
        return kept
