"""A script's own workers and server: how many jobs run at once, who stays, and who leaves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from helpers.playground import Stage
from helpers.waiting import PATIENCE_S, wait_until
from script_tasks import Hold, Span, Write

from xpm_core import experiment
from xpm_core.cluster.slurm import SLURM_VARIABLE
from xpm_core.defaults import DEFAULT_GRACE_S, LEAVE_S
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.script.local_workers import LocalWorkers
from xpm_core.script.show.report import summarize
from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store.connector import Connector
from xpm_core.store.steering.orders import Order, order_worker

pytestmark = pytest.mark.redis


def most_at_once(tasks: Sequence[Span]) -> int:
    """How many of them ran at one moment, by the times that they wrote down."""
    changes = []
    for task in tasks:
        start, end = map(float, (task.jobpath / "span").read_text().split())
        changes += [(start, 1), (end, -1)]
    now = most = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def daemon_of(xp: experiment) -> psutil.Process:
    """The daemon of a script's own workers."""
    process = xp._run.local._process
    assert process is not None
    return psutil.Process(process.pid)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


# -- how many at once -------------------------------------------------------------------------------------------------


def test_jobs_that_take_2_of_3_units_never_run_together(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        token = xp.connector.createtoken("cpu", 3)
        tasks = [token(2, Span.C(note=note, n=n)).submit() for n in range(6)]
    assert most_at_once(tasks) == 1
    records = sorted((record["started_s"], record["ended_s"]) for t in tasks for record in stage.directory(t).records())
    assert len(records) == 6
    assert all(end <= start for (_, end), (start, _) in pairwise(records))
    held = {token.name: token.used for token in Reader(stage.client, stage.workspace.id).tokens.read()}
    assert held["cpu"] == {"": 0}


def test_jobs_that_take_1_of_3_units_run_on_both_workers(stage: Stage, tmp_path: Path) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        token = xp.connector.createtoken("wide", 3)
        tasks = [token(1, Span.C(note=note, n=n, meeting=tmp_path)).submit() for n in range(6)]
    assert most_at_once(tasks) == 2


def test_without_a_token_as_many_run_as_there_are_slots(stage: Stage, tmp_path: Path) -> None:
    note = stage.note()
    with stage.experiment():
        tasks = [Span.C(note=note, n=n, meeting=tmp_path).submit() for n in range(8)]
    assert most_at_once(tasks) == 2


# -- own workers ------------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that waits on leaving for as long as its workers take, also on a slow machine."""
    monkeypatch.setattr("xpm_core.script.open_run.DRAIN_S", 60.0)


@pytest.mark.usefixtures("patient")
def test_own_workers_start_with_the_first_job_and_are_gone_when_the_script_leaves(stage: Stage) -> None:
    with stage.experiment(workers=1, queue="own") as xp:
        assert xp._run.local._process is None
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        daemon = daemon_of(xp)
    assert gone(daemon)


def test_own_workers_are_not_started_when_everything_is_done_already(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        Write.C(note=note).submit()
    with stage.experiment(workers=1) as xp:
        Write.C(note=note).submit()
        assert xp.wait().reused == 1
        assert xp._run.local._process is None


def test_own_workers_serve_the_experiments_own_queue_alone(stage: Stage) -> None:
    """Jobs for another queue wait for its own workers: a machine with GPUs, say."""
    with stage.failing(workers=1, queue="mine") as failing:
        Write.C(note=stage.note()).submit()
        other = Write.C(note=stage.note())
        other.submit(queue="gpu-machine")
        wait_until(lambda: summarize(failing.xp.tracker.snapshot().values()).done == 1)
        assert [worker.queues for worker in stage.workers() if "mine" in worker.queues] == [["mine"]]
        assert stage.job(other).state is State.READY
        stage.store.cancel(stage.job(other).identity)


def test_own_workers_that_left_for_want_of_work_are_started_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script may compute for a while between what it submits."""
    monkeypatch.setattr("xpm_core.script.local_workers.LINGER_S", 0.05)
    with stage.experiment(workers=1, queue="patient") as xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        first = daemon_of(xp)
        wait_until(lambda: gone(first))
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 2
        assert daemon_of(xp) != first


def test_own_workers_that_left_just_as_a_job_came_are_started_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_core.script.local_workers.LINGER_S", 0.05)
    with stage.experiment(workers=1, queue="unlucky") as xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        wait_until(lambda: gone(daemon_of(xp)))
        with monkeypatch.context() as patch:
            patch.setattr("xpm_core.script.local_workers.LocalWorkers.ensure", lambda self: False)
            Write.C(note=stage.note()).submit()
            xp._run.submitter.flush()
        assert xp.wait().done == 2


def test_own_workers_that_were_ordered_to_leave_are_not_started_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    workers = LocalWorkers(stage.workspace, 1, "ordered", url=stage.url, lease_s=30.0)
    assert workers.ensure()
    [own] = wait_until(lambda: [each for each in stage.workers() if each.queues == ["ordered"]])
    order_worker(stage.client, stage.workspace.id, own.name, Order.DRAIN, "ann@node1")
    wait_until(lambda: workers.left)
    assert [workers.ensure() for _ in range(2)] == [False, False]
    assert caplog.text.count("were ordered to leave (xpm workers), so it starts no others") == 1
    assert "queue ordered" in caplog.text


@pytest.mark.parametrize(("kept_s", "starts"), [(-5.0, False), (600.0, True)])
def test_own_workers_that_left_are_not_started_again_when_their_allocation_is_about_to_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kept_s: float, starts: bool
) -> None:
    """They would leave at once, to be started again, and so on."""
    monkeypatch.setattr("xpm_core.script.local_workers.LINGER_S", 0.05)
    workers = LocalWorkers(stage.workspace, 1, "brief", url=stage.url, lease_s=30.0)
    assert workers.ensure()
    wait_until(lambda: workers.left)
    monkeypatch.setenv(SLURM_VARIABLE, str(time.time() + DEFAULT_GRACE_S + LEAVE_S + kept_s))
    assert [workers.ensure() for _ in range(2)] == [starts, False]
    assert caplog.text.count("this allocation of Slurm ends") == (0 if starts else 1)
    workers.drain(PATIENCE_S)


def test_leaving_does_not_wait_for_another_scripts_job_on_own_workers(stage: Stage, tmp_path: Path) -> None:
    hold = Hold.C(note=stage.note(), until=tmp_path / "gate")
    with stage.broken() as other:
        hold.submit(queue="shared")
        assert other.tracker.jobs
    with stage.experiment(workers=2, queue="shared") as xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        wait_until(lambda: stage.job(hold).state is State.RUNNING)
        daemon = daemon_of(xp)
    assert not hold.until.exists()
    assert stage.job(hold).state is State.RUNNING
    assert not gone(daemon), "it finishes what it runs, and leaves then"
    hold.until.touch()
    wait_until(lambda: stage.job(hold).state is State.DONE)
    wait_until(lambda: gone(daemon))


def test_own_workers_go_on_when_the_block_ends_with_an_error(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_core.script.local_workers.LINGER_S", 0.05)
    note = stage.note()
    with stage.broken(workers=1, queue="left-alone") as xp:
        hold = Hold.C(note=note, until=tmp_path / "gate").submit()
        after = Write.C(note=note)
        after.add_dependencies(hold)
        after.submit()
        wait_until(lambda: stage.job(hold).state is State.RUNNING)
        daemon = daemon_of(xp)
    hold.until.touch()
    wait_until(lambda: stage.job(after).state is State.DONE)
    wait_until(lambda: gone(daemon))


def test_what_was_submitted_just_before_an_error_is_not_lost(stage: Stage) -> None:
    note = stage.note()
    with stage.broken():
        Write.C(note=note).submit()
        last = Write.C(note=note, n=1).submit()
    wait_until(lambda: stage.job(last).state is State.DONE)


# -- an embedded server -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_embedded_server_is_there_with_workers_and_stops_with_its_last_user(tmp_path: Path) -> None:
    with experiment(tmp_path / "workspace", "x", workers=1) as xp:
        write = Write.C(note="embedded").submit()
        assert xp.wait().done == 1
        server = xp.connector.embedded
        assert server is not None
        process = psutil.Process(server.pid)
    assert write.written.read_text() == "embedded"
    assert gone(process)


def test_embedded_server_has_by_default_as_many_workers_as_this_process_may_use_cpus(tmp_path: Path) -> None:
    with experiment(tmp_path / "workspace", "x") as xp:
        Write.C(note="default").submit()
        assert xp.wait().done == 1
        found = Reader(xp.connector.client, xp.workspace.id).workers.read(server_time(xp.connector.client))
        wanted = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        wait_until(
            lambda: (
                wanted
                == len(Reader(xp.connector.client, xp.workspace.id).workers.read(server_time(xp.connector.client)))
            ),
            show=lambda: found,
        )


def test_with_a_server_of_ones_own_no_workers_are_started_unless_asked_for(stage: Stage) -> None:
    with stage.experiment(workers=None) as xp:
        Write.C(note=stage.note()).submit()
        assert xp.wait().done == 1
        assert xp._run.local._process is None


def test_embedded_server_that_died_while_a_script_waits_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when no daemon of workers is there to do it."""
    monkeypatch.setattr("xpm_core.script.follow.outage.REVIVE_AFTER_S", 0.0)
    note = "revived"
    with experiment(tmp_path / "workspace", "x", workers=0) as xp:
        write = Write.C(note=note)
        write.submit()
        xp._run.submitter.flush()
        server = xp.connector.embedded
        assert server is not None
        before = server.pid
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: server.pid != before)
        job = wait_until(lambda: asked(xp.connector, xp.workspace.id))
        assert job == {State.READY: 1}
        xp._run.local._slots = 1
        xp._run.start_workers({"default"})
        assert xp.wait().done == 1


def asked(connector: Connector, workspace: str) -> dict[State, int]:
    """The counts of jobs, once the server answers."""
    try:
        return {state: count for state, count in Reader(connector.client, workspace).jobs.counts().items() if count}
    except connection.ServerError:
        return {}
