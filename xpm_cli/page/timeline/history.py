"""The past of a workspace, kept up to date: the lanes of its workers, and what its jobs waited for.

The first reading takes all events that the server keeps, some thousand at a time, so that other requests are answered
in between. It may take some seconds, so a thread does it, and whoever asks meanwhile is told how far it is. Each later
reading takes what has happened since.

Owns: when the sources are read, and what is said of what they do not know.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpm_cli.page.timeline.ends import EndFiles
from xpm_cli.page.timeline.executions import Executions
from xpm_cli.page.timeline.lanes import Lane
from xpm_cli.page.timeline.moves import Move, moves
from xpm_cli.page.timeline.waiting import Capacity, Line, Now, Waiting
from xpm_core.errors import XpmError
from xpm_core.reading.server import server_time
from xpm_core.states import State

if TYPE_CHECKING:
    from xpm_cli.page.desk.desk import Desk
    from xpm_core.reading.look import View

BATCHES = 4
"""How many times events are read, a thousand each time, before other requests have their turn."""
LEAST_S = 1.0
"""The least time between two readings, seconds."""
PATIENCE_S = 2.0
"""How long a request waits for the first reading, seconds."""
REST_S = 0.01
"""How long other requests have the desk for themselves after each part of it."""


@dataclass(frozen=True)
class Past:
    """What has run, and what jobs waited for.

    Attributes:
        lanes: The lanes of the workers, by name.
        now_s: Up to when it is known, epoch seconds.
        waited: How long jobs waited for what, all jobs together, seconds.
        waited_since_s: From when that counts, epoch seconds; None if nothing is known of it.
        cut: Whether the server has dropped older events.
        unseen: How many executions are not shown, because their beginning is not known.
        away: Why the server cannot be had; empty if it can.
        asked: Whether it answered before. Else only the files of the workspace say what is known.
        reading: How many events were read so far, if the first reading goes on; else None.
    """

    lanes: tuple[Lane, ...]
    now_s: float
    waited: Mapping[str, float]
    waited_since_s: float | None
    cut: bool
    unseen: int
    away: str
    asked: bool = True
    reading: int | None = None


class History:
    """Reads the past of the workspace of a desk. Any thread may call it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._files = EndFiles(desk.opened.workspace.path)
        self._executions = Executions()
        self._read_at = float("-inf")
        self._past: Past | None = None
        self._first: threading.Event | None = None
        self._broken: Exception | None = None
        self._met = 0
        self._known_s = 0.0
        self._forget()

    def _forget(self) -> None:
        """Let all events be read anew. Executions that have ended stay known."""
        self._cursor, self._heard, self._cut = "0-0", set[str](), False
        self._waiting = Waiting(hosts=self._executions.hosts)
        self._begun = False

    def read(self) -> Past:
        """The past up to now, or up to when it was last known; while it is first read, an empty one."""
        if self._past is None and not self._is_first_done():
            return Past((), time.time(), {}, None, False, 0, "", reading=self._met)
        with self._lock:
            if self._past is None or time.monotonic() - self._read_at >= LEAST_S:
                self._past = self._read()
                self._read_at = time.monotonic()
            return self._past

    def _is_first_done(self) -> bool:
        """Let the first reading begin, and wait for it a while. Its error is raised here."""
        with self._lock:
            first = self._first
            if first is None:
                first = self._first = threading.Event()
                threading.Thread(target=self._read_first, args=[first], name="xpm-page-past", daemon=True).start()
        done = first.wait(PATIENCE_S)
        if self._broken is not None:
            error, self._broken, self._first = self._broken, None, None
            raise error
        return done

    def _read_first(self, done: threading.Event) -> None:
        try:
            self._past = self._read()
            self._read_at = time.monotonic()
        except Exception as error:  # it is raised to whoever asks
            self._forget()
            self._broken = error
        done.set()

    def _read(self) -> Past:
        self._executions.add_ends(self._files.read_on())
        self._executions.hosts.update(self._files.hosts)
        away = ""
        try:
            self._follow()
        except XpmError as error:
            away = str(error)
        now_s = self._known_s or self._files.newest_s or time.time()
        return Past(
            tuple(self._executions.lanes(now_s)),
            now_s,
            self._waiting.until(now_s),
            self._waiting.since_s,
            self._cut,
            self._files.unseen + len(self._executions.unseen),
            away,
            self._known_s > 0,
        )

    def _follow(self) -> None:
        """Take in the events since the last time, and what runs now."""
        with self._desk.reading() as view:
            reader = view.reader
            if self._begun and reader.events.astray(self._cursor):
                self._forget()
            if not self._begun:
                self._cut = reader.events.astray("0-0")
            self._look_round(view)
        whole: list[Move] = []
        more = True
        while more:
            with self._desk.reading() as view:
                found, more = self._next(view)
                lines = _lines(view, found)
            if self._begun:
                self._take(found, lines)
            else:
                whole += found
                self._waiting.lines.update(lines)
            if more:
                time.sleep(REST_S)
        with self._desk.reading() as view:
            if not self._begun:
                self._begin(view, whole)
                self._begun = True
            elif self._waiting.is_guessing:
                self._waiting.correct(*_standing(view))
            self._settle(view)

    def _next(self, view: View) -> tuple[list[Move], bool]:
        """The next moves, and whether there may be more."""
        found: list[Move] = []
        for _ in range(BATCHES):
            records = view.reader.events.after(self._cursor)
            if not records:
                return found, False
            self._cursor, self._met = records[-1].cursor, self._met + len(records)
            found += moves(records, self._heard)
        return found, True

    def _take(self, found: list[Move], lines: Mapping[str, Line]) -> None:
        self._executions.add_moves(found)
        self._waiting.add(found, lines)

    def _begin(self, view: View, whole: list[Move]) -> None:
        """Begin the replay with how all stood when the oldest event came."""
        workers = {each.job: each.name for each in view.workers() if each.job}
        now = Now(view.reader.jobs.delayed(), workers)
        known = view.reader.jobs.lines_of([*now.delayed, *workers])
        self._waiting.lines.update((job, _line(*line)) for job, line in known.items())
        self._waiting.begin(whole, *_standing(view), now)
        self._take(whole, {})

    def _look_round(self, view: View) -> None:
        """Take in how many units tokens have, and on which machines workers are, before events are judged by that."""
        self._executions.hosts.update((each.name, each.host) for each in view.workers())
        tokens = {each.name: Capacity(each.capacity, each.scope == "host") for each in view.tokens()}
        self._waiting.set_tokens(tokens)

    def _settle(self, view: View) -> None:
        """Take in who is there, and what runs."""
        now_s = server_time(view.reader.client)
        workers = view.reader.workers.read(now_s)
        running = view.reader.jobs.read(each.job for each in workers if each.job)
        held = {job.identity: job for job in running if job.state is State.RUNNING}
        self._executions.settle(workers, {each.name: held[each.job] for each in workers if each.job in held}, now_s)
        self._known_s = now_s


def _standing(view: View) -> tuple[Counter[Line], int]:
    """How many jobs stand in each line now, and how many wait for others."""
    ready: Counter[Line] = Counter()
    for queue, demand, count in view.reader.jobs.lengths():
        ready[_line(queue, demand)] += count
    return ready, view.reader.jobs.counts()[State.WAITING]


def _lines(view: View, found: Iterable[Move]) -> dict[str, Line]:
    """The lines of the jobs that some events are about."""
    jobs = list(dict.fromkeys(move.job for move in found if move.job))
    return {job: _line(*known) for job, known in view.reader.jobs.lines_of(jobs).items()}


def _line(queue: str, demand: Mapping[str, int]) -> Line:
    return Line(queue, tuple(sorted(demand.items())))
