"""The table of a script's jobs: what it learns from answers, events and records, and what counts when they disagree."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from xpm_core.errors import WipedError
from xpm_core.reading.events import Record
from xpm_core.script.follow.outage import Outage
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.follow.tracker import Tracker
from xpm_core.server import connection
from xpm_core.states import Event, State
from xpm_core.store.records import Pause, Serving, SubmitCode, Submitted
from xpm_core.store.refusals import Refusal
from xpm_core.words.reasons_of_workers import Paused, Unserved
from xpm_core.workspace.job_directory import JobDirectory

ERROR = {"type": "ValueError", "message": "no"}


@pytest.fixture
def tracker() -> Tracker:
    """A tracker that follows from the first event on."""
    return Tracker("0-0", Outage("x", connection.open("redis://head")))


def added(tracker: Tracker, name: str, queue: str = "default") -> TrackedJob:
    """A job whose submission is on its way."""
    job = TrackedJob(tracker, name, "Task", JobDirectory(Path("/w"), f"jobs/t.task/{name}"), ("sweep.py", 42), queue)
    tracker.add(job)
    return job


def ready(tracker: Tracker, name: str, cursor: str = "1-0", since: str = "", queue: str = "default") -> TrackedJob:
    """A job that the server has accepted."""
    job = added(tracker, name, queue)
    tracker.answered([(job, Submitted(SubmitCode.NEW, State.READY, "", 0.0, "", cursor, since))])
    return job


def event(job: TrackedJob, what: Event, cursor: str, **data: str) -> Record:
    return Record(cursor, what, 1.0, job.identity, "t:Task", "e1", "w1", data)


def known(job: TrackedJob, state: State, error: dict[str, Any] | None = None) -> Any:
    """A job's record on the server."""
    return SimpleNamespace(
        identity=job.identity, state=state, error=error or {}, progress={}, worker="w1", root="",
        submitted_s=1.0, started_s=2.0, ended_s=3.0,
    )  # fmt: skip


def test_an_event_before_the_last_known_one_of_its_job_does_not_count(tracker: Tracker) -> None:
    job = ready(tracker, "a", "5-0")
    tracker.take([event(job, Event.STARTED, "4-0")])
    assert (job.state, job.position) == (State.READY, (5, 0))
    tracker.take([event(job, Event.STARTED, "6-0")])
    assert (job.state, job.worker) == (State.RUNNING, "w1")


def test_an_answer_before_the_last_known_event_of_its_job_does_not_count(tracker: Tracker) -> None:
    job = ready(tracker, "a", "5-0")
    tracker.take([event(job, Event.DONE, "6-0")])
    tracker.answered([(job, Submitted(SubmitCode.ATTACHED, State.RUNNING, "", 0.0, "", "5-1"))])
    assert job.state is State.DONE


def test_the_cursor_jumps_over_the_events_of_a_batch_only_if_all_before_them_were_read(tracker: Tracker) -> None:
    ready(tracker, "a", "3-0", since="0-0")
    assert tracker.cursor == "3-0"
    ready(tracker, "b", "9-0", since="7-0")
    assert tracker.cursor == "3-0"


def test_all_are_settled_when_the_last_one_is_and_no_longer_when_one_runs_again(tracker: Tracker) -> None:
    first, second = ready(tracker, "a"), ready(tracker, "b")
    tracker.take([event(first, Event.DONE, "2-0")])
    assert not tracker.settled()
    tracker.take([event(second, Event.FAILED, "3-0")])
    assert tracker.settled()
    tracker.take([event(second, Event.READY, "4-0")])
    assert (tracker.settled(), tracker.unsettled()) == (False, [second])


def test_a_job_without_an_answer_is_not_compared_with_the_server(tracker: Tracker) -> None:
    added(tracker, "a")
    assert (tracker.settled(), tracker.unsettled()) == (False, [])


