"""The server's clock goes back an hour: nothing waits for that hour.

A test cannot set that clock. What was written before stands an hour ahead, as if it had been.
"""

from __future__ import annotations

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission
from helpers.waiting import wait_until

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import SubmitCode, WorkerId
from xpm_core.store.tokens import create_token, limit_passes

pytestmark = pytest.mark.redis

HOUR_MS = 3_600_000
SHORT = WorkerId("w1", "node1", lease_s=0.2)
NEXT = WorkerId("w2", "node2", lease_s=0.2)


def clock_goes_back(desk: StoreClient) -> None:
    """Move every time of the workspace an hour ahead."""
    client = desk.client
    sets = [keys.leases(W), keys.delayed(W), keys.workers(W), keys.serving(W, "default"), keys.idle(W, "default")]
    for name in sets:
        for member, score in client.zrange(name, 0, -1, withscores=True):
            client.zadd(name, {member: score + HOUR_MS})
    for name in [keys.clock(W), *(keys.job(W, job) for job in desk.submitted)]:
        for field in ("called", "rest_until", "due", "ended"):
            if (value := client.hget(name, field)) is not None:
                client.hset(name, field, str(int(value) + HOUR_MS))
    for name in map(bytes.decode, client.smembers(keys.tokens)):
        for member, value in client.hgetall(keys.token_reserved(name)).items():
            order, till = value.split()
            client.hset(keys.token_reserved(name), member, b"%s %d" % (order, int(till) + HOUR_MS))


def taken_over(desk: StoreClient, worker: WorkerId = NEXT) -> str:
    """The job that a worker gets at last."""
    lease = wait_until(lambda: desk.store.claim(worker, new_execution_id()).lease, show=desk.jobs)
    assert lease is not None
    return lease.identity


def test_a_dead_workers_job_is_taken_over_after_its_lease(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.claim(SHORT)
    clock_goes_back(desk)
    assert taken_over(desk) == identity("a")


def test_a_lease_alone_that_lies_too_far_ahead_ends_after_a_lease(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.claim(SHORT)
    [(member, end)] = desk.client.zrange(keys.leases(W), 0, -1, withscores=True)
    desk.client.zadd(keys.leases(W), {member: end + HOUR_MS})
    assert taken_over(desk) == identity("a")


def test_a_longer_lease_than_the_callers_stays(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    lease = desk.claim(WorkerId("w1", "node1", lease_s=600.0))
    clock_goes_back(desk)
    asked_s = server_time(desk.client)
    desk.store.look(lease_s=0.2)
    [(_, end)] = desk.client.zrange(keys.leases(W), 0, -1, withscores=True)
    assert asked_s + 600.0 - 1 <= end / 1000 <= server_time(desk.client) + 600.0
    assert desk.store.renew(WORKER, lease)[0].name == "RENEWED"


def test_the_living_renew_before_the_job_is_taken_away(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    lease = desk.claim()
    clock_goes_back(desk)
    assert desk.claim_any(OTHER).lease is None
    assert desk.store.renew(WORKER, lease)[0].name == "RENEWED"
    assert desk.state("a") is State.RUNNING


def test_a_repeated_claim_is_told_of_one_lease_at_most(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.store.claim(WORKER, "e1")
    clock_goes_back(desk)
    again = desk.store.claim(WORKER, "e1").lease
    assert again is not None
    assert again.left_s <= WORKER.lease_s


@pytest.mark.parametrize("many", [1, 250])
def test_retries_come_after_their_back_off(desk: StoreClient, many: int) -> None:
    names = [f"job{number}" for number in range(many)]
    desk.submit(*(submission(name, max_retries=1, backoff_s=600.0) for name in names))
    for _ in names:
        desk.finish(desk.claim(), State.FAILED)
    for name in names:
        desk.client.hset(keys.job(W, identity(name)), "backoff_ms", 100)
    clock_goes_back(desk)
    assert {taken_over(desk, OTHER) for _ in names} == set(map(identity, names))


def test_a_retry_whose_due_alone_lies_too_far_ahead_comes_after_its_back_off(desk: StoreClient) -> None:
    desk.submit(submission("a", max_retries=1, backoff_s=0.1))
    desk.finish(desk.claim(SHORT), State.FAILED)
    desk.client.zadd(keys.delayed(W), {identity("a"): (server_time(desk.client) + 3600) * 1000})
    assert taken_over(desk) == identity("a")


def test_a_long_back_off_stays(desk: StoreClient) -> None:
    desk.submit(submission("a", max_retries=1, backoff_s=600.0))
    desk.finish(desk.claim(SHORT), State.FAILED)
    due = desk.client.zscore(keys.delayed(W), identity("a"))
    wait_until(lambda: desk.store.look(lease_s=0.01) and desk.client.hget(keys.clock(W), "called"))
    assert desk.client.zscore(keys.delayed(W), identity("a")) == due


def test_a_dead_worker_counts_as_alive_for_one_lease(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    desk.claim(SHORT)
    clock_goes_back(desk)
    wait_until(lambda: [queue.workers for queue in desk.store.look(lease_s=0.2).queues] == [0])


def test_a_dead_queues_reservation_keeps_a_token_for_one_lease(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 2)
    limit_passes(desk.client, 1)
    desk.submit(submission("small", demand={"gpu": 1}), submission("wide", demand={"gpu": 2}))
    desk.submit(*(submission(f"small{n}", demand={"gpu": 1}, queue="other") for n in range(3)))
    other = WorkerId("w2", "node2", queues=("other",))
    desk.claim()
    desk.finish(desk.claim(other))
    desk.claim_any()
    assert desk.client.hlen(keys.token_reserved("gpu"))
    clock_goes_back(desk)
    assert taken_over(desk, other) in {identity(f"small{n}") for n in range(3)}


def test_what_failed_before_the_clock_went_back_is_retried_by_a_later_run(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.finish(desk.claim(), State.FAILED)
    clock_goes_back(desk)
    desk.run = desk.store.open_run("exp", "run2", {})
    assert desk.submit(submission("a"))[0].code is SubmitCode.RETRIED


def test_silence_is_counted_from_now(desk: StoreClient) -> None:
    ahead_ms = int((server_time(desk.client) + 3600) * 1000)
    entry = {"event": "done", "job": identity("a"), "task": "demo:Task", "at": ahead_ms}
    desk.client.xadd(keys.events(W), entry, id=f"{ahead_ms}-0")  # type: ignore[arg-type]
    assert Reader(desk.client, W).events.silence() == 0.0
