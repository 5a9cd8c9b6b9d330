"""The plan: what would become of each job of a script, how long it would take, and what would be in the way.

Owns: the decision about each job, the words, and the JSON form. `facts.py` has read what it rests on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from socket import gethostname
from typing import Any

from xpm_core.forecast.durations import Durations
from xpm_core.forecast.forecast import forecast
from xpm_core.forecast.records import Capacity, Forecast, Work
from xpm_core.reading.jobs import Job
from xpm_core.script.rehearsal.facts import Facts
from xpm_core.script.rehearsal.obstacles import Limit, Obstacle, limits_of, obstacles_of
from xpm_core.script.rehearsal.planned_job import Fate, PlannedJob
from xpm_core.states import State
from xpm_core.words.commands import Commands
from xpm_core.words.text import plural, span
from xpm_core.workspace.files import LISTING_LAG_S

SCHEMA = 1
"""Version of the JSON form."""
ANY = 10**9
"""Stands for the units of a token of which nobody knows how many there are."""


@dataclass(frozen=True)
class TaskPlan:
    """What would become of the jobs of one task.

    Attributes:
        name: Its class.
        fates: How many of its jobs have each fate.
        each_s: How long one is likely to take, seconds; None if none was ever done.
        with_other_code: How many of its reused jobs ran code that has changed since.
    """

    name: str
    fates: Mapping[Fate, int]
    each_s: float | None
    with_other_code: int = 0

    @property
    def jobs(self) -> int:
        """How many jobs it has."""
        return sum(self.fates.values())


@dataclass(frozen=True)
class Plan:
    """What a script would do.

    Attributes:
        name: The experiment.
        jobs: Its jobs, in the order of their submission.
        tasks: The same, counted by task.
        forecast: How long it would take with the workers that serve now, and those that the script starts; None if no
            job would run, or the server that is named does not answer.
        workers: How many workers these are.
        limits: The tokens that would limit it.
        obstacles: The jobs that nobody can run now, by reason.
        notes: Other things to know, a line each: done jobs that new ones repeat, tasks that are one job.
        asked: Whether the server was asked. Else the files of the workspace have answered.
        away: Why not, if the server does not answer.

    Example:
        >>> with experiment("workspace", "digits", dry_run=True) as xp:
        ...     submit_all(xp)
        ...     print(xp.plan())
        digits: 57 jobs: 38 reused, 3 retried, 16 new
        time     about 1 h 50 min on 4 workers, from 41 jobs of Train
    """

    name: str
    jobs: tuple[PlannedJob, ...]
    tasks: tuple[TaskPlan, ...]
    forecast: Forecast | None
    workers: int
    limits: tuple[Limit, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()
    asked: bool = False
    away: str = ""

    @property
    def fates(self) -> dict[Fate, int]:
        """How many jobs have each fate."""
        found = Counter(job.fate for job in self.jobs)
        return {fate: found[fate] for fate in Fate}

    @property
    def with_other_code(self) -> int:
        """How many of the reused jobs ran code, or read files of the project, that have changed since."""
        return len(with_other_code(self.jobs))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The lines to print."""
        yield f"{self.name}: {plural(len(self.jobs), 'job')}{_fates(self.fates, self.with_other_code)}"
        if len(self.tasks) > 1:
            width = max(len(task.name) for task in self.tasks)
            for task in self.tasks:
                each = "" if task.each_s is None else f"   about {span(task.each_s)} each"
                fates = _fates(task.fates, task.with_other_code)
                yield f"  {task.name:<{width}}  {plural(task.jobs, 'job')}{fates}{each}"
        if self.forecast is not None and self.forecast.left_s is not None:
            known = ", ".join(filter(None, [self.forecast.basis, self.forecast.without]))
            about = "about " if self.forecast.whole else ""
            yield f"time    {about}{self.forecast} on {plural(self.workers, 'worker')}, {known}"
        for limit in self.limits:
            yield f"token   {limit}"
        for obstacle in self.obstacles:
            yield f"!       {obstacle}"
        if self.away:
            yield f"!       its files have answered, because the server does not: {self.away}"
        yield from self.notes

    def as_data(self) -> dict[str, Any]:
        """The JSON form (docs/reference/schemas/plan.json)."""
        return {
            "schema": SCHEMA,
            "experiment": self.name,
            "server": self.asked,
            "away": self.away or None,
            "counts": {fate.name.lower(): count for fate, count in self.fates.items()},
            "with_other_code": self.with_other_code,
            "tasks": [
                {
                    "name": task.name,
                    "counts": {fate.name.lower(): task.fates.get(fate, 0) for fate in Fate},
                    "with_other_code": task.with_other_code,
                    "each_s": None if task.each_s is None else round(task.each_s, 1),
                }
                for task in self.tasks
            ],
            "jobs": [
                {
                    "id": job.identity,
                    "task": job.name,
                    "tags": dict(job.tags),
                    "fate": job.fate.name.lower(),
                    "code": job.code,
                    "queue": job.queue,
                    "demand": dict(job.demand),
                    "needs": list(job.needs),
                    "directory": str(job.jobpath),
                }
                for job in self.jobs
            ],
            "forecast": None if self.forecast is None else self.forecast.as_data(),
            "workers": self.workers,
            "limits": [vars(limit) for limit in self.limits],
            "obstacles": [
                {
                    "code": each.reason.code.value,
                    "reason": str(each.reason),
                    "jobs": list(each.jobs),
                    "do": list(each.remedies),
                }
                for each in self.obstacles
            ],
            "notes": [" ".join(note.removeprefix("note").removeprefix("!").split()) for note in self.notes],
        }