def test_a_snapshot_does_not_grow_with_the_table(tracker: Tracker) -> None:
    first = ready(tracker, "a")
    snapshot, states = tracker.snapshot(), tracker.states()
    second = ready(tracker, "b")
    tracker.take([event(first, Event.DONE, "2-0")])
    assert (snapshot, states) == ({"a": first}, {"a": State.READY})
    assert (tracker.snapshot(), tracker.states()) == (
        {"a": first, "b": second},
        {"a": State.DONE, "b": State.READY},
    )


def test_errors_of_earlier_failures_are_learnt(tracker: Tracker) -> None:
    job = added(tracker, "a")
    tracker.answered([(job, Submitted(SubmitCode.ATTACHED, State.FAILED, "", 0.0, "", "1-0"))])
    assert job.error == {}
    tracker.learn_errors([known(job, State.FAILED, ERROR)])
    assert job.error == ERROR


def test_a_record_corrects_a_state_unless_something_newer_was_learnt_meanwhile(tracker: Tracker) -> None:
    missed, heard = ready(tracker, "a"), ready(tracker, "b")
    seen = {job.identity: job.position for job in tracker.unsettled()}
    tracker.take([event(heard, Event.DONE, "2-0")])
    records = {"a": known(missed, State.FAILED, ERROR), "b": known(heard, State.RUNNING)}
    tracker.correct(seen, records, {"a": (8, 0), "b": (8, 0)})
    assert (missed.state, missed.error, missed.position, missed.since_s) == (State.FAILED, ERROR, (8, 0), 3.0)
    assert (heard.state, heard.position) == (State.DONE, (2, 0))


def test_an_unsettled_job_that_the_server_does_not_know_is_an_error(tracker: Tracker) -> None:
    first, second = ready(tracker, "a"), ready(tracker, "b")
    tracker.take([event(first, Event.DONE, "2-0")])
    seen = {job.identity: job.position for job in (first, second)}
    with pytest.raises(WipedError, match="Task/b"):
        tracker.correct(seen, {}, {})
    tracker.correct({"a": (2, 0)}, {}, {})


def test_a_queue_is_unserved_after_two_looks_and_only_with_ready_jobs_of_this_run(tracker: Tracker) -> None:
    ready(tracker, "a", queue="gpu")
    look = [Serving("gpu", 1, 0), Serving("cpu", 5, 0)]
    tracker.learn_served(look)
    assert tracker.unserved == []
    tracker.learn_served(look)
    assert tracker.unserved == [Unserved("gpu", 1)]
    tracker.learn_served([Serving("gpu", 1, 1)])
    assert tracker.unserved == []


def test_a_pause_is_known_at_once_and_only_with_ready_jobs_of_this_run(tracker: Tracker) -> None:
    ready(tracker, "a", queue="gpu")
    pause = Pause(100.0, "ann@node1", "")
    for _ in range(2):
        tracker.learn_served([Serving("gpu", 1, 0, pause), Serving("cpu", 5, 0, pause)])
        assert tracker.obstacles == tracker.paused == [Paused("gpu", None, "ann@node1")]
    tracker.learn_served([Serving("gpu", 1, 1)])
    assert tracker.obstacles == []


def test_a_queue_whose_workers_were_started_is_not_unserved(tracker: Tracker) -> None:
    ready(tracker, "a")
    tracker.expect_workers("default")
    for _ in range(3):
        tracker.learn_served([Serving("default", 1, 0)])
    assert tracker.unserved == []
    tracker.learn_served([Serving("default", 1, 2)])  # they are there: from now on it counts
    for _ in range(2):
        tracker.learn_served([Serving("default", 1, 0)])
    assert tracker.unserved == [Unserved("default", 1)]


def test_who_waits_is_woken_by_a_change_and_gets_the_error_of_the_follower(tracker: Tracker) -> None:
    job = ready(tracker, "a")
    change = threading.Thread(target=lambda: tracker.take([event(job, Event.DONE, "2-0")]))
    change.start()
    tracker.wait(tracker.settled, lambda: None, 60.0)
    change.join()
    assert job.state is State.DONE
    tracker.fail(WipedError("Task/a", 1))
    with pytest.raises(WipedError):
        tracker.wait(lambda: False, lambda: None, 60.0)


