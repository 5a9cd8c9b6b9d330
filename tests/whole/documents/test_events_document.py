"""Every example in docs/reference/events.md runs; its table has all events, with the fields that Lua writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.reading.events import EventReader, Record
from xpm_core.reading.server import server_time
from xpm_core.states import Event, State
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue, resume_queue

pytestmark = pytest.mark.redis

DOCUMENT = ROOT / "docs" / "reference" / "events.md"
ROW = re.compile(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
ERROR = {"type": "ValueError", "message": "no"}


def table() -> dict[str, set[str]]:
    """The further fields of each event, as the document says."""
    return {event: set(re.findall(r"`(\w+)`", fields)) for event, fields in ROW.findall(DOCUMENT.read_text())}


def attributes() -> set[str]:
    """The attributes of an event, as the document says."""
    rows = DOCUMENT.read_text().partition("## All events")[0]
    return set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE))


def pass_a_millisecond(desk: StoreClient) -> None:
    """Go on when the server's clock shows another millisecond."""
    now_ms = int(server_time(desk.client) * 1000)
    while int(server_time(desk.client) * 1000) == now_ms:
        pass


def happen(desk: StoreClient) -> None:
    """Let everything happen that a script, a worker or a user can cause."""
    refusal = Refusal.of_module("m2", WORKER.host, "sweep", "/data")
    desk.store.join(WORKER, pid=1, path="/", version="0")
    desk.submit(submission("adopted", marker=new_execution_id()))
    desk.submit(submission("a", max_retries=1, backoff_s=0), submission("b", needs=("a",)))
    lease = desk.claim()
    desk.store.tell(lease, Event.PROGRESS, {"fraction": 0.5})
    desk.store.tell(lease, Event.OUTPUT, {"of": "a"})
    desk.finish(lease, State.FAILED, error=ERROR)
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    desk.store.cancel(identity("b"))
    pass_a_millisecond(desk)  # a job that ended before a run began is tried again by it
    desk.run = desk.store.open_run("exp", "run2", {})
    desk.submit(submission("b", needs=("a",)))
    desk.retry("a")
    desk.store.cancel(identity("b"))
    desk.retry("b")
    desk.store.release(desk.claim(), started=True)
    desk.store.lose(desk.claim())
    desk.finish(desk.claim())
    desk.finish(desk.claim())
    desk.submit(submission("c", max_losses=0))
    desk.store.lose(desk.claim())
    desk.store.join(OTHER, pid=1, path="/", version="0")
    desk.submit(submission("d"))
    desk.store.refuse(WORKER, desk.claim(), refusal, ERROR)
    order_worker(desk.client, W, WORKER.name, Order.DRAIN, "ann@node1")
    pause_queue(desk.client, W, "gpu", "ann@node1", "new driver")
    resume_queue(desk.client, W, "gpu", "ann@node1")
    desk.store.collect("gc", 60.0, {})
    desk.store.forget("gc", 60.0, identity("c"), desk.job("c").execution)
    desk.store.leave(WORKER.name)


def test_examples_run_in_order_and_print_what_stands_there(tmp_path: Path, redis_url: str) -> None:
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run_or_is_a_file() -> None:
    idle = [block for block in blocks(DOCUMENT) if block.kind != "console" and not block.file]
    assert [(block.kind, block.line) for block in idle] == []


def test_table_has_all_events() -> None:
    assert list(table()) == [event.value for event in Event]


def test_table_has_the_fields_that_are_written(desk: StoreClient) -> None:
    happen(desk)
    found: dict[str, set[str]] = {}
    for record in EventReader(desk.client, desk.store.w).after("0-0"):
        found.setdefault(record.event.value, set()).update(record.data)
    assert found == table()


def test_attributes_of_an_event_are_listed() -> None:
    properties = {name for name, value in vars(Record).items() if isinstance(value, property)}
    assert attributes() == {*Record.__dataclass_fields__, *properties}
