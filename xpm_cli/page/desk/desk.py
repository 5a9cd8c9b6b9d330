"""The workspace as the page reads it: one look for all requests, kept up to date by the events.

Owns: how often it reads, and that one thread reads at a time. Events make it read at most five times a second, and
only while somebody looks; a request makes it read what has happened since. A request that finds nothing new reads
nothing but jobs that were not shown before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.desk.orders import SHARE, Orders
from xpm_core.errors import RedisUnavailableError, XpmError
from xpm_core.reading.events import Record
from xpm_core.reading.listener import Listener
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.look import View
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.server.faults import fault_of
from xpm_core.states import State

T = TypeVar("T")

LEAST_S = 0.2
"""The least time between two readings that events make, seconds."""
ALL_S = 600.0
"""How often all jobs are listed anew, seconds."""
REST = 2
"""For each second of such a reading, so many seconds are not spent on reading."""
LONGEST_REST_S = 10.0
"""How long it rests at most: a reading may have taken long only because the server was away, seconds."""
AGAIN_S = 10.0
"""How often a server that is away is asked for again, and the files are read again meanwhile, seconds."""
REVIVE_S = 2.0
"""How long an embedded server may be away before it is started again, seconds."""

MOST_KEPT, MOST_HEAVY = 64, 6
"""How many values are remembered, and how many of those that are large."""


@dataclass(frozen=True)
class Listed:
    """A part of a list of jobs.

    Attributes:
        rows: The jobs of this part, in order.
        matched: How many the list has.
        total: How many the workspace has.
        unsure: How many are left out because a fact that the filter asks about is not known.
        counts: How many of the list are in each state.
        names: The tags and parameters in which the list's jobs differ, as filters call them.
        results: The names of what they have reported.
        notes: What a reader should know, each a sentence.
    """

    rows: list[JobRow]
    matched: int
    total: int
    unsure: int
    counts: dict[State, int]
    names: list[str]
    results: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Batch:
    """What has changed since the batch before.

    Attributes:
        cursor: The last event that it covers.
        changed: The states of jobs that have changed, by identity.
        counts: How many jobs are in each state; empty if the server is away.
        missed: Whether other jobs may have changed, too.
    """

    cursor: str
    changed: Mapping[str, State]
    counts: Mapping[State, int]
    missed: bool = False


@dataclass
class _News:
    """What events have said and nobody has read yet."""

    changed: set[str] = field(default_factory=set)
    missed: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed) or self.missed


class Desk:
    """Reads a workspace for the page. Any thread may call it.

    Args:
        opened: The workspace.
        reopen: Looks at it again, after its server was away.

    Attributes:
        opened: The workspace.
        generation: Goes up whenever something has been read anew.
        cursor: The last event that `generation` covers.
        outage: Why the server does not answer now; empty if it does. The jobs then stay as they were.
        is_ready: Whether all jobs have been listed once. That takes some seconds if there are many; whoever asks for
            jobs waits for it.
    """

    def __init__(self, opened: OpenWorkspace, reopen: Callable[[], View]) -> None:
        self.opened, self._reopen = opened, reopen
        self.generation, self.cursor, self.outage = 0, "0-0", ""
        self.is_ready = False
        self._lock = threading.RLock()
        self._wake = threading.Condition()
        self._news, self._heard_to = _News(), "0-0"
        self._orders = Orders()
        self._remembered: dict[Hashable, tuple[int, float, Any]] = {}
        self._heavy: dict[Hashable, tuple[int, float, Any]] = {}
        self._hearers: list[Callable[[Batch], None]] = []
        self._listener: Listener | None = None
        self._closed = False
        self._all_at = self._tried_at = time.monotonic()
        self._away_at = 0.0
        self._ahead_s = self.view.now_s - time.monotonic()
        self._listen()
        self._follower = threading.Thread(target=self._follow, name="xpm-page-desk", daemon=True)
        self._follower.start()

    # -- what requests ask -----------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """The look at the workspace. Whoever uses it is in `reading`."""
        return self.opened.view

    @property
    def away(self) -> XpmError | None:
        """Why the files answer in place of the server; None if they do not."""
        return self.view.away

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Read with the look of the desk; no other thread does meanwhile.

        Raises:
            RedisUnavailableError: The server went away meanwhile.
        """
        with self._lock:
            self._catch_up()
            self.view.now_s = self._ahead_s + time.monotonic()  # it was read once; since then time has gone on
            try:
                yield self.view
            except OUTAGES as error:
                self._note(error)
                raise RedisUnavailableError(f"Redis ({self.view.server})", self.outage, "Reload the page.") from error

    def listed(self, text: str, sort: str = "", first: int = 0, count: int = 200) -> Listed:
        """Return a part of the jobs that match a filter.

        Args:
            text: The filter; empty for all jobs.
            sort: Names by which to sort, such as `-started,lr`; empty for what needs somebody first.
            first: The place of the first job of the part.
            count: How many jobs the part has.

        Raises:
            FilterError: The filter or the order cannot be understood, or names what no job has.
        """
        with self.reading() as view:
            found = self._orders.of(view, text)
            ranking = found.ranking
            if sort:
                window = [*self._orders.sorted(view, text, sort)[max(first, 0) : max(first, 0) + count]]
            else:
                window = ranking.window(first, count)
            return Listed(
                rows=view.rows(window),
                matched=len(ranking),
                total=view.total,
                unsure=ranking.unsure,
                counts=ranking.counts,
                names=found.differing.names,
                results=found.differing.results,
                notes=view.notes,
            )

    def matching(self, text: str, identities: Iterable[str]) -> list[JobRow]:
        """Return these jobs, in order, but those that do not match a filter.

        Raises:
            FilterError: As for `listed`.
        """
        with self.reading() as view:
            ranking = self._orders.of(view, text).ranking
            return view.rows(each for each in identities if each in ranking)

    def rows(self, identities: Iterable[str]) -> list[JobRow]:
        """Return these jobs, in order. Unknown ones are left out."""
        with self.reading() as view:
            return view.rows(identities)

    def remembered(self, key: Hashable, make: Callable[[View], T], *, heavy: bool = False) -> T:
        """Return a value that is made of the workspace, and made again only after something has changed.

        If it takes long, it is made less often: at most one part in twenty of the time goes there.

        Args:
            key: Names the value.
            make: Makes it; it is called while no other thread reads.
            heavy: Whether it is large, such as a table of all jobs. Of such values, only a few are kept.
        """
        kept, most = (self._heavy, MOST_HEAVY) if heavy else (self._remembered, MOST_KEPT)
        with self.reading() as view:
            generation, until_s, value = kept.pop(key, (-1, 0.0, None))
            began = time.monotonic()
            if generation != self.generation and began >= until_s:
                value = make(view)
                until_s, generation = time.monotonic() + SHARE * (time.monotonic() - began), self.generation
            kept[key] = generation, until_s, value
            while len(kept) > most:
                del kept[next(iter(kept))]
            found: T = value
            return found

    # -- what streams ask ------------------------------------------------------------------------------------------

    def subscribe(self, heard: Callable[[Batch], None]) -> Callable[[], None]:
        """Have each batch of changes handed on, by the desk's thread. Returns what ends that."""
        with self._wake:
            self._hearers.append(heard)
            self._wake.notify_all()

        def end() -> None:
            with self._wake:
                self._hearers.remove(heard)

        return end

    def close(self) -> None:
        """Read no more."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._listener is not None:
            self._listener.close()

    # -- following -------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self.view.away is not None:
            return
        self._listener = Listener(self.view, self._heard, self._missed, self._failed, self._lost)
        self.cursor = self._heard_to = self._listener.cursor
        self._listener.start()

    def _heard(self, records: list[Record]) -> None:
        with self._wake:
            self._heard_to = records[-1].cursor
            self._news.changed.update(record.job for record in records if record.job)
            self._wake.notify_all()

    def _missed(self, cursor: str) -> None:
        with self._wake:
            self._heard_to, self._news.missed = cursor, True
            self._wake.notify_all()

    def _failed(self, error: Exception) -> None:
        self.outage = str(error)

    def _lost(self, error: Exception) -> None:
        """Let all who look know that the server is away. The next reading looks whether it is back."""
        self._say_away(fault_of(error, self.view.connector.client).problem)
        with self._wake:
            self._news.missed = True
            self._wake.notify_all()

    def _follow(self) -> None:
        """Read what events are about, while somebody hears of it."""
        self._make_ready()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or (self._hearers and self._news), timeout=AGAIN_S)
                if self._closed:
                    return
                looked_at = bool(self._hearers)
            began = time.monotonic()
            if looked_at:
                with self._lock:
                    self._catch_up()
            rest_s = 0.0 if self.outage else REST * (time.monotonic() - began)
            time.sleep(min(max(LEAST_S, rest_s), LONGEST_REST_S))

    def _make_ready(self) -> None:
        """List all jobs before somebody asks for them."""
        with suppress(Exception), self.reading() as view:  # whoever asks gets the error
            self._orders.of(view, "")
        self.is_ready = True

    def _catch_up(self) -> None:
        """Read what has happened since the last reading. The lock is held."""
        try:
            if self.view.away is not None:
                self._try_again()
            elif self._news or time.monotonic() - self._all_at > ALL_S:
                self._read()
        except (ServerError, OSError) as error:
            self._note(error)
        except RedisUnavailableError as error:
            self._say_away(error.problem)

    def _read(self) -> None:
        with self._wake:
            news, self._news, cursor = self._news, _News(), self._heard_to
        try:
            news.missed = news.missed or self._is_old()
            rows = self._read_all() if news.missed else self._read_some(news.changed)
        except BaseException:
            with self._wake:
                self._news.changed |= news.changed
                self._news.missed |= news.missed
            raise
        self.generation, self.cursor, self.outage = self.generation + 1, cursor, ""
        changed = {row.identity: row.state for row in rows if row.state is not None}
        self._tell(Batch(cursor, changed, self.view.reader.jobs.counts(), news.missed))

    def _is_old(self) -> bool:
        return time.monotonic() - self._all_at > ALL_S

    def _read_some(self, changed: Iterable[str]) -> list[JobRow]:
        rows = self.view.update(changed)
        self._orders.update(rows)
        return rows

    def _read_all(self) -> list[JobRow]:
        self.view.refresh()
        self._ahead_s = self.view.now_s - time.monotonic()
        self._orders.forget()
        self._all_at = time.monotonic()
        return []

    def _tell(self, batch: Batch) -> None:
        with self._wake:
            hearers = list(self._hearers)
        for heard in hearers:
            heard(batch)

    # -- outages ---------------------------------------------------------------------------------------------------

    def _note(self, error: Exception) -> None:
        """Note that the server is away. An embedded one is started again after a while."""
        connector, now_s = self.view.connector, time.monotonic()
        self._say_away(fault_of(error, connector.client).problem)
        with self._wake:
            self._news.missed = True
        if connector.embedded is not None and now_s - self._away_at > REVIVE_S:
            with suppress(XpmError):  # it is tried again at the next reading
                connector.embedded.revive()

    def _say_away(self, problem: str) -> None:
        """Note why the server does not answer, and let all who look know."""
        with self._wake:
            begins, self.outage = not self.outage, problem
            if begins:
                self._away_at = time.monotonic()
        if begins:
            self._tell(Batch(self.cursor, {}, {}))

    def _try_again(self) -> None:
        """While files answer: look for the server again now and then, and read the files again."""
        if time.monotonic() - self._tried_at < AGAIN_S:
            return
        self._tried_at = time.monotonic()
        self.opened.view.close()
        self.opened = OpenWorkspace(self._reopen(), self.opened.commands)
        self._ahead_s = self.view.now_s - time.monotonic()
        self._orders.forget()
        self.generation += 1
        self._listen()
        if self.view.away is None:
            self._tell(Batch(self.cursor, {}, self.view.reader.jobs.counts(), missed=True))
