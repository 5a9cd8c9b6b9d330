"""Which snapshot a job has after it was submitted again, or retried, and what the answer says of it."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.invariants import check_everything
from helpers.store_client import StoreClient, W, identity, submission

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import new_execution_id
from xpm_core.store.records import RetryCode, Submission, SubmitCode, Submitted

pytestmark = pytest.mark.redis

OLD, NEW = "5d20b11" + "a" * 57, "8c1f2e0" + "b" * 57


def coded(name: str, snapshot: str = "", **more: Any) -> Submission:
    return submission(name, options={"snapshot": snapshot} if snapshot else {}, **more)


def snapshot_of(desk: StoreClient, name: str) -> str:
    return Reader(desk.client, W).jobs.spec(identity(name)).options.snapshot


def later(desk: StoreClient, name: str, snapshot: str = "", **more: Any) -> Submitted:
    """The answer to a submission of a later run."""
    before = round(server_time(desk.client) * 1000)
    while desk.run.started_ms <= before:
        desk.run = desk.store.open_run("exp", new_execution_id(), {})
    return desk.submit(coded(name, snapshot, **more))[0]


def fate(answer: Submitted) -> tuple[str | None, str | None]:
    return answer.kept, answer.replaced


@pytest.mark.parametrize("first", [OLD, ""])
@pytest.mark.parametrize("second", [NEW, ""])
def test_a_job_that_has_not_begun_takes_the_newest_snapshot_and_the_answer_names_the_earlier_one(
    desk: StoreClient, first: str, second: str
) -> None:
    new = desk.submit(coded("a", first), coded("b", first, needs=("a",)))
    assert [fate(each) for each in new] == [(None, None)] * 2
    expected = (None, None) if first == second else (None, first)
    for name, needs in (("a", ()), ("b", ("a",))):
        assert fate(later(desk, name, second, needs=needs)) == expected
        assert snapshot_of(desk, name) == second
    check_everything(desk.client, W)


def test_a_delayed_and_a_blocked_job_take_it_too(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD, max_retries=1, backoff_s=99.0), coded("b", OLD), coded("c", OLD, needs=("b",)))
    desk.finish(desk.claim(), State.FAILED)
    desk.finish(desk.claim(), State.FAILED)
    assert (desk.state("a"), desk.state("c")) == (State.DELAYED, State.BLOCKED)
    for name, needs in (("a", ()), ("c", ("b",))):
        assert fate(later(desk, name, NEW, needs=needs)) == (None, OLD)


def test_a_job_that_runs_keeps_its_snapshot_also_when_it_is_handed_back(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    lease = desk.claim()
    answer = later(desk, "a", NEW)
    assert (answer.state, *fate(answer)) == (State.RUNNING, OLD, None)
    desk.store.release(lease, started=True)
    assert desk.claim().spec.options.snapshot == OLD


def test_a_retry_that_happens_by_itself_keeps_the_snapshot(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD, max_retries=1, backoff_s=0.0))
    desk.finish(desk.claim(), State.FAILED)
    assert desk.claim().spec.options.snapshot == OLD


def test_a_failed_job_that_a_later_run_retries_takes_the_newest_snapshot(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.finish(desk.claim(), State.FAILED)
    answer = later(desk, "a", NEW)
    assert (answer.code, *fate(answer)) == (SubmitCode.RETRIED, None, OLD)
    assert desk.claim().spec.options.snapshot == NEW


def test_a_job_that_failed_in_this_run_keeps_the_snapshot_with_which_it_failed(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.finish(desk.claim(), State.FAILED)
    answer = desk.submit(coded("a", NEW))[0]
    assert (answer.code, answer.state, *fate(answer)) == (SubmitCode.ATTACHED, State.FAILED, OLD, None)


def test_of_two_runs_at_once_the_submission_that_was_made_last_counts(desk: StoreClient) -> None:
    base = desk.run.started_ms
    assert fate(desk.submit(coded("a", OLD, made_ms=base + 100_000))[0]) == (None, None)
    later_one = coded("a", NEW, made_ms=base + 300_000)
    assert fate(desk.submit(later_one)[0]) == (None, OLD)
    assert fate(desk.submit(later_one)[0]) == (None, None), "the same again, because the reply was lost"
    late = coded("a", OLD, made_ms=base + 200_000)
    assert fate(desk.submit(late)[0]) == (NEW, None), "it was made before, and an outage has held it up"
    assert snapshot_of(desk, "a") == NEW


@pytest.mark.parametrize("options", ["", "[1]", "{", "[" * 5000, '{"snapshot": 3}', '{"snapshot": "../x"}', "null"])
def test_options_that_others_have_written_name_no_snapshot(desk: StoreClient, options: str) -> None:
    desk.submit(coded("a", OLD))
    desk.client.hset(keys.job(W, identity("a")), "options", options)
    assert fate(later(desk, "a", NEW)) == (None, "")
    assert snapshot_of(desk, "a") == NEW


def recoded(desk: StoreClient, name: str, snapshot: str) -> tuple[RetryCode, str, str]:
    """Retry a job with another snapshot."""
    before = desk.submitted[identity(name)].spec
    return desk.store.retry(identity(name), recoded=(before, coded(name, snapshot).spec))


def test_a_retry_can_give_a_failed_job_another_snapshot(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.finish(desk.claim(), State.FAILED)
    assert recoded(desk, "a", NEW)[0] is RetryCode.RETRIED
    assert desk.claim().spec.options.snapshot == NEW
    check_everything(desk.client, W)


def test_a_retry_changes_nothing_if_somebody_has_submitted_the_job_meanwhile(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.finish(desk.claim(), State.FAILED)
    seen = desk.submitted[identity("a")].spec
    assert later(desk, "a", NEW).code is SubmitCode.RETRIED
    desk.finish(desk.claim(), State.FAILED)
    reply = desk.store.retry(identity("a"), recoded=(seen, coded("a", "").spec))
    assert reply == (RetryCode.STALE, "failed", "")
    assert (desk.state("a"), snapshot_of(desk, "a")) == (State.FAILED, NEW)


def test_a_retry_gives_no_other_snapshot_to_a_job_that_runs(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.claim()
    assert recoded(desk, "a", NEW)[0] is RetryCode.UNSETTLED
    assert snapshot_of(desk, "a") == OLD


def test_a_done_job_is_retried_with_the_snapshot_that_the_caller_brings(desk: StoreClient) -> None:
    desk.submit(coded("a", OLD))
    desk.finish(desk.claim())
    assert desk.store.retry(identity("a"), kept=coded("a", NEW))[0] is RetryCode.RETRIED
    assert desk.claim().spec.options.snapshot == NEW
