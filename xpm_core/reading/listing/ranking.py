"""Jobs that match a filter, in the order of a list, kept up to date while jobs move.

Owns: what a move costs. A job that has changed is taken out and put in at its new place; the others are not looked at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable

from xpm_core.filters import BoundFilter
from xpm_core.reading.listing.listing import rank_of
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import State

Key = tuple[int, float, str]
"""Where a job stands: its rank, its time, and its identity."""

MANY = 2000
"""From so many changes on, all is sorted again, which is then quicker."""


class Ranking:
    """The jobs of a workspace that match a filter, in the order of `RANKS`.

    Args:
        rows: All jobs.
        wanted: The filter.
        complete: Reads what the server knows of some jobs.
    """

    def __init__(
        self, rows: Iterable[JobRow], wanted: BoundFilter, complete: Callable[[Iterable[JobRow]], None]
    ) -> None:
        self._wanted, self._complete = wanted, complete
        self._keys: dict[str, Key] = {}
        self._states: dict[str, State | None] = {}
        self._order: list[Key] = []
        self._unsure: set[str] = set()
        self._counts: Counter[State | None] = Counter()
        self.update(rows)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, identity: str) -> bool:
        return identity in self._keys

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a job that the filter asks about."""
        return self._wanted.fields

    @property
    def unsure(self) -> int:
        """How many jobs are left out because a fact that the filter asks about is not known."""
        return len(self._unsure)

    @property
    def counts(self) -> dict[State, int]:
        """How many of the jobs are in each state."""
        return {state: self._counts[state] for state in State}

    def update(self, rows: Iterable[JobRow]) -> None:
        """Put jobs that are new, or have changed, where they stand now."""
        changed = list(rows)
        answers = {row.identity: self._wanted.matches(row) for row in changed}
        unknown = [row for row in changed if answers[row.identity] is None]
        self._complete(unknown)
        answers.update((row.identity, self._wanted.matches(row)) for row in unknown)
        many = len(changed) >= MANY
        for row in changed:
            answer = answers[row.identity]
            (self._unsure.add if answer is None else self._unsure.discard)(row.identity)
            key = (*rank_of(row), row.identity) if answer else None
            self._move(row.identity, row.state, key, sorts=not many)
        if many:
            self._order = sorted(self._keys.values())

    def remove(self, identities: Iterable[str]) -> None:
        """Take out jobs that are gone."""
        for identity in identities:
            self._unsure.discard(identity)
            self._move(identity, None, None, sorts=True)

    def _move(self, identity: str, state: State | None, key: Key | None, *, sorts: bool) -> None:
        """Let a job stand at a key; None takes it out."""
        before = self._keys.pop(identity, None)
        if before is not None:
            self._counts[self._states.pop(identity)] -= 1
            if sorts and before != key:
                del self._order[bisect_left(self._order, before)]
        if key is not None:
            self._keys[identity], self._states[identity] = key, state
            self._counts[state] += 1
            if sorts and before != key:
                insort(self._order, key)

    def window(self, first: int, count: int) -> list[str]:
        """Return the identities of some jobs, in order, from that place on."""
        return [identity for _, _, identity in self._order[max(first, 0) : max(first, 0) + max(count, 0)]]

    def after(self, key: Key, count: int) -> list[str]:
        """Return the identities of the jobs that stand behind a key, which may be that of a job that has moved on."""
        first = bisect_right(self._order, key)
        return self.window(first, count)

    def key(self, identity: str) -> Key | None:
        """Where a job stands; None if it does not match."""
        return self._keys.get(identity)

    def place(self, identity: str) -> int | None:
        """Return where a job stands, from 0; None if it does not match."""
        key = self._keys.get(identity)
        return None if key is None else bisect_left(self._order, key)
