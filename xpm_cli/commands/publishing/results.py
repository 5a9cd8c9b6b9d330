"""`xpm results`: a table of what the jobs of an experiment have reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.publishing.folding import folding_options, settings_of
from xpm_cli.lookup.selection import selected, selection_within
from xpm_cli.output.documents.result_table import Wanted, notes_of, results_document, table_of
from xpm_cli.output.forms import CSV, JSON, TABLE, list_forms
from xpm_cli.output.json_form import dumps
from xpm_cli.output.publishing.result_lines import Shown, lines
from xpm_cli.output.terminal import Terminal
from xpm_core.labels import short
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.words.text import listed, plural

MARKDOWN, LATEX = "md", "latex"
TEXTS = {CSV: "to_csv", MARKDOWN: "to_markdown", LATEX: "to_latex"}
"""The forms that a table has by itself, and what makes them."""


@click.command()
@common_options
@click.argument("experiment", metavar="EXPERIMENT")
@selection_within
@click.option("--columns", metavar="NAME[,...]", help="Show these columns: results, tags, parameters and facts.")
@click.option("--sort", metavar="NAME[,...]", default="", help="Sort by these; -NAME means descending.")
@folding_options
@click.option(
    "--pivot", nargs=3, metavar="ROWS COLUMNS VALUE", help="One result: ROWS against COLUMNS, each NAME[,...]."
)
@click.option("--lowest", is_flag=True, help="With --pivot, mark the least as the best, as for a loss.")
@list_forms(TABLE, CSV, MARKDOWN, LATEX, JSON)
def results(
    experiment: str,
    columns: str | None,
    sort: str,
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
    if pivot and columns:
        raise click.UsageError("--columns and --pivot exclude each other: --pivot says which columns there are.")
    if lowest and not (pivot and over):
        raise click.UsageError("--lowest needs --over and --pivot: only there the best is marked.")
    wanted = Wanted(experiment, selected(**given) or "", columns, sort, over, settings, pivot, lowest)
    with open_workspace(foreign=True) as opened:
        found = table_of(opened, wanted)
        notes = notes_of(found) if len(found) or form != TABLE else list(found.notes)
        notes += _undone(found, is_shown=form == JSON or (form == TABLE and columns is None))
        for line in _written(opened, wanted, found, form, notes):
            click.echo(line)
    for note in notes:
        say(note)


def _undone(found: Shown, *, is_shown: bool) -> Iterable[str]:
    """A note on jobs that have reported something and are not done; none if the table shows their states."""
    if not isinstance(found, Table) or is_shown:
        return
    columns = [column for column in found.columns if column.kind == "result"]
    undone = [
        row for row in found if row.state is not State.DONE and any(row.value(column) is not None for column in columns)
    ]
    if undone:
        names = listed([f"{short(row.identity)} {row.state.value if row.state else 'unknown'}" for row in undone], 3)
        verb = "is" if len(undone) == 1 else "are"
        yield f"{plural(len(undone), 'row')} with results {verb} not done, so these may not be the last ones: {names}."


def _written(opened: OpenWorkspace, wanted: Wanted, shown: Shown, form: str, notes: Sequence[str]) -> Iterable[str]:
    if form == TABLE:
        return lines(shown, Terminal.of_stdout(), opened.now_s, asked=wanted.columns is not None)
    if form == JSON:
        return [dumps(results_document(opened, wanted, shown, notes))]
    if not len(shown):
        return []
    return [str(getattr(shown, TEXTS[form])()).replace("\r\n", "\n").removesuffix("\n")]
