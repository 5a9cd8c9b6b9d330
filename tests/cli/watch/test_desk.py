"""How often the desk reads, and what it hands out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.terminal import Terminal
from xpm_cli.watch import desk as module
from xpm_cli.watch.desk import QUIET_S, Desk
from xpm_cli.watch.pages import Page, Pages, Request, Shown
from xpm_core.errors import FilterError
from xpm_core.reading.events import Record
from xpm_core.states import Event
from xpm_core.words.commands import Commands


def event(job: str) -> Record:
    """An event of a job."""
    return Record("1-0", Event.STARTED, 1.0, job, "t:Task", "e1", "w1", {})


class Clock:
    """A time that passes only when somebody lets it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s

    time = monotonic


class SlowPages:
    """Pages whose readings take a while."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.cost_s = clock, 0.0
        self.readings: list[object] = []
        self.away, self.page_cost_s = False, 0.0
        self.awaits = False
        self.bad = {"bad"}

    def read_all(self) -> None:
        self._read("all")

    def read(self, changed: Iterable[str]) -> None:
        self._read(sorted(changed))

    def _read(self, what: object) -> None:
        if self.away:
            raise RedisConnectionError("gone")
        self.readings.append(what)
        self.clock.now_s += self.cost_s

    def page(self, request: Request) -> Page:
        self.clock.now_s += self.page_cost_s
        if request.filter in self.bad:
            raise FilterError("filter", request.filter, "is bad", 1, "Mend it.")
        return Page(request, [], [])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def pages(clock: Clock) -> SlowPages:
    return SlowPages(clock)


@pytest.fixture
def desk(pages: SlowPages) -> Iterator[Desk]:
    client = SimpleNamespace(connection_pool=SimpleNamespace(connection_kwargs={}))
    connector = SimpleNamespace(client=client, embedded=None)
    opened = OpenWorkspace(cast(Any, SimpleNamespace(connector=connector, away=None)), Commands())
    desk = Desk(opened, cast(Pages, pages), lambda: None)
    desk.want(Request(Shown.JOBS, Terminal(80), 20))
    desk._attempt(desk._turn_over)  # the first reading
    assert pages.readings.pop() == "all"
    return desk


def turn(desk: Desk) -> None:
    desk._attempt(desk._turn_over)


def test_events_are_read_together_and_at_most_five_times_a_second(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    for n in range(10):  # half a second
        desk.heard([event(f"job {n}")])
        clock.now_s += 0.05
        turn(desk)
    assert len(pages.readings) <= 3
    assert {job for reading in pages.readings for job in cast("list[str]", reading)} <= {f"job {n}" for n in range(10)}
    clock.now_s += 0.2
    turn(desk)
    assert sum(len(cast("list[str]", reading)) for reading in pages.readings) == 10  # none is lost


@pytest.mark.parametrize("cost_s", [(3.0, 0.0), (1.0, 2.0)], ids=["the reading", "also the page"])
def test_no_more_than_a_third_of_the_time_is_spent_on_reading(
    desk: Desk, clock: Clock, pages: SlowPages, cost_s: tuple[float, float]
) -> None:
    pages.cost_s, pages.page_cost_s = cost_s
    clock.now_s = desk._free_at
    for _ in range(3):
        desk.heard([event("a")])
        turn(desk)
        assert desk._free_at == clock.now_s + 2 * 3.0
        clock.now_s = desk._free_at
    assert len(pages.readings) == 3


def test_events_are_read_soon_after_all_jobs_were_listed(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    """All jobs may take long to list. It is rare, and must not make the screen slow afterwards."""
    pages.cost_s, clock.now_s = 10.0, desk._free_at
    desk.missed("1-0")
    turn(desk)
    pages.cost_s, ended_s = 0.0, clock.now_s
    desk.heard([event("a")])
    clock.now_s = ended_s + 0.2
    turn(desk)
    assert pages.readings == ["all", ["a"]]
    desk.missed("1-0")
    clock.now_s = ended_s + 19.0
    turn(desk)
    assert pages.readings.count("all") == 1
    clock.now_s = ended_s + 20.0
    turn(desk)
    assert pages.readings.count("all") == 2


def test_what_the_index_is_to_say_yet_is_looked_for_each_second(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    """A worker writes the index after it has told the server, and no event says so."""
    pages.awaits = True
    for _ in range(50):
        clock.now_s += 0.1
        turn(desk)
    assert 4 <= len(pages.readings) <= 5
    assert pages.readings[0] == []
    pages.awaits = False
    pages.readings.clear()
    for _ in range(40):
        clock.now_s += 0.1
        turn(desk)
    assert not pages.readings


def test_a_quiet_workspace_is_read_now_and_then(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    for _ in range(50):
        clock.now_s += QUIET_S / 10
        turn(desk)
    assert pages.readings == [[]] * 5


def test_time_that_passes_makes_a_page_but_reads_nothing(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    before = desk.take().page
    clock.now_s += 1.0
    turn(desk)
    assert desk.take().page is not before
    assert pages.readings == []


def test_a_page_is_made_at_once_when_it_is_asked_for(desk: Desk, pages: SlowPages) -> None:
    request = Request(Shown.WORKERS, Terminal(80), 20)
    desk.want(request)
    assert desk._wait() == []  # it does not wait
    turn(desk)
    page = desk.take().page
    assert page is not None
    assert page.request == request
    assert pages.readings == []


def test_a_bad_filter_leaves_the_one_before_in_force(desk: Desk) -> None:
    desk.want(Request(Shown.JOBS, Terminal(80), 20, "good"))
    turn(desk)
    desk.want(Request(Shown.JOBS, Terminal(80), 20, "bad"))
    turn(desk)
    page = desk.take().page
    assert page is not None
    assert (page.request.filter, page.error) == ("good", "filter: 'bad': is bad at column 1. Mend it.")
    turn(desk)
    page = desk.take().page
    assert page is not None
    assert (page.request.filter, page.error) == ("good", "")


def test_a_filter_that_is_no_longer_right_is_given_up(desk: Desk, pages: SlowPages) -> None:
    """After a wipe, no job has the tag that it names."""
    desk.want(Request(Shown.JOBS, Terminal(80), 20, "good"))
    turn(desk)
    pages.bad.add("good")
    turn(desk)
    page = desk.take().page
    assert page is not None
    assert (page.request.filter, page.error) == ("", "filter: 'good': is bad at column 1. Mend it.")


def test_an_outage_has_a_beginning_and_ends_with_a_reading_of_all(desk: Desk, clock: Clock, pages: SlowPages) -> None:
    pages.away = True
    last, began_s = desk.take().page, clock.now_s
    for _ in range(10):
        clock.now_s += 1.0
        desk.heard([event("a")])
        turn(desk)
    found = desk.take()
    assert found.outage is not None
    assert began_s < found.outage.since_s <= began_s + 2
    assert found.page is not None
    assert last is not None
    assert found.page.lines == last.lines
    pages.away = False
    clock.now_s += 1.0
    turn(desk)
    assert desk.take().outage is None
    assert pages.readings == ["all"]


def test_what_was_said_is_handed_out_once(desk: Desk) -> None:
    desk._say(["done"])
    assert desk.take().said == ["done"]
    assert desk.take().said is None
