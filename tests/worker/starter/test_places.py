"""A job that is killed because it does not end: its error says where it stood."""

from __future__ import annotations

import importlib
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import standing_tasks as tasks
from helpers.daemons import Crew, Worker
from helpers.waiting import wait_until
from rq.command import send_kill_horse_command

from xpm_core.config import Task
from xpm_core.states import State

pytestmark = pytest.mark.redis

FILE = Path(tasks.__file__)
LINE = FILE.read_text().splitlines().index("    way()  # here it stands") + 1
LIMIT_S = 0.5

HANGING = """
import os
import time

from xpm_core.config import Param, Task

if "XPM_JOB" in os.environ:
    time.sleep(1000)

class Load(Task):
    number: Param[int]

    def execute(self):
        pass
"""


def started(crew: Crew, task: Task, *options: str, **more: Any) -> Worker:
    """Start a worker, and wait until it runs a task."""
    worker = crew.started(*options, **more)
    crew.submit(task)
    wait_until((crew.directory(task).path / "ready").exists, show=lambda: crew.explain(task))
    return worker


FUNCTIONS = {"lock": "keep_the_lock", "thread": "wait_for_thread", "deep": "be_deep", "sleep": "<lambda>"}


@pytest.mark.parametrize("how", FUNCTIONS)
def test_a_job_over_its_time_limit_says_where_it_stood(residents: Crew, how: str) -> None:
    directory = residents.run(task := tasks.Stand.C(how=how), State.FAILED, options={"timeout_s": LIMIT_S})
    error, function = residents.record(task)["error"], FUNCTIONS[how]
    found = re.fullmatch(
        rf"ran longer than {LIMIT_S:g} s; it stood at standing_tasks\.py:(\d+) in {re.escape(function)}",
        error["message"],
    )
    assert found, error
    assert (error["type"], error["file"], error["line"]) == ("Timeout", str(FILE), int(found[1]))
    assert error["function"] == function
    told = residents.job(task).error
    assert (told["message"], told["line"]) == (error["message"], error["line"])
    frames = [(frame["function"], frame["line"]) for frame in error["frames"]]
    if how != "deep":
        assert ("standing_ürgently", LINE) in frames
        assert frames[0][0] == "execute"
    assert f"[xpm: ran longer than {LIMIT_S:g} s. Here it stood:]" in directory.err.read_text()


def test_a_module_that_hangs_is_named_with_its_line(
    crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hanging_tasks.py").write_text(HANGING)
    monkeypatch.syspath_prepend(tmp_path)
    task = importlib.import_module("hanging_tasks").Load.C(number=1)
    crew.started(env={"XPM_IMPORT_TIMEOUT": "1"})
    crew.submit(task)
    error = crew.wait(task, State.FAILED).error
    assert error["message"] == (
        "its modules took longer than 1 s to import; it stood at hanging_tasks.py:8 in <module>"
    )


@pytest.mark.parametrize("how", ["stopped", "silent", "another"])
def test_a_job_that_cannot_say_where_it_stands_is_killed_all_the_same(residents: Crew, how: str) -> None:
    residents.run(task := tasks.Stand.C(how=how), State.FAILED, options={"timeout_s": LIMIT_S})
    error = residents.record(task)["error"]
    assert (error["message"], error["file"]) == (f"ran longer than {LIMIT_S:g} s", None)


def test_a_cancelled_job_that_had_to_be_killed_says_where_it_stood(crew: Crew) -> None:
    worker = started(crew, task := tasks.Stand.C(how="lock"), "--grace", "0.3")
    crew.store.cancel(crew.job(task).identity)
    crew.wait(task, State.CANCELLED)
    record = crew.record(task)
    assert (record["reason"], record["signal"]) == ("cancelled", signal.SIGKILL)
    said = r"had not ended \d+\.\d s after SIGTERM; it stood at standing_tasks\.py:\d+ in keep_the_lock"
    assert re.fullmatch(said, record["error"]["message"])
    wait_until(lambda: re.search(said, worker.log), show=lambda: worker.log)


def test_a_job_that_is_handed_back_by_force_says_where_it_stood(crew: Crew) -> None:
    worker = started(crew, task := tasks.Stand.C(how="thread"), "--grace", "0.3")
    worker.send(signal.SIGTERM)
    assert worker.left() == 0
    assert (crew.state(task), crew.record(task)["reason"]) == (State.READY, "released")
    assert crew.record(task)["error"]["message"].endswith(" in wait_for_thread")


def test_a_job_that_is_killed_by_request_says_where_it_stood(crew: Crew) -> None:
    started(crew, task := tasks.Stand.C(how="sleep"), lease_s=60)
    send_kill_horse_command(crew.client, crew.job(task).worker)
    message = crew.wait(task, State.FAILED).error["message"]
    assert message.startswith(
        "killed by SIGKILL, because RQ's command kill-horse asked for it; it stood at standing_tasks.py"
    )
