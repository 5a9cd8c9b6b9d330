"""The life of a job, by the scripts, on a real server."""

from __future__ import annotations

import pytest
from helpers.invariants import check_everything
from helpers.store_client import OTHER, WORKER, StoreClient, W, identity, submission

from xpm_core.errors import BeingRemovedError, OriginClashError
from xpm_core.reading.reader import Reader
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import (
    CancelCode,
    ClaimCode,
    CollectCode,
    FinishCode,
    ForgetCode,
    ReleaseCode,
    RenewCode,
    RetryCode,
    SubmitCode,
    WorkerId,
)
from xpm_core.store.tokens import create_token, limit_passes

pytestmark = pytest.mark.redis


def test_a_job_is_submitted_claimed_and_done(desk: StoreClient) -> None:
    assert [s.code for s in desk.submit(submission("a"))] == [SubmitCode.NEW]
    lease = desk.claim()
    assert (lease.identity, lease.attempt, lease.spec.payload) == (identity("a"), 1, b"payload of a")
    assert desk.state("a") is State.RUNNING
    assert desk.finish(lease) is FinishCode.ACCEPTED
    assert desk.state("a") is State.DONE
    assert desk.finish(lease) is FinishCode.ALREADY


def test_files_of_one_class_name_are_one_when_they_share_a_name(desk: StoreClient) -> None:
    def submit(*names: str) -> None:
        desk.store.submit("exp", desk.run.started_ms, [submission("a")], {"m:A": "\n".join(names)})

    submit("one:m.py")
    submit("one:m.py")
    submit("two:m.py", "one:m.py")
    submit("two:m.py")
    submit("three:m.py", "two:m.py")
    for names in (["three:m.py"], ["four:m.py", "five:m.py"], ["one:m.p"], ["ne:m.py"]):
        with pytest.raises(OriginClashError, match=r"defined in .*, but in this workspace .* belongs to one:m\.py;"):
            submit(*names)


def test_class_that_names_its_former_module_is_one_with_that_wherever_it_lay_in_the_project(desk: StoreClient) -> None:
    def submit(name: str, *names: str) -> None:
        desk.store.submit("exp", desk.run.started_ms, [submission("a")], {name: "\n".join(names)})

    for name, known in (("m:A", "one:m.py"), ("m:B", "one:a/b/m.py"), ("m:C", "one:m/__init__.py")):
        submit(name, known)
        submit(name, "one:src/other.py", "one:**/m.py", "one:**/m/__init__.py")
        submit(name, known)
        with pytest.raises(OriginClashError):
            submit(name, "one:x/m.py")
    submit("m:D", "one:am.py")
    submit("m:E", "one:m.py/other.py")
    submit("m:F", "two:m.py")
    submit("m:G", "one:src/other.py", "one:**/m.py")
    for name in ("m:D", "m:E", "m:F"):
        with pytest.raises(OriginClashError):
            submit(name, "one:src/other.py", "one:**/m.py")
    for names in (["one:m.py"], ["one:lib/other.py", "one:**/m.py"]):
        with pytest.raises(OriginClashError):
            submit("m:G", *names)


