"""The jobs of a workspace, to be searched: by a filter, by a name, by their identities.

Owns: what is read for that, and that it is read once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from xpm_core.filters import BoundFilter, Filter, Order, Row, Vocabulary, parse, parse_sort
from xpm_core.index.entries import Entry
from xpm_core.index.folders import submissions_size
from xpm_core.index.merged import MergedIndex
from xpm_core.reading.listing.job_names import JobNames
from xpm_core.reading.listing.known_jobs import KnownJobs, by_index, by_server
from xpm_core.reading.listing.listing import JobSelector, Listing
from xpm_core.reading.listing.ranking import Ranking
from xpm_core.reading.listing.row import JobRow
from xpm_core.states import ENDS

if TYPE_CHECKING:
    from xpm_core.reading.reader import Reader

R = TypeVar("R", bound=Row)

AWAITED_S = 120.0
"""How long the index is read on for the facts of a job, seconds. A network file system may show them a minute late.
If its writer was killed just then, the end never comes."""


class JobSearch:
    """Searches the jobs of one workspace.

    Args:
        workspace: Its directory.
        reader: The readers of its server; None without the server.
        now_s: The time from which durations in filters count, epoch seconds.
        experiments: Returns the names of the workspace's experiments.

    Attributes:
        index: Its index. How old it is, and what is damaged, is known after `known`.
        gone: The jobs that `update` found to be removed when it was called last.
    """

    def __init__(
        self, workspace: Path, reader: Reader | None, now_s: float, experiments: Callable[[], Iterable[str]]
    ) -> None:
        self._workspace, self._reader, self._now_s = workspace, reader, now_s
        self._experiments = experiments
        self._awaited: dict[str, float] | None = None
        """Jobs of which the index is to say more, and until when it is read on for that; see `_awaits`."""
        self._leaving: set[str] = set()
        """Jobs that the server has forgotten, and that the index may still have: their removal is written later."""
        self._submitted, self._several = -1, dict[str, int]()
        """How large the submissions of the index were when `joined` was asked last, and in how many experiments a job
        was, if in several."""
        self.gone: list[str] = []
        self.index = MergedIndex(workspace)

    @cached_property
    def known(self) -> KnownJobs:
        """All jobs that the index or the server knows."""
        entries = self._indexed
        if self._reader is None:
            return by_index(entries)
        return by_server(entries, self._reader.client, self._reader.workspace_id)

    @property
    def awaits(self) -> bool:
        """Whether the index is to say more of some jobs. `update` reads it on, also if it is called without any."""
        return bool(self._awaited_until())

    def _awaited_until(self) -> dict[str, float]:
        """The jobs of which the index is to say more; at first, those listed of which it lacks something."""
        if self._awaited is None:
            until_s, rows = self._now_s + AWAITED_S, self.known.rows
            self._awaited = {identity: until_s for identity, row in rows.items() if _awaits(row)}
        return self._awaited

    @cached_property
    def _indexed(self) -> dict[str, Entry]:
        """What the index says of each job."""
        return self.index.read()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names that filters may use: tags, parameters, tasks and experiments."""
        found = Vocabulary.of(self.known.rows.values())
        return replace(found, experiments={*(found.experiments or ()), *self._experiments()})  # some have no jobs yet

    @cached_property
    def _selector(self) -> JobSelector:
        return JobSelector(self.known, None if self._reader is None else self._reader.jobs.read)

    def select(self, filter: str | Filter, sort: str, limit: int | None) -> Listing:
        """Return the jobs that match a filter; see `View.jobs`."""
        return self._selector.select(*self._asked(filter, sort), limit)

    def order(self, filter: str | Filter, sort: str) -> list[str]:
        """Return the identities of the jobs that match a filter, in order; see `View.order`."""
        return [row.identity for row in self._selector.ordered(*self._asked(filter, sort))[0]]

    def _asked(self, filter: str | Filter, sort: str) -> tuple[BoundFilter, Order | None]:
        """A filter and an order, about the jobs that are known."""
        if isinstance(filter, str):
            filter = parse(filter) if filter.strip() else Filter()
        order = parse_sort(sort, self.vocabulary, "sort") if sort else None
        return filter.bind(self.vocabulary, self._now_s), order

    def matching(self, filter: str | Filter, others: Sequence[R] = ()) -> tuple[list[JobRow], int, list[R]]:
        """Return the jobs that match a filter in the order of their submission, and for how many that is not known.

        The index says when that was, also while the server says more of a job: else a row would move when its job ends.
        Jobs that were submitted together have the order of the index, and those that it lacks that of their identities.

        Of some other rows, return those that match, too. The filter may name what only they have, as foreign runs may.
        """
        if isinstance(filter, str):
            filter = parse(filter) if filter.strip() else Filter()
        vocabulary = self.vocabulary
        if others and filter != Filter():
            found = Vocabulary.of([*self.known.rows.values(), *others])
            vocabulary = replace(found, experiments={*(vocabulary.experiments or ()), *(found.experiments or ())})
        wanted = filter.bind(vocabulary, self._now_s)
        rows, unsure = self._selector.matching(wanted)
        places = {identity: place for place, identity in enumerate(self._indexed)}
        in_order = sorted(
            rows,
            key=lambda row: (
                row.entry.submitted_s or row.submitted_s or math.inf,
                places.get(row.identity, len(places)),
                row.identity,
            ),
        )
        return in_order, unsure, [row for row in others if wanted.matches(row)]

    def ranked(self, filter: Filter) -> Ranking:
        """Return the jobs that match a filter, in the order of a list, to be kept up to date; see `View.ranked`."""
        wanted = filter.bind(self.vocabulary, self._now_s)
        return Ranking(self.known.rows.values(), wanted, self._selector.complete)

    def update(self, identities: Iterable[str], now_s: float) -> list[JobRow]:
        """Read how these jobs stand now, and add those that are new; see `View.update`.

        A worker writes the index after it has told the server, so what a job has reported may come later. So may its
        parameters, which the script writes, and its removal.
        """
        self._now_s = now_s
        rows, wanted = self.known.rows, list(dict.fromkeys(identities))
        assert self._reader is not None
        fresh = {job.identity: job for job in self._reader.jobs.read(wanted)}
        forgotten = {each for each in wanted if each not in fresh and each in rows}
        new = [each for each in fresh if each not in rows or not rows[each].entry.task]
        until = self._awaited_until()
        awaited = {each: until_s for each, until_s in until.items() if until_s >= now_s and each not in fresh}
        nameless = [each for each in awaited if each in rows and not rows[each].entry.task]
        reads = new or forgotten or awaited or any(job.state in ENDS for job in fresh.values())
        entries = self.index.read_on() if reads else {}
        for identity in [*fresh, *awaited]:
            entry = entries.get(identity)
            row = rows.setdefault(identity, JobRow(entry or Entry(identity), None))
            row.entry = entry or row.entry
        for identity, job in fresh.items():
            rows[identity].job, rows[identity].state = job, job.state
        self._leave(forgotten, set(fresh), entries)
        asked = [each for each in dict.fromkeys([*fresh, *awaited, *forgotten]) if each in rows]
        self._awaited = {
            each: awaited.get(each, now_s + AWAITED_S) for each in asked if each in self._leaving or _awaits(rows[each])
        }
        self._leaving &= self._awaited.keys()
        came = [each for each in awaited if each not in self._awaited]
        found = [rows[each] for each in dict.fromkeys([*wanted, *came]) if each in rows]
        self._forget_names(found, bool(new) or any(each in rows and rows[each].entry.task for each in nameless))
        return found

    def _leave(self, forgotten: set[str], fresh: set[str], entries: Mapping[str, Entry]) -> None:
        """Let jobs that the server has forgotten be known as the index has them; those that it lacks, too, are gone."""
        rows, self.gone = self.known.rows, []
        self._leaving = (self._leaving | forgotten) - fresh
        for identity in [each for each in self._leaving if each in rows]:
            if identity in entries:
                rows[identity].job, rows[identity].state = None, entries[identity].state
            else:
                del rows[identity]
                self.gone.append(identity)

    def joined(self) -> list[JobRow]:
        """Return the jobs that belong to several experiments, and did not when this was asked last.

        No event says that a job that is done has come to another experiment. Its submission is in the index.
        """
        size, rows = submissions_size(self._workspace), self.known.rows
        if size == self._submitted:
            return []
        self._submitted, entries = size, self.index.read_on()
        found, before = [], self._several
        self._several = {}
        for identity, row in rows.items():
            row.entry = entries.get(identity, row.entry)
            count = len(row.entry.experiments)
            if count > 1:
                self._several[identity] = count
                if before.get(identity) != count:
                    found.append(row)
        self._forget_names(found, bool(found))
        return found

    def _forget_names(self, rows: Iterable[JobRow], new: bool) -> None:
        """Let the vocabulary be made again if jobs are new, or have reported results of other names."""
        known = self.__dict__.get("vocabulary")
        if known is not None and (new or any((row.results or {}).keys() - known.results.keys() for row in rows)):
            del self.__dict__["vocabulary"]

    def named(self, name: str) -> JobRow:
        """Return the one job that a name means; see `View.job`."""
        row = JobNames(self._workspace, self.known.rows, self.vocabulary, self._reader).named(name)
        self._selector.complete([row])
        return row

    def rows(self, identities: Iterable[str]) -> list[JobRow]:
        """Return these jobs, in order, with all that is known of them. Unknown ones are left out."""
        found = [self.known.rows[identity] for identity in identities if identity in self.known.rows]
        self._selector.complete(found)
        return found


def _awaits(row: JobRow) -> bool:
    """Whether the index lacks what a job is, or the end of one that has ended."""
    if not row.entry.task:
        return True
    end, job = row.entry.end, row.job
    if row.state not in ENDS:
        return False
    is_it = end is not None and (not end.execution or job is None or end.execution == job.execution)
    return row.entry.state is not row.state or not is_it
