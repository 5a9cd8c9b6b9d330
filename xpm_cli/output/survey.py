"""The survey of a workspace: experiments, jobs by state, tokens, workers, and what needs somebody.

Owns: what `xpm status` reads, its lines, and its JSON form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import Terminal, state
from xpm_core.labels import bare_class, short
from xpm_core.reading.experiments import Experiment
from xpm_core.reading.jobs import Job
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.why.known import unserved
from xpm_core.reading.workers import WorkerState
from xpm_core.states import State
from xpm_core.store.records import Serving
from xpm_core.store.refusals import daemon_of
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, line, plural, span

FAILURES = 5
"""How many failed jobs are named."""

SILENT = 3
"""How many silent daemons are named."""

BAR = 24


@dataclass(frozen=True)
class Survey:
    """What a workspace looks like at one moment."""

    path: str
    id: str
    server: str
    commands: Commands
    now_s: float
    counts: dict[State, int]
    experiments: list[Experiment]
    tokens: list[TokenState]
    workers: list[WorkerState]
    queues: list[Serving]
    failed: list[Job]
    avoided: list[Avoided]

    @classmethod
    def of(cls, opened: OpenWorkspace) -> Survey:
        """Read all that is shown. Leases that are over are taken up, as by every caller."""
        queues = opened.store.look().queues
        reader = opened.reader
        counts, workers = reader.jobs.counts(), reader.workers.read(opened.now_s)
        return cls(
            path=str(opened.workspace.path),
            id=opened.workspace.id,
            server=opened.server,
            commands=opened.commands,
            now_s=opened.now_s,
            counts=counts,
            experiments=reader.experiments.read(),
            tokens=reader.tokens.read(),
            workers=workers,
            queues=sorted(queues, key=lambda queue: queue.queue),
            failed=opened.every_job(State.FAILED) if counts[State.FAILED] else [],
            avoided=reader.reasons.avoided([worker for worker in workers if worker.alive]),
        )

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print."""
        yield terminal.entry("workspace", [self.path, f"redis {self.server}"])
        for experiment in self.experiments:
            yield terminal.entry("experiment", _experiment(experiment, self.now_s))
        yield terminal.entry("jobs", _jobs(self.counts))
        if total := sum(self.counts.values()):
            share = self.counts[State.DONE] / total
            bar = "█" * round(share * BAR) + "░" * (BAR - round(share * BAR))
            yield terminal.entry("progress", [f"{bar}  {share:.0%}"])
        if self.tokens:
            yield terminal.entry("tokens", map(_token, self.tokens))
        yield terminal.entry("workers", _workers(self.workers))
        if needs := list(_needs(self, terminal)):
            yield ""
            yield "needs you"
            yield from needs

    def as_data(self) -> dict[str, Any]:
        """The JSON form. Times are ISO 8601 with their zone; a value that is not known is null."""
        return {
            "schema": SCHEMA,
            "workspace": {"path": self.path, "id": self.id},
            "server": self.server,
            "time": moment(self.now_s),
            "jobs": {each.value: self.counts[each] for each in State},
            "experiments": [
                {
                    "name": experiment.name,
                    "started": moment(experiment.started_s),
                    "created": moment(experiment.created_s),
                    "jobs": experiment.jobs,
                    "about": experiment.about,
                }
                for experiment in self.experiments
            ],
            "tokens": [
                {
                    "name": token.name,
                    "capacity": token.capacity,
                    "used": sum(token.used.values()),
                    "scope": token.scope,
                    "waiting": token.waiting,
                    "first": token.first,
                }
                for token in self.tokens
            ],
            "workers": [
                {
                    "name": worker.name,
                    "host": worker.host,
                    "pid": worker.pid,
                    "queues": worker.queues,
                    "alive": worker.alive,
                    "silent_s": round(worker.silent_s, 3),
                    "job": worker.job or None,
                    "started": moment(worker.started_s),
                }
                for worker in self.workers
            ],
            "queues": [{"name": q.queue, "ready": q.ready, "workers": q.workers} for q in self.queues],
            "refusals": [{**each.refusal.written(), "daemon": each.daemon, "jobs": each.jobs} for each in self.avoided],
            "failed": [
                {
                    "id": job.identity,
                    "task": job.task,
                    "tags": job.tags,
                    "error": job.error,
                    "ended": moment(job.ended_s),
                }
                for job in self.failed
            ],
        }


