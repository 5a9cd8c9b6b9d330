"""`xpm jobs`: the jobs of a workspace, as a table or for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import names_option, selected, selection_options
from xpm_cli.output.documents.job_list import jobs_document, records_of
from xpm_cli.output.forms import CSV, JSON, JSONL, NAME, WIDE, as_csv, as_json_lines, form_option
from xpm_cli.output.job_record import FIELDS
from xpm_cli.output.json_form import dumps
from xpm_cli.output.tables.job_table import JobTable
from xpm_cli.output.terminal import Terminal
from xpm_core.filters import Column, Filter, from_options, parse_columns
from xpm_core.reading.listing.listing import Listing
from xpm_core.states import State
from xpm_core.words.text import plural

SHOWN = 50
"""How many jobs a table on a terminal has if no limit was given."""


@click.command()
@common_options
@selection_options
@form_option
@names_option("--sort", "Sort by these; -NAME means descending.")
@click.option(
    "--limit", type=click.IntRange(min=0), help="At most so many jobs; 0 for all. On a terminal: 50.", metavar="N"
)
@names_option("--columns", "Show these columns: fields, tags, parameters and results.")
def jobs(form: str, sort: str | None, limit: int | None, columns: str | None, **given: Any) -> None:
    """List jobs. What needs somebody comes first, what is done comes last.

    The options that select jobs are joined by "and". Tags and parameters that differ among the jobs are columns; what
    all have in common stands below the table.
    """
    cut = limit is None and form not in (JSON, JSONL, CSV, NAME) and sys.stdout.isatty()
    if cut:
        limit = SHOWN
    with open_workspace() as opened:
        wanted = selected(**given) or Filter()
        listing = opened.view.jobs(wanted, sort=sort or "", limit=limit or None)
        chosen = parse_columns(columns, opened.view.vocabulary) if columns else None
        hidden_done = _hidden_done(opened, wanted, listing) if cut and not sort else 0
        for line in _lines(opened, listing, form, chosen, hidden_done):
            click.echo(line)
    for note in opened.view.notes:
        say(note)
    if listing.unsure:
        say(f"Left out: {plural(listing.unsure, 'job')} of which a fact that the filter asks about is not known.")


def _hidden_done(opened: OpenWorkspace, wanted: Filter, listing: Listing) -> int:
    """How many of the jobs beyond the limit are done: these come last."""
    if not (left := listing.matched - len(listing)):
        return 0
    done = opened.view.jobs(wanted & from_options(state=[State.DONE.value]), limit=1)
    return min(left, done.matched)


def _lines(
    opened: OpenWorkspace, listing: Listing, form: str, columns: list[Column] | None, hidden_done: int
) -> Iterable[str]:
    if form == NAME:
        return (row.identity for row in listing)
    if form in (JSON, JSONL, CSV):
        return _for_programs(opened, listing, form, columns)
    reasons = {row.identity: str(reason) for row, reason in opened.reasons(listing)}
    return JobTable(listing, opened.now_s, reasons, columns, form == WIDE, hidden_done).lines(Terminal.of_stdout())


def _for_programs(opened: OpenWorkspace, listing: Listing, form: str, columns: list[Column] | None) -> Iterable[str]:
    records = records_of(opened, listing, columns)
    if form == JSONL:
        return as_json_lines(records)
    if form == CSV:
        header = [column.name for column in columns] if columns is not None else list(FIELDS)
        return as_csv(header, [list(record.values()) for record in records])
    return [dumps(jobs_document(opened, records, listing.matched, listing.total))]
