"""A worker that cannot import a project's code hands its jobs back, and leaves them to others, if there are others."""

from __future__ import annotations

import json

import pytest
from helpers.invariants import check_everything
from helpers.store_client import StoreClient, W, identity, submission

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.reading.why.avoided import Avoided
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.records import ClaimCode, FinishCode, Lease, RefuseCode, WorkerId
from xpm_core.store.refusals import Refusal, Refused
from xpm_core.store.tokens import create_token, limit_passes

pytestmark = pytest.mark.redis

GOOD, BAD, WORSE = WorkerId("m1-aa.0", "node1"), WorkerId("m2-bb.0", "node2"), WorkerId("m3-cc.0", "node3")
BROTHER = WorkerId("m2-bb.1", "node2")
ERROR = {"type": "TaskImportError", "message": "cannot import it.", "file": None}


def of(project: str, *names: str, **more: object) -> list[object]:
    return [submission(name, project=project, **more) for name in names]


def refuse(desk: StoreClient, worker: WorkerId, lease: Lease, module: str = "sweep") -> tuple[RefuseCode, str]:
    name = worker.name.partition("-")[0]
    said = f"{name} on {worker.host}: no module named {module!r}"
    return desk.store.refuse(worker, lease, Refusal(name, worker.host, module, "/data", said), ERROR)


def done(desk: StoreClient, worker: WorkerId, lease: Lease) -> None:
    """The desk's own way to finish would be a third worker's."""
    assert desk.store.finish(worker, lease, State.DONE).code is FinishCode.ACCEPTED


def joined(desk: StoreClient, *workers: WorkerId) -> None:
    for worker in workers:
        desk.store.join(worker, pid=1, path="/", version="0")


@pytest.fixture
def sweep(desk: StoreClient) -> StoreClient:
    """Two workers, and three jobs of one project."""
    joined(desk, GOOD, BAD)
    desk.submit(*of("sweep", "a", "b", "c"))
    return desk


def test_a_refused_job_is_ready_again_with_no_attempt_counted(sweep: StoreClient) -> None:
    lease = sweep.claim(BAD)
    assert refuse(sweep, BAD, lease) == (RefuseCode.REFUSED, "ready")
    job = sweep.job("a")
    assert (job.state, job.attempts, job.failures, job.losses, job.reason) == (State.READY, 0, 0, 0, "refused")
    assert [record.event for record in Reader(sweep.client, W).events.after("0-0")][-2:] == [
        Event.RELEASED,
        Event.READY,
    ]
    check_everything(sweep.client, W)


def test_a_repeated_refusal_changes_nothing(sweep: StoreClient) -> None:
    lease = sweep.claim(BAD)
    refuse(sweep, BAD, lease)
    assert refuse(sweep, BAD, lease) == (RefuseCode.ALREADY, "ready")
    again = sweep.claim(GOOD)
    assert again.identity == lease.identity
    assert refuse(sweep, BAD, lease)[0] is RefuseCode.ALREADY
    done(sweep, GOOD, again)
    assert refuse(sweep, BAD, again)[0] is RefuseCode.STALE


def test_all_workers_of_its_daemon_are_offered_no_job_of_that_project_again(sweep: StoreClient) -> None:
    joined(sweep, BROTHER)
    refuse(sweep, BAD, sweep.claim(BAD))
    assert sweep.claim_any(BAD).code is ClaimCode.EMPTY
    assert sweep.claim_any(BROTHER).code is ClaimCode.EMPTY
    assert [sweep.claim(GOOD).identity for _ in range(3)] == [identity(name) for name in "abc"]


def test_another_projects_jobs_behind_a_refused_head_still_run(sweep: StoreClient) -> None:
    sweep.submit(*of("other", "x"), submission("y"))
    refuse(sweep, BAD, sweep.claim(BAD))
    assert [sweep.claim(BAD).identity for _ in range(2)] == [identity("x"), identity("y")]
    assert sweep.claim_any(BAD).code is ClaimCode.EMPTY


def test_a_worker_that_was_started_again_is_asked_again(sweep: StoreClient) -> None:
    refuse(sweep, BAD, sweep.claim(BAD))
    again = WorkerId("m2-dd.0", "node2")
    joined(sweep, again)
    assert sweep.claim(again).identity == identity("a")


