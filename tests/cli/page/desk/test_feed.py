"""The stream of what changes: what a browser is told, when it is slow, comes back, or the page ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from xpm_cli.page.desk import feed
from xpm_cli.page.desk.feed import Feed, Stream
from xpm_core.errors import RedisUnavailableError
from xpm_core.states import State

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

    cursor = "5-0"

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
        stream = Stream(asyncio.get_running_loop())
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


def test_what_the_desk_has_missed_makes_a_page_reload() -> None:
    cursor, name, data = told(Heard("1-0", {"a": State.DONE}), Heard("2-0", missed=True))
    assert (cursor, name, data["jobs"], data["many"]) == ("2-0", "reload", {}, True)


def test_a_stream_without_events_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT_S", 0)

    async def read() -> str:
        return await asyncio.wait_for(anext(Stream(asyncio.get_running_loop()).texts()), PATIENCE_S)

    assert asyncio.run(read()) == ": alive\n\n"


def test_the_end_of_the_page_ends_all_streams_and_begins_none() -> None:
    desk = QuietDesk()
    page = Feed(desk)

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
        events = Feed(desk)._events("")
        await anext(events)
        await events.aclose()

    asyncio.run(read())
    assert desk.subscribers == []


def test_a_batch_after_the_loop_was_closed_does_no_harm() -> None:
    async def make() -> Stream:
        return Stream(asyncio.get_running_loop())

    stream = asyncio.run(make())
    stream.hear(Heard("1-0"))
    stream.close()


@pytest.mark.parametrize("after", ["nonsense", "4-0\nid: 9-9", "4-0", "6-0", "9" * 30 + "-0", "٤-0"])
def test_a_browser_is_told_to_reload_if_what_it_missed_cannot_be_found(after: str) -> None:
    cursor, name, data = parsed(feed.missed(QuietDesk(), after))
    assert (cursor, name, data["many"]) == ("5-0", "reload", True)


@pytest.mark.parametrize("after", ["", "5-0"])
def test_a_browser_that_has_seen_all_is_told_where_it_stands(after: str) -> None:
    assert parsed(feed.missed(QuietDesk(), after)) == ("5-0", "jobs", {"jobs": {}, "counts": None, "many": False})
