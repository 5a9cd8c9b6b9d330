"""What is asked of a table of results: which columns, folded over what, as a pivot or not; the same for every reader.

Owns: the order of these steps, and what is said of a table besides its own notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from xpm_core.errors import ResultsError
from xpm_core.labels import short
from xpm_core.results.folding.folded import Folded
from xpm_core.results.folding.pivot import Pivot
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.words.text import listed, plural

Shown = Table | Folded | Pivot

NOTHING = "No job matches, so there is no row."


class Places(NamedTuple):
    """What a pivot has where.

    Attributes:
        rows: The names of the columns that tell rows from each other.
        across: The names of the columns whose values become columns.
        value: The name of the result.
    """

    rows: Sequence[str]
    across: Sequence[str]
    value: str


@dataclass(frozen=True)
class Asked:
    """What is asked of a table.

    Attributes:
        columns: The names of the columns to show; empty for those that differ, and the results.
        sort: The names to sort by; -NAME means descending.
        over: The names to fold.
        settings: The keyword arguments of `Table.over`.
        pivot: What stands where; None for no pivot.
        lowest: Whether the least of a pivot is the best.
    """

    columns: Sequence[str] = ()
    sort: Sequence[str] = ()
    over: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pivot: Places | None = None
    lowest: bool = False

    @property
    def form(self) -> str:
        """What a row is: jobs, folded or pivot."""
        return "pivot" if self.pivot else "folded" if self.over else "jobs"

    @property
    def contradiction(self) -> str:
        """Why this cannot be asked together, a sentence with the names of the options; empty if it can."""
        if self.pivot and self.columns:
            return "--columns and --pivot exclude each other: --pivot says which columns there are."
        if self.lowest and not (self.pivot and self.over):
            return "--lowest needs --over and --pivot: only there the best is marked."
        if self.settings and not self.over:
            return "--interval and --range need --over: without it, nothing is folded."
        return ""

    def of(self, table: Table) -> Shown:
        """The table that is asked for.

        Raises:
            UnknownColumnError: Nothing has one of the names.
            ResultsError: Values cannot be folded so, or several rows have one place.
        """
        if not len(table):  # no column is known, and none that was typed is wrong
            return table
        chosen = table.select(*self.columns) if self.columns else table
        chosen = _reporting(chosen, self.pivot.value) if self.pivot else chosen
        folded: Table | Folded = chosen.over(*self.over, **self.settings) if self.over else chosen
        ordered = folded.sort(*self.sort) if self.sort else folded
        return ordered if self.pivot is None else _pivoted(ordered, self.pivot, self.lowest)


def notes_on(found: Shown, *, shows_states: bool, nothing: bool = True) -> list[str]:
    """What one should know of a table, each a sentence.

    Args:
        found: The table.
        shows_states: Whether a reader sees the states of its jobs.
        nothing: Whether to say that there is no row.
    """
    if not len(found):
        return [*found.notes, *([NOTHING] if nothing else [])]
    return [*found.notes, *_undone(found, shows_states=shows_states)]


def _undone(found: Shown, *, shows_states: bool) -> Iterable[str]:
    """A note on jobs that have reported something and are not done; none if the reader sees their states."""
    if not isinstance(found, Table) or shows_states:
        return
    columns = [column for column in found.columns if column.kind == "result"]
    undone = [
        row for row in found if row.state is not State.DONE and any(row.value(column) is not None for column in columns)
    ]
    if undone:
        names = listed([f"{short(row.identity)} {row.state.value if row.state else 'unknown'}" for row in undone], 3)
        verb = "is" if len(undone) == 1 else "are"
        yield f"{plural(len(undone), 'row')} with results {verb} not done, so these may not be the last ones: {names}."


def _pivoted(found: Table | Folded, places: Places, lowest: bool) -> Shown:
    try:
        if isinstance(found, Folded):
            return found.pivot(places.rows, places.across, places.value, lowest=lowest)
        return found.pivot(places.rows, places.across, places.value)
    except ResultsError as error:
        remedy = "Fold what is repeated with --over, choose with --where, or add it to ROWS."
        raise ResultsError("--pivot", error.problem, remedy) from None


def _reporting(table: Table, value: str) -> Table:
    """The rows of tasks that have the value: other tasks would be rows without any."""
    column = table.column(value)
    tasks = {row.job.task for row in table if row.value(column) is not None}
    return Table([row.job for row in table if row.job.task in tasks], table.known, table.notes) if tasks else table
