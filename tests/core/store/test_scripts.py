"""Every script can be repeated when its reply was lost, and every call gets an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission
from helpers.waiting import wait_until

from xpm_core.errors import UnknownDependencyError
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import Retrying
from xpm_core.store.records import CancelCode, RetryCode, SubmitCode, WorkerId
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue, resume_queue
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis


class Forgetful:
    """A client whose every script's first reply is lost after the server has run it, and which asks again."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def evalsha(self, *args: Any) -> Any:
        self._client.evalsha(*args)
        return self._client.evalsha(*args)

    def eval(self, *args: Any) -> Any:
        self._client.eval(*args)
        return self._client.eval(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def a_life(desk: StoreClient) -> None:
    """Everything that can happen to jobs, in a fixed order and with fixed ids."""
    store, ids = desk.store, iter(f"e{n:02}" for n in range(100))

    def claim(worker: WorkerId = WORKER) -> Any:
        return store.claim(worker, next(ids)).lease

    store.join(WORKER, pid=1, path="/somewhere", version="0")
    create_token(desk.client, "cpu", 2)
    create_token(desk.client, "gpu", 2, units=True)
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c", needs=("b",), demand={"cpu": 2}))
    desk.submit(submission("d", demand={"cpu": 1, "gpu": 1}), submission("e", max_retries=1, backoff_s=0.0))
    a, d = claim(), claim()
    store.renew(WORKER, a)
    store.finish(WORKER, a, State.DONE, next_execution=next(ids))
    store.finish(WORKER, d, State.FAILED, error={"type": "ValueError"})
    [held] = [job for job in desk.jobs() if job.state is State.RUNNING]
    store.finish(WORKER, desk.lease_of(held), State.FAILED)
    e = claim()
    store.release(e, started=False)
    store.release(claim(), started=True)
    store.cancel(identity("e"))
    store.cancel(identity("c"))
    store.retry(identity("d"))
    create_token(desk.client, "cpu", 5)
    lost = claim(WorkerId("w9", "node9", lease_s=0.1))
    while desk.state("d") is State.RUNNING:
        store.look(lease_s=0.1)
    assert lost.identity == identity("d")
    store.finish(WORKER, claim(), State.DONE, adopted="marked")
    for queue in ("gpu", "other"):
        pause_queue(desk.client, W, queue, "ann@node1", "new driver")
    resume_queue(desk.client, W, "gpu", "ann@node1")
    order_worker(desk.client, W, WORKER.name, Order.DRAIN, "ann@node1")
    store.join(OTHER, pid=1, path="/somewhere", version="0", replaces=WORKER.name)
    order_worker(desk.client, W, OTHER.name, Order.RESUME, "ann@node1")
    store.collect("gc", 60.0, {})
    store.forget("gc", 60.0, identity("e"), desk.job("e").execution)
    store.forget("gc", 60.0, "", "")
    store.collect("gc", 0, {})
    store.leave(WORKER.name)


TIMES = {b"submitted", b"started", b"ended", b"due", b"created", b"called", b"rest_until", b"enqueued_at", b"cursor",
         b"created_at", b"started_at", b"ended_at", b"last_heartbeat", b"at"}  # fmt: skip


def dump(client: redis.Redis) -> dict[str, Any]:
    """All that the server holds, but for times and stream ids."""
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": client.get,
        b"set": lambda key: sorted(client.smembers(key)),
        b"list": lambda key: client.lrange(key, 0, -1),
        b"hash": lambda key: {
            k: re.sub(rb'"since":\d+', b"", v) for k, v in client.hgetall(key).items() if k not in TIMES
        },
        b"zset": lambda key: _scores(key, client.zrange(key, 0, -1, withscores=True)),
        b"stream": lambda key: [{k: v for k, v in e.items() if k not in TIMES} for _, e in client.xrange(key)],
    }
    return {key.decode(): readers[client.type(key)](key) for key in sorted(client.keys())}


def _scores(key: bytes, members: list[tuple[bytes, float]]) -> Any:
    timed = not re.search(rb":line", key)
    return sorted(member for member, _ in members) if timed else members


@pytest.fixture
def once(desk: StoreClient) -> dict[str, Any]:
    a_life(desk)
    found = dump(desk.client)
    desk.client.flushall()
    return found


def test_a_life_with_every_reply_lost_once_comes_to_the_same(once: dict[str, Any], redis_client: redis.Redis) -> None:
    a_life(StoreClient(Forgetful(redis_client)))  # type: ignore[arg-type]
    twice = dump(redis_client)
    assert set(twice) == set(once)
    for key, value in once.items():
        assert twice[key] == value, key
    assert Reader(redis_client, W).jobs.counts()[State.DONE] == 2
    assert once[keys.token("cpu")][b"used"] == b"0"


