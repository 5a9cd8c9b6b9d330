"""`xpm status`: experiments, jobs by state, tokens, workers, and what needs somebody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from xpm_cli.app import common_options
from xpm_cli.lookup.open_workspace import Desk, open_desk, short, title
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import Screen, plural, state
from xpm_core.states import State
from xpm_core.store import reading, refusals
from xpm_core.store.records import Serving
from xpm_core.words.text import ago, class_name, span

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
    now_s: float
    counts: dict[State, int]
    experiments: list[reading.Experiment]
    tokens: list[reading.TokenState]
    workers: list[reading.WorkerState]
    queues: list[Serving]
    failed: list[reading.Job]
    refused: list[refusals.Avoided]
    redis: str = ""
    place: str = ""


@click.command()
@common_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> None:
    """Show jobs by state, tokens, workers, and what needs you."""
    with open_desk() as desk:
        survey = look(desk)
    if as_json:
        click.echo(json.dumps(as_data(survey), indent=2))
    else:
        for line in lines(survey, Screen.of_stdout()):
            click.echo(line)


def look(desk: Desk) -> Survey:
    """Read all that the screen shows. Leases that are over are taken up, as by every caller."""
    client, w = desk.store.client, desk.store.w
    queues = desk.store.look().queues
    counts = reading.counts(client, w)
    workers = reading.workers(client, w, desk.now_s)
    return Survey(
        path=str(desk.workspace.path),
        id=w,
        server=desk.server,
        now_s=desk.now_s,
        counts=counts,
        experiments=reading.experiments(client, w),
        tokens=reading.tokens(client, w),
        workers=workers,
        queues=sorted(queues, key=lambda queue: queue.queue),
        failed=desk.every_job(State.FAILED) if counts[State.FAILED] else [],
        refused=refusals.read(client, w, [worker for worker in workers if worker.alive]),
        redis=desk.redis,
        place=desk.place,
    )


def lines(survey: Survey, screen: Screen) -> Iterator[str]:
    """The screen, line by line."""
    yield screen.entry("workspace", [survey.path, f"redis {survey.server}"])
    for experiment in survey.experiments:
        yield screen.entry("experiment", _experiment(experiment, survey.now_s))
    yield screen.entry("jobs", _jobs(survey.counts))
    if total := sum(survey.counts.values()):
        share = survey.counts[State.DONE] / total
        bar = "█" * round(share * BAR) + "░" * (BAR - round(share * BAR))
        yield screen.entry("progress", [f"{bar}  {share:.0%}"])
    if survey.tokens:
        yield screen.entry("tokens", map(_token, survey.tokens))
    yield screen.entry("workers", _workers(survey.workers))
    if needs := list(_needs(survey, screen)):
        yield ""
        yield "needs you"
        yield from needs


def _experiment(experiment: reading.Experiment, now_s: float) -> list[str]:
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


def _token(token: reading.TokenState) -> str:
    first = [*map(short, token.first), *(["…"] if token.waiting > len(token.first) else [])]
    waiting = f" ({token.waiting} wait: {', '.join(first)})" if token.waiting else ""
    if token.scope == "host":
        used = ", ".join(f"{used}/{token.capacity} on {host}" for host, used in sorted(token.used.items()) if host)
        return f"{token.name} {used or f'0/{token.capacity} a host'}{waiting}"
    return f"{token.name} {sum(token.used.values())}/{token.capacity}{waiting}"


def _workers(workers: list[reading.WorkerState]) -> list[str]:
    slots = Counter(worker.host for worker in workers if worker.alive)
    busy = Counter(worker.host for worker in workers if worker.alive and worker.job)
    found = [f"{host}: {busy[host]} of {slots[host]} busy" for host in sorted(slots)]
    silent = list(_silent(workers))
    more = [f"and {len(silent) - SILENT} more are silent"] if len(silent) > SILENT else []
    return [*found, *silent[:SILENT], *more] or ["none"]


def _silent(workers: list[reading.WorkerState]) -> Iterator[str]:
    """What is known of daemons of which nothing is heard: `m2 silent for 41 s: its job is free in 4 s`."""
    daemons: dict[str, list[reading.WorkerState]] = {}
    for worker in workers:
        if worker.silent:
            daemons.setdefault(refusals.daemon_of(worker.name), []).append(worker)
    for name, slots in daemons.items():
        said = f"{name} silent for {span(min(slot.silent_s for slot in slots))}"
        held = [slot for slot in slots if slot.job]
        jobs = "its job is" if len(held) == 1 else f"its {len(held)} jobs are"
        left_s = max((slot.left_s for slot in held), default=0.0)
        free = f"free in {span(left_s)}" if left_s > 0 else "free for whoever asks next"
        yield f"{said}: {jobs} {free}" if held else said


def _needs(survey: Survey, screen: Screen) -> Iterator[str]:
    for job in survey.failed[:FAILURES]:
        label = screen.text(f"✗ {short(job.identity)}")
        error = f"{class_name(job.error.get('type', job.reason), 200)}, {ago(survey.now_s - job.ended_s)}"
        yield screen.entry(label, [title(job), error, f"xpm show {short(job.identity)}{survey.place}"])
    if (more := len(survey.failed) - FAILURES) > 0:
        yield screen.entry("", [f"and {more} more failed", f"xpm retry --failed{survey.place}"])
    for queue in survey.queues:
        if queue.ready and not queue.workers:
            name = "" if queue.queue == "default" else f" --queue {queue.queue}"
            text = f"{plural(queue.ready, 'job')} ready in queue {queue.queue}, which no worker serves"
            yield screen.entry("! workers", [text, f"xpm-worker --workspace {survey.path}{survey.redis}{name}"])
    for each in survey.refused:
        why, avoid = each.refusal, f"{plural(each.jobs, 'job')} {'avoids' if each.jobs == 1 else 'avoid'} it"
        cannot = f"worker {why.worker} cannot import {why.module}: looked in {why.looked}; {avoid}"
        yield screen.entry("! workers", [cannot, "install it there, or start the worker with --pythonpath"])


def as_data(survey: Survey) -> dict[str, Any]:
    """What `--json` prints. Times are ISO 8601 with their zone; what is not known is null."""
    return {
        "schema": SCHEMA,
        "workspace": {"path": survey.path, "id": survey.id},
        "server": survey.server,
        "time": moment(survey.now_s),
        "jobs": {each.value: survey.counts[each] for each in State},
        "experiments": [
            {
                "name": experiment.name,
                "started": moment(experiment.started_s),
                "created": moment(experiment.created_s),
                "jobs": experiment.jobs,
                "about": experiment.about,
            }
            for experiment in survey.experiments
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
            for token in survey.tokens
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
            for worker in survey.workers
        ],
        "queues": [{"name": q.queue, "ready": q.ready, "workers": q.workers} for q in survey.queues],
        "refusals": [{**asdict(each.refusal), "daemon": each.daemon, "jobs": each.jobs} for each in survey.refused],
        "failed": [
            {"id": job.identity, "task": job.task, "tags": job.tags, "error": job.error, "ended": moment(job.ended_s)}
            for job in survey.failed
        ],
    }
