"""`xpm events`: what has happened in a workspace, and what happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.output.documents.happened import events_document, latest_events
from xpm_cli.output.event_lines import EventLines, event_record
from xpm_cli.output.forms import JSON, JSONL, TABLE, as_json_lines
from xpm_cli.output.json_form import dumps
from xpm_cli.output.terminal import Terminal
from xpm_core.filters.moments import DATE, DURATION, read_since
from xpm_core.reading.events import Record

SHOWN, BEFORE = 50, 10
"""How many events are printed if no limit was given: on a terminal, and before those that are followed."""
BLOCK_S = 1.0
"""How long one read waits for events, seconds."""


@click.command()
@common_options
@click.argument("names", metavar="[JOB]...", nargs=-1)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="The last N; 0 for all that are kept.")
@click.option("--since", metavar="TIME", help="Those since: 2h, 3d, or 2026-01-31.")
@click.option("-o", "--output", "form", type=click.Choice([TABLE, JSON, JSONL]), default=TABLE, help="The form.")
@click.option("--json", "form", flag_value=JSON, help="The same as -o json.")
def events(names: Sequence[str], follow: bool, limit: int | None, since: str | None, form: str) -> None:
    """List what has happened: jobs that were submitted, started and ended, workers that came and left.

    With JOB, only what has happened to these jobs. The oldest event comes first. The server keeps the last 200,000 of a
    workspace. On a terminal, the last 50 are shown; with --follow, the last 10.
    """
    if follow and form == JSON:
        raise click.UsageError("A document of JSON has an end. With --follow, take -o jsonl.")
    with open_workspace(live=True) as opened:
        jobs = {opened.view.job(name).identity for name in names}
        start_s = _moment(since, opened.now_s) if since is not None else 0.0
        if limit is None and since is None and (follow or (form == TABLE and sys.stdout.isatty())):
            limit = BEFORE if follow else SHOWN
        cursor = opened.reader.events.last()
        records = latest_events(opened, jobs, start_s, limit, cursor)
        printed = _printer(opened, form, follow)
        printed(records)
        if not records and not follow:
            say("Nothing has happened, as far as the server knows.")
        if follow:
            for fresh in _following(opened, cursor, jobs):
                printed(fresh)


def _moment(text: str, now_s: float) -> float:
    """The time that `--since` means, epoch seconds."""
    if (start_s := read_since(text, now_s)) is None:
        raise click.BadParameter(f"expected {DURATION}, or {DATE}, got {text!r}.", param_hint="--since")
    return start_s


def _following(opened: OpenWorkspace, cursor: str, jobs: Collection[str]) -> Iterator[list[Record]]:
    """The events after a cursor, as they happen; it has no end."""
    reader = opened.view.blocking_reader.events
    while True:
        records = reader.after(cursor, block_s=BLOCK_S)
        if records:
            cursor = records[-1].cursor
            yield [record for record in records if not jobs or record.job in jobs]
        elif reader.astray(cursor):
            say("The server has dropped events that were not read yet.")
            cursor = reader.last()


def _printer(opened: OpenWorkspace, form: str, follow: bool) -> Callable[[Sequence[Record]], None]:
    """What prints events in a form."""
    terminal, lines = Terminal.of_stdout(), EventLines(opened)

    def printed(records: Sequence[Record]) -> None:
        if form == JSON:
            texts = [dumps(events_document(opened, records))]
        elif form == JSONL:
            texts = list(as_json_lines(map(event_record, records)))
        elif follow:
            texts = lines.followed(records, terminal)
        else:
            texts = lines.table(records, terminal) if records else []
        for text in texts:
            click.echo(text)

    return printed
