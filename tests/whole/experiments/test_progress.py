"""The progress of jobs, on its way to events, to scripts and to `xpm show`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jobapi_tasks as tasks
import pytest
from click.testing import CliRunner
from helpers.daemons import Crew
from helpers.waiting import wait_until

from xpm_cli import main
from xpm_core import Task
from xpm_core.reading.reader import Reader
from xpm_core.states import Event

pytestmark = pytest.mark.redis


def told(crew: Crew, task: Task) -> list[dict[str, Any]]:
    """All that a task's job has told of its progress, in order."""
    identity, records = crew.job(task).identity, Reader(crew.client, crew.workspace.id).events.after("0-0")
    return [record.said for record in records if record.event is Event.PROGRESS and record.job == identity]


def test_loops_are_told_while_they_run_and_write_nothing(crew: Crew, tmp_path: Path) -> None:
    crew.started()
    crew.submit(task := tasks.Steps.C(note="x", until=tmp_path / "go"))
    at = {"fraction": 0.8, "desc": "epoch 8/10", "inner": [{"fraction": 0.5, "desc": "batch 2/4"}]}
    wait_until(lambda: crew.job(task).progress == at, show=lambda: crew.explain(task))
    assert told(crew, task)[-1] == at
    (tmp_path / "go").touch()
    crew.wait(task)
    assert crew.job(task).progress == {}, "it stands in the job while it runs"
    assert (crew.directory(task).path / "log").read_text() == ""


def test_a_busy_loop_is_told_now_and_then_and_its_last_word_always(crew: Crew, tmp_path: Path) -> None:
    crew.started()
    crew.submit(task := tasks.Busy.C(calls=1_000_000, until=tmp_path / "go"))
    last = {"fraction": 1.0, "desc": "call 999999"}
    wait_until(lambda: crew.job(task).progress == last, show=lambda: crew.explain(task), timeout_s=60)
    said = told(crew, task)
    assert said == sorted(said, key=lambda word: word["fraction"])
    (tmp_path / "go").touch()
    crew.wait(task)
    record = crew.record(task)
    assert len(said) <= 5 * (record["ended_s"] - record["started_s"]) + 2
    assert (crew.directory(task).path / "threads").read_text() in ("1", "2")


def test_processes_that_a_job_forks_tell_nothing_and_have_no_thread_of_ours(crew: Crew) -> None:
    crew.run(task := tasks.Forking.C(note="x"))
    assert {word["desc"] for word in told(crew, task)} == {"parent"}


def test_show_tells_how_far_a_running_job_is(crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew.started()
    crew.submit(task := tasks.Steps.C(note="x", until=tmp_path / "go"))
    wait_until(lambda: crew.job(task).progress.get("fraction") == 0.8, show=lambda: crew.explain(task))
    monkeypatch.setenv("XPM_REDIS_URL", crew.url)
    command = ["show", crew.job(task).identity[:12], "--workspace", str(crew.workspace.path)]
    shown = CliRunner().invoke(main, command).output
    (line,) = [line for line in shown.splitlines() if line.startswith("progress")]
    assert line.split(maxsplit=1)[1] == "████████··  epoch 8/10   █████·····  batch 2/4"
    data = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert data["progress"]["desc"] == "epoch 8/10"
    (tmp_path / "go").touch()
    crew.wait(task)
