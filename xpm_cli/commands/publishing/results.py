"""`xpm results`: a table of what the jobs of an experiment have reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from xpm_cli.app import common_options, say
from xpm_cli.lookup.open_workspace import OpenWorkspace, open_workspace
from xpm_cli.lookup.publishing.folding import folding_options, names_in, settings_of
from xpm_cli.lookup.selection import selected, selection_within
from xpm_cli.output.forms import CSV, JSON, TABLE, as_json, list_forms
from xpm_cli.output.json_form import moment
from xpm_cli.output.publishing.result_lines import Shown, as_data, lines
from xpm_cli.output.terminal import Terminal
from xpm_core.errors import ResultsError
from xpm_core.filters import Filter
from xpm_core.results.folding.folded import Folded
from xpm_core.results.table import Table

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
    with open_workspace() as opened:
        table = opened.view.results(experiment, selected(**given) or Filter())
        if columns:
            table = table.select(*names_in(columns))
        table = _reporting(table, pivot[2]) if pivot else table
        found: Table | Folded = table.over(*names_in(over), **settings) if over else table
        if sort:
            found = found.sort(*names_in(sort))
        shown: Shown = found if pivot is None else _pivoted(found, pivot, lowest)
        for line in _written(opened, experiment, shown, form, asked=columns is not None):
            click.echo(line)
    for note in shown.notes:
        say(note)


def _pivoted(found: Table | Folded, names: tuple[str, str, str], lowest: bool) -> Shown:
    rows, across, value = names_in(names[0]), names_in(names[1]), names[2]
    try:
        if isinstance(found, Folded):
            return found.pivot(rows, across, value, lowest=lowest)
        return found.pivot(rows, across, value)
    except ResultsError as error:
        remedy = "Fold what is repeated with --over, choose with --where, or add it to ROWS."
        raise ResultsError("--pivot", error.problem, remedy) from None


def _reporting(table: Table, value: str) -> Table:
    """The rows of tasks that have the value: other tasks would be rows without any."""
    column = table.column(value)
    tasks = {row.job.task for row in table if row.value(column) is not None}
    return table.where(f"task={','.join(sorted(filter(None, tasks)))}") if tasks else table


def _written(opened: OpenWorkspace, experiment: str, shown: Shown, form: str, *, asked: bool) -> Iterable[str]:
    if form == TABLE:
        return lines(shown, Terminal.of_stdout(), opened.now_s, asked=asked)
    if form in TEXTS:
        return [str(getattr(shown, TEXTS[form])()).replace("\r\n", "\n").removesuffix("\n")]
    data = as_data(shown)
    head = {
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(opened.view.age_s, 3),
        "experiment": experiment,
        **{name: value for name, value in data.items() if name != "rows"},
        "notes": list(shown.notes),
    }
    return [as_json(head, "rows", data["rows"])]
