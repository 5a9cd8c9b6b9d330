"""The tables of results that views show, each made once for all requests until something changes.

Owns: which jobs a table has, and what it is called among what the desk remembers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xpm_cli.lookup.publishing.asked_table import Asked, Shown
from xpm_cli.lookup.publishing.tried import is_seed
from xpm_core.filters import Filter, parse
from xpm_core.results.columns import Column
from xpm_core.results.folding.folded import Folded
from xpm_core.results.jobs import Known
from xpm_core.results.latest import latest_metrics
from xpm_core.results.table import Table

if TYPE_CHECKING:
    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.look import View

METRICS_READ = 64_000
"""Bytes at the end of a file in which the names of its metrics are looked for."""
LOOKED_INTO, TRIED = 3, 30
"""In so many jobs of each task the names of metrics are looked for, and so many are tried for that."""
MOST_METRICS = 60


def results_of(desk: Desk, experiment: str, filter: str) -> Table:
    """The table of results of the jobs that match, as `xpm results` shows it.

    Raises:
        UnknownExperimentError, FilterError: As for `View.results`.
    """

    return desk.table(
        ("results", experiment, filter), lambda: _prepared(read_results(desk, experiment, filter.strip()))
    )


def read_results(desk: Desk, experiment: str, filter: str | Filter) -> Table:
    """The same table, made anew. Others read the workspace while it is put together.

    Raises:
        UnknownExperimentError, FilterError: As for `View.results`.
    """
    with desk.reading() as view:
        make = view.reading_results(experiment, filter)
    return make()


def answered(desk: Desk, experiment: str, filter: str, asked: Asked) -> Shown:
    """The table that is asked for.

    Raises:
        UnknownColumnError, ResultsError: As for `Asked.of`.
        UnknownExperimentError, FilterError: As for `View.results`.
    """
    return desk.table(
        ("answered", experiment, filter, repr(asked)), lambda: asked.of(results_of(desk, experiment, filter))
    )


def jobs_of(desk: Desk, filter: str) -> Table:
    """The table of all jobs that match, also of those that have reported nothing yet: they may have curves.

    Raises:
        FilterError: The filter cannot be understood, or names what no job has.
    """

    def make() -> Table:
        table = read_results(desk, "", parse(filter) if filter.strip() else Filter())
        return _prepared(Table([row.job for row in table if row.foreign is None], table.known, _of_jobs(table)))

    return desk.table(("jobs with curves", filter), make)


def chosen_jobs(desk: Desk, identities: Sequence[str]) -> Table:
    """The table of some jobs, in order. Unknown ones are left out."""

    def make(view: View) -> Table:
        return _prepared(Table(view.rows(identities), Known(view.workspace.path, lambda: list(view.known()))))

    return desk.remembered(("chosen jobs", *identities), make)


def over(desk: Desk, filter: str, names: Sequence[str], interval: str) -> Table | Folded:
    """The jobs that match, folded over some names; not folded without any.

    Raises:
        FilterError: The filter cannot be understood, or names what no job has.
        UnknownColumnError, ResultsError: A name is no tag and no parameter.
    """
    if not names:
        return jobs_of(desk, filter)
    return desk.table(
        ("folded jobs", filter, *names, interval), lambda: jobs_of(desk, filter).over(*names, interval=interval)
    )


def seeds_of(table: Table) -> list[str]:
    """The columns that are seeds by their names: what is folded if nobody says it."""
    return [column.name for column in foldable_columns(table) if is_seed(column.key)]


def foldable_columns(table: Table) -> list[Column]:
    """The columns that can be folded: tags and parameters that differ."""
    return [column for column in table.columns if column.kind in ("tag", "param")]


def metrics_of(table: Table) -> list[str]:
    """The names of the metrics that jobs have logged, as far as the files of a few jobs of each task say them."""
    found: dict[str, None] = {}
    looked: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for row in reversed(table):  # the latest jobs have what the class reports now
        if looked[row.task] >= LOOKED_INTO or tried[row.task] >= TRIED:
            continue
        tried[row.task] += 1
        if names := metrics_in(row.directory):
            looked[row.task] += 1
            found.update(dict.fromkeys(names))
    return sorted(found)[:MOST_METRICS]


def metrics_in(directory: Path | None) -> list[str]:
    """The names of the metrics that a job has logged lately, those that are numbers."""
    if directory is None:
        return []
    latest = latest_metrics(directory, METRICS_READ).values
    return [name for name, each in latest.items() if isinstance(each.value, (bool, int, float))]


def _of_jobs(table: Table) -> list[str]:
    """The notes on a table that are not about results."""
    return [note for note in table.notes if note.startswith("Left out: ")]


def _prepared(table: Table) -> Table:
    """The table, with all that is read of the workspace read: whoever shows it later is not alone with the view."""
    table.columns  # noqa: B018  # it asks each row for its tags and parameters
    return table
