"""What has happened before: how long jobs of a task took, and the earlier attempts at a job.

Owns: reading both from the last events. What lies further back is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.reading.events import EventReader, Record
from xpm_core.states import Event
from xpm_core.store import keys
from xpm_core.store.refusals import Refusal
from xpm_core.store.replies import seconds_of
from xpm_core.words.reasons_of_jobs import said
from xpm_core.words.text import span

if TYPE_CHECKING:
    from redis import Redis

EVENTS = 2000
"""How many events are read."""
SAMPLES = 30
"""How many jobs of a task are looked at."""

_ENDS = {
    Event.DELAYED: "failed", Event.FAILED: "failed", Event.LOST: "lost", Event.RELEASED: "handed back",
    Event.CANCELLED: "cancelled", Event.DONE: "done",
}  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """An earlier attempt at a job.

    Attributes:
        number: Its number, from 1.
        worker: The worker.
        how: How it ended: failed, lost, handed back, cancelled or done.
        for_s: How long it took, seconds.
        error: Its error in a few words; empty without one.
    """

    number: int
    worker: str
    how: str
    for_s: float
    error: str = ""

    def __str__(self) -> str:
        words = {"lost": f"worker {self.worker} was lost", "handed back": f"worker {self.worker} handed it back"}
        error = f": {self.error}" if self.error else ""
        return f"attempt {self.number}: {words.get(self.how, self.how)} after {span(self.for_s)}{error}"

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "attempt": self.number, "worker": self.worker or None, "how": self.how, "seconds": round(self.for_s, 3),
            "error": self.error or None,
        }  # fmt: skip


class History:
    """The last events of a workspace, read once, and only if somebody asks for them.

    Args:
        client: A connection that returns bytes.
        workspace_id: From `Workspace.id`.
        reads: Whether the events are read at all. A caller that asks every few seconds does without the past.
    """

    def __init__(self, client: Redis, workspace_id: str, *, reads: bool = True) -> None:
        self._client, self._w = client, workspace_id
        self._events: list[Record] | None = None if reads else []
        self._durations: dict[str, list[float]] = {}

    @property
    def events(self) -> list[Record]:
        """The last events, the newest first; none if somebody wrote others between them."""
        if self._events is None:
            try:
                self._events = EventReader(self._client, self._w).latest(EVENTS)
            except (KeyError, ValueError):
                self._events = []
        return self._events

    def attempts(self, identity: str) -> list[Attempt]:
        """The attempts at a job that have ended, as far as the last events show them, the oldest first."""
        found: list[Attempt] = []
        start: Record | None = None
        for record in reversed(self.events):
            if record.job != identity:
                continue
            if record.event is Event.STARTED:
                start = record
            elif start is not None and record.event in _ENDS:
                number, for_s = int(start.data.get("attempt", 0)), max(record.at_s - start.at_s, 0.0)
                error = said(record.error) or Refusal.read(record.data.get("said", "")).said
                found.append(Attempt(number, start.worker, _ENDS[record.event], for_s, error))
                start = None
        return found

    def since(self, identity: str, state: str) -> float | None:
        """When a job came into a state, if its last change of state is among the last events; epoch seconds."""
        meant = Event.STARTED.value if state == "running" else state
        changes = (record for record in self.events if record.job == identity and record.event.value == meant)
        return next((record.at_s for record in changes), None)

    def durations(self, tasks: Collection[str]) -> dict[str, list[float]]:
        """How long the latest jobs of each task took that are done, seconds."""
        samples: dict[str, list[str]] = {task: [] for task in tasks if task not in self._durations}
        for record in self.events if samples else ():
            if record.event is Event.DONE and len(samples.get(record.task, range(SAMPLES))) < SAMPLES:
                samples[record.task].append(record.job)
        self._durations.update((task, self._took(jobs)) for task, jobs in samples.items())
        return {task: self._durations[task] for task in tasks}

    def _took(self, jobs: Iterable[str]) -> list[float]:
        with self._client.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.hmget(keys.job(self._w, job), ["started", "ended"])
            rows = pipe.execute()
        return [seconds_of(ended) - seconds_of(started) for started, ended in rows if started and ended]


def left_of(took: Iterable[float], for_s: float) -> float | None:
    """In how many seconds a job is likely to end that has run for `for_s`; None if no job like it has run so long.

    Example:
        >>> left_of([60, 100, 120], 80.0), left_of([60], 80.0)
        (30.0, None)
    """
    from statistics import median  # late, because it is slow to import

    longer = [seconds for seconds in took if seconds > for_s]
    return median(longer) - for_s if longer else None
