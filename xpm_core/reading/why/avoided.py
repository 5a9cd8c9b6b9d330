"""The daemons that lack something for jobs, and how many ready jobs avoid each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpm_core.store import keys
from xpm_core.store.refusals import Refusal, daemon_of, project_in
from xpm_core.store.replies import text_of
from xpm_core.words import reasons_of_workers

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.reading.workers import WorkerState


@dataclass(frozen=True)
class Avoided:
    """A daemon that lacks something for jobs.

    Attributes:
        daemon: Its name.
        refusal: What it lacks.
        jobs: How many ready jobs of its queues avoid it because of that.
        project: The tag of the project of these jobs.
    """

    daemon: str
    refusal: Refusal
    jobs: int
    project: str = field(default="", compare=False)

    @property
    def reason(self) -> reasons_of_workers.Avoided:
        """The same as a reason why these jobs do not run."""
        return reasons_of_workers.Avoided(self.refusal.worker, self.refusal.problem, self.refusal.remedy, self.jobs)


def avoided(client: Redis, w: str, workers: Iterable[WorkerState]) -> list[Avoided]:
    """What the daemons of these workers lack, sorted by daemon and project.

    Args:
        client: A connection that returns bytes.
        w: The workspace's id.
        workers: The workers.
    """
    queues: dict[str, set[str]] = {}
    for worker in workers:
        queues.setdefault(daemon_of(worker.name), set()).update(worker.queues)
    return [each for daemon in sorted(queues) for each in _avoided(client, w, daemon, queues[daemon])]


def _avoided(client: Redis, w: str, daemon: str, queues: Collection[str]) -> Iterator[Avoided]:
    for key, written in sorted(client.hgetall(keys.refusals(w, daemon)).items()):
        project = text_of(key).partition(".")[0]
        jobs = sum(_ready(client, w, queue, project) for queue in queues)
        yield Avoided(daemon, Refusal.read(text_of(written)), jobs, project)


def _ready(client: Redis, w: str, queue: str, project: str) -> int:
    """How many ready jobs of a queue are of a project."""
    names = map(text_of, client.zrange(keys.lines(w, queue), 0, -1))
    return sum(client.zcard(keys.line(w, queue, name)) for name in names if project_in(name) == project)
