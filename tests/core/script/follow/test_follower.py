"""A tracker that has missed events, for the stream was cut, learns from the jobs themselves how they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.store_client import StoreClient, W, identity, submission
from helpers.tracker_script import Script
from helpers.waiting import wait_until

from xpm_core.errors import WipedError
from xpm_core.index.merged import MergedIndex
from xpm_core.reading.events import EventReader, Record
from xpm_core.reading.reader import Reader
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.store.records import Lease, WorkerId
from xpm_core.workspace.job_records import Marker

pytestmark = pytest.mark.redis


@pytest.fixture
def script(desk: StoreClient, redis_url: str, tmp_path: Path) -> Iterator[Script]:
    """A script that does not follow yet."""
    script = Script(desk, redis_url, tmp_path)
    yield script
    script.stop()


def test_what_was_missed_at_the_start_is_read_from_the_jobs(script: Script) -> None:
    done, failed, running, ready = (script.submit(name) for name in "abcd")
    leases = [script.desk.claim() for _ in range(3)]
    script.desk.finish(leases[0])
    script.desk.finish(leases[1], State.FAILED, error={"type": "ValueError", "message": "no"})
    script.desk.submit(submission("other"))
    script.cut()
    assert {job.state for job in (done, failed, running, ready)} == {State.READY}
    script.follower.start()
    wait_until(lambda: running.state is State.RUNNING)
    assert (done.state, failed.state, ready.state) == (State.DONE, State.FAILED, State.READY)
    assert failed.error["message"] == "no"
    assert (running.worker, running.since_s > 0) == ("w1", True)
    wait_until(lambda: script.done == ["a"], show=lambda: script.done)


def test_what_comes_afterwards_is_followed_as_ever(script: Script) -> None:
    job = script.submit("a")
    lease = script.desk.claim()
    script.desk.submit(submission("other"))
    script.cut()
    script.follower.start()
    wait_until(lambda: job.state is State.RUNNING)
    script.desk.finish(lease)
    wait_until(lambda: job.state is State.DONE)
    wait_until(lambda: script.done == ["a"], show=lambda: script.done)


def test_what_was_missed_in_an_outage_is_read_from_the_jobs(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    job = script.submit("a")
    read: Callable[..., object] = script.blocking.xread
    away = True

    def failing(*args: object, **more: object) -> object:
        if away:
            raise connection.OUTAGES[0]("away")
        return read(*args, **more)

    monkeypatch.setattr(script.blocking, "xread", failing)
    script.follower.start()
    wait_until(lambda: script.tracker.outage.reason)
    script.desk.finish(script.desk.claim())
    script.desk.submit(submission("other"))
    script.cut()
    away = False
    wait_until(lambda: job.state is State.DONE, show=lambda: job.state)
    wait_until(lambda: not script.tracker.outage.reason)


def test_what_a_record_has_told_is_not_told_again_by_events_that_are_read_after_it(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[State] = []
    job = script.submit("a")
    script.tracker.on_change = lambda job: changes.append(job.state)
    after = EventReader.after
    begun = False

    def late(reader: EventReader, cursor: str, **more: float) -> list[Record]:
        """At the first read the job has not begun. Before the first look, it is done."""
        nonlocal begun
        if begun:
            return after(reader, cursor, **more)
        begun = True
        script.desk.finish(script.desk.claim())
        return []

    monkeypatch.setattr(EventReader, "after", late)
    script.follower.start()
    wait_until(lambda: job.state is State.DONE)
    script.desk.submit(submission("other"))
    last = Reader(script.desk.client, W).events.last()
    wait_until(lambda: script.tracker.cursor == last, show=lambda: script.tracker.cursor)
    assert changes == [State.DONE]


def test_a_job_that_failed_by_a_lost_worker_is_marked_so(script: Script) -> None:
    job, lease = lost(script)
    script.follower.start()
    wait_until(lambda: job.state is State.FAILED)
    assert job.directory.marker() == Marker("failed", lease.execution)


def test_the_end_of_a_job_of_another_script_is_written_by_the_script_that_finds_its_worker_lost(script: Script) -> None:
    script.desk.submit(submission("other", max_losses=0))
    script.desk.claim(WorkerId("w1", "node1", lease_s=0.05))
    wait_until(lambda: script.desk.store.look(0.05) and script.desk.state("other") is State.FAILED)
    end = MergedIndex(script.folder).read()[identity("other")].end
    assert end is not None
    assert (end.state, end.error["type"], end.worker) == (State.FAILED, "WorkerLost", "w1")


def test_the_end_of_a_lost_job_is_written_once(script: Script) -> None:
    job, _ = lost(script)
    script.follower.start()
    wait_until(lambda: job.state is State.FAILED)
    for _ in range(2):
        script.follower._reread([job])
    [file] = (script.folder / ".xpm" / "index").iterdir()
    assert len(file.read_text().splitlines()) == 1


def test_a_loss_that_is_heard_of_late_marks_no_job_that_runs_again(script: Script) -> None:
    job, _ = lost(script)
    script.desk.retry("a")
    script.desk.claim()
    script.follower.start()
    wait_until(lambda: job.state is State.RUNNING)
    assert job.directory.marker() is None


def test_a_loss_that_is_heard_of_late_leaves_the_marker_of_the_same_execution(script: Script) -> None:
    """Its worker was cut off, comes back, and is accepted between two looks."""
    job, lease = lost(script)
    job.directory.write_marker("done", lease.execution)
    script.follower.start()
    wait_until(lambda: job.state is State.FAILED)
    assert job.directory.marker() == Marker("done", lease.execution)


def lost(script: Script) -> tuple[TrackedJob, Lease]:
    """A job that fails because its worker is not heard from. Another process finds that."""
    job = script.submit("a", max_losses=0)
    lease = script.desk.claim(WorkerId("w1", "node1", lease_s=0.05))
    job.directory.prepare(lease.attempt)
    wait_until(lambda: Store(script.desk.client, W).look(0.05) and script.desk.state("a") is State.FAILED)
    return job, lease


def test_a_job_that_the_server_has_forgotten_is_an_error(script: Script) -> None:
    script.submit("a")
    script.desk.submit(submission("b"), submission("c"))
    script.cut()
    script.desk.client.delete(keys.job(W, identity("a")))
    script.follower.start()
    with pytest.raises(WipedError):
        script.tracker.wait(script.tracker.settled, lambda: None, 0.1)


def test_events_that_answers_have_told_are_not_read(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    read: Callable[..., object] = script.blocking.xread

    def reading(streams: dict[str, str], **more: object) -> object:
        seen.extend(streams.values())
        return read(streams, **more)

    monkeypatch.setattr(script.blocking, "xread", reading)
    jobs = [script.submit(name) for name in "abc"]
    script.follower.start()
    wait_until(lambda: bool(seen))
    assert seen[0] == f"{jobs[-1].position[0]}-{jobs[-1].position[1]}"
    script.desk.finish(script.desk.claim())
    wait_until(lambda: jobs[0].state is State.DONE)


def test_events_of_others_among_those_that_answers_have_told_are_read(script: Script) -> None:
    first = script.submit("a")
    lease = script.desk.claim()
    script.submit("b")
    script.follower.start()
    wait_until(lambda: first.state is State.RUNNING)
    script.desk.finish(lease)
    wait_until(lambda: first.state is State.DONE)


def test_what_comes_while_the_script_submits_is_read_soon(script: Script) -> None:
    job = script.submit("a")
    script.tracker.script_is_idle.clear()
    script.follower.start()
    script.desk.claim()
    wait_until(lambda: job.state is State.RUNNING)