def _experiment(experiment: Experiment, now_s: float) -> list[str]:
    about = experiment.about
    who = f" by {about['user']}" if about.get("user") else ""
    where = f" on {about['host']}" if about.get("host") else ""
    return [
        click.style(experiment.name, bold=True),
        plural(experiment.jobs, "job"),
        f"started {ago(now_s - experiment.started_s)}{who}{where}",
    ]


def _jobs(counts: dict[State, int]) -> list[str]:
    shown = [State.DONE, State.RUNNING, State.READY, State.DELAYED, State.WAITING, State.FAILED, State.BLOCKED]
    found = [f"{counts[each]} {state(each.value)}" for each in [*shown, State.CANCELLED] if counts[each]]
    return [*found, f"{sum(counts.values())} in all"] if found else ["none yet"]


def _token(token: TokenState) -> str:
    first = [*map(short, token.first), *(["…"] if token.waiting > len(token.first) else [])]
    waiting = f" ({token.waiting} wait: {', '.join(first)})" if token.waiting else ""
    if token.scope == "host":
        used = ", ".join(f"{used}/{token.capacity} on {host}" for host, used in sorted(token.used.items()) if host)
        return f"{token.name} {used or f'0/{token.capacity} a host'}{waiting}"
    return f"{token.name} {sum(token.used.values())}/{token.capacity}{waiting}"


def _workers(workers: list[WorkerState]) -> list[str]:
    slots = Counter(worker.host for worker in workers if worker.alive)
    busy = Counter(worker.host for worker in workers if worker.alive and worker.job)
    found = [f"{host}: {busy[host]} of {slots[host]} busy" for host in sorted(slots)]
    silent = list(_silent(workers))
    more = [f"and {len(silent) - SILENT} more are silent"] if len(silent) > SILENT else []
    return [*found, *silent[:SILENT], *more] or ["none"]


def _silent(workers: list[WorkerState]) -> Iterator[str]:
    """The daemons whose heartbeat is overdue: `m2 silent for 41 s: its job is free in 4 s`."""
    daemons: dict[str, list[WorkerState]] = {}
    for worker in workers:
        if worker.silent:
            daemons.setdefault(daemon_of(worker.name), []).append(worker)
    for name, slots in daemons.items():
        said = f"{name} silent for {span(min(slot.silent_s for slot in slots))}"
        held = [slot for slot in slots if slot.job]
        jobs = "its job is" if len(held) == 1 else f"its {len(held)} jobs are"
        left_s = max((slot.left_s for slot in held), default=0.0)
        free = f"free in {span(left_s)}" if left_s > 0 else "free for whoever asks next"
        yield f"{said}: {jobs} {free}" if held else said


def _needs(survey: Survey, terminal: Terminal) -> Iterator[str]:
    for job in survey.failed[:FAILURES]:
        label = terminal.text(f"✗ {short(job.identity)}")
        error = f"{bare_class(line(job.error.get('type', job.reason), 200))}, {ago(survey.now_s - job.ended_s)}"
        yield terminal.entry(label, [job.title, error, survey.commands.show(job.identity)])
    if (more := len(survey.failed) - FAILURES) > 0:
        yield terminal.entry("", [f"and {more} more failed", survey.commands.retry_failed()])
    for reason in unserved(survey.queues):
        yield terminal.entry("! workers", [reason.entry(), survey.commands.start_worker(reason.queue)])
    for each in survey.avoided:
        yield terminal.entry("! workers", [str(each.reason), each.reason.remedy])
