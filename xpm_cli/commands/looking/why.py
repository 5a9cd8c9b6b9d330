"""`xpm why`: why a job does not run, or all reasons for which jobs wait."""

from __future__ import annotations

from typing import Any

import click

from xpm_cli.app import FAILED, common_options
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.selection import selected, selection_options
from xpm_cli.output.documents.reasons import reasons_document, waiting_document, why_document
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets import why_sheet
from xpm_cli.output.terminal import Terminal
from xpm_core.filters import Filter
from xpm_core.states import State


@click.command()
@common_options
@click.argument("name", metavar="[JOB]", required=False)
@selection_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def why(ctx: click.Context, /, name: str | None, as_json: bool, **given: Any) -> None:
    """Say why a job does not run. Without JOB: why jobs wait, with the number of jobs for each reason.

    All reasons that hold are listed in a fixed order; the first one is the reason. With options that select jobs, the
    reason of each one that waits. Exit code 1 when the job failed.
    """
    chosen = selected(**given)
    if name and chosen is not None:
        raise click.UsageError("Name one JOB, or select jobs by options.", ctx)
    with open_workspace(live=True) as opened:
        if chosen is not None:
            _selected(opened, chosen, as_json)
            return
        failed = _one(opened, name, as_json) if name else _all(opened, as_json)
    ctx.exit(FAILED if failed else 0)


def _one(opened: OpenWorkspace, name: str, as_json: bool) -> bool:
    """Print why one job does not run. Returns whether it has failed."""
    row = opened.view.job(name)
    if as_json:
        document = why_document(opened, row)
        click.echo(dumps(document))
        return bool(document["state"] == State.FAILED.value)
    found = opened.view.why(row.identity)
    for line in why_sheet.lines_of(found, row, opened, Terminal.of_stdout()):
        click.echo(line)
    return found.job.state is State.FAILED


def _all(opened: OpenWorkspace, as_json: bool) -> bool:
    """Print for which reasons jobs wait."""
    if as_json:
        click.echo(dumps(waiting_document(opened)))
    else:
        found = opened.reader.reasons.summary()
        for line in why_sheet.lines_of_summary(found, opened.commands, Terminal.of_stdout()):
            click.echo(line)
    return False


def _selected(opened: OpenWorkspace, chosen: Filter, as_json: bool) -> None:
    """Print why jobs that were selected do not run."""
    listing = opened.view.jobs(chosen)
    if as_json:
        click.echo(dumps(reasons_document(opened, listing)))
    else:
        reasons = list(opened.reasons(listing, limit=None))
        for line in why_sheet.Selection(reasons, opened).lines(Terminal.of_stdout()):
            click.echo(line)
