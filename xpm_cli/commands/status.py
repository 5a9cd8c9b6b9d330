"""`xpm status`: experiments, jobs by state, tokens, workers, and what needs somebody."""

from __future__ import annotations

import json

import click

from xpm_cli.app import common_options
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.survey import Survey
from xpm_cli.output.terminal import Terminal


@click.command()
@common_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> None:
    """Show jobs by state, tokens, workers, and what needs you."""
    with open_workspace() as opened:
        survey = Survey.of(opened)
    if as_json:
        click.echo(json.dumps(survey.as_data(), indent=2))
    else:
        for line in survey.lines(Terminal.of_stdout()):
            click.echo(line)
