"""The sheet of a workspace: what needs somebody, then experiments, jobs by state, tokens and workers.

Owns: the lines that `xpm status` prints, and their JSON form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import click

from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.tables.queue_table import pause_record
from xpm_cli.output.tables.token_table import token_summary
from xpm_cli.output.terminal import Terminal, state
from xpm_core.forecast.records import Forecast
from xpm_core.labels import short
from xpm_core.reading.experiments import Experiment
from xpm_core.reading.survey.failures import Failures, grouped
from xpm_core.reading.survey.survey import Survey
from xpm_core.reading.tokens import TokenState
from xpm_core.reading.why.known import all_paused, unserved
from xpm_core.reading.workers import WorkerState
from xpm_core.states import State
from xpm_core.store.refusals import daemon_of
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, line, plural, span

CAUSES = 5
"""How many causes of failures are named."""
SILENT = 3
"""How many silent daemons are named."""
EXPERIMENTS = 5
"""How many experiments are named, the latest ones."""
LONGEST = 60
BAR = 24


class Need(NamedTuple):
    """Something that needs somebody.

    Attributes:
        label: A sign, and what it is about; empty if it belongs to the one before.
        facts: What is known of it.
        commands: Commands that help.
        job: The identity of the job that it is about; empty if it is about no single one.
    """

    label: str
    facts: Sequence[str]
    commands: Sequence[str] = ()
    job: str = ""


@dataclass(frozen=True)
class SurveySheet:
    """What `xpm status` shows.

    Attributes:
        path: The directory of the workspace.
        id: Its id.
        server: What people call its server.
        commands: Writes command lines that find it.
        survey: How it stands. `counts` may be those of one experiment.
        of: The name of that experiment; empty for the whole workspace.
        forecast: When its unfinished jobs may have ended; None if nobody asked.
        filtered: Whether `counts` are those of the jobs that match a filter.
    """

    path: str
    id: str
    server: str
    commands: Commands
    survey: Survey
    of: str = ""
    forecast: Forecast | None = None
    filtered: bool = False

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print."""
        if needs := list(self.needs(terminal)):
            yield "needs you"
            yield from needs
            yield ""
        yield terminal.entry("workspace", [self.path, f"redis {self.server}"])
        yield from self.experiments(terminal)
        yield from self.standing(terminal)

    def experiments(self, terminal: Terminal) -> Iterator[str]:
        """The lines of the experiments, the latest run first."""
        survey = self.survey
        shown = [each for each in survey.experiments if self.of in ("", each.name)]
        for experiment in shown[:EXPERIMENTS]:
            yield terminal.entry("experiment", _experiment(experiment, survey.now_s))
        if (more := len(shown) - EXPERIMENTS) > 0:
            yield terminal.entry("", [f"and {plural(more, 'earlier experiment')}"])

    def standing(self, terminal: Terminal) -> Iterator[str]:
        """The lines of jobs by state, progress, tokens and workers."""
        survey = self.survey
        yield terminal.entry("jobs", _jobs(survey.counts, survey.unknown, self.filtered))
        if total := sum(survey.counts.values()) + survey.unknown:
            share = survey.counts[State.DONE] / total
            bar = "█" * round(share * BAR) + "░" * (BAR - round(share * BAR))
            yield terminal.entry("progress", [f"{bar}  {share:.0%}", *self._eta()])
        if survey.tokens:
            yield terminal.entry("tokens", map(_token, survey.tokens))
        yield terminal.entry("workers", _workers(survey.workers))

    def _eta(self) -> list[str]:
        """When all may be done, and what that rests on; nothing where nothing is known."""
        found = self.forecast
        if found is None or found.left_s is None:
            return []
        at = datetime.fromtimestamp(self.survey.now_s + found.left_s)
        when = f"{at:%H:%M}" if found.left_s < 20 * 3600 else f"{at:%a %H:%M}"
        at_least = "" if found.whole else "not before "
        return [f"ETA {found} ({at_least}{when})", ", ".join(filter(None, [found.basis, found.without]))]

    # -- what needs somebody ---------------------------------------------------------------------------------------

    def needs(self, terminal: Terminal, *, offers: bool = True) -> Iterator[str]:
        """The lines of what needs somebody: failures by cause, and faults of workers.

        Args:
            terminal: What the terminal can show.
            offers: Whether to name commands that help.
        """
        for need in self.needed():
            if items := [*need.facts, *(need.commands if offers else ())]:
                yield terminal.entry(terminal.text(need.label), items)

    def needed(self) -> Iterator[Need]:
        """What needs somebody, in the order in which it is shown."""
        survey, commands = self.survey, self.commands
        causes = grouped(survey.failed)
        for cause in causes[:CAUSES]:
            first = cause.jobs[0].identity
            yield Need(f"✗ {short(first)}", _cause(cause, survey.now_s), [commands.show(first)], first)
        unnamed = survey.counts[State.FAILED] - sum(len(cause.jobs) for cause in causes[:CAUSES])
        if unnamed > 0:
            yield Need("", [f"{unnamed} more failed"], [commands.jobs("--state failed")])
        elif survey.failed:
            yield Need("", [], [commands.retry_failed(self.of)])
        for large, jobs in survey.too_large:
            yield Need("! never", [f"{plural(jobs, 'job')} ready: {large}"], [*large.offers()])
        for pause in all_paused(survey.queues, survey.now_s):
            jobs = sum(queue.ready for queue in survey.queues if queue.queue == pause.queue)
            wait = f"{plural(jobs, 'ready job')} {'waits' if jobs == 1 else 'wait'}"
            yield Need("! queues", [str(pause), wait], [commands.resume_queue(pause.queue)])
        for each_queue in unserved(survey.queues):
            yield Need("! workers", [each_queue.entry()], [commands.start_worker(each_queue.queue)])
        for each in survey.avoided:
            yield Need("! workers", [str(each.reason)], [each.reason.remedy])
        silent = list(_silent(survey.workers))
        for text in silent[:SILENT]:
            yield Need("! workers", [text])
        if (more := len(silent) - SILENT) > 0:
            yield Need("", [f"and {more} more are silent"])
        if survey.suspended:
            yield Need("! workers", ["all workers of the server are suspended"], ["rq resume"])

    # -- for programs ----------------------------------------------------------------------------------------------

    def as_data(self) -> dict[str, Any]:
        """The JSON form. Times are ISO 8601 with their zone; a value that is not known is null."""
        survey, found = self.survey, self.forecast
        left_s = None if found is None else found.left_s
        return {
            "schema": SCHEMA,
            "workspace": {"path": self.path, "id": self.id},
            "server": self.server,
            "age_s": 0.0,
            "experiment": self.of or None,
            "time": moment(survey.now_s),
            "jobs": {each.value: survey.counts[each] for each in State},
            "unknown": survey.unknown,
            "eta_s": round(left_s, 1) if found is not None and found.whole and left_s is not None else None,
            "forecast": None if found is None else found.as_data(),
            "suspended": survey.suspended,
            "experiments": list(map(experiment_record, survey.experiments)),
            "tokens": [token_summary(token) for token in survey.tokens],
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
                    "leaving": moment(worker.leaving_s),
                }
                for worker in survey.workers
            ],
            "queues": [
                {"name": q.queue, "ready": q.ready, "workers": q.workers, "paused": pause_record(q.pause)}
                for q in survey.queues
            ],
            "refusals": [
                {**each.refusal.written(), "daemon": each.daemon, "jobs": each.jobs} for each in survey.avoided
            ],
            "failed": [
                {
                    "id": job.identity,
                    "task": job.task,
                    "tags": job.tags,
                    "error": job.error,
                    "ended": moment(job.ended_s),
                }
                for job in survey.failed
            ],
            "failures": [
                {
                    "error": cause.error,
                    "message": cause.message,
                    "place": cause.place or None,
                    "tags": cause.common,
                    "jobs": [job.identity for job in cause.jobs],
                    "ended": moment(cause.jobs[0].ended_s),
                }
                for cause in grouped(survey.failed)
            ],
        }


