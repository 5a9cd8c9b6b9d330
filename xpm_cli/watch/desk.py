"""Reads the workspace while the main thread takes keys: makes the page that is wanted, and acts on jobs.

Owns: how often it reads. Events make it read at most five times a second, and never for more than a third of the time.
What a key asks for is made at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from xpm_cli.lookup import acts
from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.lookup.targets import Targets, nothing_was
from xpm_cli.watch.pages import Page, Pages, Request, Shown
from xpm_core.errors import FilterError, RedisUnavailableError, XpmError
from xpm_core.reading.events import Record
from xpm_core.server.connection import OUTAGES, ServerError
from xpm_core.server.faults import fault_of
from xpm_core.words.text import line

AWAY: tuple[type[Exception], ...] = (*OUTAGES, RedisUnavailableError)
"""The errors of a server that is away."""

LEAST_S = 0.2
"""The least time between two readings, seconds."""
TICK_S = 1.0
"""How often a page is made anew although nothing has happened, because it says how long ago things were, seconds."""
LOG_S = 0.5
"""The same of a page with a log."""
QUIET_S = 5.0
"""How often the workspace is read although nothing has happened, seconds: workers fall silent without an event."""
ALL_S = 600.0
"""How often all jobs are listed anew, seconds."""
AWAY_S = 1.0
"""How long to wait before trying again, while the server is away, seconds."""
SHARE = 2
"""For each second of reading, so many seconds are not spent on reading."""
LONGEST = 60
"""Characters of the problem of an outage."""
LEAVE_S = 0.5
"""How long to wait for the end of a reading when the screen is left, seconds."""


@dataclass(frozen=True)
class Outage:
    """That the server is away.

    Attributes:
        problem: Why it does not answer.
        since_s: Since when, epoch seconds by this machine.
    """

    problem: str
    since_s: float


@dataclass(frozen=True)
class Question:
    """Whether to act on a job.

    Attributes:
        lines: What would be done and lost, and the question.
        no: What to say if the answer is no.
        act: Acts, and returns what to say; the desk calls it.
    """

    lines: list[str]
    no: str
    act: Callable[[], list[str]]


@dataclass(frozen=True)
class Answers:
    """What the desk has for the main thread.

    Attributes:
        page: The latest page.
        outage: Whether the server is away.
        question: A question to ask.
        said: Lines to show.
        error: What has ended the desk.
    """

    page: Page | None = None
    outage: Outage | None = None
    question: Question | None = None
    said: list[str] | None = None
    error: Exception | None = None


class Desk(threading.Thread):
    """Makes pages until it is closed.

    Args:
        opened: The workspace. Only the desk uses it while it runs.
        pages: Makes the pages.
        wake: Called when there is something to be taken.
    """

    def __init__(self, opened: OpenWorkspace, pages: Pages, wake: Callable[[], None]) -> None:
        super().__init__(name="xpm-watch-desk", daemon=True)
        self._opened, self._pages, self._wake = opened, pages, wake
        self._turn = threading.Condition()
        self._answers = Answers()
        self._request: Request | None = None
        self._tasks: list[Callable[[], None]] = []
        self._changed: set[str] = set()
        self._asked = self._dirty = self._all = self._closed = self._checked = False
        self._free_at = self._read_at = self._all_at = self._made_at = self._all_free_at = 0.0

    # -- called by other threads -----------------------------------------------------------------------------------

    def want(self, request: Request) -> None:
        """Ask for a page. It replaces what was asked for before."""
        with self._turn:
            self._request, self._asked = request, True
            self._turn.notify()

    def ask(self, verb: str, identity: str) -> None:
        """Ask for the question whether to "cancel" or "retry" a job."""
        self._do(lambda: self._ask(verb, identity))

    def act(self, question: Question) -> None:
        """Do what a question has asked about."""
        self._do(lambda: self._say(question.act()))

    def heard(self, records: Iterable[Record]) -> None:
        """Something has happened."""
        with self._turn:
            self._changed.update(record.job for record in records if record.job)
            self._dirty = True
            self._turn.notify()

    def missed(self, _: str) -> None:
        """Anything may have happened."""
        with self._turn:
            self._all = True
            self._turn.notify()

    def fail(self, error: Exception) -> None:
        """End with an error."""
        self._publish(error=error)

    def take(self) -> Answers:
        """Take what there is. A question and what was said are handed out once."""
        with self._turn:
            found = self._answers
            self._answers = replace(found, question=None, said=None)
            return found

    def close(self) -> None:
        """End."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        if self.is_alive():
            self.join(LEAVE_S)

    # -- the thread ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make pages until `close`."""
        try:
            while not self._closed:
                for task in self._wait():
                    self._attempt(task)
                self._attempt(self._turn_over)
        except Exception as error:  # the main thread raises it, after it has restored the terminal
            if not self._closed:
                self.fail(error)

    def _wait(self) -> list[Callable[[], None]]:
        """Wait until there is something to do. Returns what the main thread has asked to be done."""
        with self._turn:
            while not (self._closed or self._asked or self._tasks):
                left_s = self._due() - time.monotonic()
                if left_s <= 0:
                    break
                self._turn.wait(left_s)
            tasks, self._tasks, self._asked = self._tasks, [], False
            return tasks

    def _due(self) -> float:
        """When there is something to do that nobody has asked for."""
        logs = self._request is not None and self._request.shown in (Shown.JOB, Shown.LOG)
        tick = self._made_at + (LOG_S if logs else TICK_S)
        if not self._dirty and not self._all:
            return tick
        return min(tick, self._free_at if self._dirty else max(self._free_at, self._all_free_at))

    def _attempt(self, task: Callable[[], None]) -> None:
        """Do something, unless the server is away."""
        try:
            task()
        except AWAY as error:
            if not self._closed:
                self._note_outage(error)

    def _turn_over(self) -> None:
        """Read if it is time to, then make the page that is wanted."""
        self._made_at = began = time.monotonic()
        all_due = self._all or not self._all_at or began >= self._all_at + ALL_S
        everything = all_due and began >= self._all_free_at
        quiet = began >= self._read_at + (TICK_S if self._all_at and self._pages.awaits else QUIET_S)
        reads = began >= self._free_at and (everything or self._dirty or quiet)
        if reads:
            self._read(everything)
        if self._request is not None and self._all_at and not self._closed:
            self._show(self._request)
        if reads:
            self._pause(time.monotonic() - began, everything)

    def _pause(self, cost_s: float, everything: bool) -> None:
        """Read nothing for a while. After all jobs were listed, what happens to some is still read soon."""
        ended, pause_s = time.monotonic(), max(LEAST_S, SHARE * cost_s)
        self._free_at = ended + (LEAST_S if everything else pause_s)
        if everything:
            self._all_free_at = ended + pause_s

    def _read(self, everything: bool) -> None:
        with self._turn:
            changed, self._changed, self._dirty = self._changed, set(), False
            self._all = self._all and not everything
        try:
            if everything:
                self._pages.read_all()
            else:
                self._pages.read(changed)
        except BaseException:
            self._all = True
            raise
        self._read_at = time.monotonic()
        self._all_at = self._read_at if everything else self._all_at
        self._publish(outage=None)

    def _show(self, request: Request) -> None:
        """Make a page. If its filter is wrong, the page is that of the filter before."""
        try:
            page = self._pages.page(request)
        except FilterError as error:
            page = replace(self._page_before(request), error=str(error))
        with self._turn:
            if self._request is request:
                self._request = page.request  # what is chosen stays at its place on the screen
        self._publish(page=page)

    def _page_before(self, request: Request) -> Page:
        """The page with the filter that was in force; without one if that is wrong, too, as after a wipe."""
        before = self._answers.page
        try:
            return self._pages.page(replace(request, filter=before.request.filter if before is not None else ""))
        except FilterError:
            return self._pages.page(replace(request, filter=""))

    def _publish(self, **answers: Any) -> None:
        with self._turn:
            self._answers = replace(self._answers, **answers)
        self._wake()

    # -- outages ---------------------------------------------------------------------------------------------------

    def _note_outage(self, error: Exception) -> None:
        known = self._answers.outage
        since_s = known.since_s if known else time.time()
        self._free_at, self._all = max(self._free_at, time.monotonic() + AWAY_S), True
        problem = line(self._opened.outage(error, time.time() - since_s), LONGEST)
        self._publish(outage=Outage(problem, since_s))

    # -- acting ----------------------------------------------------------------------------------------------------

    def _do(self, task: Callable[[], None]) -> None:
        with self._turn:
            self._tasks.append(lambda: self._carefully(task))
            self._turn.notify()

    def _carefully(self, task: Callable[[], None]) -> None:
        """Do what a user has asked for. What prevents it is said."""
        try:
            task()
        except XpmError as error:
            self._say(str(error).splitlines())
        except ServerError as error:
            self._say([f"Redis: {fault_of(error, self._opened.view.connector.client).problem}. Try again."])

    def _ask(self, verb: str, identity: str) -> None:
        opened = self._opened
        if not self._checked:
            opened.check()
            self._checked = True
        rows = opened.view.update([identity])
        targets = Targets(opened, rows, named=True, ends=verb == "cancel")
        if not rows:
            self._say(["The workspace does not know this job any more."])
            return
        if nothing := acts.pointless(opened, rows[0], verb):
            self._say([nothing])
            return
        lines = [*targets.would(verb), f"{targets.question(verb)}  y yes   n no"]
        self._publish(question=Question(lines, nothing_was(verb), lambda: self._done(verb, targets)))

    def _done(self, verb: str, targets: Targets) -> list[str]:
        """Act on the job, and return what came of it."""
        (row,) = targets.rows
        if verb == "cancel":
            again = "Press c again to stop it."
            (result,) = acts.cancel(self._opened, [row], spares_running=lambda row: not targets.loses(row), again=again)
            return [result.line]
        (result,) = acts.retry(self._opened, [row])
        return [result.line, *(acts.obstacle_lines(self._opened, [row]) if result.done else ())]

    def _say(self, lines: list[str]) -> None:
        self._publish(said=lines)
