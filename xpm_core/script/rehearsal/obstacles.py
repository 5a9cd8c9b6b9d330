"""What would be in the way of the jobs of a dry run: tokens that limit them, and workers that may not take them.

Owns: these conditions. They are those of `reading/why/order.py`, for jobs that the server does not know yet.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

from xpm_core.forecast.records import Capacity
from xpm_core.reading.workers import WorkerState
from xpm_core.script.rehearsal.facts import Facts
from xpm_core.script.rehearsal.planned_job import PlannedJob
from xpm_core.states import State
from xpm_core.store.refusals import daemon_of
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_of_workers import Draining, Refused, ShortLived, Silent, Suspended, TooLarge, Unserved
from xpm_core.words.text import plural


@dataclass(frozen=True)
class Limit:
    """A token that lets fewer jobs run at a time than workers could.

    Attributes:
        token: Its name.
        units: How many units there are.
        jobs: How many jobs ask for it.
        at_once: How many of them run at a time at most.
    """

    token: str
    units: int
    jobs: int
    at_once: int

    def __str__(self) -> str:
        return f"{self.token}: {plural(self.units, 'unit')}, so {self.at_once} of these {self.jobs} jobs run at a time"


@dataclass(frozen=True)
class Obstacle:
    """Jobs that nobody can run now.

    Attributes:
        reason: Why.
        jobs: Their identities.
        remedies: What to do about it.
    """

    reason: Reason
    jobs: tuple[str, ...]
    remedies: tuple[str, ...]

    def __str__(self) -> str:
        return f"{plural(len(self.jobs), 'job')} cannot run now: {self.reason}. Do: {' · '.join(self.remedies)}"


def limits_of(jobs: Sequence[PlannedJob], capacity: Capacity) -> Iterator[Limit]:
    """The tokens of which fewer jobs can hold units at a time than workers would run."""
    for token in sorted({token for job in jobs for token in job.demand}):
        asking = [job for job in jobs if job.demand.get(token)]
        serving = max(capacity.serving(job.queue) for job in asking)
        units = capacity.tokens.get(token, 0)
        at_once = units // min(job.demand[token] for job in asking)
        if 0 < at_once < min(serving, len(asking)):
            yield Limit(token, units, len(asking), at_once)


def obstacles_of(
    jobs: Sequence[PlannedJob],
    facts: Facts,
    capacity: Capacity,
    own: tuple[frozenset[str], ...],
    commands: Commands,
) -> Iterator[Obstacle]:
    """The jobs that nobody can run now, by reason."""
    found: dict[Reason, list[PlannedJob]] = {}
    for job in jobs:
        known = facts.jobs.get(job.identity)
        if known is None or known.state is not State.RUNNING:
            reason = _reason(job, facts, capacity, any(job.queue in queues for queues in own))
            if reason is not None:
                found.setdefault(reason, []).append(job)
    for reason, group in found.items():
        shown = replace(reason, ready=len(group)) if isinstance(reason, Unserved) else reason
        remedies = shown.offers() if isinstance(shown, TooLarge) else shown.what_to_do(commands, group[0].identity)
        yield Obstacle(shown, tuple(job.identity for job in group), tuple(remedies))


def _reason(job: PlannedJob, facts: Facts, capacity: Capacity, own: bool) -> Reason | None:
    """Why nobody can run a job now; None if somebody can.

    Args:
        job: The job.
        facts: What is known.
        capacity: Workers and tokens, with those of the script.
        own: Whether the script starts workers of the job's queue. They are of this project and live as long as they
            have to, so only what holds for all workers is in their way.
    """
    for token, units in job.demand.items():
        if units > capacity.tokens.get(token, 0):
            return TooLarge(token, units, capacity.tokens.get(token, 0))
        if units > facts.per_machine.get(token, units):
            return TooLarge(token, units, facts.per_machine[token], machine=True)
    if job.queue in facts.paused:
        return facts.paused[job.queue]
    serving = [each for each in facts.workers if each.alive and job.queue in each.queues]
    if not own and not serving:
        return Unserved(job.queue, 0)
    if facts.suspended:
        return Suspended()
    return None if own else _of_workers(job, facts, serving)


def _of_workers(job: PlannedJob, facts: Facts, serving: Sequence[WorkerState]) -> Reason | None:
    """What is in the way of all workers that serve the queue of a job; None if one can take it."""
    lacking = {each.daemon: each.refusal for each in facts.refusals if each.project == job.project}
    found: dict[str, list[WorkerState]] = {}
    for each in serving:
        found.setdefault(_standing(each, job, facts, lacking), []).append(each)
    if "" in found:
        return None
    total = len(serving)
    names = {stands: tuple(sorted(each.name for each in workers)) for stands, workers in found.items()}
    if "refused" in found:
        refusals = [lacking[daemon] for daemon in sorted({daemon_of(name) for name in names["refused"]})]
        problems = tuple(f"worker {each.worker} on {each.host} {each.problem}" for each in refusals)
        remedies = tuple(each.remedy for each in refusals)
        return Refused(job.queue, len(names["refused"]), total, names["refused"], problems, remedies)
    if silent := found.get("silent"):
        age_s, left_s = min(each.silent_s for each in silent), max(each.left_s for each in silent)
        return Silent(job.queue, len(silent), total, names["silent"], age_s, left_s)
    if leaving := found.get("leaving"):
        return Draining(job.queue, len(leaving), total, names["leaving"])
    longest_s = max(each.ends_s for each in serving) - facts.now_s
    return ShortLived(job.queue, total, total, names["short"], job.min_time_s, longest_s)


def _standing(worker: WorkerState, job: PlannedJob, facts: Facts, lacking: Container[str]) -> str:
    """What is in the way of a worker; empty for nothing. It agrees with `lua/include/standing.lua`."""
    if daemon_of(worker.name) in lacking:
        return "refused"
    if worker.silent:
        return "silent"
    if worker.leaving_s:
        return "leaving"
    return "short" if worker.ends_s and job.min_time_s > worker.ends_s - facts.now_s else ""