def test_a_job_fails_once_every_living_worker_has_refused_it_and_names_them_all(sweep: StoreClient) -> None:
    joined(sweep, WORSE)
    for worker in (BAD, GOOD):
        assert refuse(sweep, worker, sweep.claim(worker))[0] is RefuseCode.REFUSED
    assert refuse(sweep, WORSE, sweep.claim(WORSE)) == (RefuseCode.FAILED, "failed")
    job = sweep.job("a")
    assert (job.failures, job.attempts) == (1, 1)
    assert job.error["message"] == (
        "cannot import it. Nor can the others that serve its queue: m1 on node1: no module named 'sweep'; "
        "m2 on node2: no module named 'sweep'"
    )
    check_everything(sweep.client, W)


def test_no_job_fails_that_nobody_has_tried(sweep: StoreClient) -> None:
    for worker in (BAD, GOOD):
        refuse(sweep, worker, sweep.claim(worker))
    assert [sweep.job(name).state for name in "abc"] == [State.FAILED, State.READY, State.READY]
    lease = sweep.claim(BAD)
    assert lease.identity == identity("b")
    done(sweep, BAD, lease)  # this one did not need it
    assert refuse(sweep, GOOD, sweep.claim(GOOD))[0] is RefuseCode.FAILED


def test_a_job_goes_to_the_worker_that_lacks_something_else(desk: StoreClient) -> None:
    joined(desk, GOOD, BAD)
    desk.submit(*of("lab", "torch", "jax", "plain"))
    refuse(desk, GOOD, desk.claim(GOOD), "torch")
    one, two = desk.claim(BAD), desk.claim(BAD)
    assert (one.identity, two.identity) == (identity("torch"), identity("jax"))
    done(desk, BAD, one)
    assert refuse(desk, BAD, two, "jax")[0] is RefuseCode.REFUSED
    assert desk.claim(GOOD).identity == identity("jax"), "it lacks torch only"
    assert desk.claim(BAD).identity == identity("plain")


def test_a_job_that_lacks_something_on_each_worker_fails(desk: StoreClient) -> None:
    joined(desk, GOOD, BAD)
    desk.submit(*of("lab", "both"))
    assert refuse(desk, GOOD, desk.claim(GOOD), "torch")[0] is RefuseCode.REFUSED
    assert refuse(desk, BAD, desk.claim(BAD), "jax")[0] is RefuseCode.FAILED
    assert "m1 on node1: no module named 'torch'" in desk.job("both").error["message"]


def test_an_option_that_a_worker_does_not_know_counts_as_a_module_that_it_lacks(desk: StoreClient) -> None:
    joined(desk, GOOD, BAD)
    desk.submit(*of("lab", "a", "b"))
    refusal = Refusal.of_option("m2", BAD.host, "snapshot")
    assert desk.store.refuse(BAD, desk.claim(BAD), refusal, ERROR) == (RefuseCode.REFUSED, "ready")
    assert desk.claim_any(BAD).code is ClaimCode.EMPTY
    lease = desk.claim(GOOD)
    refusal = Refusal.of_option("m1", GOOD.host, "snapshot")
    assert desk.store.refuse(GOOD, lease, refusal, ERROR)[0] is RefuseCode.FAILED
    others = "worker m2 on node2 does not know the option 'snapshot': its version is older than the script's"
    assert desk.job("a").error["message"].endswith(others)
    check_everything(desk.client, W)


@pytest.mark.parametrize("option", ["", "\ud800", "a\nb", "x" * 10_000])
def test_an_option_that_somebody_forged_is_refused_by_a_name_that_can_be_shown(desk: StoreClient, option: str) -> None:
    joined(desk, GOOD, BAD)
    desk.submit(*of("lab", "a"))
    refusal = Refusal.of_option("m2", BAD.host, option)
    assert desk.store.refuse(BAD, desk.claim(BAD), refusal, ERROR) == (RefuseCode.REFUSED, "ready")
    assert refusal.option.isprintable()
    assert "does not know the option" in refusal.said


