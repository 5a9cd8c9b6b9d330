"""Orders to workers: where they stand, who learns of them, and how long they last."""

from __future__ import annotations

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, submission

from xpm_core.reading.reader import Reader
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import ClaimCode, WorkerId
from xpm_core.store.steering.orders import Order, OrderCode, order_worker

pytestmark = pytest.mark.redis

DRAIN, STOP, STOP_NOW, RESUME = Order.DRAIN, Order.STOP, Order.STOP_NOW, Order.RESUME


def order(desk: StoreClient, what: Order, worker: WorkerId = WORKER) -> OrderCode:
    return order_worker(desk.client, W, worker.name, what, "ann@node1")[0]


def join(desk: StoreClient, worker: WorkerId = WORKER, **more: str) -> None:
    desk.store.join(worker, pid=1, path="/", version="1", **more)  # type: ignore[arg-type]


def heard(desk: StoreClient, worker: WorkerId = WORKER) -> str:
    """The order that the worker hears with its next heartbeat."""
    return desk.store.renew(worker, None).order


def test_each_reply_has_the_order_and_no_job(desk: StoreClient) -> None:
    join(desk)
    desk.submit(submission("a"), submission("b"))
    lease = desk.claim()
    assert order(desk, DRAIN) is OrderCode.ORDERED
    renewal = desk.store.renew(WORKER, lease)
    assert (renewal.code, renewal.order) == (1, "drain"), "its own job goes on"
    ended = desk.store.finish(WORKER, lease, State.DONE, next_execution=new_execution_id())
    assert (ended.accepted, ended.next.code, ended.next.order) == (True, ClaimCode.ORDERED, "drain")
    claim = desk.claim_any()
    assert (claim.code, claim.order, claim.lease) == (ClaimCode.ORDERED, "drain", None)
    assert desk.store.finish(WORKER, lease, State.DONE).next.order == "drain", "also when no job is wanted"
    assert desk.claim(OTHER).spec.identity != lease.identity


def test_a_claim_that_was_answered_before_is_answered_the_same_with_the_order(desk: StoreClient) -> None:
    join(desk)
    desk.submit(submission("a"))
    lease = desk.claim()
    order(desk, DRAIN)
    again = desk.store.claim(WORKER, lease.execution)
    assert again.lease is not None
    assert again.order == "drain"


def test_a_drain_is_taken_back_and_a_stop_is_not(desk: StoreClient) -> None:
    join(desk)
    assert order(desk, RESUME) is OrderCode.ALREADY
    order(desk, DRAIN)
    assert order(desk, DRAIN) is OrderCode.ALREADY
    assert order(desk, RESUME) is OrderCode.ORDERED
    assert heard(desk) == ""
    assert desk.client.hget(keys.worker(W, WORKER.name), "leaving") is None
    assert order(desk, DRAIN) is order(desk, STOP) is order(desk, STOP_NOW) is OrderCode.ORDERED
    assert order_worker(desk.client, W, WORKER.name, DRAIN, "ann") == (OrderCode.ALREADY, "stop_now")
    assert order(desk, RESUME) is OrderCode.STOPPING
    assert heard(desk) == "stop_now"


def test_what_a_signal_has_ordered_is_not_taken_back(desk: StoreClient) -> None:
    join(desk)
    desk.store.renew(WORKER, None, leaving=True)
    assert order(desk, RESUME) is OrderCode.SIGNALLED
    assert desk.client.hget(keys.worker(W, WORKER.name), "leaving") is not None


@pytest.mark.parametrize("first", ["signal", "order"])
def test_an_order_is_not_taken_back_if_a_signal_has_said_the_same(desk: StoreClient, first: str) -> None:
    join(desk)
    if first == "order":
        order(desk, DRAIN)
    desk.store.renew(WORKER, None, leaving=True)
    if first == "signal":
        order(desk, DRAIN)
    assert order(desk, RESUME) is OrderCode.SIGNALLED
    assert desk.client.hget(keys.worker(W, WORKER.name), "leaving") is not None


def test_a_worker_of_an_earlier_xpm_is_deaf_and_an_unknown_one_is_unknown(desk: StoreClient) -> None:
    join(desk)
    desk.client.hdel(keys.worker(W, WORKER.name), "orders")  # an earlier `join` does not write it
    assert order(desk, DRAIN) is OrderCode.DEAF
    assert heard(desk) == ""
    assert order(desk, DRAIN, OTHER) is OrderCode.UNKNOWN


def test_an_idle_worker_is_woken_and_the_job_goes_to_another(desk: StoreClient) -> None:
    for worker in (WORKER, OTHER):
        join(desk, worker)
        assert desk.store.claim(worker, new_execution_id(), listen=True).code is ClaimCode.EMPTY
    order(desk, DRAIN, OTHER)
    assert desk.client.delete(keys.wake(W, OTHER.name)) == 1
    desk.submit(submission("a"))
    assert desk.client.exists(keys.wake(W, OTHER.name)) == 0
    assert desk.client.delete(keys.wake(W, WORKER.name)) == 1


def test_an_order_waits_for_a_worker_that_cannot_be_reached(desk: StoreClient) -> None:
    short = WorkerId("w9", "node9", lease_s=0.5)
    join(desk, short)
    lasts_s = desk.client.ttl(keys.worker(W, short.name))
    order(desk, DRAIN, short)
    assert desk.client.ttl(keys.worker(W, short.name)) > 1000 > lasts_s
    assert heard(desk, short) == "drain"
    assert desk.client.ttl(keys.worker(W, short.name)) > 1000, "its reply may be lost"
    join(desk, short)
    assert heard(desk, short) == "drain", "it has registered anew"
    order(desk, RESUME, short)
    heard(desk, short)
    assert desk.client.ttl(keys.worker(W, short.name)) <= lasts_s
    order(desk, DRAIN, short)
    desk.store.leave(short.name)
    assert desk.client.exists(keys.worker(W, short.name)) == 0


def test_a_worker_inherits_the_order_of_the_dead_one_whose_place_it_takes(desk: StoreClient) -> None:
    join(desk)
    order(desk, DRAIN)
    join(desk, OTHER, replaces=WORKER.name)
    assert (heard(desk, OTHER), heard(desk)) == ("drain", "")
    order(desk, RESUME, OTHER)
    join(desk, OTHER, replaces=WORKER.name)
    assert heard(desk, OTHER) == "", "it is inherited once"


def test_a_signal_is_not_inherited(desk: StoreClient) -> None:
    join(desk)
    desk.store.renew(WORKER, None, leaving=True)
    join(desk, OTHER, replaces=WORKER.name)
    assert desk.client.hget(keys.worker(W, OTHER.name), "leaving") is None


def test_orders_are_events(desk: StoreClient) -> None:
    join(desk)
    for what in (DRAIN, DRAIN, RESUME):
        order(desk, what)
    found = [each for each in Reader(desk.client, W).events.after("0-0") if each.event is Event.WORKER_ORDERED]
    assert [(each.worker, each.data) for each in found] == [
        (WORKER.name, {"order": word, "by": "ann@node1"}) for word in ("drain", "resume")
    ]


def test_a_queue_whose_workers_all_leave_counts_as_served_by_none(desk: StoreClient) -> None:
    join(desk)
    join(desk, OTHER)
    desk.submit(submission("a"))
    order(desk, DRAIN)
    assert [each.workers for each in desk.store.look().queues] == [2]
    order(desk, DRAIN, OTHER)
    assert [each.workers for each in desk.store.look().queues] == [0]
