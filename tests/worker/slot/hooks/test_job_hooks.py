"""Hooks of an installed package in real workers: before a job starts, and after its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import worker_tasks as tasks
from helpers.daemons import Crew
from helpers.hook_packages import install
from helpers.waiting import wait_until

from xpm_core.identity import seal
from xpm_core.index.merged import MergedIndex
from xpm_core.states import State

pytestmark = pytest.mark.redis

EXAMPLE = """
import json, os, time
from pathlib import Path

def job_environment(job):
    return {"COMET_EXPERIMENT_NAME": job.title, "LEVEL": "of the hook", "WANDB_NAME": "mine"}

def job_ended(job, outcome):
    facts = [job.title, job.experiment, job.attempt, outcome.state.value, outcome.error.get("type")]
    facts.append(outcome.seconds > 0)
    with open(job.workspace / "ended.jsonl", "a") as file:
        file.write(json.dumps([*facts, (job.directory / ".xpm").is_dir(), "XPM_JOB" in os.environ]) + "\\n")
"""


def environment_of(crew: Crew, task: tasks.Look) -> dict[str, str]:
    found: dict[str, str] = json.loads((crew.directory(task).path / "found.json").read_text())["environ"]
    return found


def ran(crew: Crew, folder: Path, task: tasks.Look, lease_s: float = 10.0) -> str:
    """Let a daemon run a task with the hooks in a folder. Returns its log."""
    crew.submit(task, tags={"note": "x"}, options={"env": {"LEVEL": "of the user"}})
    worker = crew.start("--burst", env={"PYTHONPATH": str(folder)}, lease_s=lease_s)
    crew.wait(task)
    assert worker.left() == 0
    return worker.log


def test_a_package_adds_variables_and_learns_of_ends(crew: Crew, tmp_path: Path) -> None:
    site = install(tmp_path / "site", EXAMPLE, "job_environment", "job_ended")
    look, fails = tasks.Look.C(note="x"), tasks.Fail.C(note="y")
    crew.submit(look, tags={"note": "x"}, options={"env": {"LEVEL": "of the user"}})
    crew.submit(fails)
    worker = crew.start("--burst", env={"PYTHONPATH": str(site)})
    crew.wait(fails, State.FAILED)
    assert worker.left() == 0
    found = environment_of(crew, look)
    assert found["COMET_EXPERIMENT_NAME"] == "Look note=x"
    assert found["LEVEL"] == "of the user"
    assert found["WANDB_NAME"] == "mine", "a hook knows better than xpm"
    told = [json.loads(line) for line in (crew.workspace.path / "ended.jsonl").read_text().splitlines()]
    assert sorted(told, key=str) == [
        ["Fail", "crew", 1, "failed", "ValueError", True, True, False],
        ["Look note=x", "crew", 1, "done", None, True, True, False],
    ]


BODIES = {
    "raise RuntimeError('hook is broken')": "raised RuntimeError: hook is broken",
    "return 7": "expected a dict of texts, got int",
    "return {'A': 1}": "expected texts, got str and int",
    "return {'A=B': 'x'}": "'A=B' cannot be a variable",
    "return {'A': '\\0'}": "'A' cannot be a variable",
    "return {'B': '\\ud800'}": "'B' cannot be a variable",
    "return {'XPM_JOB': 'x'}": "'XPM_JOB' is xpm's own",
}


def test_a_hook_that_fails_is_logged_and_the_job_runs(crew: Crew, tmp_path: Path) -> None:
    branches = "".join(
        f"    if job.title == 'Look note={number}':\n        {body}\n" for number, body in enumerate(BODIES)
    )
    code = f"def job_environment(job):\n{branches}\ndef job_ended(job, outcome):\n    raise OSError('gone')\n"
    site = install(tmp_path / "site", code, "job_environment", "job_ended")
    looks = [tasks.Look.C(note=str(number)) for number in range(len(BODIES))]
    for number, look in enumerate(looks):
        crew.submit(look, tags={"note": number})
    worker = crew.start("--burst", env={"PYTHONPATH": str(site)})
    assert worker.left() == 0
    logged = "hook job_environment (labhooks:job_environment): "
    for look, said in zip(looks, BODIES.values(), strict=True):
        crew.wait(look)
        assert any(logged in line and said in line for line in worker.log.splitlines()), said
        assert not {"A", "B", "A=B"} & set(environment_of(crew, look))
    assert worker.log.count(logged) == len(BODIES)
    assert worker.log.count("hook job_ended (labhooks:job_ended): it raised OSError: gone") == len(BODIES)


def test_a_hook_that_hangs_is_left_alone_and_the_job_runs(crew: Crew, tmp_path: Path) -> None:
    site = install(tmp_path / "site", "def job_environment(job):\n    import time; time.sleep(60)", "job_environment")
    log = ran(crew, site, task := tasks.Look.C(note="x"), lease_s=2.0)
    assert "hook job_environment (labhooks:job_environment): left alone, because it takes more than 0.5 s" in log
    assert "A" not in environment_of(crew, task)


def test_a_slow_hook_after_the_end_does_not_hold_up_the_next_job(crew: Crew, tmp_path: Path) -> None:
    code = """
    import time
    from pathlib import Path

    def job_ended(job, outcome):
        waits = job.workspace / "next"
        while not waits.exists():
            time.sleep(0.01)
        (job.workspace / "told").touch()
    """
    site = install(tmp_path / "site", code, "job_ended")
    first, second = tasks.Write.C(note="1"), tasks.Write.C(note="2")
    worker = crew.started(env={"PYTHONPATH": str(site)})
    crew.submit(first)
    crew.wait(first)
    crew.submit(second)
    crew.wait(second)
    assert not (crew.workspace.path / "told").exists()
    (crew.workspace.path / "next").touch()
    wait_until(lambda: (crew.workspace.path / "told").exists(), show=lambda: worker.log)


def test_the_attempt_has_one_number_in_hooks_trackers_the_directory_and_the_index(crew: Crew, tmp_path: Path) -> None:
    code = """
    import os

    def job_environment(job):
        return {"ATTEMPT": str(job.attempt)}

    def job_ended(job, outcome):
        (job.workspace / "ended").write_text(str(job.attempt))
    """
    site = install(tmp_path / "site", code, "job_environment", "job_ended")
    task = tasks.Look.C(note="x")
    earlier = crew.directory(task).path / ".xpm" / "executions" / f"3-{'a' * 32}.json"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("{}")  # the server was wiped since
    ran(crew, site, task)
    found = environment_of(crew, task)
    end = MergedIndex(crew.workspace.path).read()[seal(task)].end
    assert end is not None
    assert (found["ATTEMPT"], (crew.workspace.path / "ended").read_text(), end.attempt) == ("4", "4", 4)
    assert found["WANDB_RUN_ID"].endswith("-4")
    assert len(list(earlier.parent.glob("4-*"))) == 1
