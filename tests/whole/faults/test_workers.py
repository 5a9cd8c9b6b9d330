"""Workers, starters and daemons that are killed or stopped, servers that go away: no job is lost or doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import jobapi_tasks as job_tasks
import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, Worker, alive, code_of, frozen
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core.index.merged import MergedIndex
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.workspace.job_records import Marker
from xpm_core.workspace.workspace import Workspace
from xpm_worker.system import marks

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]

LEASE_S = 1.5


def running(crew: Crew, task: tasks.Wait, **more: int) -> psutil.Process:
    """Submit a task that waits; returns the process that runs its code."""
    crew.submit(task, **more)
    return code_of(crew, task)


def gone(known: set[str]) -> bool:
    return not [pid for pid, mark in marks.marked() if mark in known]


def test_sigkill_of_a_worker_kills_its_job_and_another_takes_it(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=LEASE_S)
    job = running(crew, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    known, (slot,) = worker.marks(), worker.slots()
    slot.kill()
    wait_until(lambda: not alive(job))
    wait_until(lambda: gone(known), show=lambda: list(marks.marked()))
    code_of(crew, task, other_than=job.pid)
    (tmp_path / "go").touch()
    crew.wait(task)
    first, second = crew.directory(task).records()
    assert (first["reason"], second["reason"]) == ("lost", "done")
    assert (crew.job(task).attempts, crew.job(task).losses) == (2, 1)


def test_sigkill_of_a_starter_kills_the_job_and_all_that_it_left_behind(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=600)
    crew.submit(task := tasks.Daemonize.C(until=tmp_path / "go"))
    job = code_of(crew, task)
    daemon = crew.directory(task).path / "daemon"
    wait_until(lambda: daemon.exists() and daemon.read_text())
    left_behind = psutil.Process(int(daemon.read_text()))
    (starter,) = worker.starters()
    starter.kill()
    wait_until(lambda: not alive(job) and not alive(left_behind))
    code_of(crew, task, other_than=job.pid)
    (tmp_path / "go").touch()
    crew.wait(task)
    assert [record["reason"] for record in crew.directory(task).records()] == ["lost", "done"]
    assert worker.starters()[0].pid != starter.pid


def test_sigkill_of_a_starter_once_too_often_fails_the_job_and_marks_its_directory(crew: Crew) -> None:
    worker = crew.started(lease_s=600)
    crew.submit(task := tasks.Wait.C(note="x", until=Path("/nonexistent")), max_losses=0)
    code_of(crew, task)
    worker.starters()[0].kill()
    job = crew.wait(task, State.FAILED)
    wait_until(lambda: crew.directory(task).marker() == Marker("failed", job.execution), show=lambda: worker.log)


def test_a_job_whose_starter_was_killed_keeps_what_it_had_reported(crew: Crew) -> None:
    worker = crew.started(lease_s=600)
    crew.submit(task := job_tasks.Reporting.C(note="x", until=Path("/nonexistent")), max_losses=0)
    pid = crew.directory(task).path / "pid"
    wait_until(lambda: pid.exists() and pid.read_text(), show=lambda: crew.explain(task))
    worker.starters()[0].kill()
    crew.wait(task, State.FAILED)
    index = MergedIndex(crew.workspace.path)
    wait_until(lambda: (entry := index.read().get(crew.job(task).identity)) is not None and entry.end is not None)
    assert (end := index.read()[crew.job(task).identity].end) is not None
    assert end.results["loss.test"] == 0.25
    assert crew.record(task)["results"]["loss.test"] == 0.25


def test_a_job_that_is_lost_with_its_whole_worker_has_an_end_that_is_known_without_the_server(crew: Crew) -> None:
    """No script follows it. The worker that finds its lease over writes the end, and the marker."""
    worker = crew.started(lease_s=LEASE_S)
    running(crew, task := tasks.Wait.C(note="x", until=Path("/nonexistent")), max_losses=0)
    name = crew.job(task).worker
    worker.process.kill()
    crew.started(lease_s=LEASE_S)
    job = crew.wait(task, State.FAILED)
    index = MergedIndex(crew.workspace.path)
    wait_until(lambda: (entry := index.read().get(job.identity)) is not None and entry.end is not None)
    assert (end := index.read()[job.identity].end) is not None
    assert (end.state, end.error["type"], end.worker) == (State.FAILED, "WorkerLost", name)
    wait_until(lambda: crew.directory(task).marker() == Marker("failed", job.execution))


def test_sigkill_of_a_daemon_leaves_nothing(crew: Crew) -> None:
    worker = crew.started(slots=2)
    jobs = [running(crew, tasks.Wait.C(note=f"{n}", until=Path("/nonexistent"))) for n in range(2)]
    known, all_of_it = worker.marks(), psutil.Process(worker.process.pid).children(recursive=True)
    worker.process.kill()
    wait_until(lambda: gone(known))
    wait_until(lambda: not any(alive(process) for process in [*all_of_it, *jobs]), show=lambda: all_of_it)


def test_sigkill_of_the_fork_server_disturbs_no_job_and_another_takes_over(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=LEASE_S)
    job = running(crew, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    server = worker.fork_server()
    (starter,) = worker.starters()
    server.kill()
    wait_until(lambda: worker.fork_server().pid != server.pid, show=lambda: worker.log)
    assert alive(job)
    starter.kill()
    wait_until(lambda: not alive(job))
    code_of(crew, task, other_than=job.pid)
    (tmp_path / "go").touch()
    crew.wait(task)


def abandoned(crew: Crew, task: tasks.Daemonize, former: int) -> tuple[int, psutil.Process]:
    """Let a worker run a task, and die with its starter at once; returns the process of the task, and what it left."""
    worker = crew.started(lease_s=LEASE_S)
    job = code_of(crew, task, other_than=former)
    daemon = crew.directory(task).path / "daemon"
    wait_until(lambda: daemon.exists() and daemon.read_text())
    left_behind = psutil.Process(int(daemon.read_text()))
    killed = [worker.fork_server(), *worker.starters(), *worker.slots()]
    for process in [psutil.Process(worker.process.pid), *killed]:
        process.suspend()
    for process in killed:
        process.kill()
    worker.process.kill()
    return job.pid, left_behind


def test_what_a_killed_worker_and_starter_left_behind_is_swept_by_the_next(crew: Crew, tmp_path: Path) -> None:
    crew.submit(task := tasks.Daemonize.C(until=tmp_path / "go"), max_losses=100)
    pid, left_behind = abandoned(crew, task, 0)
    for _ in range(5):  # a daemon of another test, which runs meanwhile, may have been the next
        if not alive(left_behind):
            pid, left_behind = abandoned(crew, task, pid)
    assert alive(left_behind)
    (tmp_path / "go").touch()
    crew.start(lease_s=LEASE_S)
    crew.wait(task)
    wait_until(lambda: not alive(left_behind))


def test_a_stopped_worker_has_its_job_frozen_before_its_lease_ends_and_finishes_it(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=LEASE_S)
    job = running(crew, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    (slot,) = worker.slots()
    slot.suspend()
    wait_until(lambda: frozen(job))
    last_s = (crew.directory(task).path / "alive").stat().st_mtime  # the server has the same clock
    assert last_s * 1000 < crew.client.zscore(keys.leases(crew.workspace.id), crew.job(task).identity)
    (tmp_path / "go").touch()
    slot.resume()
    crew.wait(task)
    assert [record["reason"] for record in crew.directory(task).records()] == ["done"]
    assert crew.job(task).attempts == 1


def test_a_stopped_worker_whose_job_another_took_has_it_killed(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=LEASE_S)
    job = running(crew, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    (slot,) = worker.slots()
    slot.suspend()
    wait_until(lambda: frozen(job))
    crew.started(lease_s=LEASE_S)
    second = code_of(crew, task, other_than=job.pid)
    assert frozen(job), "it never runs beside its successor"
    slot.resume()
    wait_until(lambda: not alive(job))
    assert alive(second)
    (tmp_path / "go").touch()
    crew.wait(task)
    marker = wait_until(crew.directory(task).marker)
    assert marker is not None
    assert marker.execution == crew.job(task).execution
    by_execution = {record["execution"]: record["reason"] for record in crew.directory(task).records()}
    wait_until(lambda: "taken" in worker.log or "another worker has the job" in worker.log, show=lambda: worker.log)
    assert by_execution[marker.execution] == "done"


# -- servers that go away ----------------------------------------------------------------------------------------------


@pytest.fixture
def server(fresh_server: Callable[..., PrivateServer]) -> PrivateServer:
    return fresh_server(aof=True)


@pytest.fixture
def remote(workspace: Workspace, server: PrivateServer, tmp_path: Path) -> Iterator[Crew]:
    """A crew on a server that may be stopped."""
    crew = Crew(workspace, server.url, tmp_path)
    yield crew
    crew.dismiss()


def test_a_restart_of_the_server_disturbs_no_job(remote: Crew, server: PrivateServer, tmp_path: Path) -> None:
    remote.started(lease_s=3)
    job = running(remote, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    server.stop()
    server.start()
    (tmp_path / "go").touch()
    remote.wait(task)
    assert not alive(job)
    assert remote.job(task).attempts == 1


def test_a_long_outage_freezes_a_job_and_kills_none(remote: Crew, server: PrivateServer, tmp_path: Path) -> None:
    worker = remote.started(lease_s=LEASE_S)
    job = running(remote, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    server.stop()
    wait_until(lambda: frozen(job))
    server.start()
    wait_until(lambda: not frozen(job), show=lambda: worker.log)
    (tmp_path / "go").touch()
    remote.wait(task)
    assert remote.job(task).attempts == 1
    assert [record["reason"] for record in remote.directory(task).records()] == ["done"]


def test_a_job_that_ends_during_an_outage_is_finished_after_it(
    remote: Crew, server: PrivateServer, tmp_path: Path
) -> None:
    remote.started(lease_s=30)
    running(remote, task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    server.stop()
    (tmp_path / "go").touch()
    wait_until(lambda: remote.directory(task).records(), show=lambda: remote.directory(task).records())
    assert remote.directory(task).marker() is None, "the marker comes after the accepted end"
    server.start()
    remote.wait(task)
    wait_until(lambda: remote.directory(task).marker() is not None)
    assert remote.job(task).attempts == 1


def test_an_idle_worker_outlives_its_server(remote: Crew, server: PrivateServer) -> None:
    worker = remote.started(lease_s=LEASE_S)
    server.stop()
    wait_until(lambda: "trying again" in worker.log, show=lambda: worker.log)
    server.start()
    remote.submit(task := tasks.Write.C(note="x"))
    remote.wait(task)


def test_commands_are_heard_again_after_a_restart(remote: Crew, server: PrivateServer) -> None:
    worker = remote.started(lease_s=LEASE_S)
    (state,) = remote.known()
    server.stop()
    wait_until(lambda: "no commands can be received" in worker.log, show=lambda: worker.log)
    server.start()
    channel = keys.rq_pubsub(state.name)
    wait_until(lambda: remote.client.publish(channel, b'{"command": "shutdown"}') == 1, show=lambda: worker.log)
    assert worker.left() == 0


def test_a_worker_that_is_told_to_leave_during_an_outage_leaves(remote: Crew, server: PrivateServer) -> None:
    worker = remote.started(lease_s=LEASE_S)
    server.stop()
    worker.send(signal.SIGINT)
    assert worker.left() == 0


def test_workers_started_before_their_server_say_so_and_leave(remote: Crew, server: PrivateServer) -> None:
    server.stop()
    worker = remote.start()
    assert worker.left() == 3
    assert worker.log.splitlines()[-1].startswith(f"Redis at {server.url}: ")
    server.start()
    assert remote.known() == []


def states(crew: Crew, *jobs: tasks.Write) -> set[State]:
    return {crew.state(job) for job in jobs}


def test_jobs_go_on_through_random_kills_of_workers(crew: Crew) -> None:
    """A small storm; the large one has its own program."""
    jobs = [tasks.Nap.C(note=f"n{n}") for n in range(30)]
    worker: Worker = crew.started(slots=2, lease_s=0.6)
    crew.submit(*jobs, max_losses=1000)
    for done in (5, 10, 15):
        wait_until(lambda done=done: Reader(crew.client, crew.workspace.id).jobs.counts()[State.DONE] >= done)
        victims = [*worker.slots(), *worker.starters()]
        os.kill(victims[done % len(victims)].pid, signal.SIGKILL)
    wait_until(lambda: states(crew, *jobs) == {State.DONE}, show=lambda: states(crew, *jobs))
    for job in jobs:
        assert [record["reason"] for record in crew.directory(job).records()].count("done") >= 1
