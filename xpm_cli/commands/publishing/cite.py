"""`xpm cite`: from a number back to jobs, code, data, commands and packages."""

from __future__ import annotations

from typing import Any

import click

from xpm_cli.app import common_options
from xpm_cli.lookup.open_workspace import open_workspace
from xpm_cli.lookup.publishing.cited import cited
from xpm_cli.lookup.publishing.folding import folding_options, names_in, settings_of
from xpm_cli.output.json_form import dumps
from xpm_cli.output.publishing.citation_facts import CitationFacts
from xpm_cli.output.publishing.citation_sheet import lines
from xpm_cli.output.terminal import Terminal


@click.command()
@common_options
@click.argument("number", metavar="EXPERIMENT:RESULT:FILTER")
@folding_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with all parameters and packages.")
def cite(number: str, over: str | None, as_json: bool, **given: Any) -> None:
    """Trace a number back to the jobs that it comes from, their code, data, commands and packages.

    FILTER tells which number it is: digits:accuracy:model=bm25,lr=0.1. With --over seed, it is the mean of several
    jobs: all of them are named, and those that are missing.
    """
    settings = settings_of(over, given)
    with open_workspace(foreign=True) as opened:
        facts = CitationFacts(opened, cited(opened, number, names_in(over), settings))
        for line in [dumps(facts.as_data())] if as_json else lines(facts, Terminal.of_stdout()):
            click.echo(line)
