"""What Redis forgets of a done job, what it keeps, and how a retry brings the rest back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from helpers.invariants import check_everything
from helpers.store_client import WORKER, StoreClient, W, identity, submission
from redis.exceptions import ResponseError

from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys, scripts
from xpm_core.store.records import RetryCode
from xpm_core.store.refusals import tag

pytestmark = pytest.mark.redis


def keys_of(desk: StoreClient, name: str) -> set[str]:
    """Keys of our own that name a job and stay for good."""
    found = desk.client.scan_iter(f"xpm:*{identity(name)}*", count=1000)
    return {key.decode() for key in found if desk.client.ttl(key) == -1}


def lines_of(desk: StoreClient) -> set[str]:
    return {name.decode() for name in desk.client.zrange(keys.lines(W, "default"), 0, -1)}


def done(desk: StoreClient, name: str, **more: Any) -> None:
    desk.submit(submission(name, **more))
    desk.finish(desk.claim())


def test_a_done_job_is_one_small_hash_and_a_member_of_its_experiment(desk: StoreClient) -> None:
    done(desk, "root")
    done(desk, "a", needs=("root",), tags={"lr": 0.1}, options={"env": {"LONG": "x" * 100}}, max_retries=1)
    assert keys_of(desk, "a") == {keys.job(W, identity("a"))}
    assert desk.client.object("encoding", keys.job(W, identity("a"))) == b"listpack"
    assert desk.client.hexists(keys.job(W, identity("a")), "payload") is False
    assert identity("a") in Reader(desk.client, W).experiments.identities("exp")


def test_what_people_look_for_is_kept(desk: StoreClient) -> None:
    desk.submit(submission("a", tags={"lr": 0.1}, priority=3, max_retries=2, backoff_s=0))
    desk.finish(desk.claim(), State.FAILED)
    running = desk.claim()
    before = desk.job("a")
    desk.finish(running)
    after = desk.job("a")
    kept = ("task", "queue", "demand", "priority", "tags", "execution", "attempts", "failures", "losses", "submitted_s",
            "started_s")  # fmt: skip
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert (after.state, after.reason, after.attempts, after.failures) == (State.DONE, "done", 2, 1)
    assert after.ended_s >= after.started_s > 0
    assert (after.worker, after.error, after.name) == ("", {}, "Task")


def test_tags_that_would_make_it_large_are_left_out(desk: StoreClient) -> None:
    done(desk, "a", tags={"long": "x" * 100})
    assert desk.job("a").tags == {}
    assert desk.client.object("encoding", keys.job(W, identity("a"))) == b"listpack"


def test_a_done_job_keeps_neither_its_place_nor_its_project(desk: StoreClient) -> None:
    done(desk, "a", project="sweep")
    assert desk.client.hmget(keys.job(W, identity("a")), "order", "project") == [None, None]


def test_a_done_job_that_runs_again_comes_before_others_of_its_priority(desk: StoreClient) -> None:
    done(desk, "a")
    done(desk, "first", priority=1)
    desk.submit(submission("b"), submission("high", priority=1))
    assert [desk.retry(name)[0] for name in ("a", "first")] == [RetryCode.RETRIED] * 2
    desk.submit(submission("c"))
    assert [desk.claim().identity for _ in range(5)] == [identity(name) for name in ("first", "high", "a", "b", "c")]
    check_everything(desk.client, W)


def test_a_done_job_that_runs_again_stands_in_the_line_of_its_project(desk: StoreClient) -> None:
    done(desk, "a", project="sweep")
    assert desk.retry("a")[0] is RetryCode.RETRIED
    assert lines_of(desk) == {f"|0|{tag('sweep')}"}
    check_everything(desk.client, W)


def test_a_retry_brings_back_all_that_was_handed_over(desk: StoreClient) -> None:
    desk.submit(submission("root"))
    desk.finish(desk.claim())
    given = submission("a", needs=("root",), options={"timeout_s": 5}, max_retries=2, max_losses=1, backoff_s=7.0)
    desk.submit(given)
    first = desk.claim()
    desk.finish(first)
    assert desk.store.retry(identity("a"))[0] is RetryCode.BARE
    assert desk.state("a") is State.DONE
    assert desk.retry("a")[:2] == (RetryCode.RETRIED, "ready")
    again = desk.claim()
    names = ("spec", "queue", "needs", "retries")
    assert {name: getattr(again, name) for name in names} == {name: getattr(first, name) for name in names}
    assert (again.attempt, again.replaces) == (2, first.execution)
    assert Reader(desk.client, W).jobs.dependents(identity("root")) == [identity("a")]
    check_everything(desk.client, W)


def test_a_done_job_that_runs_again_waits_for_what_it_needs(desk: StoreClient) -> None:
    done(desk, "root")
    done(desk, "a", needs=("root",))
    assert desk.retry("root")[0] is RetryCode.RETRIED
    assert desk.state("a") is State.DONE
    assert desk.retry("a")[:2] == (RetryCode.RETRIED, "waiting")
    desk.finish(desk.claim(), State.FAILED)
    assert desk.state("a") is State.BLOCKED
    assert desk.retry("root")[0] is RetryCode.RETRIED
    desk.finish(desk.claim())
    assert desk.claim().identity == identity("a")
    check_everything(desk.client, W)


def test_a_need_that_the_server_does_not_know_is_not_waited_for(desk: StoreClient) -> None:
    done(desk, "a")
    desk.submitted[identity("a")] = submission("a", needs=("never submitted",))
    assert desk.retry("a")[:2] == (RetryCode.RETRIED, "ready")


def test_what_is_given_counts_for_done_jobs_only(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.finish(desk.claim(), State.FAILED)
    desk.submitted[identity("a")] = submission("a", payload=b"other")
    assert desk.retry("a")[0] is RetryCode.RETRIED
    assert desk.claim().spec.payload == b"payload of a"


@pytest.mark.parametrize(
    "changes",
    [{"name": None}, {"tags": 1}, {"needs": None}, {"needs": [""]}, {"needs": [{}]}, {"needs": [identity("a")]},
     {"max_retries": -1}, {"backoff_ms": "x"}, {"project": 1}],
    ids=str,
)  # fmt: skip
def test_malformed_things_are_refused_and_nothing_is_written(desk: StoreClient, changes: dict[str, Any]) -> None:
    done(desk, "a")
    before = desk.client.hgetall(keys.job(W, identity("a")))
    good = {"name": "t", "directory": "d", "options": "{}", "tags": "{}", "needs": [], "max_retries": 0,
            "max_losses": 3, "backoff_ms": 0}  # fmt: skip
    arguments = [W, identity("a"), "", json.dumps({**good, **changes}), b"payload"]
    with pytest.raises(ResponseError):
        scripts.run(desk.client, "retry", [keys.counts(W)], arguments)
    assert desk.client.hgetall(keys.job(W, identity("a"))) == before
    with pytest.raises(ResponseError):
        scripts.run(desk.client, "retry", [keys.counts(W)], [W, identity("a"), "", json.dumps(good), b""])
    assert desk.state("a") is State.DONE


def test_a_job_adopted_by_its_marker_is_as_small(desk: StoreClient) -> None:
    desk.submit(submission("root"), submission("a", needs=("root",), marker="e0"))
    assert keys_of(desk, "a") == {keys.job(W, identity("a"))}
    assert desk.job("a").reason == "adopted"
    desk.store.finish(WORKER, desk.claim(), State.DONE)
    check_everything(desk.client, W)


def test_a_list_of_dependents_expires_a_day_after_all_are_done_and_stays_for_a_new_one(desk: StoreClient) -> None:
    done(desk, "root")
    known = keys.dependents(W, identity("root"))
    desk.submit(submission("a", needs=("root",)), submission("b", needs=("root",)))
    desk.finish(desk.claim())
    assert desk.client.ttl(known) == -1
    desk.finish(desk.claim())
    assert 86000 < desk.client.ttl(known) <= 86400
    assert keys_of(desk, "root") == {keys.job(W, identity("root"))}
    desk.submit(submission("c", needs=("root",)))
    assert desk.client.ttl(known) == -1
    desk.finish(desk.claim())
    desk.client.delete(known)
    assert desk.retry("a")[0] is RetryCode.RETRIED
    assert Reader(desk.client, W).jobs.dependents(identity("root")) == [identity("a")]
    check_everything(desk.client, W)
