"""The workspace as the page reads it: one look for all requests, kept up to date by the events.

Owns: how often it reads, and that one thread reads at a time. Events make it read at most five times a second, and
only while somebody looks; a request makes it read what has happened since. A request that finds nothing new reads
nothing but jobs that were not shown before.

What no event says is looked for now and then. Whoever was given something old is told when it can be made anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.desk.memory import Memory
from xpm_cli.page.desk.orders import SHARE, Orders, part_of
from xpm_core.errors import RedisUnavailableError, XpmError
from xpm_core.reading.events import Record
from xpm_core.reading.listener import Listener
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.look import View
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.server.faults import fault_of
from xpm_core.states import State

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

LEAST_S = 0.2
"""The least time between two readings that events make, seconds."""
ALL_S = 600.0
"""How often all jobs are listed anew, seconds."""
REST = 2
"""For each second of such a reading, so many seconds are not spent on reading."""
LONGEST_REST_S = 10.0
"""How long it rests at most: a reading may have taken long only because the server was away, seconds."""
AGAIN_S, FILES_S = 10.0, 30.0
"""How often a server that is away is asked for again, and after how long without it the files answer, seconds."""
LOOK_S = 1.0
"""How often the desk looks for what no event says, while somebody looks at the page, seconds."""
JOINED_S = 10.0
"""How often it looks whether jobs have come to another experiment, seconds."""
MOST_KEPT, MOST_TABLES = 64, 6
"""How many values are remembered, and how many tables."""
MANY = 20_000
"""From so many changes on, all jobs are listed anew, which is then quicker."""


@dataclass(frozen=True)
class Listed:
    """A part of a list of jobs.

    Attributes:
        rows: The jobs of this part, in order.
        last: The mark of the last of them, behind which the list goes on; empty if it does not.
        matched: How many the list has.
        total: How many the workspace has.
        unsure: How many are left out because a fact that the filter asks about is not known.
        counts: How many of the list are in each state.
        names: The tags and parameters in which the list's jobs differ, as filters call them.
        results: The names of what they have reported.
        notes: What a reader should know, each a sentence.
    """

    rows: list[JobRow]
    last: str
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
    """What events have said and nobody has read yet: about jobs, and about workers or queues (`others`)."""

    changed: set[str] = field(default_factory=set)
    others: bool = False
    missed: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed) or self.others or self.missed


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
        trouble: What else keeps the page from following the jobs; empty without. They stay as they were, too.
        is_ready: Whether all jobs have been listed once. That takes some seconds if there are many; whoever asks for
            jobs waits for it.
    """

    def __init__(self, opened: OpenWorkspace, reopen: Callable[[], View]) -> None:
        self.opened, self._reopen = opened, reopen
        self.generation, self.cursor, self.outage, self.trouble = 0, "0-0", "", ""
        self.is_ready = False
        self._lock = threading.RLock()
        self._wake = threading.Condition()
        self._news, self._heard_to = _News(), "0-0"
        self._orders = Orders()
        self._memory = Memory(MOST_KEPT, ages=True)
        self._tables, self._making = Memory(MOST_TABLES, ages=False), threading.RLock()
        self._depth = 0
        self._hearers: list[Callable[[Batch], None]] = []
        self._listener: Listener | None = None
        self._closed = threading.Event()
        self._all_at = self._tried_at = self._joined_at = time.monotonic()
        self._away_at = self._listened_at = self._looked_at = 0.0
        self._deaf = False
        self._gone: list[str] = []
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
            if not self._depth:  # within one reading, nothing moves
                self._catch_up()
                self.view.now_s = self._ahead_s + time.monotonic()  # it was read once; since then time has gone on
            self._depth += 1
            try:
                yield self.view
            except OUTAGES as error:
                self._note(error)
                raise RedisUnavailableError(f"Redis ({self.view.server})", self.outage, "Reload the page.") from error
            finally:
                self._depth -= 1

    @contextmanager
    def reading_now(self) -> Iterator[View]:
        """Read as `reading` does, with what no event says as of now; also the time of the look is now."""
        with self.reading() as view:
            if view.away is None:
                rows = self._read_some([])
                if rows or self._gone:
                    self._has_read(rows, bool(self._gone))
            yield view

    def listed(self, text: str, sort: str = "", first: int = 0, count: int = 200, *, after: str = "") -> Listed:
        """Return a part of the jobs that match a filter.

        Args:
            text: The filter; empty for all jobs.
            sort: Names by which to sort, such as `-started,lr`; empty for what needs somebody first.
            first: The place of the first job of the part.
            count: How many jobs the part has.
            after: The mark (`Listed.last`) of the part before; empty without one.

        Raises:
            FilterError: The filter or the order cannot be understood, or names what no job has.
        """
        with self.reading() as view:
            found = self._orders.of(view, text)
            ranking = found.ranking
            window, last = part_of(ranking, self._sorted(view, text, sort), first, count, after)
            return Listed(
                rows=view.rows(window),
                last=last,
                matched=len(ranking),
                total=view.total,
                unsure=ranking.unsure,
                counts=ranking.counts,
                names=found.differing.names,
                results=found.differing.results,
                notes=view.notes,
            )

    def identities(self, text: str, sort: str = "") -> list[str]:
        """Return all jobs that match a filter, in order. `rows` reads them, some at a time, so that others can read.

        Raises:
            FilterError: As for `listed`.
        """
        with self.reading() as view:
            ranking, order = self._orders.of(view, text).ranking, self._sorted(view, text, sort)
            return part_of(ranking, order, 0, len(ranking if order is None else order))[0]

    def _sorted(self, view: View, text: str, sort: str) -> Sequence[str] | None:
        """What matches a filter, in an order that was asked for; None without one."""
        if not sort:
            return None
        order, rests_s = self._orders.sorted(view, text, sort, self.generation)
        self._memory.borrow(rests_s)
        return order

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

    def remembered(self, key: Hashable, make: Callable[[View], T]) -> T:
        """Return a value that is made of the workspace, and made again only after something has changed.

        If it takes long, it is made less often: at most one part in twenty of the time goes there. Whoever gets an old
        one is told by a batch when it can be made anew. Also without a change it is made anew after some seconds.

        Args:
            key: Names the value.
            make: Makes it; it is called while no other thread reads.
        """
        with self.reading() as view:
            found: T = self._memory.get(key, lambda: make(view), self.generation)
            return found

    def table(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return a value that is large, such as a table of all jobs. A few are kept, and they do not age with the time.

        One is made at a time, and others read the workspace meanwhile. Whoever is in `reading` must not call this.

        Args:
            key: Names the value.
            make: Makes it. What it reads of the workspace, it reads in `reading`; it may call `table`.
        """
        with self._making:
            with self.reading():
                generation = self.generation
            found: T = self._tables.get(key, make, generation)
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
        """Read no more. What is being read now is read to its end: the connection may be closed afterwards."""
        self._closed.set()
        with self._wake:
            self._wake.notify_all()
        if self._listener is not None:
            self._listener.close()
        self._follower.join()

    # -- following -------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self.view.away is not None:
            return
        self._listened_at = time.monotonic()
        self._listener = None  # if this fails, it is tried again
        self._listener = Listener(self.view, self._heard, self._missed, self._failed, self._lost)
        self.cursor = self._heard_to = self._listener.cursor
        self._listener.start()

    def _heard(self, records: list[Record]) -> None:
        with self._wake:
            self._heard_to, self._deaf = records[-1].cursor, False
            self._news.changed.update(record.job for record in records if record.job)
            self._news.others = self._news.others or not all(record.job for record in records)
            self._wake.notify_all()

    def _missed(self, cursor: str) -> None:
        with self._wake:
            self._heard_to, self._news.missed = cursor, True
            self._wake.notify_all()

    def _failed(self, error: Exception) -> None:
        """Note that no event is heard any more: the listener has ended. The next reading begins with another one."""
        self._deaf = True
        self._say_trouble(error)

    def _lost(self, error: Exception) -> None:
        """Let all who look know that the server is away. The next reading looks whether it is back."""
        self._say_away(fault_of(error, self.view.connector.client).problem)
        with self._wake:
            self._news.missed = True
            self._wake.notify_all()

    def _follow(self) -> None:
        """Read what events are about, while somebody hears of it."""
        self._make_ready()
        rest_s = LEAST_S
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed.is_set() or (self._hearers and self._news), timeout=LOOK_S)
                if self._closed.is_set():
                    return
                looked_at = bool(self._hearers)
            if looked_at:
                with self._lock:
                    began = time.monotonic()
                    self._catch_up()
                    self._tell_due()
                    rest_s = 0.0 if self.outage else REST * (time.monotonic() - began)
            self._closed.wait(min(max(LEAST_S, rest_s, LOOK_S if self.trouble else 0.0), LONGEST_REST_S))

    def _tell_due(self) -> None:
        """Let those ask again who were given something old that can be made anew now."""
        if self._memory.is_due() | self._tables.is_due():
            self._tell(Batch(self.cursor, {}, {}, missed=True))

    def _make_ready(self) -> None:
        """List all jobs before somebody asks for them."""
        with suppress(Exception), self.reading() as view:  # whoever asks gets the error
            self._orders.of(view, "")
        self.is_ready = True

    def _catch_up(self) -> None:
        """Read what has happened since the last reading. An error leaves what was known. The lock is held."""
        try:
            if self.view.away is not None or (self.outage and time.monotonic() - self._away_at > FILES_S):
                self._try_again()
                return
            self._listen_again()
            if self._news or self._is_old():
                self._read()
            else:
                self._look()
        except (ServerError, OSError, RedisUnavailableError) as error:
            self._note(error)
        except Exception as error:  # else the thread that follows would end, and nobody would know
            self._say_trouble(error)

    def _listen_again(self) -> None:
        """Hear events by another listener if there is none any more."""
        if self._closed.is_set() or (self._listener is not None and self._listener.is_alive()):
            if self._deaf and time.monotonic() - self._listened_at > AGAIN_S:
                self._deaf, self._news.others = False, True
        elif time.monotonic() - self._listened_at > (AGAIN_S if self._deaf else LOOK_S):
            self._listen()
            self._missed(self._heard_to)

    def _look(self) -> None:
        """Look for what no event says: what the index has got later, and jobs that came to another experiment."""
        if (began := time.monotonic()) < self._looked_at:
            return
        self._gone = []
        rows = self._read_some([]) if self.view.awaits else []
        self._looked_at = time.monotonic() + max(LOOK_S, SHARE * (time.monotonic() - began))
        if (began := time.monotonic()) > self._joined_at and self.view.total:
            joined = self.view.joined()
            self._orders.update(joined)
            rows += joined
            self._joined_at = time.monotonic() + max(JOINED_S, SHARE * (time.monotonic() - began))
        if rows or self._gone:
            self._has_read(rows, bool(self._gone))

    def _read(self) -> None:
        with self._wake:
            news, self._news, cursor = self._news, _News(), self._heard_to
        try:
            news.missed = news.missed or self._is_old() or len(news.changed) > MANY
            news.missed = news.missed or self.view.reader.events.astray(self.cursor)  # the server was emptied
            rows = self._read_all() if news.missed else self._read_some(news.changed)
        except BaseException as error:
            with self._wake:
                self._news.changed |= news.changed
                self._news.missed |= news.missed or not isinstance(error, OUTAGES)  # the orders may be half done
            raise
        self.cursor, self.outage, self.trouble = cursor, "", self.trouble if self._deaf else ""
        self._has_read(rows, news.missed or bool(self._gone))

    def _has_read(self, rows: Iterable[JobRow], missed: bool) -> None:
        self.generation += 1
        changed = {row.identity: row.state for row in rows if row.state is not None}
        self._tell(Batch(self.cursor, changed, self.view.reader.jobs.counts(), missed))

    def _is_old(self) -> bool:
        return time.monotonic() - self._all_at > ALL_S

    def _read_some(self, changed: Iterable[str]) -> list[JobRow]:
        rows = self.view.update(changed)
        self._gone = self.view.gone
        self._orders.update(rows)
        self._orders.remove(self._gone)
        return rows

    def _read_all(self) -> list[JobRow]:
        self.view.refresh()
        self._ahead_s = self.view.now_s - time.monotonic()
        self._orders.forget()
        self._gone = []
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
        self._say_away(self.opened.outage(error, time.monotonic() - self._away_at if self.outage else 0.0))
        with self._wake:
            self._news.missed = True

    def _say_away(self, problem: str) -> None:
        """Note why the server does not answer, and let all who look know."""
        with self._wake:
            begins, self.outage = not self.outage, problem
            if begins:
                self._away_at = time.monotonic()
        if begins:
            self._tell(Batch(self.cursor, {}, {}))

    def _say_trouble(self, error: Exception) -> None:
        """Note what keeps the page from following the jobs, and let all who look know."""
        said = f"{type(error).__name__}: {error}"
        with self._wake:
            begins, self.trouble = self.trouble != said, said
            self._news.missed = True
            self._wake.notify_all()
        if begins:
            _LOG.error("the page cannot follow the jobs", exc_info=error)
            self._tell(Batch(self.cursor, {}, {}))

    def _try_again(self) -> None:
        """While files answer, or are to: look for the server again now and then, and read the files again."""
        if time.monotonic() - self._tried_at < AGAIN_S:
            return
        self._tried_at = time.monotonic()
        view, begins = self._reopen(), self.view.away is None
        if self._listener is not None:
            self._listener.close()
        self.opened.view.close()
        self.opened = OpenWorkspace(view, self.opened.commands)
        self._ahead_s = self.view.now_s - time.monotonic()
        self._orders.forget()
        self.generation += 1
        self._listen()
        self.outage = ""
        if self.view.away is None or begins:
            counts = {} if self.view.away is not None else self.view.reader.jobs.counts()
            self._tell(Batch(self.cursor, {}, counts, missed=True))
