"""`xpm results`: a table of what the jobs of an experiment have reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.publishing.asked_table import Asked, Places, Shown, notes_on
from xpm_cli.lookup.publishing.folding import folding_options, names_in, settings_of
from xpm_cli.lookup.selection import names_option, selected, selection_within
from xpm_cli.output.documents.result_table import results_document
from xpm_cli.output.forms import CSV, JSON, TABLE, list_forms
from xpm_cli.output.json_form import dumps
from xpm_cli.output.publishing.result_lines import lines
from xpm_cli.output.terminal import Terminal

MARKDOWN, LATEX = "md", "latex"
TEXTS = {CSV: "to_csv", MARKDOWN: "to_markdown", LATEX: "to_latex"}
"""The forms that a table has by itself, and what makes them."""


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@selection_within
@names_option("--columns", "Show these columns: results, tags, parameters and facts.")
@names_option("--sort", "Sort by these; -NAME means descending.")
@folding_options
@click.option(
    "--pivot", nargs=3, metavar="ROWS COLUMNS VALUE", help="One result: ROWS against COLUMNS, each NAME[,...]."
)
@click.option("--lowest", is_flag=True, help="With --pivot, mark the least as the best, as for a loss.")
@list_forms(TABLE, CSV, MARKDOWN, LATEX, JSON)
def results(
    experiment: str,
    columns: str | None,
    sort: str | None,
    over: str | None,
    pivot: tuple[str, str, str] | None,
    lowest: bool,
    form: str,
    **given: Any,
) -> None:
    """Print a table of what jobs have reported: a row for each job, a column for what differs and for each result.

    --over seed prints means over seeds with 95 % intervals. Seeds that are missing are named, and never passed over.

    --pivot needs one value in each place. So fold what is repeated: --over seed --pivot model dataset accuracy.
    """
    settings = settings_of(over, given)
    places = Places(names_in(pivot[0]), names_in(pivot[1]), pivot[2]) if pivot else None
    asked = Asked(names_in(columns), names_in(sort), names_in(over), settings, places, lowest)
    if asked.contradiction:
        raise click.UsageError(asked.contradiction)
    with open_workspace(foreign=True) as opened:
        found = asked.of(opened.view.results(experiment, selected(**given) or ""))
        shows_states = form == JSON or (form == TABLE and columns is None)
        notes = notes_on(found, shows_states=shows_states, nothing=form != TABLE)
        for line in _written(opened, experiment, found, form, asked.form, notes, asked=columns is not None):
            click.echo(line)
    for note in notes:
        say(note)


def _written(
    opened: OpenWorkspace, experiment: str, shown: Shown, form: str, shape: str, notes: Sequence[str], *, asked: bool
) -> Iterable[str]:
    if form == TABLE:
        return lines(shown, Terminal.of_stdout(), opened.now_s, asked=asked)
    if form in TEXTS:
        if not len(shown):
            return []
        return [str(getattr(shown, TEXTS[form])()).replace("\r\n", "\n").removesuffix("\n")]
    return [dumps(results_document(opened, experiment, shown, shape, notes))]
