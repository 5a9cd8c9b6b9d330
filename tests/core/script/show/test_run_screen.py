"""The lines that show a run on a terminal: they fit, with any run, any names and any terminal."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.show.run_screen import RunScreen, cause, telling_tags, what, where
from xpm_core.states import State
from xpm_core.words.reasons_of_workers import Unserved
from xpm_core.workspace.job_directory import JobDirectory

ERROR = {"type": "torch.cuda.OutOfMemoryError", "message": "no", "file": "/home/a/train.py", "line": 88}
_numbers = itertools.count(1)


def job(state: State, **more: Any) -> TrackedJob:
    """A job in a state."""
    identity = f"{next(_numbers):07d}" + "0" * 57
    directory = JobDirectory(Path("/w"), f"jobs/t.train/{identity}")
    found = TrackedJob(
        tracker=None, identity=identity, name="Train", directory=directory, place=("", 0), queue="default",
    )  # fmt: skip
    fields = {"tags": {"lr": 0.01}, "worker": "gpu-a-0a1b2c3d.0", "since_s": time.time() - 3, "state": state, **more}
    for name, value in {**fields, "error": ERROR if state is State.FAILED else {}}.items():
        setattr(found, name, value)
    return found


def everything(**more: Any) -> list[TrackedJob]:
    """Many jobs in each state."""
    return [job(state, **more) for state in State for _ in range(20)]


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 81, 120, 250])
@pytest.mark.parametrize("glyphs", [True, False])
@pytest.mark.parametrize(
    "tags",
    [{}, {"lr": 0.1}, {"model": "x" * 200, "text": "two\nlines", "wide": "日本語" * 20}],
    ids=["none", "short", "long and wide"],
)
def test_lines_fit_the_terminal(width: int, glyphs: bool, tags: dict[str, Any]) -> None:
    jobs = [*everything(tags=tags), job(State.RUNNING, tags={"other": 1})]
    lines = RunScreen("n" * 100, jobs, width, glyphs).lines(123456, ["default"])
    assert len(lines) <= 12
    assert all(cell_len(line) <= max(width, 26) for line, _ in lines)
    assert all("\n" not in line for line, _ in lines)
    assert glyphs or all(ord(character) < 128 or character in "日本語" for line, _ in lines for character in line)


@pytest.mark.parametrize("width", [50, 80, 200])
def test_counts_states_and_ids_are_never_cut(width: int) -> None:
    jobs = everything(tags={"model": "x" * 200})
    lines = [line for line, _ in RunScreen("an-experiment-of-some-name", jobs, width, True).lines(60)]
    assert "20/160" in lines[0]
    assert "✗ 20 failed" in lines[0]
    assert width < 80 or "20/160  12 %   ✗ 20 failed   20 blocked" in lines[0]
    shown = [line for line in lines if "xpm show" in line]
    assert len(shown) == 3
    ids = {job.identity[:7] for job in jobs if job.state in (State.FAILED, State.CANCELLED)}
    assert all(line.endswith(")") and line.split()[-1].rstrip(")") in ids for line in shown)
    assert any("16 more running" in line for line in lines)
    assert any("37 more failed or cancelled" in line for line in lines)


def test_bar_is_full_when_all_has_ended() -> None:
    lines = RunScreen("x", [job(State.DONE), job(State.FAILED)], 80, True).lines(1)
    assert "·" not in lines[0][0]
    assert "1/2  50 %" in lines[0][0]


def test_time_left_is_told_once_three_jobs_have_run() -> None:
    jobs = [*(job(State.DONE) for _ in range(3)), *(job(State.READY) for _ in range(3))]
    assert "about 30 s left" in RunScreen("x", jobs, 100, True).lines(30)[0][0]
    jobs = [*(job(State.DONE, reused=True) for _ in range(3)), job(State.READY)]
    assert "left" not in RunScreen("x", jobs, 100, True).lines(30)[0][0]


@pytest.mark.parametrize(
    ("running", "ready", "unserved", "words"),
    [
        ([{}], {}, [], "all workers are busy"),
        ([], {}, [], "about to start"),
        ([], {}, [Unserved("default", 1)], "no living worker serves queue default"),
        ([{"gpu": 1}], {"gpu": 1, "cpu": 1}, [], "token gpu held by running jobs"),
        ([{"gpu": 1}], {"cpu": 1}, [], "all workers are busy"),
    ],
)
def test_why_ready_jobs_do_not_run(
    running: list[dict[str, int]], ready: dict[str, int], unserved: list[Unserved], words: str
) -> None:
    jobs = [*(job(State.RUNNING, demand=demand) for demand in running), job(State.READY, demand=ready)]
    lines = [line for line, _ in RunScreen("x", jobs, 80, True).lines(1, unserved)]
    assert f"⧗ 1 ready   {words}" in lines


def test_tags_that_are_the_same_for_all_jobs_of_a_task_are_left_out() -> None:
    jobs = [job(State.RUNNING, tags={"lr": lr, "data": "digits"}) for lr in (0.1, 0.2)]
    assert telling_tags(jobs) == {"Train": {"lr"}}
    assert telling_tags(jobs[:1]) == {"Train": {"lr", "data"}}
    assert what(jobs[0], {"lr"}) == "Train lr=0.1"
    assert what(jobs[0]) == "Train lr=0.1 data=digits"
    some = [job(State.RUNNING, tags={"lr": 1}), job(State.RUNNING, tags={})]
    assert telling_tags(some) == {"Train": {"lr"}}


def test_words_for_a_job() -> None:
    assert where(job(State.RUNNING)) == "gpu-a:0"
    assert cause(job(State.FAILED)) == "OutOfMemoryError train.py:88"
    assert cause(job(State.CANCELLED)) == "cancelled"