def test_of_refused_jobs_those_that_others_have_done_are_counted_by_cause() -> None:
    refused = Refused()
    module = Refusal.of_module("m2", "node2", "sweep", "/data/code")
    option = Refusal.of_option("m1", "node1", "snapshot")
    for name, refusal in [("a", module), ("b", module), ("c", option), ("d", option)]:
        refused.note(name, json.dumps(refusal.written()))
    assert refused.lines(["a", "b", "c"]) == [
        "! worker m1 does not know the option 'snapshot': its version is older than the script's. "
        "1 job went to other workers.",
        "! worker m2 cannot import sweep: looked in /data/code. 2 jobs went to other workers.",
    ]


def test_a_job_waits_for_no_worker_that_has_gone(sweep: StoreClient) -> None:
    refuse(sweep, BAD, sweep.claim(BAD))
    sweep.store.leave(GOOD.name)
    lease = sweep.claim(BAD)
    assert lease.identity == identity("a")
    assert refuse(sweep, BAD, lease)[0] is RefuseCode.FAILED


def test_a_job_does_not_fail_while_an_outage_has_silenced_the_others(sweep: StoreClient) -> None:
    lease = sweep.claim(BAD)
    sweep.client.zadd(keys.serving(W, "default"), {GOOD.name: 1})
    sweep.client.hset(keys.clock(W), mapping={"called": 1})
    assert refuse(sweep, BAD, lease)[0] is RefuseCode.REFUSED


def test_a_refusal_wakes_an_idle_worker_that_may_have_the_job_and_no_other(sweep: StoreClient) -> None:
    joined(sweep, WORSE)
    leases = [sweep.claim(BAD) for _ in range(3)]
    for worker in (GOOD, BROTHER, WORSE):
        joined(sweep, worker)
        assert sweep.store.claim(worker, f"idle{worker.name}", listen=True).code is ClaimCode.EMPTY
    sweep.client.delete(keys.wake(W, GOOD.name), keys.wake(W, WORSE.name))
    refuse(sweep, BAD, leases[0])
    assert not sweep.client.exists(keys.wake(W, BROTHER.name))
    assert sweep.client.exists(keys.wake(W, GOOD.name), keys.wake(W, WORSE.name)) == 1


def test_a_worker_that_has_refused_a_job_keeps_no_tokens_for_it(sweep: StoreClient) -> None:
    create_token(sweep.client, "cpu", 2)
    limit_passes(sweep.client, 1)
    sweep.submit(*of("sweep", "wide", demand={"cpu": 2}, priority=5))
    refuse(sweep, BAD, sweep.claim(BAD))
    sweep.submit(*of("other", "one", "two", demand={"cpu": 1}))
    sweep.client.hset(keys.job(W, identity("wide")), "passed", 9)
    one, two = sweep.claim(BAD), sweep.claim(BAD)
    assert {one.identity, two.identity} == {identity("one"), identity("two")}
    assert not sweep.client.exists(keys.token_reserved("cpu"))


def test_a_cancelled_job_that_is_refused_is_cancelled(sweep: StoreClient) -> None:
    lease = sweep.claim(BAD)
    sweep.store.cancel(lease.identity)
    assert refuse(sweep, BAD, lease) == (RefuseCode.REFUSED, "cancelled")


def test_a_refused_job_that_failed_starts_afresh_when_it_is_retried(sweep: StoreClient) -> None:
    for worker in (BAD, GOOD):
        refuse(sweep, worker, sweep.claim(worker))
    assert sweep.client.hget(keys.job(W, identity("a")), "missing") is not None
    sweep.retry("a")
    assert sweep.client.hget(keys.job(W, identity("a")), "missing") is None
    check_everything(sweep.client, W)


def test_refusals_are_forgotten_with_the_worker_and_kept_while_it_lives(sweep: StoreClient) -> None:
    refuse(sweep, BAD, sweep.claim(BAD))
    key = keys.refusals(W, "m2-bb")
    for call in (lambda: sweep.store.renew(BAD, None), lambda: sweep.claim_any(BAD), lambda: sweep.claim_any(BROTHER)):
        sweep.client.pexpire(key, 5000)
        call()
        assert 5000 < sweep.client.pttl(key) <= BAD.lease_ms * 4