def _cause(cause: Failures, now_s: float) -> list[str]:
    first = cause.jobs[0]
    error = f"{cause.error}: {cause.message}" if cause.message else cause.error
    place = f" ({cause.place})" if cause.place else ""
    if len(cause.jobs) == 1:
        return [first.title, f"{line(error, LONGEST)}{place}, {ago(now_s - first.ended_s)}"]
    tags = " ".join(f"{name}={value}" for name, value in cause.common.items())
    who = f"{plural(len(cause.jobs), 'job')}{f', all with {line(tags, LONGEST)}' if tags else ''}"
    return [f"{line(error, LONGEST)}{place}", who, f"the latest {ago(now_s - first.ended_s)}"]


def experiment_record(experiment: Experiment) -> dict[str, Any]:
    """The record of an experiment for programs."""
    return {
        "name": experiment.name,
        "started": moment(experiment.started_s),
        "created": moment(experiment.created_s),
        "jobs": experiment.jobs,
        "about": experiment.about,
    }


def _experiment(experiment: Experiment, now_s: float) -> list[str]:
    about: Mapping[str, Any] = experiment.about
    who = f" by {about['user']}" if about.get("user") else ""
    place = f" on {about['host']}" if about.get("host") else ""
    started = [f"started {ago(now_s - experiment.started_s)}{who}{place}"] if experiment.started_s else []
    return [click.style(experiment.name, bold=True), plural(experiment.jobs, "job"), *started]


def _jobs(counts: Mapping[State, int], unknown: int, filtered: bool) -> list[str]:
    shown = [State.DONE, State.RUNNING, State.READY, State.DELAYED, State.WAITING, State.FAILED, State.BLOCKED]
    found = [f"{counts[each]} {state(each.value)}" for each in [*shown, State.CANCELLED] if counts[each]]
    found += [f"{unknown} not known to have ended"] if unknown else []
    return [*found, f"{sum(counts.values()) + unknown} in all"] if found or filtered else ["none yet"]


def _token(token: TokenState) -> str:
    first = [*map(short, token.first), *(["…"] if token.waiting > len(token.first) else [])]
    waiting = f" ({token.waiting} wait: {', '.join(first)})" if token.waiting else ""
    if token.scope == "host":
        used = ", ".join(f"{used}/{token.capacity} on {host}" for host, used in sorted(token.used.items()) if host)
        return f"{token.name} {used or f'0/{token.capacity} a host'}{waiting}"
    return f"{token.name} {token.held}/{token.capacity}{waiting}"


def _workers(workers: list[WorkerState]) -> list[str]:
    slots = Counter(worker.host for worker in workers if worker.alive)
    busy = Counter(worker.host for worker in workers if worker.alive and worker.job)
    leaving = Counter(worker.host for worker in workers if worker.alive and worker.leaving_s)
    return [
        f"{host}: {busy[host]} of {slots[host]} busy{_draining(leaving[host], slots[host])}" for host in sorted(slots)
    ] or ["none runs"]


def _draining(leaving: int, slots: int) -> str:
    """How many workers of a machine take no more jobs: `, draining` if all, `, 1 draining`."""
    if not leaving:
        return ""
    return ", draining" if leaving == slots else f", {leaving} draining"


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
