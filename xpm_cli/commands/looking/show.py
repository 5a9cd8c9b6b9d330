"""`xpm show`: one job, and what became of it."""

from __future__ import annotations

import click

from xpm_cli.app import FAILED, common_options
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.documents.one_job import job_document
from xpm_cli.output.json_form import dumps
from xpm_cli.output.sheets.job_sheet import JobSheet
from xpm_cli.output.terminal import Terminal
from xpm_core.states import State


@click.command()
@common_options
@click.argument("name", metavar="JOB")
@click.option("--all", "everything", is_flag=True, help="Show all parameters, and their whole values.")
@click.option("--full", is_flag=True, help="Show all frames of an error, also those of libraries.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, everything: bool, full: bool, as_json: bool) -> None:
    """Show one job: its parameters, what it needs, how it went. Exit code 1 when it failed."""
    with open_workspace() as opened:
        row = opened.view.job(name)
        if as_json:
            click.echo(dumps(job_document(opened, row)))
        else:
            reason = dict(opened.reasons([row])).get(row)
            for line in JobSheet(opened, row).lines(Terminal.of_stdout(), reason, full=full, everything=everything):
                click.echo(line)
    ctx.exit(FAILED if row.state is State.FAILED else 0)
