"""What there is to show of a run: counts, tasks, running jobs, failures, and why jobs wait.

Owns: which facts are shown, and in which order. `run_screen.py` makes lines of a terminal of them, `run_html.py` makes
HTML, `plain_lines.py` writes a line for each change.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_core.forecast.records import Forecast
from xpm_core.labels import bare_class
from xpm_core.reading.why.known import reason_of_ready
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.states import SETTLED, State
from xpm_core.words.reasons import Code, Outlook, Reason
from xpm_core.words.text import line

LONGEST_TAG = 24

_SLOT = re.compile(r"-[0-9a-f]{8}\.(\d+)$")


@dataclass(frozen=True)
class Answer:
    """Why one job of the run does not run, as the server has said it."""

    identity: str
    reason: Reason


@dataclass(frozen=True)
class TaskCount:
    """How many jobs of a task there are, have ended, run, and have failed."""

    name: str
    total: int
    ended: int
    running: int
    failed: int


@dataclass(frozen=True)
class Waiting:
    """Jobs that do not run: how many, their state, and why; `identity` is a job that shows it, or empty."""

    jobs: int
    state: State
    reason: str
    identity: str = ""

    def __str__(self) -> str:
        return f"{self.jobs} {self.state.value}   {self.reason}"


class RunView:
    """A run at one moment.

    Args:
        name: Of the experiment.
        jobs: All jobs of the run.
        elapsed_s: How long the run has lasted, seconds.
        obstacles: What is known to be in the way of ready jobs: queues that are paused, or that no worker serves.
        answer: The latest answer of the server to why a job does not run; None without one.
        forecast: When the jobs may have ended; None if nothing is known of it.
    """

    def __init__(
        self,
        name: str,
        jobs: Sequence[TrackedJob],
        elapsed_s: float,
        obstacles: Sequence[Reason] = (),
        answer: Answer | None = None,
        forecast: Forecast | None = None,
    ) -> None:
        self.left = "" if forecast is None or forecast.left_s is None else _left(forecast)
        self.name, self.elapsed_s = name, elapsed_s
        self.counts = Counter(job.state for job in jobs)
        self.total = len(jobs)
        self.ended = sum(self.counts[state] for state in SETTLED)
        self._jobs, self._obstacles, self._answer = jobs, obstacles, answer
        self._telling = telling_tags(jobs)

    def tasks(self) -> list[TaskCount]:
        """The tasks, in the order of their first submission; tasks that have ended come last. Empty for one task."""
        states: dict[str, Counter[State]] = {}
        for job in self._jobs:
            states.setdefault(job.name, Counter())[job.state] += 1
        if len(states) < 2:
            return []
        found = [
            TaskCount(
                name=name,
                total=sum(counts.values()),
                ended=sum(counts[state] for state in SETTLED),
                running=counts[State.RUNNING],
                failed=counts[State.FAILED],
            )
            for name, counts in states.items()
        ]
        return sorted(found, key=lambda task: task.ended == task.total)

    def running(self) -> list[TrackedJob]:
        """The running jobs, the longest first."""
        return sorted((job for job in self._jobs if job.state is State.RUNNING), key=lambda job: job.since_s)

    def failed(self) -> list[TrackedJob]:
        """The failed and cancelled jobs, the latest first."""
        failed = [job for job in self._jobs if job.state in (State.FAILED, State.CANCELLED)]
        return sorted(failed, key=lambda job: -job.since_s)

    def waiting(self) -> Waiting | None:
        """The jobs that wait, and why. Ready jobs come first, because the others wait for something that is known."""
        counts = self.counts
        if ready := counts[State.READY]:
            identity, reason = self._reason_of_ready()
            return Waiting(ready, State.READY, reason, identity)
        if delayed := counts[State.DELAYED]:
            return Waiting(delayed, State.DELAYED, "they failed, and are tried again")
        if waiting := counts[State.WAITING]:
            return Waiting(waiting, State.WAITING, "they need jobs that are not done")
        return None

    def _reason_of_ready(self) -> tuple[str, str]:
        """Why ready jobs do not run. What two looks have found comes first, then the server's answer about one job."""
        answer = self._answer
        if not self._obstacles and answer is not None and _counts(answer.reason):
            jobs = (job for job in self._jobs if job.identity == answer.identity)
            if any(job.state is State.READY for job in jobs):
                return answer.identity, str(answer.reason)
        return "", str(reason_of_ready(self._jobs, self._obstacles))

    def what(self, job: TrackedJob) -> str:
        """A job, with the tags that distinguish it from the others of its task."""
        return what(job, self._telling[job.name])


def _left(forecast: Forecast) -> str:
    """How long the jobs are likely to take that have not ended."""
    return f"about {forecast} left" if forecast.whole else f"{forecast} left"


def _counts(reason: Reason) -> bool:
    """Whether an answer says why the job does not run. One look is not enough to say that nobody serves its queue."""
    return reason.outlook in (Outlook.NEVER, Outlook.NOT_YET) and reason.code is not Code.UNSERVED


def telling_tags(jobs: Sequence[TrackedJob]) -> dict[str, set[str]]:
    """For each task, the names of the tags that distinguish its jobs; for a single job, all names."""
    values: dict[str, dict[str, list[Any]]] = {}
    numbers = Counter(job.name for job in jobs)
    for job in jobs:
        known = values.setdefault(job.name, {})
        for name, value in job.tags.items():
            known.setdefault(name, []).append(value)
    return {
        task: {
            name
            for name, found in known.items()
            if numbers[task] == 1 or len(found) < numbers[task] or any(value != found[0] for value in found)
        }
        for task, known in values.items()
    }


def what(job: TrackedJob, names: Collection[str] | None = None) -> str:
    """A job as people know it, by task and tags: `Train lr=0.01 model=mlp`. With `names`, only these tags."""
    tags = [f"{name}={line(value, LONGEST_TAG)}" for name, value in job.tags.items() if names is None or name in names]
    return " ".join([job.name, *tags])


def cause(job: TrackedJob) -> str:
    """Why it failed, in a few words: `MemoryError train.py:88`."""
    if job.state is State.CANCELLED:
        return "cancelled"
    kind = bare_class(line(job.error.get("type") or "failed", 200))
    file = line(job.error.get("file") or "", 1000).rpartition("/")[2]
    place = f" {file}:{job.error.get('line')}" if file else ""
    return kind + place


def where(job: TrackedJob) -> str:
    """The worker that runs a job: host and slot, `gpu-a:0`."""
    return _SLOT.sub(r":\1", job.worker)


def for_s(job: TrackedJob) -> float:
    """For how long a job has been in its state, seconds."""
    return max(time.time() - job.since_s, 0.0)
