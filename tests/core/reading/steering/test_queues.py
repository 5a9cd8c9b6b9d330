"""The queues of a workspace: their jobs, their workers, their pauses."""

from __future__ import annotations

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, submission

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.steering.queues import QueueState
from xpm_core.states import State
from xpm_core.store.records import WorkerId
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue

pytestmark = pytest.mark.redis


def queues(desk: StoreClient) -> list[QueueState]:
    reader = Reader(desk.client, W)
    return reader.queues.read(reader.workers.read(server_time(desk.client)))


def test_jobs_and_workers_are_counted_by_queue(desk: StoreClient) -> None:
    assert queues(desk) == []
    both = WorkerId("w3", "node3", ("default", "gpu"))
    for worker in (WORKER, OTHER, both):
        desk.store.join(worker, pid=1, path="/", version="1")
    desk.submit(submission("a", max_retries=1, backoff_s=999), submission("b"), submission("c", priority=-1))
    desk.submit(submission("d", project="0a"), submission("e", queue="slow"))
    desk.finish(desk.claim(), State.FAILED)
    desk.claim(both)
    assert [(each.name, each.ready, each.delayed, each.running, each.workers, each.idle) for each in queues(desk)] == [
        ("default", 2, 1, 1, 3, 2),
        ("gpu", 0, 0, 0, 1, 0),
        ("slow", 1, 0, 0, 0, 0),
    ]


def test_pauses_are_seen_and_workers_that_leave_are_not_counted(desk: StoreClient) -> None:
    desk.store.join(WORKER, pid=1, path="/", version="1")
    _, _, pause = pause_queue(desk.client, W, "new", "ann@node1")
    order_worker(desk.client, W, WORKER.name, Order.DRAIN, "ann@node1")
    desk.submit(submission("a"))
    found = {each.name: each for each in queues(desk)}
    assert (found["default"].workers, found["default"].idle, found["default"].pause) == (0, 0, None)
    assert found["new"].pause == pause
