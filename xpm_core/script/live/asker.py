"""Asks the server now and then why the ready jobs of a run do not run.

Owns: when it is asked, and about which job. The script never waits for the answer: a thread of its own fetches it. If
the server does not answer, the display shows what the script knows by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_view import Answer
from xpm_core.states import State
from xpm_core.words.reasons import Reason

log = logging.getLogger("xpm")

FIRST_S = 1.0
"""How long jobs have to be ready before the server is asked, in seconds: most of them start at once."""
EVERY_S = 3.0
LEAVE_S = 0.2
"""How long a script that leaves waits for an answer that is on its way, in seconds."""


class Asker:
    """Knows why jobs of a run do not run, as of a few seconds ago.

    Args:
        ask: Returns why the job with an identity does not run. It is called in another thread.

    Attributes:
        answer: The latest answer; None before the first one.
    """

    def __init__(self, ask: Callable[[str], Reason]) -> None:
        self._ask = ask
        self.answer: Answer | None = None
        self._thread: threading.Thread | None = None
        self._due_s: float | None = None

    def look(self, jobs: Collection[TrackedJob]) -> None:
        """Ask, if jobs have been ready for a while, and the last question is some seconds old. It returns at once."""
        now = time.monotonic()
        if not any(job.state is State.READY for job in jobs):
            self._due_s = None
        elif self._due_s is None:
            self._due_s = now + FIRST_S
        elif now >= self._due_s and not self._asking:
            self._due_s = now + EVERY_S
            self._thread = threading.Thread(target=self._fetch, args=[typical(jobs)], name="xpm-why", daemon=True)
            self._thread.start()

    def leave(self) -> None:
        """The script leaves, and closes the connection soon."""
        if self._thread is not None:
            self._thread.join(LEAVE_S)

    @property
    def _asking(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _fetch(self, identity: str) -> None:
        try:
            self.answer = Answer(identity, self._ask(identity))
        except Exception:  # the thread's edge: a display without a reason is better than a script that fails
            self.answer = None
            log.debug("The reason why job %s does not run could not be read", identity, exc_info=True)


def typical(jobs: Collection[TrackedJob]) -> str:
    """The identity of a ready job that stands for most of them: they wait in one queue, and ask for the same."""
    ready = [job for job in jobs if job.state is State.READY]
    kinds = Counter(map(_kind, ready))
    (most, _), *_ = kinds.most_common(1)
    return next(job.identity for job in ready if _kind(job) == most)


def _kind(job: TrackedJob) -> tuple[str, tuple[tuple[str, int], ...]]:
    return job.queue, tuple(sorted(job.demand.items()))
