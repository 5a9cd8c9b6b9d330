"""Each situation in which a job does not run, built on a server: its reasons, their order and their words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission
from redis.exceptions import ResponseError

from xpm_core.errors import UnknownJobError
from xpm_core.labels import short
from xpm_core.reading.reader import Reader
from xpm_core.reading.why.facts import damage
from xpm_core.reading.why.records import Why
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.records import Lease, WorkerId
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.orders import Order, order_worker
from xpm_core.store.steering.pauses import pause_queue, resume_queue
from xpm_core.store.tokens import create_token, limit_passes
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Code, Outlook
from xpm_core.words.reasons_in_line import Busy, TokenHeld
from xpm_core.words.reasons_of_jobs import Dependency, Running

pytestmark = pytest.mark.redis

ERROR = {"type": "ValueError", "message": "too hot"}
A, B, C = (short(identity(name)) for name in "abc")


def why(desk: StoreClient, name: str) -> Why:
    return Reader(desk.client, W).reasons.why(identity(name))


def codes(desk: StoreClient, name: str) -> list[Code]:
    return [reason.code for reason in why(desk, name).reasons]


def said(desk: StoreClient, name: str) -> list[str]:
    """The first reason and its details."""
    reason = why(desk, name).reason
    return [str(reason), *reason.details()]


def join(desk: StoreClient, *workers: WorkerId, left_s: float | None = None) -> None:
    for worker in workers:
        desk.store.join(worker, pid=1, path="/data", version="1", left_s=left_s)


def silence(desk: StoreClient, worker: WorkerId, age_s: float) -> None:
    """Let a worker's last call be so long ago."""
    for queue in worker.queues:
        desk.client.zincrby(keys.serving(W, queue), -1000 * age_s, worker.name)


def refuse(desk: StoreClient, worker: WorkerId, lease: Lease) -> None:
    refusal = Refusal.of_module(worker.name, worker.host, "sweep", "/data/code")
    desk.store.refuse(worker, lease, refusal, {"type": "TaskImportError", "message": "no"})


# -- jobs that need others ---------------------------------------------------------------------------------------------


