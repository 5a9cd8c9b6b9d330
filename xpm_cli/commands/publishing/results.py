"""`xpm results`: a table of what the jobs of an experiment have reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from xpm_core.labels import short
from xpm_core.results.folding.folded import Folded
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.words.text import listed, plural

MARKDOWN, LATEX = "md", "latex"
TEXTS = {CSV: "to_csv", MARKDOWN: "to_markdown", LATEX: "to_latex"}
"""The forms that a table has by itself, and what makes them."""
NOTHING = "No job matches, so there is no row."


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
    with open_workspace(foreign=True) as opened:
        table = opened.view.results(experiment, selected(**given) or "")
        notes = [*table.notes, *([NOTHING] if form != TABLE else [])]
        found: Shown = table
        if len(table):  # else no column is known, and none that was typed is wrong
            table = table.select(*names_in(columns)) if columns else table
            table = _reporting(table, pivot[2]) if pivot else table
            folded: Table | Folded = table.over(*names_in(over), **settings) if over else table
            sorted_ = folded.sort(*names_in(sort)) if sort else folded
            found = sorted_ if pivot is None else _pivoted(sorted_, pivot, lowest)
            notes = [*found.notes, *_undone(found, is_shown=form == JSON or (form == TABLE and columns is None))]
        shape = "pivot" if pivot else "folded" if over else "jobs"
        for line in _written(opened, experiment, found, form, shape, notes, asked=columns is not None):
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
    return Table([row.job for row in table if row.job.task in tasks], table.known, table.notes) if tasks else table


def _written(
    opened: OpenWorkspace, experiment: str, shown: Shown, form: str, shape: str, notes: Sequence[str], *, asked: bool
) -> Iterable[str]:
    if form == TABLE:
        return lines(shown, Terminal.of_stdout(), opened.now_s, asked=asked)
    if form in TEXTS:
        if not len(shown):
            return []
        return [str(getattr(shown, TEXTS[form])()).replace("\r\n", "\n").removesuffix("\n")]
    data = as_data(shown)
    head = {
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(min(opened.view.age_s, opened.now_s), 3),  # infinite if the files know of no job
        "experiment": experiment,
        **{name: value for name, value in data.items() if name != "rows"},
        "form": shape,
        "notes": list(notes),
    }
    return [as_json(head, "rows", data["rows"])]