def test_a_dropped_job_is_not_waited_for(tracker: Tracker) -> None:
    tracker.drop(added(tracker, "a"))
    assert (tracker.settled(), tracker.snapshot()) == (True, {})


def test_changes_of_a_job_are_reported_and_answers_to_submissions_are_not(tracker: Tracker) -> None:
    seen: list[tuple[str, State]] = []
    tracker.on_change = lambda job: seen.append((job.identity, job.state))
    job, other = ready(tracker, "a", "5-0"), added(tracker, "b")
    tracker.take(
        [event(other, Event.SUBMITTED, "5-1"), event(other, Event.READY, "5-2")]
    )  # the answer comes later than the event
    assert seen == []
    tracker.take([event(job, Event.STARTED, "6-0"), event(job, Event.PROGRESS, "7-0"), event(job, Event.DONE, "8-0")])
    assert seen == [("a", State.RUNNING), ("a", State.DONE)]
    tracker.correct({"a": job.position}, {"a": known(job, State.DONE)}, {"a": (9, 0)})
    assert len(seen) == 2, "nothing new"
    tracker.correct({"a": job.position}, {"a": known(job, State.FAILED)}, {"a": (9, 0)})
    assert seen[2:] == [("a", State.FAILED)]


def test_events_that_a_record_holds_are_not_learnt_once_more(tracker: Tracker) -> None:
    """They come afterwards if the record was read before them. The job would run again, and be done twice."""
    seen: list[State] = []
    tracker.on_change = lambda job: seen.append(job.state)
    job = ready(tracker, "a")
    tracker.correct({"a": job.position}, {"a": known(job, State.DONE)}, {"a": (3, 0)})
    tracker.take([event(job, Event.STARTED, "2-0")])
    assert tracker.settled()
    tracker.take([event(job, Event.DONE, "3-0")])
    assert seen == [State.DONE]
    tracker.take([event(job, Event.READY, "4-0")])
    assert seen == [State.DONE, State.READY], "somebody retries it"


def test_a_refusal_counts_although_a_record_has_told_what_came_later(tracker: Tracker) -> None:
    """Only the event tells it; the report names the worker."""
    job = ready(tracker, "a")
    tracker.correct({"a": job.position}, {"a": known(job, State.DONE)}, {"a": (3, 0)})
    said = json.dumps(Refusal.of_option("m1", "host", "flavour").written())
    late = threading.Timer(
        0.05, lambda: tracker.take([event(job, Event.RELEASED, "2-0", said=said), event(job, Event.DONE, "3-0")])
    )
    late.start()
    tracker.await_events(60.0)
    late.join()
    (line,) = tracker.refused.lines({"a"})
    assert line.startswith("! worker m1 does not know the option 'flavour'")


def test_an_output_counts_although_a_record_has_told_what_came_later(tracker: Tracker) -> None:
    """Else whoever uses it would wait until the job is done, or for ever."""
    heard: list[Any] = []
    job = ready(tracker, "a")
    job.watches = cast("Any", SimpleNamespace(produced=heard.append, survive=False, catch_up=lambda: None))
    tracker.correct({"a": job.position}, {"a": known(job, State.RUNNING)}, {"a": (4, 0)})
    tracker.take([event(job, Event.STARTED, "2-0"), event(job, Event.OUTPUT, "3-0"), event(job, Event.OUTPUT, "5-0")])
    assert len(heard) == 2
    tracker.take([event(job, Event.OUTPUT, "5-0")])
    assert len(heard) == 2, "an event that was read counts once"


def test_events_after_a_record_that_tells_nothing_new_are_learnt(tracker: Tracker) -> None:
    job = ready(tracker, "a")
    tracker.take([event(job, Event.STARTED, "2-0")])
    tracker.correct({"a": job.position}, {"a": known(job, State.RUNNING)}, {"a": (6, 0)})
    tracker.take([event(job, Event.READY, "4-0")])
    assert job.state is State.READY, "it was handed back, and started again before the record was read"