def test_finish_claims_the_next_job_in_the_same_call(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    first = desk.claim()
    reply = desk.store.finish(WORKER, first, State.DONE, next_execution=new_execution_id())
    assert reply.next.lease is not None
    assert reply.next.lease.identity == identity("b")


@pytest.mark.parametrize(("later", "named"), [(1, "exp"), (7, "exp"), (8, "exp"), (199, "exp"), (200, "")])
def test_a_claim_names_the_experiment_however_many_began_later(desk: StoreClient, later: int, named: str) -> None:
    """It looks at some of them only, because thousands would make each claim slow."""
    desk.submit(submission("a"))
    desk.client.zadd(keys.experiments(W), {f"later{number}": desk.run.started_ms + 1 for number in range(later)})
    assert desk.claim().experiment == named


def test_a_claim_has_only_tags_that_can_be_some(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    deep = f"{'[' * 500}{']' * 500}"
    written = f'{{"lr": 0.1, "model": "mlp", "debug": true, "none": null, "deep": {deep}, "map": {{}}}}'
    desk.client.hset(keys.job(W, identity("a")), "tags", written)
    assert desk.claim().tags == {"lr": 0.1, "model": "mlp", "debug": True, "none": None}


def test_of_several_experiments_a_claim_names_the_one_whose_run_began_last(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    for number, name in enumerate(["before", "after", "empty"]):
        desk.client.zadd(keys.experiments(W), {name: desk.run.started_ms - 1 + 2 * number})
    for name in ("before", "after"):
        desk.client.sadd(keys.experiment_jobs(W, name), identity("a"))
    assert desk.claim().experiment == "after"


def test_a_repeated_claim_answers_the_same_job(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    first, again = desk.store.claim(WORKER, "e1").lease, desk.store.claim(WORKER, "e1").lease
    assert first is not None
    assert again is not None
    assert again.identity == first.identity == identity("a")
    desk.finish(first)
    assert desk.store.claim(WORKER, "e1").code is ClaimCode.STALE


def test_a_chain_is_released_in_order(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c", needs=("b",)))
    assert [desk.state(name) for name in "abc"] == [State.READY, State.WAITING, State.WAITING]
    for name in "abc":
        lease = desk.claim()
        assert lease.identity == identity(name)
        assert desk.claim_any().code is ClaimCode.EMPTY
        desk.finish(lease)


def test_a_failure_blocks_all_the_way_down_and_a_retry_frees(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c", needs=("b",)), submission("d"))
    desk.finish(desk.claim(), State.FAILED, error={"type": "ValueError"})
    assert [desk.state(name) for name in "abc"] == [State.FAILED, State.BLOCKED, State.BLOCKED]
    assert Reader(desk.client, W).jobs.states([identity("c")])[identity("c")][1] == identity("a")
    assert desk.retry("c")[::2] == (RetryCode.BLOCKED, identity("a"))
    assert desk.retry("a")[0] is RetryCode.RETRIED
    assert [desk.state(name) for name in "abc"] == [State.READY, State.WAITING, State.WAITING]


def test_a_later_run_retries_what_failed_before_it_and_not_its_own_failures(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.finish(desk.claim(), State.FAILED)
    assert desk.submit(submission("a"))[0].code is SubmitCode.ATTACHED
    desk.run = desk.store.open_run("exp", "run2", {})
    while desk.run.started_ms <= Reader(desk.client, W).jobs.read([identity("a")])[0].ended_s * 1000:
        desk.run = desk.store.open_run("exp", new_execution_id(), {})
    assert desk.submit(submission("a"))[0].code is SubmitCode.RETRIED
    assert desk.submit(submission("a"))[0].code is SubmitCode.ATTACHED


def test_a_later_run_says_how_to_run_what_an_earlier_one_left_unfinished(desk: StoreClient) -> None:
    first = submission("a"), submission("b", needs=("a",)), submission("c", needs=("a",)), submission("d")
    desk.submit(*first)
    desk.finish(running := desk.claim(), State.FAILED)
    assert running.identity == identity("a")
    running = desk.claim()  # d
    desk.submit(submission("b", needs=("a",), payload=b"another of this run"))
    assert payload_of(desk, "b") == b"payload of b"
    while desk.run.started_ms <= Reader(desk.client, W).jobs.read([identity("a")])[0].ended_s * 1000:
        desk.run = desk.store.open_run("exp", new_execution_id(), {})
    desk.submit(
        submission("a", payload=b"new a", options={"timeout_s": 9}),
        submission("b", needs=("a",), payload=b"new b", options={"timeout_s": 9}),
        submission("d", payload=b"new d"),
    )
    assert [payload_of(desk, name) for name in "abcd"] == [b"new a", b"new b", b"payload of c", b"payload of d"]
    assert desk.job("b").options["timeout_s"] == 9
    desk.finish(desk.claim())
    assert desk.claim().spec.payload == b"new b"


def later_run(desk: StoreClient) -> None:
    """Open a run after all that has happened."""
    desk.run = desk.store.open_run("exp", new_execution_id(), {})
    before = desk.run.started_ms
    while desk.run.started_ms <= before:
        desk.run = desk.store.open_run("exp", new_execution_id(), {})


GPU = WorkerId("g1", "node1", queues=("gpu",))


def test_a_later_run_moves_a_waiting_job_to_another_queue(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    later_run(desk)
    desk.submit(submission("a", queue="gpu"), submission("b", needs=("a",), queue="gpu"))
    assert desk.claim_any().code is ClaimCode.EMPTY
    assert (desk.job("a").queue, desk.job("b").queue) == ("gpu", "gpu")
    assert desk.finish(desk.claim(GPU)) is FinishCode.ACCEPTED
    assert desk.claim(GPU).identity == identity("b")
    check_everything(desk.client, W)


def test_a_later_run_gives_a_failed_job_its_own_queue_tokens_and_retries(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 2)
    desk.submit(submission("a", demand={"cpu": 2}))
    desk.finish(desk.claim(), State.FAILED)
    later_run(desk)
    [answer] = desk.submit(submission("a", queue="gpu", demand={"cpu": 1}, max_retries=1, backoff_s=999.0))
    assert answer.code is SubmitCode.RETRIED
    assert desk.claim_any().code is ClaimCode.EMPTY
    lease = desk.claim(GPU)
    assert Reader(desk.client, W).tokens.read()[0].used == {"": 1}
    assert desk.finish(lease, State.FAILED) is FinishCode.ACCEPTED
    assert desk.state("a") is State.DELAYED
    later_run(desk)
    desk.submit(submission("a"))
    assert desk.job("a").queue == "default"
    check_everything(desk.client, W)


def test_a_later_run_changes_who_comes_first(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"), submission("c"))
    later_run(desk)
    desk.submit(submission("a", priority=-1), submission("c", priority=1), submission("b"))
    assert [desk.claim().identity for _ in "abc"] == [identity(name) for name in "cba"]


def test_of_two_later_runs_the_one_that_began_last_decides(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    later_run(desk)
    first = desk.run
    later_run(desk)
    desk.submit(submission("a", queue="gpu"))
    desk.run = first
    desk.submit(submission("a"))
    assert desk.job("a").queue == "gpu"


def test_a_worker_of_the_new_queue_is_woken_for_a_job_that_a_later_run_moves(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    later_run(desk)
    desk.store.join(GPU, pid=1, path="/ws", version="1")
    assert desk.store.claim(GPU, new_execution_id(), listen=True).code is ClaimCode.EMPTY
    desk.submit(submission("a", queue="gpu"))
    assert desk.store.wait_for_wake(GPU, 1)


def test_moving_a_job_frees_the_tokens_that_were_kept_for_it(desk: StoreClient) -> None:
    limit_passes(desk.client, 1)
    create_token(desk.client, "cpu", 2)
    desk.submit(submission("a", demand={"cpu": 1}), submission("large", demand={"cpu": 2}))
    desk.submit(submission("b", demand={"cpu": 1}), submission("c", demand={"cpu": 1}))
    leases = [desk.claim(), desk.claim()]
    desk.finish(leases.pop())
    desk.store.join(OTHER, pid=1, path="/ws", version="1")
    assert desk.store.claim(OTHER, new_execution_id(), listen=True).lease is None, "the token is kept"
    later_run(desk)
    desk.submit(submission("large", queue="gpu"))
    assert desk.client.delete(keys.wake(W, OTHER.name)) == 1, "no other call wakes it"
    assert desk.claim(OTHER).identity == identity("c")
    check_everything(desk.client, W)


def payload_of(desk: StoreClient, name: str) -> bytes:
    return Reader(desk.client, W).jobs.spec(identity(name)).payload


def test_own_errors_are_retried_after_a_delay(desk: StoreClient) -> None:
    desk.submit(submission("a", max_retries=1, backoff_s=0.0))
    desk.finish(desk.claim(), State.FAILED)
    second = desk.claim()
    assert second.attempt == 2
    desk.finish(second, State.FAILED)
    assert desk.state("a") is State.FAILED


def test_a_lease_that_is_over_goes_to_another_and_the_late_finish_is_stale(desk: StoreClient) -> None:
    short = WorkerId("w1", "node1", lease_s=0.05)
    desk.submit(submission("a"))
    late = desk.claim(short)
    lease = None
    while lease is None:
        lease = desk.store.claim(OTHER, new_execution_id()).lease
    assert lease.identity == late.identity
    assert desk.store.renew(short, late)[0] is RenewCode.STALE
    assert desk.finish(late) is FinishCode.STALE
    assert desk.finish(lease) is FinishCode.ACCEPTED


def test_a_late_finish_counts_when_nobody_claimed_since(desk: StoreClient) -> None:
    short = WorkerId("w1", "node1", lease_s=0.05)
    desk.submit(submission("a"))
    late = desk.claim(short)
    while desk.state("a") is State.RUNNING:
        desk.store.look(lease_s=0.05)
    assert desk.state("a") is State.READY
    assert desk.finish(late) is FinishCode.ACCEPTED
    assert desk.state("a") is State.DONE
    assert desk.claim_any().code is ClaimCode.EMPTY


def test_a_released_job_is_ready_again_and_counts_no_attempt(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    lease = desk.claim()
    assert desk.store.release(lease, started=False)[0] is ReleaseCode.RELEASED
    assert desk.store.release(lease, started=False)[0] is ReleaseCode.ALREADY
    assert desk.claim().attempt == 1


def test_a_job_that_had_too_little_time_is_left_to_workers_that_have_more(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 2)
    desk.submit(submission("a", demand={"cpu": 2}), submission("b"))
    for least_s in (90, 60):
        lease = desk.claim()
        assert desk.store.release(lease, started=True, least_s=least_s)[0] is ReleaseCode.RELEASED
        assert desk.store.release(lease, started=True, least_s=least_s)[0] is ReleaseCode.ALREADY
    assert desk.job("a").demand == {"cpu": 2}
    short = desk.store.claim(WORKER, new_execution_id(), left_s=89).lease
    assert short is not None
    assert short.identity == identity("b")
    assert desk.store.claim(WORKER, new_execution_id(), left_s=89).code is ClaimCode.EMPTY
    long = desk.store.claim(WORKER, new_execution_id(), left_s=90).lease
    assert long is not None
    assert long.identity == identity("a")
    assert long.units == {"cpu": (2, "")}


def test_a_job_wakes_a_worker_that_lives_long_enough_for_it(desk: StoreClient) -> None:
    third = WorkerId("w3", "node1")
    for worker, left_s in ((WORKER, None), (OTHER, 10.0), (third, 10.0)):
        desk.store.join(worker, pid=1, path="/", version="0")
        assert desk.store.claim(worker, new_execution_id(), listen=True, left_s=left_s).code is ClaimCode.EMPTY
    desk.submit(submission("a", min_time_s=60))
    assert desk.store.wait_for_wake(WORKER, 1.0)


def test_cancel_in_each_state(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c"))
    assert desk.store.cancel(identity("c"))[0] is CancelCode.CANCELLED
    lease = desk.claim()
    assert desk.store.cancel(identity("a"))[0] is CancelCode.ASKED
    assert desk.store.renew(WORKER, lease)[0] is RenewCode.CANCEL
    desk.finish(lease, State.CANCELLED)
    assert [desk.state(name) for name in "abc"] == [State.CANCELLED, State.BLOCKED, State.CANCELLED]
    assert desk.store.cancel(identity("a"))[0] is CancelCode.SETTLED
    assert desk.claim_any().code is ClaimCode.EMPTY


def test_a_done_marker_is_adopted_and_its_absence_is_told(desk: StoreClient) -> None:
    assert desk.submit(submission("a", marker="e0"))[0].code is SubmitCode.DONE
    assert desk.submit(submission("a", marker="e0"))[0].code is SubmitCode.DONE
    unmarked = desk.submit(submission("a"))[0]
    assert (unmarked.code, unmarked.execution) == (SubmitCode.UNMARKED, "e0")
    assert desk.retry("a", "another")[0] is RetryCode.STALE
    assert desk.retry("a", "e0")[0] is RetryCode.RETRIED
    assert desk.claim().replaces == "e0"


def test_a_done_job_in_use_is_not_run_again_and_unstarted_dependents_wait(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c", needs=("a",)))
    desk.finish(desk.claim())
    using = desk.claim()
    assert desk.retry("a")[::2] == (RetryCode.IN_USE, using.identity)
    desk.store.release(using, started=False)
    assert desk.retry("a")[0] is RetryCode.RETRIED
    assert [desk.state(name) for name in "abc"] == [State.READY, State.WAITING, State.WAITING]


def test_a_fan_out_beyond_one_step_is_released_by_the_calls_that_follow(desk: StoreClient) -> None:
    desk.submit(submission("root"), *(submission(f"leaf{n}", needs=("root",)) for n in range(1200)))
    desk.finish(desk.claim())
    while desk.store.look().more:
        pass
    counts = Reader(desk.client, W).jobs.counts()
    assert counts[State.READY] == 1200
    assert counts[State.WAITING] == 0


def test_jobs_are_claimed_by_priority_then_arrival(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", priority=5), submission("c", priority=-5), submission("d", priority=5))
    assert [desk.claim().identity for _ in range(4)] == [identity(name) for name in "bdac"]


def test_a_worker_does_not_claim_what_it_cannot_give_the_least_time(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 3)
    desk.submit(submission("long", min_time_s=3600), submission("wide", demand={"cpu": 1}, min_time_s=600))
    desk.submit(submission("short", demand={"cpu": 1}))
    assert desk.store.claim(WORKER, new_execution_id(), left_s=60).lease.identity == identity("short")  # type: ignore[union-attr]
    assert desk.store.claim(WORKER, new_execution_id(), left_s=60).code is ClaimCode.EMPTY
    assert desk.store.claim(WORKER, new_execution_id(), left_s=601).lease.identity == identity("wide")  # type: ignore[union-attr]
    assert desk.claim().identity == identity("long")


def test_a_waiting_worker_is_woken_by_what_becomes_runnable_and_by_freed_tokens(desk: StoreClient) -> None:
    create_token(desk.client, "cpu", 1)
    for worker in (WORKER, OTHER):
        desk.store.join(worker, pid=1, path="/", version="0")
    assert desk.store.claim(WORKER, "e1", listen=True).code is ClaimCode.EMPTY
    desk.submit(submission("a", demand={"cpu": 1}), submission("b", demand={"cpu": 1}))
    assert desk.store.wait_for_wake(WORKER, 1.0)
    lease = desk.store.claim(WORKER, "e2", listen=True).lease
    assert lease is not None
    assert desk.store.claim(OTHER, "e3", listen=True).code is ClaimCode.EMPTY
    desk.finish(lease)
    assert desk.store.wait_for_wake(OTHER, 1.0)
    assert desk.store.claim(OTHER, "e4").code is ClaimCode.CLAIMED


def test_a_job_that_runs_by_now_is_spared_if_that_was_asked(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    lease = desk.claim()
    assert desk.store.cancel(lease.identity, spares_running=True) == (CancelCode.SPARED, "running", WORKER.name)
    assert desk.client.hget(keys.job(W, lease.identity), "cancel") is None
    assert desk.store.cancel(identity("b"), spares_running=True)[0] is CancelCode.CANCELLED
    assert desk.store.cancel(lease.identity)[0] is CancelCode.ASKED


def collected(desk: StoreClient) -> None:
    desk.store.collect("gc", 60.0, {"pid": 7})


def forget(desk: StoreClient, name: str, execution: str | None = None, *, needs: tuple[str, ...] = ()) -> ForgetCode:
    seen = desk.job(name).execution if execution is None else execution
    return desk.store.forget("gc", 60.0, identity(name), seen, [identity(need) for need in needs])[0]


def test_only_one_collection_goes_on_at_a_time_and_others_learn_whose_it_is(desk: StoreClient) -> None:
    assert desk.store.collect("one", 60.0, {"pid": 7}) == (CollectCode.BEGUN, {})
    assert desk.store.collect("one", 60.0, {"pid": 7}) == (CollectCode.BEGUN, {})
    assert desk.store.collect("two", 60.0, {}) == (CollectCode.BUSY, {"pid": 7})
    assert desk.store.collect("two", 0, {})[0] is CollectCode.ENDED  # which ends only its own
    assert desk.store.collect("two", 60.0, {})[0] is CollectCode.BUSY
    assert desk.store.collect("one", 0, {})[0] is CollectCode.ENDED
    assert desk.store.collect("two", 60.0, {})[0] is CollectCode.BEGUN
    assert desk.store.forget("one", 60.0, "", "")[0] is ForgetCode.OVER


def test_a_forgotten_job_is_nowhere_and_runs_anew_when_it_is_submitted(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    desk.finish(desk.claim())
    desk.finish(desk.claim())
    collected(desk)
    assert forget(desk, "b", needs=("a",)) is forget(desk, "a") is ForgetCode.TAKEN
    assert desk.jobs() == []
    assert Reader(desk.client, W).events.after("0-0")[-1].event is Event.REMOVED
    left = {key.decode() for key in desk.client.scan_iter("*") if identity("a").encode() in key}
    assert left == {keys.forgotten(W, identity("a"))}
    check_everything(desk.client, W)
    desk.store.forget("gc", 60.0, "", "")
    assert [each.code for each in desk.submit(submission("a"), submission("b", needs=("a",)))] == [SubmitCode.NEW] * 2
    check_everything(desk.client, W)


def test_a_job_is_not_forgotten_while_somebody_needs_it(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)), submission("c"))
    lease = desk.claim()
    collected(desk)
    assert desk.store.forget("gc", 60.0, identity("a"), lease.execution) == (ForgetCode.UNSETTLED, "running")
    desk.finish(lease)
    assert desk.store.forget("gc", 60.0, identity("a"), lease.execution) == (ForgetCode.NEEDED, identity("b"))
    desk.store.cancel(identity("b"))  # it may be retried, and then reads the result
    assert forget(desk, "a") is ForgetCode.NEEDED
    assert forget(desk, "b", "another") is ForgetCode.STALE
    assert forget(desk, "b") is forget(desk, "a") is ForgetCode.TAKEN


def test_what_somebody_names_after_the_collection_began_is_not_forgotten(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b"))
    desk.finish(desk.claim())
    desk.store.cancel(identity("b"))
    collected(desk)
    desk.store.recall("exp", [identity("a")]).reply()
    desk.submit(submission("b"))
    assert forget(desk, "a") is forget(desk, "b") is ForgetCode.NAMED
    desk.store.collect("gc", 0, {})
    collected(desk)
    assert forget(desk, "a") is forget(desk, "b") is ForgetCode.TAKEN


def test_a_job_whose_directory_is_being_removed_cannot_be_submitted_until_it_is_gone(desk: StoreClient) -> None:
    desk.submit(submission("a"))
    desk.finish(desk.claim())
    collected(desk)
    assert forget(desk, "a") is ForgetCode.TAKEN
    assert forget(desk, "a", "whatever") is ForgetCode.TAKEN  # as if the reply was lost
    with pytest.raises(BeingRemovedError, match="its directory is being removed just now"):
        desk.submit(submission("b"), submission("a"))
    assert desk.jobs() == []
    desk.store.collect("gc", 0, {})
    assert [each.code for each in desk.submit(submission("a"))] == [SubmitCode.NEW]


def test_the_marker_of_a_removed_job_counts_neither_for_submit_nor_for_a_worker(desk: StoreClient) -> None:
    """A network file system may show the directory for some time after it is gone."""
    desk.submit(submission("a"))
    lease = desk.claim()
    desk.finish(lease)
    collected(desk)
    forget(desk, "a")
    desk.store.collect("gc", 0, {})
    assert [each.code for each in desk.submit(submission("a", marker=lease.execution))] == [SubmitCode.NEW]
    assert desk.claim().replaces == lease.execution
    desk.submit(submission("b"))
    assert [each.code for each in desk.submit(submission("b", marker="another"))] == [SubmitCode.DONE]


def test_queue_and_demand_of_many_jobs_are_read_also_of_done_ones(desk: StoreClient) -> None:
    create_token(desk.client, "gpu", 2)
    desk.submit(submission("a", demand={"gpu": 1}))
    desk.finish(desk.claim())
    desk.submit(submission("b"), submission("c", queue="other"), submission("d", queue="other"))
    jobs = Reader(desk.client, W).jobs
    assert jobs.lines_of([identity(name) for name in ("a", "b", "nobody")]) == {
        identity("a"): ("default", {"gpu": 1}),
        identity("b"): ("default", {}),
    }
    assert jobs.delayed() == []
    assert jobs.lengths() == [("default", {}, 1), ("other", {}, 2)]
