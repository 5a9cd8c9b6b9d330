"""Workers: how they claim, wait and leave, and how RQ's tools see them."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers import fresh_process
from helpers.daemons import Crew
from helpers.waiting import wait_until
from rq import Worker

from xpm_core.reading.reader import Reader
from xpm_core.server.connection import LONGEST_BLOCK_S
from xpm_core.states import Event, State
from xpm_core.store import keys
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis


def running(crew: Crew, name: str = "x", until: Path = Path("/nonexistent"), **options: object) -> tasks.Wait:
    """Submit a task that waits, and wait until its code runs."""
    task = tasks.Wait.C(note=name, until=until)
    crew.submit(task, **options)
    crew.wait(task, State.RUNNING)
    wait_until((crew.directory(task).path / "pid").exists, show=lambda: crew.explain(task))
    return task


def test_a_burst_leaves_when_nothing_can_be_claimed(crew: Crew) -> None:
    worker = crew.start("--burst")
    assert worker.left() == 0
    assert crew.known() == []


def test_a_lingering_worker_outlasts_a_running_job_and_leaves_after_it(crew: Crew, tmp_path: Path) -> None:
    crew.submit(task := tasks.Wait.C(note="x", until=tmp_path / "go"))
    worker = crew.started("--linger", "0.3", slots=2, lease_s=3)
    crew.wait(task, State.RUNNING)
    assert len(crew.known()) == 2, "the other slot waits as long as a job runs"
    (tmp_path / "go").touch()
    crew.wait(task)
    assert worker.left() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_worker_that_is_started_with_closed_streams_runs_jobs(crew: Crew, closed: str) -> None:
    crew.submit(task := tasks.Write.C(note="x"))
    worker = crew.start("--burst", prefix=["sh", "-c", f'exec "$@" {closed}', "sh"])
    crew.wait(task)
    assert worker.left() == 0
    assert crew.directory(task).out.read_text() == "out x\n"


def test_an_idle_worker_is_woken_by_a_submission(crew: Crew) -> None:
    crew.started(lease_s=60)
    wait_until(lambda: crew.client.exists(keys.idle(crew.workspace.id, "default")))
    crew.submit(task := tasks.Write.C(note="x"))
    job = crew.wait(task)
    assert job.started_s - job.submitted_s < LONGEST_BLOCK_S - 1, "before the block's time-out"


def test_a_busy_worker_spends_one_round_trip_a_job(crew: Crew) -> None:
    jobs = [tasks.Write.C(note=f"n{n}") for n in range(40)]
    create_token(crew.client, "cpu", 1)
    crew.submit(*jobs[:20])
    crew.submit(*jobs[20:], demand={"cpu": 1})
    crew.client.config_resetstat()
    assert crew.start("--burst", lease_s=60).left() == 0
    calls = {name: stats["calls"] for name, stats in crew.client.info("commandstats").items()}
    scripts = calls["cmdstat_evalsha"]
    others = 4 + 16  # join, the first claim, the empty one, leave; and renewals before a start that came late
    assert 40 < scripts <= 40 + others
    assert calls.get("cmdstat_blpop", 0) <= 1
    assert {crew.state(job) for job in jobs} == {State.DONE}


def test_two_workers_share_a_token_that_serves_one_at_a_time(crew: Crew) -> None:
    create_token(crew.client, "cpu", 3)
    jobs = [tasks.Nap.C(note=f"n{n}") for n in range(6)]
    crew.submit(*jobs, demand={"cpu": 2})
    first, second = (crew.start("--linger", "0", lease_s=3) for _ in range(2))
    assert (first.left(), second.left()) == (0, 0)
    spans = sorted((crew.record(job)["started_s"], crew.record(job)["ended_s"]) for job in jobs)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans)), spans
    assert Reader(crew.client, crew.workspace.id).tokens.read()[0].used == {"": 0}


def test_the_units_of_tokens_are_in_the_environment(crew: Crew) -> None:
    create_token(crew.client, "gpu", 4, env="CUDA_VISIBLE_DEVICES")
    create_token(crew.client, "my.cpu", 4)
    task = tasks.Environment.C(note="x")
    directory = crew.run(task, demand={"gpu": 2, "my.cpu": 3})
    seen = dict(line.split("=", 1) for line in (directory.path / "environ").read_text().splitlines())
    assert (seen["XPM_TOKEN_GPU"], seen["CUDA_VISIBLE_DEVICES"], seen["XPM_TOKEN_MY_CPU"]) == ("0,1", "0,1", "3")


def test_what_a_job_tells_of_its_progress_becomes_an_event(crew: Crew) -> None:
    task = tasks.Tell.C(words=3)
    crew.run(task)
    found = [
        record
        for record in Reader(crew.client, crew.workspace.id).events.after("0-0")
        if record.event is Event.PROGRESS
    ]
    assert found
    assert found[-1].said["word"] == 2


def rq_info(crew: Crew) -> str:
    program = Path(sysconfig.get_path("scripts")) / "rq"
    command = [str(program), "info", "--url", crew.url]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}
    ).stdout


def test_rq_info_shows_the_same_queues_workers_and_counts(crew: Crew, tmp_path: Path) -> None:
    crew.started("--queue", "fast", "--queue", "default", slots=2, lease_s=60)
    task = running(crew, until=tmp_path / "go")
    create_token(crew.client, "cpu", 1)
    held = running(crew, "held", until=tmp_path / "go", demand={"cpu": 1})
    crew.submit(*[tasks.Write.C(note=f"w{n}") for n in range(3)], demand={"cpu": 1})
    queue = keys.rq_name(crew.workspace.id, "default")
    shown = rq_info(crew)
    assert re.search(rf"{queue} *\|.*3, 2 executing, 0 finished, 0 failed", shown), shown
    assert "2 workers" in shown
    workers = Worker.all(connection=crew.client)
    assert {worker.name for worker in workers} == {worker.name for worker in crew.known()}
    assert {worker.get_state() for worker in workers} == {"busy"}
    ids = {keys.rq_id(crew.workspace.id, crew.job(each).identity) for each in (task, held)}
    assert {worker.get_current_job_id() for worker in workers} == ids
    (tmp_path / "go").touch()
    crew.wait(tasks.Write.C(note="w2"))
    wait_until(lambda: "5 finished" in rq_info(crew), show=lambda: rq_info(crew))


def test_a_worker_registers_anew_after_the_server_was_wiped(crew: Crew) -> None:
    crew.started(lease_s=1.5)
    names = {worker.name for worker in crew.known()}
    crew.client.flushall()
    wait_until(lambda: {worker.name for worker in crew.known()} == names, show=crew.known)
    wait_until(lambda: {worker.name for worker in Worker.all(connection=crew.client)} == names)


def test_a_daemon_loads_nothing_of_what_the_process_of_a_job_needs(tmp_path: Path) -> None:
    names = fresh_process.run("-c", "import sys, xpm_worker.cli; print(*sys.modules)", cwd=tmp_path).split()
    of_jobs = ("xpm_core.config", "xpm_core.language", "xpm_worker.starter", "xpm_worker.template")
    assert not [name for name in names if name.startswith(of_jobs)]
