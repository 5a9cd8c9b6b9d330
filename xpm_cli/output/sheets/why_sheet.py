"""Why a job does not run, and for which reasons jobs wait: as lines, and as JSON.

Owns: the form. The words of the reasons stand in `xpm_core.words`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import LABEL_WIDTH, Terminal, state
from xpm_core.labels import short
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.why.records import Group, Summary, Why
from xpm_core.states import State
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Code, Outlook, Reason
from xpm_core.words.text import ago, plural, span

HEADINGS = {
    Outlook.NEVER: "why it never runs, as it is now",
    Outlook.NOT_YET: "why it does not run yet",
    Outlook.RUNNING: "how it stands",
    Outlook.ENDED: "how it stands",
    Outlook.UNKNOWN: "why it does not run",
}
STATES = {Code.BLOCKED: State.BLOCKED, Code.DEPENDENCY: State.WAITING, Code.RETRY: State.DELAYED}
"""The states of the jobs that wait for some of the reasons."""


def lines_of(why: Why, row: JobRow, opened: OpenWorkspace, terminal: Terminal) -> Iterator[str]:
    """The lines that `xpm why JOB` prints."""
    job = why.job
    since = f"for {span(why.now_s - why.since_s)}" if why.since_s else f"submitted {ago(why.now_s - job.submitted_s)}"
    attempt = [f"attempt {max(job.attempts, 1)}"] if job.attempts > 1 else []
    title = click.style(opened.title(row), bold=True)
    yield terminal.entry(short(job.identity), [title, f"{state(job.state.value)} {since}", *attempt])
    yield ""
    yield HEADINGS[why.outlook]
    for number, reason in enumerate(why.reasons, 1):
        yield from terminal.wrapped(f"  {number}. ", f"{reason.outlook.value}: {reason}")
        for detail in reason.details():
            yield from terminal.wrapped("     ", detail)
    earlier = [str(attempt) for attempt in why.earlier]
    if why.forgotten:
        earlier.insert(0, f"{plural(why.forgotten, 'attempt')}: how they went is unknown")
    for place, said in enumerate(earlier):
        yield from terminal.wrapped(("earlier" if place == 0 else "").ljust(LABEL_WIDTH), said)
    yield terminal.entry("do", why.what_to_do(opened.commands))
    yield terminal.entry("facts read", ["Redis 0 s ago", *_heartbeats(why)])


def _heartbeats(why: Why) -> list[str]:
    """How old the oldest of the workers' heartbeats is; nothing of a job that no worker has to do with."""
    if why.heartbeat_s is not None:
        return [f"workers' heartbeats {span(round(why.heartbeat_s))} ago"]
    return ["workers' heartbeats unknown"] if why.outlook is Outlook.RUNNING else []


def data_of(why: Why, row: JobRow, opened: OpenWorkspace) -> dict[str, Any]:
    """The JSON form of `xpm why JOB`. A value that is not known is null."""
    job = why.job
    return {
        "schema": SCHEMA,
        "id": job.identity,
        "state": job.state.value,
        "task": job.task,
        "tags": opened.tags(row),
        "time": moment(why.now_s),
        "since": moment(why.since_s or 0),
        **why.as_data(),
        "do": why.what_to_do(opened.commands),
    }


def lines_of_summary(summary: Summary, commands: Commands, terminal: Terminal) -> Iterator[str]:
    """The lines that `xpm why` prints."""
    if not summary.groups:
        yield "no job waits"
        return
    yield terminal.entry("waiting", [plural(summary.jobs, "job"), plural(len(summary.groups), "reason")])
    for group in summary.groups:
        queue = [f"queue {group.queue}"] if group.queue else []
        text = f"{group.code.outlook.value}: {group.text}"
        yield terminal.entry(f"  {group.jobs}", [text, *queue, *_to_do(group, commands)])


def data_of_summary(summary: Summary, commands: Commands) -> dict[str, Any]:
    """The JSON form of `xpm why`."""
    data = summary.as_data()
    for group, written in zip(summary.groups, data["groups"], strict=True):
        written["do"] = _to_do(group, commands)
    return {"schema": SCHEMA, "time": moment(summary.now_s), **data}


@dataclass(frozen=True)
class Selection:
    """The reasons of jobs that options have selected.

    Attributes:
        reasons: The jobs that do not run, each with its first reason.
        opened: The workspace.
    """

    reasons: list[tuple[JobRow, Reason]]
    opened: OpenWorkspace

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print: a job a line."""
        if not self.reasons:
            yield "no job that was selected waits"
        for row, reason in self.reasons:
            word = state(row.state.value) if row.state else "unknown"
            text = f"{reason.outlook.value}: {reason}"
            yield terminal.entry(short(row.identity), [self.opened.title(row), word, text])

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        jobs = [
            {"id": row.identity, "state": row.state.value if row.state else None, "reason": reason.as_data()}
            for row, reason in self.reasons
        ]
        return {"schema": SCHEMA, "time": moment(self.opened.now_s), "jobs": jobs}


def _to_do(group: Group, commands: Commands) -> list[str]:
    """What to type about a group: about the whole of it, else about one of its jobs."""
    if group.reason is not None and not group.example:
        return []
    if group.example:
        return [commands.why(group.example)]
    return [commands.jobs(f"--state {STATES[group.code].value}") if group.code in STATES else commands.status()]
