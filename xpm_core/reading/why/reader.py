"""Reads why jobs do not run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from xpm_core.errors import UnknownJobError
from xpm_core.reading.jobs import Job, JobReader
from xpm_core.reading.server import server_time
from xpm_core.reading.why.avoided import Avoided, avoided
from xpm_core.reading.why.facts import Facts, damage, facts_of
from xpm_core.reading.why.history import History, left_of
from xpm_core.reading.why.order import Ordered
from xpm_core.reading.why.records import Summary, Why
from xpm_core.reading.why.summary import SummaryReader
from xpm_core.states import State
from xpm_core.store import keys, scripts
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_of_jobs import (
    Blocked,
    Cancelled,
    Dependency,
    Done,
    Failed,
    Frozen,
    Retry,
    Running,
    Unknown,
    said,
)

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.reading.workers import WorkerState

TRIES = 3
"""How often a job and its facts are read until both are of one moment."""
FROZEN = 1 / 20
"""The part of a lease, at its end, in which its worker keeps the job frozen (`HeldLease.until`)."""


class ReasonReader:
    """Reads why the jobs of one workspace do not run. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id
        self._jobs = JobReader(client, workspace_id)

    def avoided(self, workers: Iterable[WorkerState]) -> list[Avoided]:
        """What the daemons of these workers lack, sorted by daemon and project."""
        return avoided(self._client, self._w, workers)

    # -- one job ---------------------------------------------------------------------------------------------------

    def history(self) -> History:
        """The last events. Whoever asks about several jobs reads them once."""
        return History(self._client, self._w)

    def reason(self, identity: str) -> Reason:
        """The first of the reasons why a job does not run, without what only the past shows: two round trips.

        Args:
            identity: The job.

        Raises:
            UnknownJobError: The server does not know it.
        """
        return self.why(identity, History(self._client, self._w, reads=False)).reason

    def why(self, identity: str, history: History | None = None) -> Why:
        """Say why a job does not run; or that it runs, or has ended.

        Args:
            identity: The job.
            history: The last events; None to read them.

        Raises:
            UnknownJobError: The server does not know it.
        """
        try:
            job, facts = self._read(identity)
        except ResponseError as error:
            return self._spoiled(identity, damage(error))
        history = history or self.history()
        reasons = tuple(self._reasons(job, facts, history))
        ages = [each.age_s for each in facts.prospects.workers if each.age_s is not None]
        heartbeat_s = max(ages, default=None)
        if job.state is State.RUNNING:
            heartbeat_s = reasons[0].renewed_s if isinstance(reasons[0], Running) else None
        before = max(job.attempts - (job.state is State.RUNNING), 0)
        earlier = history.attempts(identity) if before and not job.state.settled else []
        forgotten = 0 if job.state.settled else max(before - len({each.number for each in earlier}), 0)
        since_s = _since(job, history)
        return Why(job, reasons, facts.now_s, since_s, heartbeat_s, tuple(earlier), forgotten)

    def _read(self, identity: str) -> tuple[Job, Facts]:
        """A job and its facts. Between the two calls the job may have moved on; it is then read again."""
        for _ in range(TRIES):
            found = self._jobs.read([identity])
            reply = scripts.run(self._client, "why", [keys.leases(self._w)], [self._w, identity])
            facts = facts_of(reply)
            if not found or facts is None:
                break
            if (found[0].state.value, found[0].execution) == (facts.state, facts.execution):
                return found[0], facts
        if not found or facts is None:
            raise UnknownJobError(identity)
        return found[0], facts

    def _spoiled(self, identity: str, problem: str) -> Why:
        """What can be said if a key that the facts come from has another type."""
        found = self._jobs.read([identity])
        if not found:
            raise UnknownJobError(identity)
        return Why(found[0], (Unknown(problem),), server_time(self._client), None, None, (), 0)

    def _reasons(self, job: Job, facts: Facts, history: History) -> Iterator[Reason]:
        if job.state is State.RUNNING:
            yield _running(job, facts)
        elif job.state is State.CANCELLED:
            yield Cancelled()
        elif job.state is State.DONE:
            yield Done(_ago(facts.now_s, job.ended_s))
        elif job.state is State.FAILED:
            yield Failed(said(job.error) or job.reason, _ago(facts.now_s, job.ended_s))
        else:
            yield from self._unstarted(job, facts, history)

    def _unstarted(self, job: Job, facts: Facts, history: History) -> Iterator[Reason]:
        """The reasons of a job that has not started, in their order."""
        if job.state is State.BLOCKED:
            yield self._blocked(job)
        if job.state is State.WAITING:
            yield self._dependency(facts, history)
        ordered = Ordered(facts.prospects, self._w, job.queue, facts.now_s, self._likely(facts, history))
        found = list(ordered.lasting(facts.suspended, facts.pause))
        if facts.prospects.in_line:
            found += ordered.passing()
        if job.state is State.DELAYED:
            found.append(Retry(max(job.due_s - facts.now_s, 0.0), said(job.error)))
        if not found and job.state is State.READY:
            found.append(ordered.next() or Unknown("its workers cannot be read"))
        yield from found

    def _blocked(self, job: Job) -> Reason:
        roots = self._jobs.read([job.root]) if job.root else []
        return Blocked(job.root, roots[0].state.value, said(roots[0].error)) if roots else Blocked(job.root)

    def _dependency(self, facts: Facts, history: History) -> Reason:
        if not facts.steps:
            return Dependency(facts.pending)
        last, state = facts.steps[-1]
        why: Reason | None = None
        if state == "":
            why = Unknown("the server does not know it any more")
        elif state != State.WAITING.value:  # else the way is longer than what is followed
            try:
                why = self.why(last, history).reason
            except UnknownJobError:
                why = Unknown("the server does not know it any more")
        return Dependency(facts.pending, facts.steps, why)

    def _likely(self, facts: Facts, history: History) -> Callable[[str, float], float | None]:
        """When the jobs that hold what this one wants are likely to end, by the past of their tasks."""
        prospects = facts.prospects
        if not prospects.in_line:
            return lambda task, started_s: None
        held = [holder.task for token in prospects.tokens if token.name in prospects.lack for holder in token.holders]
        busy = [worker.task for worker in prospects.workers if worker.job and worker.stands == "able"]
        took = history.durations({*held, *(busy if not prospects.idle else ())} - {""})
        return lambda task, started_s: left_of(took.get(task, ()), max(facts.now_s - started_s, 0.0))

    def summary(self) -> Summary:
        """Sum up all jobs that wait, by reason. Ready jobs are counted by line, not one by one."""
        return SummaryReader(self._client, self._w).read()


def _running(job: Job, facts: Facts) -> Reason:
    for_s = max(facts.now_s - job.started_s, 0.0)
    left_s, lease_s = facts.lease_left_s, facts.lease_s
    renewed_s = None if left_s is None or lease_s is None else max(lease_s - left_s, 0.0)
    is_frozen = left_s is not None and lease_s is not None and left_s < lease_s * FROZEN
    kind = Frozen if is_frozen else Running
    return kind(for_s, job.worker, job.host, job.progress, renewed_s, left_s, job.cancel_asked)


def _since(job: Job, history: History) -> float | None:
    if job.state is State.RUNNING:
        return job.started_s or None
    if job.state.settled and job.state is not State.BLOCKED:
        return job.ended_s or None
    return history.since(job.identity, job.state.value)


def _ago(now_s: float, then_s: float) -> float | None:
    return max(now_s - then_s, 0.0) if then_s else None