def test_it_is_told_who_cannot_import_what_and_how_many_jobs_avoid_it(sweep: StoreClient) -> None:
    joined(sweep, BROTHER)
    sweep.submit(*of("other", "x"))
    refuse(sweep, BAD, sweep.claim(BAD))
    now_s = server_time(sweep.client)
    (found,) = Reader(sweep.client, W).reasons.avoided(Reader(sweep.client, W).workers.read(now_s))
    said = "m2 on node2: no module named 'sweep'"
    assert found == Avoided("m2-bb", Refusal("m2", "node2", "sweep", "/data", said), 3)


def test_a_done_job_that_runs_again_is_of_its_project_still(sweep: StoreClient) -> None:
    refuse(sweep, BAD, sweep.claim(BAD))
    done(sweep, GOOD, sweep.claim(GOOD))
    sweep.retry("a")
    assert sweep.claim_any(BAD).code is ClaimCode.EMPTY


def test_what_somebody_made_of_the_key_hinders_no_claim(sweep: StoreClient) -> None:
    sweep.client.set(keys.refusals(W, "m2-bb"), "spoiled")
    assert sweep.claim(BAD).identity == identity("a")


FULL = Refusal.of_trouble("m2", "node2", "/tmp/xpm-7/code: no space left on device")


def test_a_machine_without_room_gets_no_jobs_until_it_joins_again_and_no_job_fails_of_that(
    sweep: StoreClient,
) -> None:
    assert sweep.store.refuse(BAD, sweep.claim(BAD), FULL, ERROR) == (RefuseCode.REFUSED, "ready")
    sweep.store.leave(GOOD.name)
    for name in ("e1", "e2"):  # it is the only one now
        assert sweep.store.claim(BAD, name).code is ClaimCode.EMPTY
        assert sweep.store.claim(BROTHER, name).code is ClaimCode.EMPTY
    assert (sweep.job("a").state, sweep.job("a").attempts) == (State.READY, 0)
    joined(sweep, BAD)
    done(sweep, BAD, sweep.claim(BAD))
    check_everything(sweep.client, W)


def test_a_machine_without_room_that_dies_before_it_joins_again_keeps_no_job_for_long(sweep: StoreClient) -> None:
    sweep.store.leave(GOOD.name)
    sweep.store.refuse(BAD, sweep.claim(BAD), FULL, ERROR)
    key = keys.refusals(W, "m2-bb")
    ((field, written),) = sweep.client.hgetall(key).items()
    assert 110_000 < json.loads(written)["look_again_ms"] - server_time(sweep.client) * 1000 <= 120_000
    sweep.client.hset(key, field, json.dumps({**json.loads(written), "look_again_ms": 1}, separators=(",", ":")))
    assert sweep.store.claim(BROTHER, "e1").code is ClaimCode.CLAIMED


def test_a_job_does_not_fail_while_a_machine_may_soon_have_room(sweep: StoreClient) -> None:
    sweep.store.refuse(BAD, sweep.claim(BAD), FULL, ERROR)
    assert refuse(sweep, GOOD, sweep.claim(GOOD), "numpy") == (RefuseCode.REFUSED, "ready")
    assert sweep.store.claim(GOOD, "e1").lease is not None  # another job, of which nothing is known
    joined(sweep, BAD)
    lease = sweep.claim(BAD)
    assert lease.identity


def test_a_machine_that_registers_anew_has_room_again_and_still_lacks_its_modules(sweep: StoreClient) -> None:
    refuse(sweep, BAD, sweep.claim(BAD), "numpy")
    key = keys.refusals(W, "m2-bb")
    before = sweep.client.hgetall(key)
    sweep.client.hset(key, "other.lack", json.dumps({**FULL.written(), "look_again_ms": 7}))
    sweep.client.hset(key, "more.lack", "no JSON")
    joined(sweep, BROTHER)
    assert sweep.client.hgetall(key) == {**before, b"more.lack": b"no JSON"}


def test_what_a_machine_has_no_room_for_is_said_with_its_remedy() -> None:
    assert Refusal.read(json.dumps(FULL.written())) == FULL
    assert FULL.said == f"worker m2 on node2 {FULL.problem}"
    assert FULL.problem == "cannot hold the code of its jobs: /tmp/xpm-7/code: no space left on device"
    assert "XPM_SNAPSHOT_FOLDER" in FULL.remedy
