"""`xpm why`: why a job does not run, or all reasons for which jobs wait."""

from __future__ import annotations

import json

import click

from xpm_cli.app import FAILED, common_options
from xpm_cli.lookup.job_names import job_named
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.output import why_sheet
from xpm_cli.output.terminal import Terminal
from xpm_core.states import State


@click.command()
@common_options
@click.argument("name", metavar="[JOB]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def why(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """Say why a job does not run. Without JOB: why jobs wait, with the number of jobs for each reason.

    All reasons that hold are listed in a fixed order; the first one is the reason. Exit code 1 when the job failed.
    """
    with open_workspace() as opened:
        failed = _one(opened, name, as_json) if name else _all(opened, as_json)
    ctx.exit(FAILED if failed else 0)


def _one(opened: OpenWorkspace, name: str, as_json: bool) -> bool:
    """Print why one job does not run. Returns whether it has failed."""
    found = opened.reader.reasons.why(job_named(opened, name).identity)
    if as_json:
        click.echo(json.dumps(why_sheet.data_of(found, opened), indent=2))
    else:
        for line in why_sheet.lines_of(found, opened, Terminal.of_stdout()):
            click.echo(line)
    return found.job.state is State.FAILED


def _all(opened: OpenWorkspace, as_json: bool) -> bool:
    """Print for which reasons jobs wait."""
    found = opened.reader.reasons.summary()
    if as_json:
        click.echo(json.dumps(why_sheet.data_of_summary(found, opened.commands), indent=2))
    else:
        for line in why_sheet.lines_of_summary(found, opened.commands, Terminal.of_stdout()):
            click.echo(line)
    return False
