"""Why a job does not run, and for which reasons jobs wait: as lines, and as JSON.

Owns: the form. The words of the reasons stand in `xpm_core.words`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import click

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.terminal import LABEL_WIDTH, Terminal, state
from xpm_core.labels import short
from xpm_core.reading.why.records import Group, Summary, Why
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Outlook
from xpm_core.words.text import ago, plural, span

HEADINGS = {
    Outlook.NEVER: "why it never runs, as things stand",
    Outlook.NOT_YET: "why it does not run yet",
    Outlook.RUNNING: "how it stands",
    Outlook.ENDED: "how it stands",
    Outlook.UNKNOWN: "why it does not run",
}


def lines_of(why: Why, opened: OpenWorkspace, terminal: Terminal) -> Iterator[str]:
    """The lines that `xpm why JOB` prints."""
    job = why.job
    since = f"for {span(why.now_s - why.since_s)}" if why.since_s else f"submitted {ago(why.now_s - job.submitted_s)}"
    attempt = [f"attempt {max(job.attempts, 1)}"] if job.attempts > 1 else []
    title = click.style(opened.title(job), bold=True)
    yield terminal.entry(short(job.identity), [title, f"{state(job.state.value)} {since}", *attempt])
    yield ""
    yield HEADINGS[why.outlook]
    for number, reason in enumerate(why.reasons, 1):
        yield from _wrapped(f"  {number}. ", f"{reason.outlook.value}: {reason}", terminal)
        for detail in reason.details():
            yield from _wrapped("     ", detail, terminal)
    earlier = [str(attempt) for attempt in why.earlier]
    if why.forgotten:
        earlier.insert(0, f"{plural(why.forgotten, 'attempt')}: how they went is unknown")
    for place, said in enumerate(earlier):
        yield from _wrapped(("earlier" if place == 0 else "").ljust(LABEL_WIDTH), said, terminal)
    yield terminal.entry("do", why.what_to_do(opened.commands))
    yield terminal.entry("facts read", ["Redis 0 s ago", *_heartbeats(why)])


def _heartbeats(why: Why) -> list[str]:
    """How old the oldest of the workers' heartbeats is; nothing of a job that no worker has to do with."""
    if why.heartbeat_s is not None:
        return [f"workers' heartbeats {span(round(why.heartbeat_s))} ago"]
    return ["workers' heartbeats unknown"] if why.outlook is Outlook.RUNNING else []


def data_of(why: Why, opened: OpenWorkspace) -> dict[str, Any]:
    """The JSON form of `xpm why JOB`. A value that is not known is null."""
    job = why.job
    return {
        "schema": SCHEMA,
        "id": job.identity,
        "state": job.state.value,
        "task": job.task,
        "tags": opened.tags(job),
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


def _to_do(group: Group, commands: Commands) -> list[str]:
    """What to type about a group: about the whole of it, else about one of its jobs."""
    if group.reason is not None and not group.example:
        return []
    return [commands.why(group.example)] if group.example else [commands.status()]


def _wrapped(margin: str, text: str, terminal: Terminal) -> list[str]:
    """A text behind a margin, in as many lines as the width needs. No word is cut."""
    text = terminal.text(text)
    if terminal.width is None:
        return [margin + text]
    room = max(terminal.width - len(margin), 20)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [(margin if place == 0 else " " * len(margin)) + line for place, line in enumerate(lines)]
