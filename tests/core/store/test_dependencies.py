"""Dependencies of every shape and size: released and blocked in steps, never lost between them."""

from __future__ import annotations

import pytest
from helpers.invariants import check_everything
from helpers.store_client import WORKER, StoreClient, W, identity, submission

from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import Lease, RetryCode, Submission

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def submit_all(desk: StoreClient, jobs: list[Submission]) -> None:
    for start in range(0, len(jobs), 200):
        desk.submit(*jobs[start : start + 200])


def finish_and_claim(desk: StoreClient, lease: Lease) -> Lease | None:
    return desk.store.finish(WORKER, lease, State.DONE, next_execution=new_execution_id()).next.lease


def settle(desk: StoreClient) -> None:
    while desk.store.look().more:
        pass


def states(desk: StoreClient) -> dict[State, int]:
    return {state: n for state, n in Reader(desk.client, W).jobs.counts().items() if n}


def test_a_diamond_runs_its_end_once_and_last(desk: StoreClient) -> None:
    submit_all(
        desk,
        [submission("top"), *(submission(side, needs=("top",)) for side in ("left", "right")),
         submission("end", needs=("left", "right"))],
    )  # fmt: skip
    order: list[str] = []
    lease: Lease | None = desk.claim()
    while lease:
        order.append(lease.identity)
        lease = finish_and_claim(desk, lease)
    assert order == [identity(name) for name in ("top", "left", "right", "end")]


def test_a_chain_of_1000_runs_link_by_link(desk: StoreClient) -> None:
    links = [submission("0"), *(submission(str(n), needs=(str(n - 1),)) for n in range(1, 1000))]
    submit_all(desk, links)
    lease: Lease | None = desk.claim()
    for n in range(1000):
        assert lease is not None
        assert lease.identity == identity(str(n))
        lease = finish_and_claim(desk, lease)
    assert lease is None
    assert states(desk) == {State.DONE: 1000}


def test_a_failure_blocks_a_chain_of_1000_and_its_retry_frees_it(desk: StoreClient) -> None:
    submit_all(desk, [submission("0"), *(submission(str(n), needs=(str(n - 1),)) for n in range(1, 1000))])
    desk.finish(desk.claim(), State.FAILED)
    settle(desk)
    assert states(desk) == {State.FAILED: 1, State.BLOCKED: 999}
    assert Reader(desk.client, W).jobs.read([identity("999")])[0].root == identity("0")
    assert desk.retry("0")[0] is RetryCode.RETRIED
    settle(desk)
    assert states(desk) == {State.READY: 1, State.WAITING: 999}
    check_everything(desk.client, W)


def root(desk: StoreClient, name: str) -> str:
    return Reader(desk.client, W).jobs.read([identity(name)])[0].root


def test_a_blocked_job_that_is_cancelled_is_the_root_of_those_behind_it(desk: StoreClient) -> None:
    submit_all(desk, [submission("0"), *(submission(str(n), needs=(str(n - 1),)) for n in range(1, 5))])
    desk.finish(desk.claim(), State.FAILED)
    settle(desk)
    desk.store.cancel(identity("2"))
    settle(desk)
    assert [root(desk, name) for name in "134"] == [identity(name) for name in "022"]
    assert desk.retry("0")[0] is RetryCode.RETRIED
    settle(desk)
    assert desk.retry("4") == (RetryCode.BLOCKED, "blocked", identity("2"))
    check_everything(desk.client, W)


def test_a_cancelled_job_that_is_retried_behind_a_failure_is_no_root_any_more(desk: StoreClient) -> None:
    submit_all(desk, [submission("0"), *(submission(str(n), needs=(str(n - 1),)) for n in range(1, 5))])
    desk.store.cancel(identity("2"))
    desk.finish(desk.claim(), State.FAILED)
    settle(desk)
    assert [root(desk, name) for name in "134"] == [identity(name) for name in "022"]
    assert desk.retry("2")[0] is RetryCode.RETRIED
    settle(desk)
    assert {root(desk, str(n)) for n in range(1, 5)} == {identity("0")}
    check_everything(desk.client, W)


def test_a_chain_behind_two_failures_names_the_one_that_is_left(desk: StoreClient) -> None:
    submit_all(desk, [submission("x"), submission("y"), submission("0", needs=("x", "y"))])
    submit_all(desk, [submission(str(n), needs=(str(n - 1),)) for n in range(1, 5)])
    leases = [desk.claim() for _ in range(2)]
    for lease in leases:
        desk.finish(lease, State.FAILED)
    settle(desk)
    check_everything(desk.client, W)
    for name, other in (("x", "y"), ("y", "x")):
        assert desk.retry(name)[0] is RetryCode.RETRIED
        settle(desk)
        assert {root(desk, str(n)) for n in range(5)} == {identity(other)}
        check_everything(desk.client, W)
        desk.finish(desk.claim(), State.FAILED)
        settle(desk)


def test_a_fan_in_of_1000_waits_for_the_last(desk: StoreClient) -> None:
    leaves = [submission(str(n)) for n in range(1000)]
    submit_all(desk, leaves)
    desk.submit(submission("all", needs=tuple(str(n) for n in range(1000))))
    lease: Lease | None = desk.claim()
    for _ in range(1000):
        assert lease is not None
        assert lease.identity != identity("all")
        lease = finish_and_claim(desk, lease)
    assert lease is not None
    assert lease.identity == identity("all")


def test_a_fan_out_of_10000_is_released_in_steps_of_500(desk: StoreClient) -> None:
    submit_all(desk, [submission("root"), *(submission(str(n), needs=("root",)) for n in range(10_000))])
    desk.finish(desk.claim())
    steps = [Reader(desk.client, W).jobs.counts()[State.READY]]
    while desk.client.exists(keys.worklist(W)):  # each call might be another process's: nothing is kept between them
        desk.store.look()
        steps.append(Reader(desk.client, W).jobs.counts()[State.READY])
    assert steps[-1] == 10_000
    assert max(after - before for before, after in zip([0, *steps], steps, strict=False)) <= 500
    check_everything(desk.client, W)


def test_a_parent_that_changes_amid_its_release_leaves_every_dependent_right(desk: StoreClient) -> None:
    submit_all(desk, [submission("root"), *(submission(str(n), needs=("root",)) for n in range(1200))])
    desk.finish(desk.claim())
    assert desk.client.exists(keys.worklist(W)), "released in part"
    assert desk.retry("root")[0] is RetryCode.RETRIED
    settle(desk)
    assert states(desk) == {State.READY: 1, State.WAITING: 1200}
    check_everything(desk.client, W)


def test_a_job_whose_parent_runs_again_is_not_claimed_before_it_was_told(desk: StoreClient) -> None:
    submit_all(desk, [submission("root"), *(submission(str(n), needs=("root",)) for n in range(3000))])
    desk.finish(desk.claim())
    settle(desk)
    assert desk.retry("root")[0] is RetryCode.RETRIED
    assert desk.client.exists(keys.worklist(W)), "some are still ready"
    assert desk.claim().identity == identity("root")
    claim = desk.claim_any()
    assert claim.lease is None, claim
