"""Why jobs do not run: the closed list of reasons, and the words for each.

Owns: the words. Whether a reason holds is found out in `reading/waiting.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from xpm_core.labels import short
from xpm_core.words.text import plural, span


@dataclass(frozen=True)
class Unserved:
    """Jobs are ready in a queue that no living worker serves.

    Attributes:
        queue: The queue.
        ready: How many jobs are ready in it.
    """

    queue: str
    ready: int

    def __str__(self) -> str:
        return "no living worker serves them"

    def entry(self) -> str:
        """One line in a list of problems."""
        return f"{plural(self.ready, 'job')} ready in queue {self.queue}, which no worker serves"

    def warning(self, start: str) -> str:
        """A warning to somebody who waits; `start` is the command line that starts a worker."""
        are = "is" if self.ready == 1 else "are"
        jobs = f"{plural(self.ready, 'job')} {are} ready in queue '{self.queue}'"
        return f"{jobs}, and no living worker serves it. Start one: {start}"

    def after_retry(self, start: str) -> str:
        """A warning to somebody who has made jobs ready, and does not wait; `start` as above."""
        return f"No worker serves queue {self.queue}. Run the script again, or start one: {start}"


@dataclass(frozen=True)
class Avoided:
    """A worker lacks something that jobs need, so it gets none of them.

    Attributes:
        worker: The worker.
        problem: What it lacks: `cannot import sweep: looked in /data/code`.
        remedy: What to do about it.
        jobs: How many ready jobs avoid it.
    """

    worker: str
    problem: str
    remedy: str
    jobs: int

    def __str__(self) -> str:
        avoid = "avoids" if self.jobs == 1 else "avoid"
        return f"worker {self.worker} {self.problem}; {plural(self.jobs, 'job')} {avoid} it"


@dataclass(frozen=True)
class TokensHeld:
    """Jobs are ready, and running jobs hold the tokens that they ask for."""

    tokens: tuple[str, ...]

    def __str__(self) -> str:
        return f"token {', '.join(self.tokens)} held by running jobs"


@dataclass(frozen=True)
class WorkersBusy:
    """Jobs are ready, and every worker runs another job."""

    def __str__(self) -> str:
        return "all workers are busy"


@dataclass(frozen=True)
class AboutToStart:
    """Jobs are ready, and nothing is known that keeps them from running."""

    def __str__(self) -> str:
        return "about to start"


@dataclass(frozen=True)
class Delayed:
    """A job is tried again in `left_s` seconds."""

    left_s: float

    def __str__(self) -> str:
        return f"next attempt in {span(self.left_s)}"


@dataclass(frozen=True)
class Blocked:
    """A job needs the job `root`, which did not succeed."""

    root: str

    def __str__(self) -> str:
        return f"by {short(self.root)}"


Reason = Unserved | Avoided | TokensHeld | WorkersBusy | AboutToStart | Delayed | Blocked