def test_a_job_is_blocked_by_a_failure_which_is_named_with_its_error(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c", needs=("b",)))
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    assert codes(desk, "c")[0] is Code.BLOCKED
    assert said(desk, "c") == [f"it needs {A}, which failed: ValueError: too hot"]
    assert why(desk, "c").what_to_do(Commands()) == [f"xpm show {A}", f"xpm retry {A}"]
    assert why(desk, "c").outlook is Outlook.NEVER


def test_a_job_is_blocked_by_one_that_was_cancelled(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    desk.store.cancel(identity("a"))
    assert said(desk, "b") == [f"it needs {A}, which was cancelled"]
    assert codes(desk, "a") == [Code.CANCELLED]
    assert why(desk, "a").what_to_do(Commands()) == [f"xpm retry {A}"]


def test_a_waiting_job_names_the_way_to_the_job_that_has_to_run_first_and_its_reason(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("x"), submission("c", needs=("b", "x")))
    assert said(desk, "c") == [
        "it needs 2 jobs that are not done",
        f"it needs {B} (waiting), which needs {A} (ready)",
        f"{A}: worker w1 is about to take it",
    ]
    desk.claim()
    assert said(desk, "c")[1:] == [
        f"it needs {B} (waiting), which needs {A} (running)",
        f"{A}: it has run for 0.0 s on node1",
    ]
    reason = why(desk, "c").reason
    assert isinstance(reason, Dependency)
    assert reason.steps == ((identity("b"), "waiting"), (identity("a"), "running"))
    assert reason.what_to_do(Commands(), identity("c")) == ["wait", f"xpm show {A}"]


def test_the_way_is_followed_so_far_and_no_further(desk: StoreClient) -> None:
    names = [f"j{number}" for number in range(40)]
    pairs = zip(names[1:], names, strict=False)
    desk.submit(submission(names[0]), *(submission(name, needs=(need,)) for name, need in pairs))
    reason = why(desk, names[-1]).reason
    assert isinstance(reason, Dependency)
    assert (len(reason.steps), reason.why) == (30, None)
    assert (
        why(desk, names[25]).reason.details()[-1] == f"{short(identity('j0'))}: no living worker serves queue default"
    )


def test_a_dependency_that_the_server_has_lost_is_unknown(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    desk.client.delete(keys.job(W, identity("a")))
    unknown = "unknown: the server does not know it any more"
    assert said(desk, "b")[1:] == [f"it needs {A} (unknown)", f"{A}: {unknown}"]
    with pytest.raises(UnknownJobError):
        why(desk, "a")


def test_what_waits_has_its_lasting_reasons_too(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",), queue="gpu"))
    assert codes(desk, "b") == [Code.DEPENDENCY, Code.UNSERVED]


# -- what no worker or token has ---------------------------------------------------------------------------------------


def test_a_token_that_has_too_few_units_is_named_with_both_numbers(desk: StoreClient) -> None:
    join(desk, WORKER)
    create_token(desk.client, "gpu", 4)
    desk.submit(submission("a", demand={"gpu": 3}))
    create_token(desk.client, "gpu", 2)
    assert codes(desk, "a") == [Code.TOO_LARGE]
    assert said(desk, "a") == ["it asks for 3 of token gpu, there are 2"]
    assert why(desk, "a").outlook is Outlook.NEVER


def test_the_largest_machine_is_named_beside_what_is_asked(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 4, scope="host", env="CUDA_VISIBLE_DEVICES")
    small, large = (replace(WORKER, name=f"w{n}-aa", devices=f"CUDA_VISIBLE_DEVICES={n}") for n in (1, 2))
    join(desk, small, large)
    desk.submit(submission("a", demand={"gpu": 3}))
    assert said(desk, "a") == ["it asks for 3 of token gpu, the largest worker of its queue has 2"]
    join(desk, replace(WORKER, name="w4-aa", host="node4"))
    assert codes(desk, "a") == [Code.ABOUT_TO_START]


# -- workers -----------------------------------------------------------------------------------------------------------


def test_a_queue_without_workers_names_the_command_that_starts_one(desk: StoreClient) -> None:
    desk.submit(submission("a", queue="gpu"), submission("b", queue="gpu"))
    assert codes(desk, "a") == [Code.UNSERVED]
    assert said(desk, "a") == ["no living worker serves queue gpu"]
    assert why(desk, "a").what_to_do(Commands()) == ["xpm-worker --queue gpu"]
    assert why(desk, "a").reason.as_data()["ready"] == 2
    assert why(desk, "a").heartbeat_s is None


def test_workers_that_refused_it_say_what_they_lack_while_no_other_can_take_it(desk: StoreClient) -> None:
    bad, other = replace(WORKER, name="m1-aa.0"), replace(OTHER, name="m2-bb.0")
    join(desk, bad, other)
    desk.submit(submission("a", project="lab"), submission("b", project="lab"))
    refuse(desk, bad, desk.claim(bad))
    assert codes(desk, "a") == [Code.ABOUT_TO_START]  # the other one has refused nothing
    silence(desk, other, 25)
    assert codes(desk, "b") == [Code.REFUSED, Code.SILENT]
    assert said(desk, "b") == [
        "1 of 2 workers of queue default refused jobs of its project",
        "worker m1-aa.0 cannot import sweep: looked in /data/code",
    ]
    remedy = "install it there, or start the worker with --pythonpath"
    assert why(desk, "b").what_to_do(Commands()) == [remedy, "xpm-worker --queue default"]
    desk.store.leave(other.name)
    assert (codes(desk, "a"), codes(desk, "b")) == ([Code.ABOUT_TO_START], [Code.IN_LINE])  # the least unfit takes them


def test_silent_workers_are_named_with_their_silence(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"))
    silence(desk, WORKER, 25)
    assert codes(desk, "a") == [Code.SILENT]
    assert said(desk, "a")[0].startswith("the worker of queue default is silent for 25 s, and counts as gone in ")
    assert round(why(desk, "a").heartbeat_s or 0) == 25


def test_suspended_workers_are_said_to_be_suspended(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"))
    desk.client.set(keys.suspended, 1)
    assert codes(desk, "a") == [Code.SUSPENDED]
    assert said(desk, "a") == ["all workers of the server are suspended"]
    assert why(desk, "a").what_to_do(Commands())[0].startswith("rq resume")
    desk.client.delete(keys.suspended)
    assert codes(desk, "a") == [Code.ABOUT_TO_START]


def test_a_paused_queue_is_said_to_be_paused_by_whom_and_why(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a", max_retries=1, backoff_s=0), submission("b", needs=("a",)))
    pause_queue(desk.client, W, "default", "ann@node1", "new driver")
    assert codes(desk, "a") == [Code.PAUSED]
    assert said(desk, "a") == ["queue default was paused just now by ann@node1: new driver"]
    assert why(desk, "a").what_to_do(Commands()) == ["xpm queues resume default"]
    facts = why(desk, "a").reason.as_data()
    assert (facts["queue"], facts["by"], facts["why"]) == ("default", "ann@node1", "new driver")
    assert 0 <= facts["for_s"] < 60
    assert codes(desk, "b") == [Code.DEPENDENCY, Code.PAUSED]
    resume_queue(desk.client, W, "default", "ann@node1")
    assert codes(desk, "a") == [Code.ABOUT_TO_START]
    lease = desk.claim()
    pause_queue(desk.client, W, "default", "ann@node1")
    assert codes(desk, "a") == [Code.RUNNING]
    desk.finish(lease, State.FAILED)
    assert codes(desk, "a") == [Code.PAUSED], "its retry is due, and it stays"


def test_a_paused_queue_without_workers_is_paused_first(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    pause_queue(desk.client, W, "default", "ann@node1")
    assert codes(desk, "a") == [Code.PAUSED, Code.UNSERVED]


def test_a_worker_that_was_ordered_to_leave_is_said_to_drain_at_once(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"), submission("b"))
    desk.claim()
    order_worker(desk.client, W, WORKER.name, Order.DRAIN, "ann@node1")
    assert codes(desk, "b") == [Code.DRAINING]
    order_worker(desk.client, W, WORKER.name, Order.RESUME, "ann@node1")
    assert codes(desk, "b") == [Code.BUSY]


def test_a_draining_worker_is_said_to_drain(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"), submission("b"))
    lease = desk.claim()
    assert codes(desk, "b") == [Code.BUSY]
    desk.store.renew(WORKER, lease, leaving=True)
    assert codes(desk, "b") == [Code.DRAINING]
    assert said(desk, "b") == ["the worker of queue default finishes its job and leaves", "w1"]
    join(desk, OTHER)
    assert codes(desk, "b") == [Code.ABOUT_TO_START]


def test_workers_that_end_too_soon_are_named_with_what_they_have_left(desk: StoreClient) -> None:
    join(desk, WORKER, left_s=100)
    desk.submit(submission("a", min_time_s=3600))
    assert codes(desk, "a") == [Code.SHORT_LIVED]
    assert said(desk, "a")[0].startswith("it needs 1 h, and the worker of queue default has at most 1 min ")
    join(desk, OTHER, left_s=7200)
    assert codes(desk, "a") == [Code.ABOUT_TO_START]


def test_a_job_waits_while_all_workers_that_could_take_it_are_busy(desk: StoreClient) -> None:
    join(desk, WORKER, OTHER)
    desk.submit(*(submission(name) for name in "abcd"))
    first, _ = desk.claim(WORKER), desk.claim(OTHER)
    assert codes(desk, "d") == [Code.BUSY]
    assert said(desk, "d") == [
        "all 2 workers are busy",
        "when the first is free is unknown",
        "1 job of its queue comes before it",
    ]
    desk.finish(first)
    join(desk, WORKER)
    assert codes(desk, "c") == [Code.ABOUT_TO_START]
    assert codes(desk, "d") == [Code.IN_LINE]
    assert said(desk, "d") == ["idle workers take other jobs first", "1 job of its queue comes before it"]


def test_when_a_worker_is_free_follows_from_the_past_of_the_task(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(*(submission(name) for name in "abc"))
    desk.finish(desk.claim())
    started: Any = desk.client.hget(keys.job(W, identity("a")), "started")
    desk.client.hset(keys.job(W, identity("a")), "started", int(started) - 600_000)
    desk.claim()
    reason = why(desk, "c").reason
    assert isinstance(reason, Busy)
    assert reason.first_s is not None
    assert 590 < reason.first_s <= 601


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_a_token_that_is_held_says_by_whom_and_where_the_job_stands(desk: StoreClient) -> None:
    join(desk, WORKER, OTHER)
    create_token(desk.client, "gpu", 1)
    desk.submit(*(submission(name, demand={"gpu": 1}) for name in "abc"))
    desk.claim()
    assert codes(desk, "c") == [Code.TOKEN_HELD]
    assert said(desk, "c") == [
        "token gpu held by running jobs",
        "token gpu: it asks for 1, 0 of 1 free",
        f"held by {A} for 0.0 s; when the first ends is unknown",
        f"place 2 of 2 in its line, behind {B}",
    ]
    desk.claim_any(OTHER)
    desk.submit(submission("d"))
    desk.claim(OTHER)
    assert codes(desk, "c") == [Code.TOKEN_HELD, Code.BUSY]
    assert isinstance(why(desk, "c").reason, TokenHeld)


def test_a_token_of_each_host_counts_on_the_host_where_the_least_lacks(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 2, scope="host")
    join(desk, WORKER, replace(WORKER, name="w3"), OTHER)
    desk.submit(submission("a", demand={"cpu": 2}), submission("b", demand={"cpu": 2}))
    desk.claim(WORKER)
    assert codes(desk, "b") == [Code.ABOUT_TO_START]
    desk.store.leave(OTHER.name)
    desk.client.zrem(keys.serving(W, "default"), OTHER.name)
    assert codes(desk, "b") == [Code.TOKEN_HELD]
    assert said(desk, "b")[1] == "token cpu: it asks for 2, 0 of 2 free on node1"


def test_tokens_that_are_kept_name_the_job_that_was_passed_too_often(desk: StoreClient) -> None:
    join(desk, WORKER, OTHER)
    limit_passes(desk.client, 1)
    create_token(desk.client, "gpu", 2)
    desk.submit(submission("a", demand={"gpu": 1}), submission("b", demand={"gpu": 2}), submission("x"))
    desk.claim(WORKER)
    desk.submit(submission("c", demand={"gpu": 1}), submission("d", demand={"gpu": 1}))
    assert desk.claim(OTHER).identity == identity("x")
    desk.finish(desk.claim(replace(OTHER, name="w3")))  # c passes b
    join(desk, replace(OTHER, name="w4"))
    desk.claim_any(replace(OTHER, name="w4"))  # b has its tokens kept
    assert codes(desk, "d") == [Code.TOKEN_KEPT]
    assert said(desk, "d") == [f"its tokens are kept for {B}, which was passed too often"]
    assert why(desk, "d").what_to_do(Commands()) == ["wait", f"xpm why {B}"]


# -- retries, running jobs, and ends -----------------------------------------------------------------------------------


def test_a_retry_says_when_it_is_due_what_happened_and_what_came_before(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a", max_retries=1, backoff_s=100))
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    assert codes(desk, "a") == [Code.RETRY]
    found = why(desk, "a")
    assert str(found.reason).startswith("next attempt in 1 min ")
    assert str(found.reason).endswith("after ValueError: too hot")
    assert [str(attempt) for attempt in found.earlier] == ["attempt 1: failed after 0.0 s: ValueError: too hot"]
    assert found.forgotten == 0
    desk.client.delete(keys.events(W))
    assert (why(desk, "a").earlier, why(desk, "a").forgotten) == ((), 1)
    desk.client.zadd(keys.delayed(W), {identity("a"): 0})
    desk.client.hset(keys.job(W, identity("a")), "due", 1)
    assert said(desk, "a") == ["its next attempt is due, after ValueError: too hot"]


def test_a_retry_that_is_due_has_no_place_in_line_yet(desk: StoreClient) -> None:
    join(desk, WORKER)
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("a", demand={"gpu": 1}, max_retries=1, backoff_s=100))
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    desk.submit(*(submission(name, demand={"gpu": 1}) for name in "bc"))
    desk.claim(OTHER)
    desk.client.hset(keys.job(W, identity("a")), "due", 1)
    found = why(desk, "a").reasons
    assert [reason.code for reason in found] == [Code.TOKEN_HELD, Code.RETRY]
    assert isinstance(found[0], TokenHeld)
    assert found[0].place is None


def test_a_running_job_says_where_how_far_and_how_old_its_lease_is(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"))
    lease = desk.claim()
    desk.store.tell(lease, Event.PROGRESS, {"fraction": 0.8, "desc": "epoch 8/10"})
    assert codes(desk, "a") == [Code.RUNNING]
    details = [
        "worker w1",
        "last word of progress: 80%  epoch 8/10",
        "lease renewed just now, over in 29 s",
    ]
    assert said(desk, "a") == ["it has run for 0.0 s on node1", *details]
    desk.store.cancel(identity("a"))
    assert said(desk, "a")[-1] == "its worker was told to stop it"
    assert why(desk, "a").outlook is Outlook.RUNNING


def test_a_running_job_is_frozen_once_its_worker_cannot_reach_redis(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"))
    desk.claim()
    desk.client.zincrby(keys.leases(W), -25_000, identity("a"))
    reason = why(desk, "a").reason
    assert isinstance(reason, Running)
    assert (reason.code, round(reason.renewed_s or 0)) == (Code.RUNNING, 25)
    desk.client.zincrby(keys.leases(W), -4_000, identity("a"))
    assert said(desk, "a")[0] == "its processes are frozen, or gone: its worker has not reached Redis for 29 s"
    desk.client.zincrby(keys.leases(W), -11_000, identity("a"))
    assert codes(desk, "a") == [Code.FROZEN]
    assert said(desk, "a")[-1] == "whoever claims next takes it"
    assert round(why(desk, "a").heartbeat_s or 0) == 40


def test_what_has_ended_says_so_with_the_command(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    desk.finish(desk.claim())
    desk.finish(desk.claim(), State.FAILED, error=ERROR)
    assert (codes(desk, "a"), said(desk, "a")) == ([Code.DONE], ["it is done, just now"])
    assert (codes(desk, "b"), said(desk, "b")) == ([Code.FAILED], ["it failed just now: ValueError: too hot"])
    assert why(desk, "b").what_to_do(Commands()) == [f"xpm show {B}", f"xpm logs {B}", f"xpm retry {B}"]
    assert why(desk, "a").outlook is Outlook.ENDED


def test_earlier_attempts_say_how_each_ended(desk: StoreClient) -> None:
    join(desk, WORKER)
    desk.submit(submission("a"))
    desk.store.lose(desk.claim())
    desk.store.release(desk.claim(), started=True)
    said = [str(attempt) for attempt in why(desk, "a").earlier]
    assert said == ["attempt 1: worker w1 was lost after 0.0 s", "attempt 2: worker w1 handed it back after 0.0 s"]


# -- the form ----------------------------------------------------------------------------------------------------------


def test_it_writes_nothing(desk: StoreClient) -> None:
    join(desk, WORKER)
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("a", demand={"gpu": 1}), submission("b", demand={"gpu": 1}), submission("c", needs=("a",)))
    desk.claim()

    def changes() -> int:
        return int(desk.client.info("persistence")["rdb_changes_since_last_save"])

    before = changes()
    for name in "abc":
        why(desk, name)
    Reader(desk.client, W).reasons.summary()
    assert changes() == before
    desk.client.set("changed", 1)
    assert changes() == before + 1


def test_reasons_come_in_the_order_of_the_codes(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 1)
    create_token(desk.client, "cpu", 4)
    join(desk, WORKER, left_s=100)
    demand = {"gpu": 1, "cpu": 4}
    desk.submit(submission("x", demand={"gpu": 1}), submission("a", demand=demand, min_time_s=3600))
    desk.claim()
    create_token(desk.client, "cpu", 2)
    desk.client.set(keys.suspended, 1)
    desk.store.leave(WORKER.name)
    found = codes(desk, "a")
    assert found == [Code.TOO_LARGE, Code.UNSERVED, Code.SUSPENDED, Code.TOKEN_HELD]
    assert found == sorted(found, key=lambda code: code.place)


def test_json_has_code_outlook_text_and_facts_of_each_reason(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    data = json.loads(json.dumps(why(desk, "b").as_data()))
    assert data["outlook"] == "not yet"
    first = data["reasons"][0]
    assert (first["code"], first["outlook"], first["pending"]) == ("dependency", "not yet", 1)
    assert (first["why"]["code"], first["why"]["queue"]) == ("unserved", "default")
    assert data["facts"] == {"redis_s": 0.0, "heartbeats_s": None}


@pytest.mark.parametrize("key", [keys.serving(W, "default"), keys.token("gpu"), keys.workers(W)])
def test_a_key_of_another_type_is_said_and_not_guessed(desk: StoreClient, key: str) -> None:
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("a", demand={"gpu": 1}))
    desk.client.delete(key)
    desk.client.rpush(key, "spoiled")
    assert codes(desk, "a") == [Code.UNKNOWN]
    assert key in said(desk, "a")[0]
    assert why(desk, "a").outlook is Outlook.UNKNOWN


def test_a_damaged_token_leaves_the_reason_unknown(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 1)
    desk.submit(submission("a", demand={"gpu": 1}))
    desk.client.hset(keys.token("gpu"), "used", "many")
    assert said(desk, "a") == ["unknown: what Redis has of it is damaged"]


def test_an_error_that_is_not_about_keys_is_no_reason() -> None:
    with pytest.raises(ResponseError, match="may not"):
        damage(ResponseError("this user may not call evalsha"))
