"""How a job is asked to end: TaskCancelled, the grace period, and SIGKILL after it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import ending_tasks
import jobapi_tasks as tasks
import pytest
from ending_tasks import SWALLOWING, UNDISTURBED
from helpers.daemons import Crew, Worker
from helpers.private_server import running
from helpers.waiting import wait_until

from xpm_core import Task
from xpm_core.server.binary import ServerProgram
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def started(crew: Crew, task: Task, *options: str) -> Worker:
    """Start a worker, have it run a task, and wait until its code says that it is ready."""
    worker = crew.started(*options)
    crew.submit(task)
    wait_until((crew.directory(task).path / "ready").exists, show=lambda: crew.explain(task))
    return worker


@pytest.fixture(scope="module")
def handed_back(server_program: ServerProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A crew that has handed back a job of each task of `ending_tasks`, all by one signal to one daemon."""
    folder, jobs = tmp_path_factory.mktemp("handed-back"), [*map(swallowed, SWALLOWING), *map(undisturbed, UNDISTURBED)]
    with running(server_program) as server:
        crew = Crew(Workspace.open(folder / "workspace"), server.url, folder)
        try:
            worker = crew.started("--grace", "600", slots=len(jobs))
            crew.submit(*jobs)
            for task in jobs:
                wait_until((crew.directory(task).path / "ready").exists, show=lambda task=task: crew.explain(task))
            worker.send(signal.SIGTERM)
            assert worker.left() == 0
            yield crew
        finally:
            crew.dismiss()


def swallowed(how: str) -> Task:
    return ending_tasks.Swallowed.C(how=how)


def undisturbed(how: str) -> Task:
    return ending_tasks.Undisturbed.C(how=how)


def saved(crew: Crew, task: Task) -> str:
    """What the task Checkpoint has written on its way out."""
    return (crew.directory(task).path / "saved").read_text()


# -- handed back -------------------------------------------------------------------------------------------------------


def test_a_job_saves_what_it_has_and_is_ready_again_with_nothing_counted(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(), "--grace", "30")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    job, record = crew.job(task), crew.record(task)
    assert (job.state, job.reason, job.failures, job.losses, job.attempts) == (State.READY, "released", 0, 0, 1)
    assert (record["reason"], record["signal"], record["error"]) == ("released", signal.SIGTERM, None)
    assert saved(crew, task) == "30"
    assert crew.directory(task).marker() is None
    assert crew.directory(task).err.read_text() == "TaskCancelled: the job is to end within 30 s\n"


def test_a_job_that_returns_instead_is_done(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(how="return"), "--grace", "30")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.DONE
    assert saved(crew, task) == "30"


def test_a_job_that_cannot_save_is_handed_back_all_the_same(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(how="fail"), "--grace", "30")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert (crew.state(task), crew.job(task).failures) == (State.READY, 0)
    assert "ValueError: cannot save" in crew.directory(task).err.read_text()


def test_a_job_that_takes_longer_than_the_grace_is_killed(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(how="hang"), "--grace", "0.3")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.READY
    assert crew.record(task)["signal"] == signal.SIGKILL
    assert saved(crew, task) == "0.3"


def test_a_second_signal_does_not_wait_for_the_grace(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(how="hang"), "--grace", "600")
    worker.send(signal.SIGTERM)
    wait_until((crew.directory(task).path / "saved").exists)
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.READY
    assert crew.record(task)["signal"] == signal.SIGKILL


def test_one_signal_to_all_processes_of_a_worker_is_one(crew: Crew, tmp_path: Path) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(gate=tmp_path / "gate"), "--grace", "600")
    (job,) = worker.named("xpm-job")
    for process in (*worker.slots(), worker.fork_server(), *worker.starters(), job, worker.process):
        process.send_signal(signal.SIGTERM)
    wait_until(lambda: "SIGTERM" in worker.log, show=lambda: worker.log)
    wait_until((crew.directory(task).path / "caught").exists)
    (tmp_path / "gate").touch()
    assert worker.left() == 0
    assert (crew.state(task), crew.record(task)["signal"]) == (State.READY, signal.SIGTERM)
    assert saved(crew, task) == "600"


