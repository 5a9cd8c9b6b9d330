"""The table of `xpm results`, in each of its shapes, and its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.publishing.folding import names_in
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.publishing.result_lines import Shown, as_data
from xpm_core.errors import ResultsError
from xpm_core.filters import Filter
from xpm_core.results.folding.folded import Folded
from xpm_core.results.table import Table

NOTHING = "No job matches, so there is no row."


@dataclass(frozen=True)
class Wanted:
    """Which table is wanted.

    Attributes:
        experiment: The experiment.
        filter: Which of its jobs; empty for all.
        columns: The names of columns, with commas; None for all.
        sort: Names to sort by, with commas; `-NAME` means descending.
        over: What is folded, names with commas; None for nothing.
        settings: How it is folded: arguments of `Table.over`.
        pivot: Rows, columns and value of a pivot, each names with commas; None without one.
        lowest: Whether the least value is the best.
    """

    experiment: str
    filter: str | Filter = ""
    columns: str | None = None
    sort: str = ""
    over: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    pivot: tuple[str, str, str] | None = None
    lowest: bool = False

    @property
    def shape(self) -> str:
        """What a row is."""
        return "pivot" if self.pivot else "folded" if self.over else "jobs"


def table_of(opened: OpenWorkspace, wanted: Wanted) -> Shown:
    """The table.

    Raises:
        UnknownExperimentError, FilterError: The experiment or the filter means nothing.
        ResultsError, UnknownColumnError: It cannot be folded so, or has no such column.
    """
    table = opened.view.results(wanted.experiment, wanted.filter)
    if not len(table):  # no column is known, so none that was typed is wrong
        return table
    table = table.select(*names_in(wanted.columns)) if wanted.columns else table
    table = _reporting(table, wanted.pivot[2]) if wanted.pivot else table
    folded: Table | Folded = table.over(*names_in(wanted.over), **wanted.settings) if wanted.over else table
    sorted_ = folded.sort(*names_in(wanted.sort)) if wanted.sort else folded
    return sorted_ if wanted.pivot is None else _pivoted(sorted_, wanted.pivot, wanted.lowest)


def notes_of(found: Shown) -> list[str]:
    """What one should know of a table, each a sentence."""
    return [*found.notes, *([NOTHING] if isinstance(found, Table) and not len(found) else [])]


def results_document(opened: OpenWorkspace, wanted: Wanted, found: Shown, notes: Sequence[str]) -> dict[str, Any]:
    """The document of `xpm results --json`.

    Args:
        opened: The workspace.
        wanted: Which table was wanted.
        found: What `table_of` returns.
        notes: What one should know of it.
    """
    data = as_data(found)
    return {
        "schema": SCHEMA,
        "time": moment(opened.now_s),
        "source": opened.view.server,
        "age_s": round(min(opened.view.age_s, opened.now_s), 3),  # infinite if the files know of no job
        "experiment": wanted.experiment,
        **{name: value for name, value in data.items() if name != "rows"},
        "form": wanted.shape,
        "notes": list(notes),
        "rows": data["rows"],
    }


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
