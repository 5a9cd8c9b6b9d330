"""The queues of a workspace: how many jobs each has, which workers serve it, and whether it is paused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.reading.workers import WorkerState
from xpm_core.store import keys
from xpm_core.store.records import Pause
from xpm_core.store.replies import pause_of, text_of

if TYPE_CHECKING:
    from redis import Redis

PAGE = 1000
"""How many jobs are asked for their queue in one round trip."""


@dataclass(frozen=True)
class QueueState:
    """A queue as it stands.

    Attributes:
        name: Its name.
        ready: How many jobs stand in its lines.
        delayed: How many of its jobs wait for a retry.
        running: How many of its jobs run.
        workers: How many living workers serve it, without those that only finish their jobs.
        idle: How many of these wait for a job.
        pause: Its pause; None if it is not paused.
    """

    name: str
    ready: int
    delayed: int
    running: int
    workers: int
    idle: int
    pause: Pause | None


class QueueReader:
    """Reads the queues of one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self, workers: Sequence[WorkerState]) -> list[QueueState]:
        """Return the queues that were ever used, are served, or are paused, sorted by name.

        Args:
            workers: The workers of the workspace.
        """
        w = self._w
        with self._client.pipeline(transaction=False) as pipe:
            pipe.smembers(keys.queues(w))
            pipe.hgetall(keys.paused(w))
            pipe.zrange(keys.leases(w), 0, -1)
            pipe.zrange(keys.delayed(w), 0, -1)
            used, paused, leased, delayed = pipe.execute()
        pauses = {text_of(queue): pause_of(said) or Pause(0.0, "", "") for queue, said in paused.items()}
        serving = [worker for worker in workers if worker.alive and not worker.leaving_s]
        names = {*map(text_of, used), *pauses, *(queue for worker in serving for queue in worker.queues)}
        ready, running, later = self._ready(sorted(names)), self._by_queue(leased), self._by_queue(delayed)
        return [
            QueueState(
                name,
                ready[name],
                later[name],
                running[name],
                sum(name in worker.queues for worker in serving),
                sum(name in worker.queues and not worker.job for worker in serving),
                pauses.get(name),
            )
            for name in sorted(names)
        ]

    def _ready(self, names: Sequence[str]) -> Counter[str]:
        """How many jobs stand in the lines of each queue."""
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.zrange(keys.lines(self._w, name), 0, -1)
            found: Any = pipe.execute()
        lines = [(name, text_of(demand)) for name, each in zip(names, found, strict=True) for demand in each]
        with self._client.pipeline(transaction=False) as pipe:
            for name, demand in lines:
                pipe.zcard(keys.line(self._w, name, demand))
            lengths: Any = pipe.execute()
        counts: Counter[str] = Counter()
        for (name, _), length in zip(lines, lengths, strict=True):
            counts[name] += length
        return counts

    def _by_queue(self, identities: Iterable[bytes]) -> Counter[str]:
        """How many of some jobs are of each queue."""
        counts: Counter[str] = Counter()
        listed = [text_of(identity) for identity in identities]
        for start in range(0, len(listed), PAGE):
            with self._client.pipeline(transaction=False) as pipe:
                for identity in listed[start : start + PAGE]:
                    pipe.hget(keys.job(self._w, identity), "queue")
                counts.update(text_of(queue) for queue in pipe.execute() if queue)
        return counts
