"""Pauses of queues: what is claimed and what is not, and who is woken."""

from __future__ import annotations

import json

import pytest
from helpers.invariants import check_everything
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.errors import InvalidNameError
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import ClaimCode, WorkerId
from xpm_core.store.steering.pauses import PauseCode, ResumeCode, pause_queue, resume_queue
from xpm_core.store.tokens import create_token, limit_passes

pytestmark = pytest.mark.redis

BOTH = WorkerId("w3", "node3", ("default", "gpu"))


def pause(desk: StoreClient, queue: str = "default", why: str = "") -> PauseCode:
    return pause_queue(desk.client, W, queue, "ann@node1", why)[0]


def resume(desk: StoreClient, queue: str = "default") -> ResumeCode:
    return resume_queue(desk.client, W, queue, "ann@node1")[0]


def woken(desk: StoreClient, worker: WorkerId) -> bool:
    """Whether a worker was woken since this was last asked."""
    return bool(desk.client.delete(keys.wake(W, worker.name)))


def listens(desk: StoreClient, worker: WorkerId = WORKER) -> None:
    """Let a worker wait for work: it gets none."""
    desk.store.join(worker, pid=1, path="/", version="1")
    assert desk.store.claim(worker, new_execution_id(), listen=True).lease is None


def test_nothing_is_claimed_from_a_paused_queue_and_the_others_go_on(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", queue="gpu"))
    assert pause(desk) is PauseCode.PAUSED
    assert desk.claim(BOTH).identity == identity("b")
    assert desk.claim_any(BOTH).code is ClaimCode.EMPTY
    assert resume(desk) is ResumeCode.RESUMED
    assert desk.claim(BOTH).identity == identity("a")


def test_jobs_that_run_go_on_and_their_end_brings_no_job_of_a_paused_queue(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"), submission("c", needs=("a",)))
    lease = desk.claim()
    pause(desk)
    assert desk.store.renew(WORKER, lease).code == 1
    ended = desk.store.finish(WORKER, lease, State.DONE, next_execution=new_execution_id())
    assert (ended.accepted, ended.next.code) == (True, ClaimCode.EMPTY)
    assert (desk.state("a"), desk.state("b"), desk.state("c")) == (State.DONE, State.READY, State.READY)
    check_everything(desk.client, W)


def test_a_claim_is_repeated_although_its_queue_is_paused_by_now(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    lease = desk.claim()
    pause(desk)
    again = desk.store.claim(WORKER, lease.execution).lease
    assert again is not None
    assert again.identity == identity("a")


def test_a_retry_that_comes_due_stays_in_the_paused_queue(desk: StoreClient) -> None:
    desk.submit(submission("a", max_retries=1, backoff_s=0))
    lease = desk.claim()
    pause(desk)
    desk.finish(lease, State.FAILED)
    listens(desk)
    assert desk.state("a") is State.READY
    assert not woken(desk, WORKER)
    resume(desk)
    assert woken(desk, WORKER)
    assert desk.claim().attempt == 2


def test_nobody_is_woken_for_a_paused_queue_until_it_is_resumed(desk: StoreClient) -> None:
    listens(desk)
    listens(desk, OTHER)
    pause(desk)
    desk.submit(submission("a"), submission("b"))
    assert not woken(desk, WORKER)
    assert not woken(desk, OTHER)
    resume(desk)
    first, second = (OTHER, WORKER) if woken(desk, OTHER) else (WORKER, OTHER)
    assert not woken(desk, second)
    desk.claim(first)
    assert woken(desk, second), "the claim wakes the next worker"


def test_a_job_of_a_paused_queue_keeps_no_token(desk: StoreClient) -> None:
    limit_passes(desk.client, 1)
    create_token(desk.client, "gpu", 2)
    desk.submit(submission("large", queue="gpu", demand={"gpu": 2}))
    desk.submit(*(submission(name, demand={"gpu": 1}) for name in "abcd"))
    pause(desk, "gpu")
    leases = [desk.claim(BOTH), desk.claim(BOTH)]
    resume(desk, "gpu")
    desk.finish(leases.pop())
    assert desk.claim(BOTH).identity == identity("c")  # it passes the large one
    desk.finish(leases.pop())
    assert desk.claim_any(BOTH).lease is None, "the token is kept for the large one"
    listens(desk)
    pause(desk, "gpu")
    assert woken(desk, WORKER), "a job that had to stand back can run now"
    assert desk.client.exists(keys.token_reserved("gpu")) == 0
    assert desk.claim(BOTH).identity == identity("d")


def test_a_pause_says_who_since_when_and_why_and_stays_as_it_is(desk: StoreClient) -> None:
    before_s = server_time(desk.client)
    code, known, pause = pause_queue(desk.client, W, "gpu", "ann@node1", "new driver")
    assert (code, known, pause.by, pause.why) == (PauseCode.PAUSED, False, "ann@node1", "new driver")
    assert before_s - 0.01 <= pause.since_s <= server_time(desk.client)
    desk.submit(submission("a", queue="gpu"))
    assert pause_queue(desk.client, W, "gpu", "ben@node2") == (PauseCode.ALREADY, True, pause)
    [serving] = desk.store.look().queues
    assert serving.pause == pause
    assert resume_queue(desk.client, W, "gpu", "ben@node2") == (ResumeCode.RESUMED, 1, pause)
    assert resume_queue(desk.client, W, "gpu", "ben@node2") == (ResumeCode.ALREADY, 1, None)


def test_pauses_are_events(desk: StoreClient) -> None:
    pause(desk, "gpu", "new driver")
    pause(desk, "gpu")
    resume(desk, "gpu")
    found = [(each.event, each.data) for each in Reader(desk.client, W).events.after("0-0")]
    assert found == [
        (Event.QUEUE_PAUSED, {"queue": "gpu", "by": "ann@node1", "why": "new driver"}),
        (Event.QUEUE_RESUMED, {"queue": "gpu", "by": "ann@node1"}),
    ]


@pytest.mark.parametrize("name", ["", "my queue", "a,b", "x" * 101])
def test_a_name_that_no_queue_can_have_is_refused(desk: StoreClient, name: str) -> None:
    with pytest.raises(InvalidNameError):
        pause(desk, name)
    with pytest.raises(InvalidNameError):
        resume(desk, name)
    assert desk.client.exists(keys.paused(W)) == 0


@pytest.mark.parametrize("written", ["", "{", "[1]", json.dumps({"since": "soon", "by": 3, "why": "a\x1b[2J"})])
def test_a_pause_that_somebody_else_wrote_holds_and_is_shown_as_it_is(desk: StoreClient, written: str) -> None:
    desk.submit(submission("a"))
    desk.client.hset(keys.paused(W), "default", written)
    assert desk.claim_any().code is ClaimCode.EMPTY
    [serving] = desk.store.look().queues
    assert serving.pause is not None
    assert serving.pause.since_s == 0.0
    assert "\x1b" not in serving.pause.why
    resume(desk)
    desk.claim()
