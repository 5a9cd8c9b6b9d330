"""What there is to show of a run: which jobs, in which order, and why jobs wait."""

from __future__ import annotations

import pytest
from helpers.tracked_jobs import job

from xpm_core.script.live.run_view import Answer, RunView, cause, telling_tags, what, where
from xpm_core.states import State
from xpm_core.words.reasons import Reason
from xpm_core.words.reasons_in_line import TokenKept
from xpm_core.words.reasons_of_jobs import Done
from xpm_core.words.reasons_of_workers import Suspended, Unserved


def test_tags_that_are_the_same_for_all_jobs_of_a_task_are_left_out() -> None:
    jobs = [job(State.RUNNING, tags={"lr": lr, "data": "digits"}) for lr in (0.1, 0.2)]
    assert telling_tags(jobs) == {"Train": {"lr"}}
    assert telling_tags(jobs[:1]) == {"Train": {"lr", "data"}}
    assert what(jobs[0], {"lr"}) == "Train lr=0.1"
    assert what(jobs[0]) == "Train lr=0.1 data=digits"
    some = [job(State.RUNNING, tags={"lr": 1}), job(State.RUNNING, tags={})]
    assert telling_tags(some) == {"Train": {"lr"}}


def test_words_for_a_job() -> None:
    assert where(job(State.RUNNING)) == "gpu-a:0"
    assert cause(job(State.FAILED)) == "OutOfMemoryError train.py:88"
    assert cause(job(State.CANCELLED)) == "cancelled"


def test_latest_failures_and_longest_runs_come_first() -> None:
    jobs = [job(state, since_s=float(since)) for since in (2, 3, 1) for state in (State.FAILED, State.RUNNING)]
    view = RunView("x", jobs, 1)
    assert [each.since_s for each in view.failed()] == [3, 2, 1]
    assert [each.since_s for each in view.running()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("reason", "state", "shown"),
    [
        (Suspended(), State.READY, "all workers of the server are suspended"),
        (TokenKept("1234567"), State.READY, "its tokens are kept for 1234567, which was passed too often"),
        (TokenKept("1234567"), State.RUNNING, "about to start"),  # the job has moved on
        (Done(None), State.READY, "about to start"),  # it has moved on, and the script has not heard of it
        (Unserved("default", 1), State.READY, "about to start"),  # workers may be about to start
    ],
)
def test_answer_of_the_server_counts_while_its_job_is_ready(reason: Reason, state: State, shown: str) -> None:
    asked = job(state)
    waiting = RunView(
        "x", [asked, job(State.READY), job(State.DONE)], 1, answer=Answer(asked.identity, reason)
    ).waiting()
    assert waiting is not None
    if state is State.RUNNING:
        shown = "all workers are busy"
    assert waiting.reason == shown
    assert bool(waiting.identity) is (shown == str(reason))


def test_queue_that_two_looks_found_unserved_comes_before_an_answer() -> None:
    ready = job(State.READY)
    view = RunView("x", [ready], 1, [Unserved("default", 1)], Answer(ready.identity, Suspended()))
    assert str(view.waiting()) == "1 ready   no living worker serves queue default"
