"""How much time a job has: what it knows, what it can do when that is too little, and which workers take it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jobapi_tasks as tasks
import pytest
import worker_tasks
from helpers.daemons import Crew, Worker
from helpers.playground import Stage
from helpers.waiting import wait_until

from xpm_core.errors import ExperimentError
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.words.reasons_of_workers import ShortLived

pytestmark = pytest.mark.redis

GRACE = ("--grace", "0.5")


def worked_to_its_end(crew: Crew, task: tasks.Checkpoint, start: Callable[[float], Worker]) -> None:
    """Start workers that have some seconds each, the next one more, until one has had the time to run the task."""
    seconds = 2.5
    while not (crew.directory(task).path / "ready").exists():
        assert start(seconds).left() == 0
        seconds *= 2
    job, records = crew.job(task), crew.directory(task).records()
    assert (job.state, job.failures, job.losses) == (State.READY, 0, 0)
    assert [record["reason"] for record in records] == ["released"] * job.attempts
    assert (crew.directory(task).path / "saved").read_text() == "0.5"


def seen(crew: Crew, task: tasks.Need) -> list[str]:
    """The times left that a task has seen, one an attempt."""
    return (crew.directory(task).path / "seen").read_text().split()


# -- handed back by itself ---------------------------------------------------------------------------------------------


def test_a_resumable_task_hands_itself_back_and_goes_on_where_it_was(crew: Crew) -> None:
    directory = crew.run(task := tasks.Count.C(note="x"), options={"resumable": True})
    job = crew.job(task)
    assert (job.attempts, job.failures, job.losses) == (3, 0, 0)
    assert (directory.path / "state").read_text() == "3"
    assert [record["reason"] for record in directory.records()] == ["released", "released", "done"]
    assert directory.records()[0]["error"] is None
    log = "GracefulTimeout: step 1 is enough\nGracefulTimeout: step 2 is enough\n"
    assert directory.err.read_text() == log


def test_another_task_starts_afresh_after_it_handed_itself_back(crew: Crew, tmp_path: Path) -> None:
    directory = crew.run(task := tasks.Once.C(note="x", elsewhere=tmp_path / "mark"))
    assert (directory.path / "kept").read_text() == "False"
    assert (crew.job(task).attempts, crew.job(task).failures) == (2, 0)


def test_a_job_that_had_too_little_time_is_left_to_a_worker_that_has_more(crew: Crew) -> None:
    worker = crew.started("--walltime", "600")
    crew.submit(task := tasks.Need.C(seconds=1000.0), options={"resumable": True})
    wait_until(lambda: crew.state(task) is State.READY and crew.job(task).attempts == 1, show=worker.log_file.read_text)
    crew.submit(other := worker_tasks.Write.C(note="later"))
    crew.wait(other)
    assert crew.job(task).attempts == 1, "the worker does not take it again"
    crew.start("--burst")
    crew.wait(task)
    first, second = seen(crew, task)
    assert 0 < float(first) < 600
    assert second == "None"


def test_a_worker_says_when_it_ends_before_it_was_ever_idle(crew: Crew, tmp_path: Path) -> None:
    crew.submit(first := worker_tasks.Wait.C(note="x", until=tmp_path / "go"))
    crew.started("--walltime", "600")
    crew.wait(first, State.RUNNING)
    crew.submit(second := worker_tasks.Write.C(note="long"), min_time_s=3600)
    reason = Reader(crew.client, crew.workspace.id).reasons.why(crew.job(second).identity).reason
    assert isinstance(reason, ShortLived)
    assert reason.longest_s is not None
    assert 0 < reason.longest_s < 600
    (tmp_path / "go").touch()


def test_a_job_whose_own_time_is_over_can_be_taken_by_any_worker(crew: Crew) -> None:
    crew.submit(task := tasks.Need.C(seconds=1000.0), options={"resumable": True, "timeout_s": 100.0})
    crew.started("--walltime", "2000")
    wait_until(lambda: crew.job(task).attempts > 1, show=lambda: crew.explain(task))


# -- what it is told ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout_s", "walltime", "most"),
    [(None, None, None), (100.0, None, 100), (None, "200", 200), (100.0, "200", 100), (300.0, "200", 200)],
)
def test_the_time_left_is_that_of_the_job_or_the_worker(
    crew: Crew, timeout_s: float | None, walltime: str | None, most: float | None
) -> None:
    crew.submit(task := tasks.Need.C(seconds=0.0), options={"timeout_s": timeout_s})
    crew.start("--burst", *(() if walltime is None else ("--walltime", walltime)))
    crew.wait(task)
    (left,) = seen(crew, task)
    if most is None:
        assert left == "None"
    else:
        assert most - 60 < float(left) <= most


# -- a worker's end ----------------------------------------------------------------------------------------------------


def test_near_its_end_a_worker_hands_back_what_runs_and_leaves(crew: Crew) -> None:
    crew.submit(task := tasks.Checkpoint.C())
    worked_to_its_end(crew, task, lambda seconds: crew.start("--walltime", f"{seconds:g}", *GRACE))


def test_an_idle_worker_leaves_at_its_end(crew: Crew) -> None:
    worker = crew.start("--walltime", "2.5", *GRACE, lease_s=60)
    assert worker.left() == 0
    assert crew.known() == []


def test_the_end_of_a_slurm_allocation_counts(crew: Crew) -> None:
    def start(seconds: float) -> Worker:
        return crew.start(*GRACE, env={"SLURM_JOB_END_TIME": str(math.ceil(time.time() + seconds))})

    crew.submit(task := tasks.Checkpoint.C())
    worked_to_its_end(crew, task, start)


def test_an_end_that_cannot_be_understood_is_told_and_does_not_count(crew: Crew) -> None:
    worker = crew.start("--burst", env={"SLURM_JOB_END_TIME": "soon"})
    crew.submit(task := tasks.Need.C(seconds=0.0))
    crew.start("--burst", env={"SLURM_JOB_END_TIME": "soon"})
    crew.wait(task)
    assert seen(crew, task) == ["None"]
    assert "SLURM_JOB_END_TIME: expected epoch seconds, got 'soon'" in worker.log


def test_a_worker_does_not_take_what_it_cannot_give_the_least_time(crew: Crew) -> None:
    crew.submit(long := tasks.Need.C(seconds=0.0), min_time_s=3600)
    crew.submit(short := tasks.Need.C(seconds=1.0), min_time_s=60)
    assert crew.start("--burst", "--walltime", "600").left() == 0
    assert (crew.state(long), crew.state(short)) == (State.READY, State.DONE)
    crew.start("--burst")
    crew.wait(long)


def test_a_script_says_how_much_time_a_task_needs(stage: Stage) -> None:
    with stage.experiment():
        task = tasks.Need.C(seconds=2.0).submit(min_time=59.5)
        with pytest.raises(ExperimentError, match=r"submit\(min_time=-1\): expected a number of seconds, at least 0"):
            tasks.Need.C(seconds=3.0).submit(min_time=-1)
    assert stage.client.hget(keys.job(stage.workspace.id, stage.job(task).identity), "demand") == b"|60"


def test_a_walltime_that_leaves_no_time_for_jobs_is_refused(crew: Crew) -> None:
    command = [sys.executable, "-m", "xpm_worker", "--workspace", str(crew.workspace.path), "--walltime", "20"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert result.returncode == 2
    said = (
        "Invalid value for '--walltime': 20 leaves no time to run jobs, with a --grace of 20. Give more, or a shorter"
    )
    assert said in " ".join(result.stderr.split())
