"""`xpm checklist`: what a paper must state of an experiment."""

from __future__ import annotations

import click

from xpm_cli.app import common_options
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.output.json_form import dumps
from xpm_cli.output.publishing.checklist_facts import ChecklistFacts
from xpm_cli.output.publishing.checklist_page import page
from xpm_cli.output.terminal import Terminal


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def checklist(experiment: str, as_json: bool) -> None:
    """List what a paper must state of an experiment, as Markdown to paste.

    It says how many runs were made, also those that failed or were discarded; hours in total and for each result; the
    machines and devices; which values were tried; seeds, and what error bars can contain; packages; and code.

    It is read from the records in the directories of the jobs.
    """
    with open_workspace(foreign=True) as opened:
        facts = ChecklistFacts(opened, experiment).as_data()
    terminal = Terminal.of_stdout()
    for line in [dumps(facts)] if as_json else map(terminal.text, page(facts)):
        click.echo(line)
