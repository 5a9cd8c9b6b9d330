"""What the last events say of the past: durations of a task's jobs, and attempts at a job."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.store_client import WORKER, StoreClient, W, identity, submission

from xpm_core.reading.why import history
from xpm_core.reading.why.history import History, left_of
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.refusals import Refusal

pytestmark = pytest.mark.redis

TASK = "demo:Task"


def run(desk: StoreClient, name: str, seconds: int) -> None:
    """Let a job run that took so long."""
    desk.submit(submission(name))
    desk.finish(desk.claim())
    ended: Any = desk.client.hget(keys.job(W, identity(name)), "ended")
    desk.client.hset(keys.job(W, identity(name)), "started", int(ended) - 1000 * seconds)


def test_the_latest_jobs_of_a_task_say_how_long_its_jobs_take(
    desk: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SAMPLES", 2)
    for name, seconds in (("a", 10), ("b", 20), ("c", 30)):
        run(desk, name, seconds)
    assert History(desk.client, W).durations({TASK, "demo:Other"}) == {TASK: [30.0, 20.0], "demo:Other": []}
    assert History(desk.client, W).durations(set()) == {}


def test_a_job_that_was_adopted_took_no_time_that_counts(desk: StoreClient) -> None:
    desk.submit(submission("a", marker="0" * 24))
    assert desk.state("a") is State.DONE
    assert History(desk.client, W).durations({TASK}) == {TASK: []}


def test_what_is_left_is_the_median_of_those_that_took_longer() -> None:
    assert left_of([60, 100, 120], 80.0) == 30.0
    assert left_of([60, 100, 120], 0.0) == 100.0
    assert left_of([60], 80.0) is None
    assert left_of([], 0.0) is None


def test_a_refusal_is_told_in_its_own_words(desk: StoreClient) -> None:
    desk.store.join(WORKER, pid=1, path="/", version="1")
    desk.submit(submission("a", project="lab"))
    desk.client.zadd(keys.serving(W, "default"), {"m9-aa.0": 2**52})
    refusal = Refusal.of_module("m1", "node1", "sweep", "/data")
    desk.store.refuse(WORKER, desk.claim(), refusal, {"type": "X", "message": "no"})
    [attempt] = History(desk.client, W).attempts(identity("a"))
    assert str(attempt).startswith("attempt 1: worker w1 handed it back after 0.0 s: worker m1 on node1 cannot import")


def test_events_that_somebody_else_wrote_leave_the_past_unknown(desk: StoreClient) -> None:
    run(desk, "a", 10)
    desk.client.xadd(keys.events(W), {"event": "done", "at": "soon"})
    found = History(desk.client, W)
    assert found.durations({TASK}) == {TASK: []}
    assert found.attempts(identity("a")) == []
    assert found.since(identity("a"), "done") is None
