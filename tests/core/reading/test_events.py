"""The stream of a workspace: in order, at least once, and known to be cut where it is."""

from __future__ import annotations

import pytest
from helpers.store_client import OTHER, StoreClient, W, submission

from xpm_core.reading.events import position
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.records import TellCode

pytestmark = pytest.mark.redis


def told(desk: StoreClient, cursor: str = "0-0") -> list[Event]:
    return [record.event for record in Reader(desk.client, W).events.after(cursor)]


def test_a_life_is_told_in_order(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.finish(desk.claim())
    assert told(desk) == [Event.SUBMITTED, Event.READY, Event.STARTED, Event.DONE]


def test_a_reader_that_comes_back_sees_every_event_after_its_last(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    seen = Reader(desk.client, W).events.after("0-0")
    desk.finish(desk.claim(), State.FAILED, error={"type": "ValueError", "message": "no"})
    later = Reader(desk.client, W).events.after(seen[-1].cursor)
    assert [record.event for record in later] == [Event.STARTED, Event.FAILED]
    assert later[-1].error == {"type": "ValueError", "message": "no"}


def test_only_the_execution_that_holds_a_job_speaks_for_it(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    lease = desk.claim()
    assert desk.store.tell(lease, Event.PROGRESS, {"fraction": 0.5}) is TellCode.TOLD
    assert Reader(desk.client, W).events.after("0-0")[-1].said == {"fraction": 0.5}
    assert Reader(desk.client, W).jobs.read([lease.identity])[0].progress == {"fraction": 0.5}
    desk.finish(lease)
    assert desk.store.tell(lease, Event.OUTPUT, {}) is TellCode.STALE


def test_a_reader_older_than_the_bound_is_told_that_it_is_behind(desk: StoreClient) -> None:
    assert not Reader(desk.client, W).events.astray("0-0")
    desk.submit(submission("a"))
    cursor = Reader(desk.client, W).events.last()
    desk.finish(desk.claim())
    assert not Reader(desk.client, W).events.astray(cursor)
    desk.client.xtrim(keys.events(W), maxlen=1, approximate=False)
    assert Reader(desk.client, W).events.astray(cursor)
    assert not Reader(desk.client, W).events.astray(Reader(desk.client, W).events.last())


def test_silence_is_counted_from_the_last_event_of_a_job(desk: StoreClient) -> None:
    assert Reader(desk.client, W).events.silence() == float("inf")
    desk.submit(submission("a"))
    told_s = position(Reader(desk.client, W).events.last())[0] / 1000
    desk.store.join(OTHER, pid=1, path="/w", version="1")
    desk.store.leave(OTHER.name)
    assert told(desk)[-1] is Event.WORKER_DOWN
    before_s = server_time(desk.client)
    assert before_s - told_s <= Reader(desk.client, W).events.silence() <= server_time(desk.client) - told_s


def test_events_of_a_later_xpm_are_passed_over(desk: StoreClient) -> None:
    reader = Reader(desk.client, W).events
    stream = keys.events(W)
    for _ in range(3):
        desk.client.xadd(stream, {"event": "postponed", "job": "x", "at": 1})
    assert reader.after("0-0") == []
    desk.submit(submission("a"))
    assert [record.event for record in reader.after("0-0")] == [Event.SUBMITTED, Event.READY]
    desk.client.xadd(stream, {"event": "postponed", "job": "x", "at": 1})
    assert [record.event for record in reader.latest(2)] == [Event.READY]
