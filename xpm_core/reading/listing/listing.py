"""Select jobs: those that match a filter, in an order, up to a number.

Owns: how little is asked of the server for that. A filter is first asked with what is known; the facts of the server
are read only for jobs about which it cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from xpm_core.filters import UNKNOWN, BoundFilter, Order
from xpm_core.reading.listing.known_jobs import KnownJobs
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import ENDS, State

if TYPE_CHECKING:
    from xpm_core.reading.jobs import Job

RANKS = {
    state: rank
    for rank, state in enumerate(
        (
            State.FAILED,
            State.BLOCKED,
            State.RUNNING,
            State.DELAYED,
            State.READY,
            State.WAITING,
            State.CANCELLED,
            State.DONE,
        )
    )
}
"""The order of a list without another one: what needs somebody comes first, what is done comes last."""


@dataclass(frozen=True)
class Listing(Sequence[JobRow]):
    """Jobs that were asked for.

    Attributes:
        rows: The jobs, in order, up to the limit.
        matched: How many there are without the limit.
        total: How many jobs the workspace has.
        unsure: How many jobs are left out because a fact that the filter asks about is not known.
        notes: What a reader should know of the list, each a sentence.
    """

    rows: list[JobRow]
    matched: int
    total: int
    unsure: int = 0
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> JobRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[JobRow]: ...
    def __getitem__(self, at: int | slice) -> JobRow | Sequence[JobRow]:
        return self.rows[at]

    def __iter__(self) -> Iterator[JobRow]:
        return iter(self.rows)


class JobSelector:
    """Selects among the jobs of a workspace.

    Args:
        known: The jobs.
        read: Reads jobs from the server, by identity; None without a server.
    """

    def __init__(self, known: KnownJobs, read: Callable[[Iterable[str]], list[Job]] | None) -> None:
        self._known, self._read = known, read

    def select(self, wanted: BoundFilter, order: Order | None, limit: int | None) -> Listing:
        """Return the jobs that match.

        Args:
            wanted: The filter.
            order: The order; None for `RANKS`, and within a state as `rank_of` says.
            limit: How many jobs to return at most; None for all.
        """
        matching, unsure = self.ordered(wanted, order)
        shown = matching[:limit]
        self.complete(shown)
        still = [row for row in shown if wanted.matches(row)]  # a job may have moved on since its state was listed
        return Listing(still, len(matching) - len(shown) + len(still), len(self._known.rows), unsure)

    def ordered(self, wanted: BoundFilter, order: Order | None) -> tuple[list[JobRow], int]:
        """Return the jobs that match, in order, and for how many that cannot be said. See `select`."""
        matching, unsure = self._matching(wanted, list(self._known.rows.values()))
        return (sorted(matching, key=rank_of) if order is None else self._ordered(matching, order)), unsure

    def matching(self, wanted: BoundFilter) -> tuple[list[JobRow], int]:
        """Return the jobs that match, and for how many that cannot be said.

        Less is asked of the server than by `select`: of a job that has ended, the index says enough.
        """
        rows, unsure = self._matching(wanted, list(self._known.rows.values()))
        self.complete(row for row in rows if row.state not in ENDS)
        return [row for row in rows if row.job is None or wanted.matches(row)], unsure

    def complete(self, rows: Iterable[JobRow]) -> None:
        """Read what the server knows of these jobs."""
        if self._read is None:
            return
        lacking = {row.identity: row for row in rows if row.job is None}
        for job in self._read(lacking):
            row = lacking[job.identity]
            row.job, row.state = job, job.state

    def _matching(self, wanted: BoundFilter, rows: list[JobRow]) -> tuple[list[JobRow], int]:
        """The rows that match, and for how many that cannot be said."""
        answers = [(row, wanted.matches(row)) for row in rows]
        self.complete(row for row, answer in answers if answer is None)
        answers = [(row, wanted.matches(row) if answer is None else answer) for row, answer in answers]
        return [row for row, answer in answers if answer], sum(answer is None for _, answer in answers)

    def _ordered(self, rows: list[JobRow], order: Order) -> list[JobRow]:
        columns = [column for column, _ in order.keys]
        self.complete(row for row in rows if any(column.value(row) is UNKNOWN for column in columns))
        return order.sorted(rows)


def rank_of(row: JobRow) -> tuple[int, float]:
    """Jobs that have ended: the latest one first. All others: in the order of their submission."""
    rank = len(RANKS) if row.state is None else RANKS[row.state]
    if row.state in (State.DONE, State.FAILED, State.CANCELLED):
        return rank, -(row.ended_s or row.submitted_s or 0.0)
    return rank, row.submitted_s or 0.0
