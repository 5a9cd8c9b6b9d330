"""Why jobs do not run: the facts behind the reasons of `words/reasons.py`.

Owns: which reason holds. Some are read from Redis; some follow from jobs that the caller knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import Refusal, daemon_of, project_in
from xpm_core.store.replies import text_of
from xpm_core.words import reasons
from xpm_core.words.reasons import AboutToStart, Blocked, Delayed, Reason, TokensHeld, Unserved, WorkersBusy

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.reading.jobs import Job
    from xpm_core.reading.workers import WorkerState
    from xpm_core.store.records import Serving


class Demanding(Protocol):
    """A job, as far as this module looks at it."""

    @property
    def state(self) -> State: ...

    @property
    def demand(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Avoided:
    """A daemon that lacks something for jobs.

    Attributes:
        daemon: Its name.
        refusal: What it lacks.
        jobs: How many ready jobs of its queues avoid it because of that.
    """

    daemon: str
    refusal: Refusal
    jobs: int

    @property
    def reason(self) -> reasons.Avoided:
        """The same as a reason why these jobs do not run."""
        return reasons.Avoided(self.refusal.worker, self.refusal.problem, self.refusal.remedy, self.jobs)


def unserved(queues: Iterable[Serving], among: Collection[str] | None = None) -> list[Unserved]:
    """The queues that have ready jobs and no living worker.

    Args:
        queues: What `Store.look` has seen.
        among: The queues that the caller asks about; None for all.
    """
    found = [Unserved(each.queue, each.ready) for each in queues if each.ready and not each.workers]
    return [each for each in found if among is None or each.queue in among]


def reason_of_ready(jobs: Collection[Demanding], unserved: Sequence[Unserved]) -> Reason:
    """Why the ready ones among some jobs do not run, as far as these jobs show it.

    Args:
        jobs: The jobs that the caller knows, in any state.
        unserved: Queues of theirs that no living worker serves.
    """
    if unserved:
        return unserved[0]
    running = [job for job in jobs if job.state is State.RUNNING]
    held = {name for job in running for name in job.demand}
    wanted = {name for job in jobs if job.state is State.READY for name in job.demand}
    if held & wanted:
        return TokensHeld(tuple(sorted(held & wanted)))
    return WorkersBusy() if running else AboutToStart()


def reason_of(job: Job, now_s: float) -> Reason | None:
    """Why a delayed or a blocked job does not run; None if its own record does not say it.

    Args:
        job: The job.
        now_s: The server's time, epoch seconds.
    """
    if job.state is State.DELAYED:
        return Delayed(job.due_s - now_s)
    if job.state is State.BLOCKED and job.root:
        return Blocked(job.root)
    return None


class WaitingReader:
    """Reads what keeps the ready jobs of one workspace waiting. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def avoided(self, workers: Iterable[WorkerState]) -> list[Avoided]:
        """What the daemons of these workers lack, sorted by daemon and project."""
        queues: dict[str, set[str]] = {}
        for worker in workers:
            queues.setdefault(daemon_of(worker.name), set()).update(worker.queues)
        return [each for daemon in sorted(queues) for each in self._avoided(daemon, queues[daemon])]

    def _avoided(self, daemon: str, queues: Collection[str]) -> Iterator[Avoided]:
        for field, written in sorted(self._client.hgetall(keys.refusals(self._w, daemon)).items()):
            project = text_of(field).partition(".")[0]
            yield Avoided(daemon, Refusal.read(text_of(written)), sum(self._ready(queue, project) for queue in queues))

    def _ready(self, queue: str, project: str) -> int:
        """How many ready jobs of a queue are of a project."""
        names = map(text_of, self._client.zrange(keys.lines(self._w, queue), 0, -1))
        return sum(self._client.zcard(keys.line(self._w, queue, name)) for name in names if project_in(name) == project)
