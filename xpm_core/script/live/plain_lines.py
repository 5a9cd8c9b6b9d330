"""What a script shows where nothing can be drawn: a line for each change of a job, or the counts if jobs are many."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping

from xpm_core.labels import short
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_view import cause, what, where
from xpm_core.states import State
from xpm_core.words.text import say

EACH = 200
"""Up to so many jobs, each change has its line. With more jobs, a line shows the counts now and then."""
EVERY_S = 5.0
FAILURES = 20
"""Failures that have a line of their own among many jobs; later ones are counted."""
KEPT = 2000
"""Lines that are kept while nothing is shown."""

_MARK = {
    State.WAITING: "⧗", State.READY: "⧗", State.DELAYED: "↻", State.RUNNING: "●", State.DONE: "✓", State.FAILED: "✗",
    State.BLOCKED: "⧗", State.CANCELLED: "✗",
}  # fmt: skip


class PlainLines:
    """The lines of one run.

    Args:
        name: Of the experiment.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._counted = time.monotonic()
        self._failures = 0
        self._changed = False
        self._said = ""

    def note(self, job: TrackedJob, jobs: Mapping[str, TrackedJob]) -> None:
        """A job has come into another state.

        Args:
            job: The job.
            jobs: All jobs of the run.
        """
        self._changed, many = True, len(jobs) > EACH
        if many and (job.state is not State.FAILED or self._failures == FAILURES):
            return
        self._failures += many
        done = sum(each.state is State.DONE for each in jobs.values())
        self._lines.append(f"{self._name}  {done}/{len(jobs)}  {described(job)}")
        if self._failures == FAILURES:
            self._lines.append(f"{self._name}: {FAILURES} failures were shown; from now on they are only counted")

    def forget(self) -> None:
        """The changes so far were shown in another way."""
        self._lines.clear()

    def show(self, jobs: Mapping[str, TrackedJob], *, last: bool) -> None:
        """Print the changes since the last call, or the counts.

        Args:
            jobs: All jobs of the run.
            last: Whether the script stops waiting.
        """
        while self._lines:
            say(self._lines.popleft())
        if len(jobs) > EACH and self._changed and (last or time.monotonic() - self._counted > EVERY_S):
            counts = Counter(job.state for job in jobs.values())
            words = ", ".join(f"{counts[state]} {state.value}" for state in State if counts[state])
            self._counted = time.monotonic()
            if words != self._said:
                self._said = words
                say(f"{self._name}  {words}")


def described(job: TrackedJob) -> str:
    """A job and its state: `✗ failed    Train lr=0.1  3f2a91c  MemoryError train.py:88`."""
    more = {State.FAILED: cause, State.RUNNING: where}.get(job.state)
    rest = f"  {more(job)}" if more is not None and more(job) else ""
    return f"{_MARK[job.state]} {job.state.value:<9} {what(job)}  {short(job.identity)}{rest}"
