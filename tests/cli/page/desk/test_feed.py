"""The stream of what changes: what a browser is told, when it is slow, comes back, or the page ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from helpers.page import PageClient
from helpers.simulated_jobs import Lab
from helpers.waiting import wait_until

from xpm_cli.page.desk import feed
from xpm_cli.page.desk.feed import Feed, Stream
from xpm_core.errors import RedisUnavailableError
from xpm_core.states import State
from xpm_core.store import keys

PATIENCE_S = 60


@dataclass
class Heard:
    """A batch of changes."""

    cursor: str
    changed: Mapping[str, State] = field(default_factory=dict)
    counts: Mapping[State, int] = field(default_factory=dict)
    missed: bool = False


class QuietDesk:
    """A desk whose server is away. A test says what subscribers hear."""

    cursor, outage, trouble, away = "5-0", "", "", None

    def __init__(self) -> None:
        self.subscribers: list[Callable[[Any], None]] = []

    @contextmanager
    def reading(self) -> Iterator[Any]:
        raise RedisUnavailableError("Redis at nowhere", "connection refused", "Start it.")
        yield

    def subscribe(self, heard: Callable[[Any], None]) -> Callable[[], None]:
        self.subscribers.append(heard)
        return lambda: self.subscribers.remove(heard)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "LEAST_S", 0)


def parsed(text: str) -> tuple[str, str, dict[str, Any]]:
    """The id, the name and the data of an event."""
    fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return fields["id"], fields["event"], json.loads(fields["data"])


def told(*batches: Heard) -> tuple[str, str, dict[str, Any]]:
    """The one event that a browser gets that reads only after all batches."""

    async def read() -> str:
        stream = Stream(asyncio.get_running_loop(), cast(Any, QuietDesk()))
        for batch in batches:
            stream.hear(batch)
        return await asyncio.wait_for(anext(stream.texts()), PATIENCE_S)

    return parsed(asyncio.run(read()))


def test_an_event_names_the_jobs_their_states_and_the_counts() -> None:
    batch = Heard("7-1", {"a" * 64: State.DONE}, {State.DONE: 3})
    assert told(batch) == ("7-1", "jobs", {"jobs": {"a" * 64: "done"}, "counts": {"done": 3}, "many": False})


def test_a_slow_browser_gets_one_event_for_many_batches() -> None:
    batches = [Heard(f"{n}-0", {"a": state}, {state: 1}) for n, state in enumerate(State)]
    last = list(State)[-1]
    cursor, _, data = told(*batches)
    assert (cursor, data["jobs"]) == (f"{len(State) - 1}-0", {"a": last})
    assert data["counts"] == {last: 1}


def test_more_jobs_than_an_event_may_name_are_many() -> None:
    most = [Heard(f"{n}-0", {f"{n:064x}": State.DONE}) for n in range(feed.MOST_JOBS)]
    assert len(told(*most)[2]["jobs"]) == feed.MOST_JOBS
    _, name, data = told(*most, Heard("9999-0", {"a": State.DONE}), Heard("9999-1", {"b": State.DONE}))
    assert (name, data["jobs"], data["many"]) == ("jobs", {}, True)


def test_what_the_desk_has_missed_is_many() -> None:
    cursor, name, data = told(Heard("1-0", {"a": State.DONE}), Heard("2-0", missed=True), Heard("3-0", {"a": None}))
    assert (cursor, name, data["jobs"], data["many"]) == ("3-0", "jobs", {}, True)


def test_a_state_that_is_not_known_is_null() -> None:
    assert told(Heard("1-0", {"a": None}))[2]["jobs"] == {"a": None}


def test_a_stream_without_events_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT_S", 0)

    async def read() -> str:
        return await asyncio.wait_for(
            anext(Stream(asyncio.get_running_loop(), cast(Any, QuietDesk())).texts()), PATIENCE_S
        )

    assert asyncio.run(read()) == ": alive\n\n"


def test_the_end_of_the_page_ends_all_streams_and_begins_none() -> None:
    desk = QuietDesk()
    page = Feed(cast(Any, desk))

    async def read() -> list[int]:
        counts = []
        first = page._events("")
        await anext(first)
        counts.append(len(desk.subscribers))
        page.close()
        rest = [text async for text in first]
        counts += [len(rest), len(desk.subscribers)]
        return [*counts, len([text async for text in page._events("")])]

    assert asyncio.run(asyncio.wait_for(read(), PATIENCE_S)) == [1, 1, 0, 2]


def test_a_browser_that_goes_is_told_nothing_more() -> None:
    desk = QuietDesk()

    async def read() -> None:
        events = Feed(cast(Any, desk))._events("")
        await anext(events)
        await events.aclose()

    asyncio.run(read())
    assert desk.subscribers == []


def test_a_batch_after_the_loop_was_closed_does_no_harm() -> None:
    async def make() -> Stream:
        return Stream(asyncio.get_running_loop(), cast(Any, QuietDesk()))

    stream = asyncio.run(make())
    stream.hear(Heard("1-0"))
    stream.close()


@pytest.mark.parametrize("after", ["nonsense", "4-0\nid: 9-9", "4-0", "6-0", "9" * 30 + "-0", "٤-0"])
def test_a_browser_is_told_to_reload_if_what_it_missed_cannot_be_found(after: str) -> None:
    cursor, name, data = parsed(feed.missed(cast(Any, QuietDesk()), after))
    assert (cursor, name, data["many"]) == ("5-0", "reload", True)


@pytest.mark.parametrize("after", ["", "5-0"])
def test_a_browser_that_has_seen_all_is_told_where_it_stands(after: str) -> None:
    assert parsed(feed.missed(cast(Any, QuietDesk()), after)) == (
        "5-0",
        "jobs",
        {"jobs": {}, "counts": None, "many": False},
    )


def since(page: PageClient, after: str) -> tuple[str, dict[str, Any]]:
    """The name and the data of the event for a browser that comes back; it covers all that has happened."""
    last = page.desk.view.reader.events.last()
    wait_until(lambda: page.desk.listed("") and page.desk.cursor == last)
    cursor, name, data = parsed(feed.missed(page.desk, after))
    assert cursor == last
    return name, data


@pytest.mark.redis
def test_a_browser_that_comes_back_is_told_what_it_has_missed(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    wait_until(lambda: page.desk.listed("").matched == 1)
    before = page.desk.cursor
    assert since(page, before) == ("jobs", {"jobs": {}, "counts": None, "many": False})
    lab.store.cancel(lab.identity("a"))
    lab.end("b")
    jobs = {lab.identity("a"): "cancelled", lab.identity("b"): "done"}
    assert since(page, before) == ("jobs", {"jobs": jobs, "counts": None, "many": False})


@pytest.mark.redis
@pytest.mark.parametrize("most", ["MOST_JOBS", "MOST_READS"])
def test_a_browser_that_has_missed_too_much_is_not_told_what(
    lab: Lab, page: PageClient, monkeypatch: pytest.MonkeyPatch, most: str
) -> None:
    lab.submit("a")
    wait_until(lambda: page.desk.listed("").matched == 1)
    before = page.desk.cursor
    for name in ("b", "c", "d"):
        lab.submit(name)
    monkeypatch.setattr(feed, most, 0 if most == "MOST_READS" else 2)
    name, data = since(page, before)
    assert (name, data) == ("reload" if most == "MOST_READS" else "jobs", {"jobs": {}, "counts": None, "many": True})


@pytest.mark.redis
def test_events_that_the_workspace_has_dropped_make_a_browser_reload(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    wait_until(lambda: page.desk.listed("").matched == 1)
    before = page.desk.cursor
    for name in ("b", "c"):
        lab.submit(name)
    lab.client.xtrim(keys.events(lab.workspace.id), 1, approximate=False)
    assert since(page, before)[0] == "reload"


@pytest.mark.redis
def test_a_page_knows_how_far_the_desk_had_read_when_it_was_asked_for(lab: Lab, page: PageClient) -> None:
    lab.submit("a")
    wait_until(lambda: page.desk.listed("").matched == 1)
    assert f'<meta name="xpm-cursor" content="{page.desk.cursor}">' in page.get("/jobs")
    before = page.desk.cursor
    lab.submit("b")
    last = page.desk.view.reader.events.last()
    wait_until(lambda: page.desk._heard_to == last)
    text = page.get("/jobs")  # it is the request that makes the desk read
    assert lab.identity("b") in text
    assert f'content="{before}"' in text
