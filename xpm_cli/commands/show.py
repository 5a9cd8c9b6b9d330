"""`xpm show`: one job, and what became of it."""

from __future__ import annotations

import json

import click

from xpm_cli.app import FAILED, common_options
from xpm_cli.lookup.job_names import job_named
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.job_sheet import JobSheet
from xpm_cli.output.terminal import Terminal
from xpm_core.states import State


@click.command()
@common_options
@click.argument("name", metavar="JOB")
@click.option("--full", is_flag=True, help="Show all frames of an error, also those of libraries.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, full: bool, as_json: bool) -> None:
    """Show one job: its parameters, what it needs, how it went. Exit code 1 when it failed."""
    with open_workspace() as opened:
        job = job_named(opened, name)
        sheet = JobSheet(opened, job)
        if as_json:
            click.echo(json.dumps(sheet.as_data(), indent=2))
        else:
            for line in sheet.lines(Terminal.of_stdout(), full=full):
                click.echo(line)
    ctx.exit(FAILED if job.state is State.FAILED else 0)