def test_answers_tell_of_all_events_unless_others_hear_of_it(desk: StoreClient) -> None:
    (a,) = desk.submit(submission("a"))
    (b,) = desk.submit(submission("b", needs=("a",)))
    assert b.since == a.cursor != b.cursor
    told = [record.job for record in Reader(desk.client, W).events.after(b.since)]
    assert told == [identity("b")] * 2
    (adopted,) = desk.submit(submission("a", marker="found"))
    assert adopted.since == ""
    assert {record.job for record in Reader(desk.client, W).events.after(b.cursor)} == {identity("a"), identity("b")}


def test_a_script_that_was_sent_and_that_the_server_does_not_know_is_answered(desk: StoreClient) -> None:
    desk.client.script_flush()
    (answer,) = desk.store.send("exp", desk.run.started_ms, [submission("a")], {}).reply()
    assert (answer.code, desk.state("a")) == (SubmitCode.NEW, State.READY)


def test_what_was_sent_before_the_connection_broke_is_answered(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    sent = desk.store.send("exp", desk.run.started_ms, [submission("b")], {})
    desk.client.client_kill_filter(_type="normal")
    wait_until(sent.ready)
    (answer,) = sent.reply()
    assert answer.state is desk.state("b") is State.READY


def test_what_is_refused_is_told_when_the_reply_is_asked_for(desk: StoreClient) -> None:
    sent = desk.store.send("exp", desk.run.started_ms, [submission("a", needs=("nobody",))], {})
    with pytest.raises(UnknownDependencyError):
        sent.reply()


def test_many_jobs_are_cancelled_and_retried_in_one_round_trip_each_with_its_answer(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c"))
    lease = desk.store.claim(WORKER, "e1").lease
    assert lease is not None
    names = [lease.identity, *(identity(name) for name in "abc" if identity(name) != lease.identity), identity("no")]
    desk.client.script_flush()
    spared = [(name, name == lease.identity) for name in names]
    with counted_trips(desk.client) as trips:
        desk.store.cancel_each(spared)  # the server does not know the script yet: each runs alone
    assert trips[0] > 1
    with counted_trips(desk.client) as trips:
        answers = desk.store.cancel_each(spared)
    assert trips == [1]
    codes = [CancelCode.SPARED, CancelCode.SETTLED, CancelCode.SETTLED, CancelCode.UNKNOWN]
    assert [answer[0] for answer in answers] == codes  # type: ignore[index]
    retried = desk.store.retry_each(Retrying(name) for name in names)
    codes_of_retry = [RetryCode.UNSETTLED, RetryCode.RETRIED, RetryCode.RETRIED, RetryCode.UNKNOWN]
    assert [answer[0] for answer in retried] == codes_of_retry  # type: ignore[index]
    assert desk.store.cancel_each([]) == []


def test_one_job_that_is_refused_keeps_the_answers_of_the_others(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    desk.client.set(keys.job(W, identity("x")), "no hash")
    first, refused, last = desk.store.cancel_each((identity(name), False) for name in "axb")
    assert (first[0], last[0]) == (CancelCode.CANCELLED, CancelCode.CANCELLED)  # type: ignore[index]
    assert str(refused).startswith("XPMARG ")


def test_a_script_that_the_server_lacks_costs_two_round_trips_more(desk: StoreClient) -> None:
    desk.submit(*(submission(name) for name in "abcd"))
    desk.client.script_flush()
    with counted_trips(desk.client) as trips:
        answers = desk.store.cancel_each([(identity(name), False) for name in "abcd"])
    assert [answer[0] for answer in answers] == [CancelCode.CANCELLED] * 4  # type: ignore[index]
    assert trips[0] <= 4  # the batch; the first job by EVALSHA and EVAL; the others


def test_a_job_that_has_ended_again_since_it_was_seen_is_not_retried(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.store.cancel(identity("a"))
    [(code, *_)] = desk.store.retry_each([Retrying(identity("a"), replaces="another")])  # type: ignore[misc]
    assert code is RetryCode.STALE


@contextmanager
def counted_trips(client: redis.Redis) -> Iterator[list[int]]:
    """How often something is sent to the server."""
    trips, send = [0], redis.connection.AbstractConnection.send_packed_command

    def counted(self: Any, *args: Any, **more: Any) -> Any:
        trips[0] += 1
        return send(self, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis.connection.AbstractConnection, "send_packed_command", counted)
        yield trips
