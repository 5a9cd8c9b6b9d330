"""Orders from outside, by signals and by RQ's commands, and what the worker does then."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest
import worker_tasks as tasks
from helpers.daemons import Crew, alive
from helpers.waiting import wait_until
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
from rq.suspension import resume, suspend

from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.server.connection import LONGEST_BLOCK_S
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.words.reasons import Code
from xpm_worker.system import processes

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def running(crew: Crew, name: str = "x", until: Path = Path("/nonexistent"), **options: object) -> tasks.Wait:
    """Submit a task that waits, and wait until its code runs."""
    task = tasks.Wait.C(note=name, until=until)
    crew.submit(task, **options)
    crew.wait(task, State.RUNNING)
    wait_until((crew.directory(task).path / "pid").exists, show=lambda: crew.explain(task))
    return task


def test_sigint_lets_a_worker_finish_its_job_and_leave(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started()
    task, other = running(crew, until=tmp_path / "go"), tasks.Write.C(note="later")
    crew.submit(other)
    worker.send(signal.SIGINT)
    wait_until(lambda: "SIGINT" in worker.log)
    (tmp_path / "go").touch()
    assert worker.left() == 0
    assert (crew.state(task), crew.state(other)) == (State.DONE, State.READY)
    assert crew.known() == []


def test_a_worker_that_drains_says_so_at_once(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(lease_s=600)
    running(crew, until=tmp_path / "go")
    crew.submit(other := tasks.Write.C(note="later"))
    reasons = Reader(crew.client, crew.workspace.id).reasons

    def code() -> Code:
        return reasons.why(crew.job(other).identity).reason.code

    assert code() is Code.BUSY
    worker.send(signal.SIGINT)
    wait_until(lambda: code() is Code.DRAINING, show=code)
    (tmp_path / "go").touch()
    assert worker.left() == 0
    assert code() is Code.UNSERVED


def test_sigterm_hands_a_job_back_with_no_failure_counted(crew: Crew) -> None:
    worker = crew.started("--grace", "10")
    task = running(crew)
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    job = crew.job(task)
    assert (job.state, job.failures, job.losses, job.reason) == (State.READY, 0, 0, "released")
    assert (crew.record(task)["reason"], crew.record(task)["signal"]) == ("released", signal.SIGTERM)
    assert crew.directory(task).marker() is None


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP])
def test_what_slurm_or_a_terminal_sends_hands_a_job_back_as_sigterm_does(crew: Crew, number: signal.Signals) -> None:
    worker = crew.started("--grace", "10")
    task = running(crew)
    worker.send(number)
    assert worker.left() == 0
    job = crew.job(task)
    assert (job.state, job.failures, job.losses, job.reason) == (State.READY, 0, 0, "released")
    assert crew.record(task)["signal"] == signal.SIGTERM


def test_a_worker_under_nohup_outlives_a_hang_up(crew: Crew, tmp_path: Path) -> None:
    worker = crew.started(prefix=["nohup"])
    task = running(crew, until=tmp_path / "go")
    for each in (worker.process, *worker.slots()):
        each.send_signal(signal.SIGHUP)
    (tmp_path / "go").touch()
    assert crew.wait(task).losses == 0
    worker.send(signal.SIGINT)
    assert worker.left() == 0


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_all_processes_of_a_step_lets_jobs_save_and_counts_no_loss(
    crew: Crew, tmp_path: Path, number: signal.Signals
) -> None:
    crew.submit(task := tasks.Saving.C(until=tmp_path / "go"), max_losses=0)
    for count in range(1, 3):
        worker = crew.started("--grace", "30", slots=2)
        wait_until((crew.directory(task).path / f"ready{count}").exists, show=lambda: crew.explain(task))
        daemon = psutil.Process(worker.process.pid)
        step = [daemon, *daemon.children(recursive=True)]
        processes.send_signal([process.pid for process in step], number)
        assert worker.left() == 0
        job = crew.job(task)
        assert (job.state, job.failures, job.losses) == (State.READY, 0, 0), crew.explain(task)
        assert (tmp_path / f"go{count}").exists(), "it was given time to save"
    (tmp_path / "go").touch()
    crew.start("--burst")
    crew.wait(task)


def test_a_job_that_does_not_heed_sigterm_is_killed_after_the_grace(crew: Crew) -> None:
    worker = crew.started("--grace", "0.2")
    crew.submit(task := tasks.Stubborn.C(note="x"))
    wait_until((crew.directory(task).path / "ready").exists, show=lambda: crew.explain(task))
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.record(task)["signal"] == signal.SIGKILL
    assert crew.state(task) is State.READY


def test_a_second_signal_hands_back_at_once(crew: Crew) -> None:
    worker = crew.started("--grace", "600")
    crew.submit(task := tasks.Stubborn.C(note="x"))
    wait_until((crew.directory(task).path / "ready").exists, show=lambda: crew.explain(task))
    worker.send(signal.SIGTERM)
    wait_until(lambda: "SIGTERM" in worker.log)
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.READY


def test_an_idle_worker_leaves_at_once(crew: Crew) -> None:
    worker = crew.started(lease_s=60)
    wait_until(lambda: crew.client.exists(keys.idle(crew.workspace.id, "default")))
    sent_s = server_time(crew.client)
    worker.send(signal.SIGINT)
    assert worker.left() == 0
    told = Reader(crew.client, crew.workspace.id).events.after("0-0")
    (left_s,) = [record.at_s for record in told if record.event is Event.WORKER_DOWN]
    assert left_s - sent_s < LONGEST_BLOCK_S - 1, "before the block's time-out"


def test_cancelling_a_running_job_kills_it(crew: Crew) -> None:
    worker = crew.started(lease_s=60)
    task = running(crew)
    (job,) = worker.named("xpm-job")
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, State.CANCELLED)
    assert not alive(job)
    assert crew.record(task)["reason"] == "cancelled"
    assert crew.directory(task).marker() is None


def test_a_cancel_whose_message_is_lost_is_heard_at_the_next_renewal(crew: Crew) -> None:
    crew.started(lease_s=1.5)
    task = running(crew)
    crew.client.hset(keys.job(crew.workspace.id, crew.job(task).identity), "cancel", "1")
    crew.wait(task, State.CANCELLED)


def test_rqs_stop_and_kill_commands_act_on_our_workers(crew: Crew) -> None:
    worker = crew.started(lease_s=60)
    task = running(crew, "stopped")
    name = crew.job(task).worker
    send_stop_job_command(crew.client, keys.rq_id(crew.workspace.id, crew.job(task).identity))
    crew.wait(task, State.CANCELLED)
    other = running(crew, "killed")
    send_kill_horse_command(crew.client, name)
    crew.wait(other, State.FAILED)
    assert crew.record(other)["reason"] == "killed"
    send_shutdown_command(crew.client, name)
    assert worker.left() == 0


def test_rqs_suspension_holds_workers_back(crew: Crew) -> None:
    suspend(crew.client)
    worker = crew.started()
    crew.submit(task := tasks.Write.C(note="x"))
    wait_until(lambda: "suspended" in worker.log, show=lambda: worker.log)
    assert crew.state(task) is State.READY
    resume(crew.client)
    crew.wait(task)


def test_a_malformed_command_does_not_make_a_worker_deaf(crew: Crew) -> None:
    messages = [b"", b"not json", b"[]", b"{}", b'{"command": 3}', b'{"command": "stop-job"}', b"\xff"]
    worker = crew.started(slots=len(messages))
    states = {state.name: message for state, message in zip(crew.known(), messages, strict=True)}
    for name, message in states.items():
        wait_until(lambda name=name, message=message: crew.client.publish(keys.rq_pubsub(name), message) == 1)
    for name, message in states.items():
        send_shutdown_command(crew.client, name)
        wait_until(lambda name=name: name not in {each.name for each in crew.known()}, show=lambda m=message: m)
    assert worker.left() == 0