def test_code_that_handles_every_exception_does_not_swallow_it(crew: Crew) -> None:
    worker = started(crew, task := tasks.Swallow.C(note="x"), "--grace", "600")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.READY
    assert not (crew.directory(task).path / "swallowed").exists()


@pytest.mark.parametrize("how", SWALLOWING)
def test_a_job_is_told_again_where_something_has_swallowed_it(handed_back: Crew, how: str) -> None:
    crew, task = handed_back, swallowed(how)
    assert (crew.state(task), crew.record(task)["signal"]) == (State.READY, signal.SIGTERM)
    assert 0 < float(saved(crew, task)) < 600
    assert (crew.directory(task).path / "swallowed").exists()


@pytest.mark.parametrize("how", UNDISTURBED)
def test_a_job_that_saves_or_knows_that_it_is_to_end_is_told_once(handed_back: Crew, how: str) -> None:
    crew, task = handed_back, undisturbed(how)
    goes_on = how.startswith("named")
    assert crew.state(task) is (State.DONE if goes_on else State.READY)
    assert saved(crew, task) == ""
    assert (crew.directory(task).path / "told").read_text() == ("0" if goes_on else "1")
    log = crew.directory(task).err.read_text()
    assert log == ("" if goes_on else f"TaskCancelled: the job is to end within {log.split()[-2]} s\n")


def test_a_job_that_has_returned_is_not_disturbed_while_its_threads_end(crew: Crew) -> None:
    gate = crew.workspace.path / "gate"
    worker = started(crew, task := tasks.Closing.C(note="x", until=gate), "--grace", "600")
    worker.send(signal.SIGTERM)
    wait_until(lambda: "SIGTERM" in worker.log, show=lambda: worker.log)
    gate.touch()
    assert worker.left() == 0
    assert crew.state(task) is State.DONE
    assert crew.directory(task).err.read_text() == ""


def test_processes_of_a_job_end_by_sigterm_as_elsewhere(crew: Crew) -> None:
    directory = crew.run(tasks.Pool.C(note="x"))
    assert (directory.path / "code").read_text() == str(-signal.SIGTERM)


# -- cancelled ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "state"), [("raise", State.CANCELLED), ("return", State.DONE)])
def test_a_cancelled_job_has_the_grace_too(crew: Crew, how: str, state: State) -> None:
    started(crew, task := tasks.Checkpoint.C(how=how), "--grace", "30")
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, state)
    assert saved(crew, task) == "30"
    assert crew.record(task)["reason"] == state.value


def test_a_cancelled_job_that_does_not_end_is_killed(crew: Crew) -> None:
    started(crew, task := tasks.Checkpoint.C(how="hang"), "--grace", "0.3")
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, State.CANCELLED)
    assert (crew.record(task)["reason"], crew.record(task)["signal"]) == ("cancelled", signal.SIGKILL)


def test_a_worker_told_twice_to_leave_does_not_wait_for_a_cancelled_job(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(how="hang"), "--grace", "600")
    crew.store.cancel(crew.job(task).identity)
    wait_until((crew.directory(task).path / "saved").exists)
    worker.send(signal.SIGTERM)
    wait_until(lambda: "SIGTERM" in worker.log, show=lambda: worker.log)
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert crew.state(task) is State.CANCELLED


def test_sigterm_from_elsewhere_is_a_failure_after_the_job_has_saved(crew: Crew) -> None:
    worker = started(crew, task := tasks.Checkpoint.C(), "--grace", "30")
    (process,) = worker.named("xpm-job")
    os.kill(process.pid, signal.SIGTERM)
    error = crew.wait(task, State.FAILED).error
    assert error["message"] == "killed by SIGTERM"
    assert saved(crew, task) == "30"
