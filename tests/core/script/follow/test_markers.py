"""A worker was killed before it wrote the marker, or the server lost its last second: the script then writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.invariants import check_everything
from helpers.playground import Stage
from helpers.private_server import PrivateServer
from helpers.store_client import OTHER, StoreClient, W, submission
from helpers.tracker_script import Script
from helpers.waiting import wait_until
from script_tasks import Write

from xpm_core.errors import WipedError
from xpm_core.reading.reader import Reader
from xpm_core.script.follow import follower
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.submit import submitter
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Lease, WorkerId
from xpm_core.workspace.job_records import Marker

pytestmark = pytest.mark.redis

Start = Callable[..., PrivateServer]


class Mortal(Script):
    """A script on a server that loses its power."""

    def __init__(self, server: PrivateServer, folder: Path) -> None:
        self.server = server
        super().__init__(StoreClient(connection.open(server.url)), server.url, folder)

    def claim(self, job: TrackedJob) -> Lease:
        """Let a worker claim a job and write the record of its success, but not the marker."""
        lease = self.desk.claim()
        job.directory.prepare(lease.attempt)
        job.directory.write_record(lease.attempt, lease.execution, {"reason": "done"})
        return lease

    def cut_power(self) -> None:
        """Lose what was written since `server.note`."""
        self.server.cut_power()
        wait_until(lambda: self.tracker.outage.reason)
        self.server.start()
        wait_until(lambda: not self.tracker.outage.reason)


@pytest.fixture
def script(fresh_server: Start, tmp_path: Path) -> Iterator[Mortal]:
    """A script that follows its jobs."""
    script = Mortal(fresh_server(aof=True), tmp_path)
    script.follower.start()
    yield script
    script.stop()
    script.desk.client.close()


def test_a_done_job_is_marked_before_the_script_leaves(stage: Stage) -> None:
    """Its worker is killed between the accepted end and the marker."""
    store, worker = Store(stage.client, stage.workspace.id), WorkerId("dying", "node1", queues=("dying",))
    with stage.experiment(queue="dying") as xp:
        write = Write.C(note=stage.note()).submit()
        lease = wait_until(lambda: store.claim(worker, new_execution_id()).lease)
        assert lease is not None
        directory = stage.directory(write)
        directory.prepare(1)
        directory.write_record(1, lease.execution, {"reason": "done"})
        store.finish(worker, lease, State.DONE)
        assert xp.wait().done == 1
        assert directory.marker() == Marker("done", lease.execution)


def test_a_job_whose_record_is_missing_is_not_marked(script: Mortal) -> None:
    job = script.submit("a")
    script.desk.finish(script.desk.claim())
    wait_until(lambda: job.state is State.DONE)
    script.follower.confirm()
    assert job.directory.marker() is None


def test_a_job_whose_end_the_server_lost_is_open_again(script: Mortal) -> None:
    job = script.submit("a")
    lease = script.claim(job)
    script.server.note()
    script.desk.finish(lease)
    wait_until(script.tracker.settled)
    script.cut_power()
    script.follower.confirm()
    assert not script.tracker.settled()
    assert job.state is State.RUNNING
    script.desk.finish(lease)
    wait_until(script.tracker.settled)


def test_a_job_that_the_server_lost_is_marked_by_its_last_record(script: Mortal) -> None:
    script.desk.submit(submission("other"))
    script.desk.finish(script.desk.claim())
    script.server.note()
    job = script.submit("a")
    lease = script.claim(job)
    script.desk.finish(lease)
    wait_until(script.tracker.settled)
    script.cut_power()
    script.follower.confirm()
    assert job.directory.marker() == Marker("done", lease.execution)


def test_a_lost_submission_is_found_whichever_job_is_looked_at(script: Mortal, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = script.submit("kept")
    script.server.note()
    script.submit("lost")
    monkeypatch.setattr(follower.random, "choice", lambda jobs: kept)
    script.server.cut_power()
    script.server.start()
    with pytest.raises(WipedError):
        script.tracker.wait(script.tracker.settled, lambda: None, 0.1)


def test_a_reader_beyond_the_end_of_the_stream_is_astray(script: Mortal) -> None:
    """The server lost its last events, and its clock went back: what it writes now comes before what was read."""
    script.submit("a")
    script.server.note()
    cursor = script.desk.client.xadd(keys.events(W), {"event": "worker_up", "at": 1}, id="9999999999999-0").decode()
    assert not Reader(script.desk.client, W).events.astray(cursor)
    script.cut_power()
    assert Reader(script.desk.client, W).events.astray(cursor)
    assert not Reader(script.desk.client, W).events.astray(Reader(script.desk.client, W).events.last())


def test_a_lost_job_is_marked_so_when_its_event_was_dropped(script: Mortal) -> None:
    script.follower.stop()
    again = Script(script.desk, script.server.url, script.folder)
    job = again.submit("a", max_losses=0)
    lease = script.desk.claim(WorkerId("w1", "node1", lease_s=0.05))
    job.directory.prepare(lease.attempt)
    wait_until(lambda: Store(script.desk.client, W).look(0.05) and script.desk.state("a") is State.FAILED)
    script.desk.submit(submission("b"))
    again.cut()
    again.follower.start()
    wait_until(lambda: job.state is State.FAILED)
    again.stop()
    assert job.directory.marker() == Marker("failed", lease.execution)


def test_an_adopted_result_leaves_no_running_execution_in_the_view(desk: StoreClient) -> None:
    desk.submit(submission("a"), submission("b", needs=("a",)))
    lease = desk.claim(OTHER)
    desk.store.finish(OTHER, lease, State.DONE, adopted="earlier")
    assert desk.state("b") is State.READY
    check_everything(desk.client, W)


def test_an_outage_while_a_marker_is_looked_for_is_waited_out(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    note = stage.note()
    with stage.experiment():
        write = Write.C(note=note).submit()
    (write.jobpath / ".xpm" / "done").unlink()
    for record in (write.jobpath / ".xpm" / "executions").iterdir():
        record.unlink()
    read = submitter.server_time
    failures = iter([connection.OUTAGES[0]("away")])

    def failing_once(client: object) -> float:
        for failure in failures:
            raise failure
        return read(client)  # type: ignore[arg-type]

    monkeypatch.setattr(submitter, "server_time", failing_once)
    with stage.experiment() as xp:
        Write.C(note=note).submit()
        assert xp.wait().done == 1
    assert next(failures, None) is None