def with_other_code(jobs: Sequence[PlannedJob]) -> list[PlannedJob]:
    """The reused ones of some jobs that ran code, or read files of the project, that have changed since."""
    return [job for job in jobs if job.fate is Fate.REUSED and job.code == "ran"]


def plan_of(
    name: str,
    jobs: Sequence[PlannedJob],
    facts: Facts,
    *,
    own: tuple[frozenset[str], ...],
    tokens: Mapping[str, int],
    notes: Sequence[str],
    commands: Commands,
) -> Plan:
    """Decide what would become of some jobs.

    Args:
        name: The experiment.
        jobs: The jobs, in the order of their submission. Each gets its fate.
        facts: What is known of them.
        own: For each worker that the script would start, the queues that it serves.
        tokens: The units of the tokens that the script would create.
        notes: Other lines of the plan.
        commands: Writes command lines.
    """
    for job in jobs:
        job.fate = fate_of(job, facts.jobs.get(job.identity), facts.now_s)
    left = [job for job in jobs if job.fate is not Fate.REUSED]
    machines = {each.host for each in facts.workers if each.alive and not each.leaving_s}
    machines |= {gethostname()} if own else set()
    on_machines = {token: most * max(len(machines), 1) for token, most in facts.per_machine.items()}
    units = {**facts.capacity.tokens, **tokens, **on_machines}
    if not facts.asked:
        units = {**{token: ANY for job in left for token in job.demand}, **units}
    slots = tuple(queues - facts.paused.keys() for queues in own)
    capacity = Capacity((*facts.capacity.slots, *slots), units)
    durations = Durations(facts.past)
    obstacles = [] if facts.away else list(obstacles_of(left, facts, capacity, own, commands))
    stuck = {identity for each in obstacles for identity in each.jobs}
    work = [_work(job, facts.jobs.get(job.identity), facts.now_s, job.identity in stuck) for job in left]
    queues = {job.queue for job in left}
    return Plan(
        name=name,
        jobs=tuple(jobs),
        tasks=tuple(_tasks(jobs, durations)),
        forecast=forecast(work, capacity, durations) if left and not facts.away else None,
        workers=sum(not queues.isdisjoint(each) for each in capacity.slots),
        limits=tuple(limits_of(left, capacity)),
        obstacles=tuple(obstacles),
        notes=tuple(notes),
        asked=facts.asked,
        away=facts.away,
    )


def fate_of(job: PlannedJob, known: Job | None, now_s: float) -> Fate:
    """What would become of a job.

    Args:
        job: The job; `reused` says whether its directory has its result.
        known: How it stands on the server; None if the server does not know it, or was not asked.
        now_s: The server's time, epoch seconds.
    """
    done = Fate.RETRIED if job.runs_again else Fate.REUSED
    if known is None:
        if job.reused:
            return done
        marker = job.directory.marker()
        return Fate.NEW if marker is None else Fate.RETRIED
    if known.state is State.DONE:  # a network file system may not show the result yet
        return done if job.reused or now_s - known.ended_s < LISTING_LAG_S else Fate.RETRIED
    return Fate.RETRIED if known.state in (State.FAILED, State.CANCELLED) else Fate.UNDER_WAY


def _fates(fates: Mapping[Fate, int], other: int) -> str:
    """How many jobs have each fate, without those that none has: `: 38 reused, 16 new`."""
    code = f" (of these, {other} with other code)" if other else ""
    found = [f"{fates[fate]} {fate.value}{code if fate is Fate.REUSED else ''}" for fate in Fate if fates.get(fate)]
    return f": {', '.join(found)}" if found else ""


def _tasks(jobs: Sequence[PlannedJob], durations: Durations) -> Iterator[TaskPlan]:
    tasks: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        tasks.setdefault(job.directory.task, []).append(job)
    names = Counter(own[0].name for own in tasks.values())
    for task, own in tasks.items():
        name = own[0].name if names[own[0].name] == 1 else task  # two modules have classes of this name
        yield TaskPlan(name, Counter(job.fate for job in own), durations.typical(task), len(with_other_code(own)))


def _work(job: PlannedJob, known: Job | None, now_s: float, stuck: bool) -> Work:
    runs = known is not None and known.state is State.RUNNING
    for_s = max(now_s - known.started_s, 0.0) if known is not None and runs else None
    queue = "" if stuck and not runs else job.queue  # a queue that nobody serves
    return Work(job.directory.task, job.name, queue, job.demand, job.identity, job.needs, for_s)
