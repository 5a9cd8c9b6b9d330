"""One execution of a job: it is frozen when its lease ends, and ended when its worker asks for that."""

from __future__ import annotations

from pathlib import Path

import psutil
import worker_tasks as tasks
from helpers.daemons import alive, frozen
from helpers.starter_client import StarterClient
from helpers.waiting import wait_until

from xpm_worker.protocol.messages import AttemptEnded, LeaseRenewed, StopJob
from xpm_worker.system import clock

NEVER = Path("/nonexistent")


def test_a_job_is_frozen_when_its_lease_ends_and_goes_on_when_it_is_renewed(
    starter: StarterClient, tmp_path: Path
) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path / "go")
    run, process = starter.started(task)
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time() + 0.2))
    wait_until(lambda: frozen(process))
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(process))
    (tmp_path / "go").touch()
    assert starter.hear(AttemptEnded).reason == "done"


def test_what_a_job_has_forked_is_frozen_with_it(starter: StarterClient) -> None:
    task = tasks.Daemonize.C(until=NEVER)
    run = starter.start(task)
    daemon = starter.directory(task).path / "daemon"
    wait_until(lambda: daemon.exists() and daemon.read_text())
    left_behind = psutil.Process(int(daemon.read_text()))
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(left_behind))
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(left_behind))
    starter.channel.send(StopJob(run.execution, "cancelled", 0.0))
    assert starter.hear(AttemptEnded).reason == "cancelled"
    wait_until(lambda: not alive(left_behind))


def test_a_job_whose_lease_ended_before_it_began_does_not_begin(starter: StarterClient, tmp_path: Path) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path)
    run = starter.start(task, lease_until=clock.boot_time())
    directory = starter.directory(task)
    wait_until(lambda: (directory.path / ".xpm").exists())
    assert not directory.out.exists()
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time() + 600))
    assert starter.hear(AttemptEnded).reason == "done"


def test_time_that_a_job_was_frozen_does_not_count_against_its_limit(starter: StarterClient, tmp_path: Path) -> None:
    task = tasks.Wait.C(note="x", until=tmp_path / "go")
    run, process = starter.started(task, timeout_s=2.0)
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(process))
    frozen_at = clock.boot_time()
    wait_until(lambda: clock.boot_time() > frozen_at + 2.0)
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time() + 600))
    wait_until(lambda: not frozen(process))
    (tmp_path / "go").touch()
    assert starter.hear(AttemptEnded).reason == "done"


def test_a_frozen_job_can_be_killed(starter: StarterClient) -> None:
    run, process = starter.started(tasks.Wait.C(note="x", until=NEVER))
    starter.channel.send(LeaseRenewed(run.execution, clock.boot_time()))
    wait_until(lambda: frozen(process))
    starter.channel.send(StopJob(run.execution, "lost", 0.0))
    assert starter.hear(AttemptEnded).reason == "lost"


def test_a_job_that_ends_within_the_grace_by_returning_is_done(starter: StarterClient, tmp_path: Path) -> None:
    task = tasks.Graceful.C(note="x")
    run = starter.start(task)
    wait_until((starter.directory(task).path / "ready").exists)
    starter.channel.send(StopJob(run.execution, "released", 60.0))
    assert starter.hear(AttemptEnded).reason == "done"


def test_a_job_that_exits_with_0_on_sigterm_is_not_done(starter: StarterClient) -> None:
    task = tasks.Graceful.C(note="exit")
    run = starter.start(task)
    wait_until((starter.directory(task).path / "ready").exists)
    starter.channel.send(StopJob(run.execution, "released", 60.0))
    assert starter.hear(AttemptEnded).reason == "released"
