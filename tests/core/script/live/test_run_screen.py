"""The lines that show a run on a terminal: they fit, with any run, any names and any terminal."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.tracked_jobs import everything, job
from rich.cells import cell_len

from xpm_core.forecast.records import Forecast
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_screen import Line, RunScreen, shared, split
from xpm_core.script.live.run_view import Answer, RunView
from xpm_core.states import State
from xpm_core.words.reasons_in_line import TokenKept
from xpm_core.words.reasons_of_workers import Unserved


def drawn(jobs: list[TrackedJob], width: int, glyphs: bool = True, **view: Any) -> list[Line]:
    """The lines of a run."""
    return RunScreen(RunView(**{"name": "x", "elapsed_s": 1, **view, "jobs": jobs}), width, glyphs).lines()


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 81, 120, 250])
@pytest.mark.parametrize("glyphs", [True, False])
@pytest.mark.parametrize(
    "tags",
    [{}, {"lr": 0.1}, {"model": "x" * 200, "text": "two\nlines", "wide": "日本語" * 20}],
    ids=["none", "short", "long and wide"],
)
def test_lines_fit_the_terminal(width: int, glyphs: bool, tags: dict[str, Any]) -> None:
    jobs = [*everything(tags=tags), job(State.RUNNING, tags={"other": 1})]
    lines = drawn(jobs, width, glyphs, name="n" * 100, elapsed_s=123456, obstacles=[Unserved("default", 20)])
    assert len(lines) <= 12
    assert all(cell_len(line) <= max(width, 26) for line, _ in lines)
    assert all("\n" not in line for line, _ in lines)
    assert glyphs or all(ord(character) < 128 or character in "日本語" for line, _ in lines for character in line)


@pytest.mark.parametrize("width", [50, 80, 200])
def test_counts_states_and_ids_are_never_cut(width: int) -> None:
    jobs = everything(tags={"model": "x" * 200})
    lines = [line for line, _ in drawn(jobs, width, name="an-experiment-of-some-name", elapsed_s=60)]
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
    lines = drawn([job(State.DONE), job(State.FAILED)], 80, elapsed_s=1)
    assert "·" not in lines[0][0]
    assert "1/2  50 %" in lines[0][0]


def test_time_left_is_shown_where_something_is_known_of_it() -> None:
    jobs = [job(State.DONE), job(State.READY)]
    assert "about 30 s left" in drawn(jobs, 100, forecast=Forecast(30.0))[0][0]
    assert "at least 30 s left" in drawn(jobs, 100, forecast=Forecast(30.0, {"Eval": 1}))[0][0]
    for nothing in (None, Forecast(None, {"Train": 1})):
        assert "left" not in drawn(jobs, 100, forecast=nothing)[0][0]


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
    lines = [line for line, _ in drawn(jobs, 80, elapsed_s=1, obstacles=unserved)]
    assert f"⧗ 1 ready   {words}" in lines


def test_the_servers_answer_is_shown_with_the_job_that_it_is_about() -> None:
    ready = job(State.READY)
    answer = Answer(ready.identity, TokenKept("1234567890"))
    lines = [line for line, _ in drawn([ready], 100, answer=answer)]
    assert lines[1].startswith("⧗ 1 ready   its tokens are kept for 1234567")
    assert lines[1].endswith(f"(xpm why {ready.identity[:7]})")
    assert "which was passed too often" in lines[1]
    assert [line for line, _ in drawn([ready], 50, answer=answer)][1].endswith(f"…  (xpm why {ready.identity[:7]})")


def test_tasks_have_bars_when_there_are_several() -> None:
    jobs = [
        *(job(State.DONE, name="Prepare") for _ in range(2)),
        *(job(State.DONE) for _ in range(9)),
        *(job(State.RUNNING) for _ in range(2)),
        job(State.FAILED),
        job(State.WAITING, name="Evaluate"),
    ]
    lines = [line for line, _ in drawn(jobs, 80)]
    assert lines[1:4] == [
        "  Train     ██████████··  10/12  ✗ 1 failed  2 running",
        "  Evaluate  ············   0/1 ",
        "  Prepare   ████████████   2/2 ",
    ]
    assert not any(line.startswith("  Train") for line, _ in drawn([job(State.DONE)] * 3, 80)), "one task alone"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_twelve_lines_are_enough_for_many_tasks(width: int) -> None:
    jobs = [each for number in range(30) for each in everything(name=f"Task{number}")]
    lines = [line for line, _ in drawn(jobs, width)]
    assert len(lines) == 12
    assert all(cell_len(line) <= max(width, 26) for line in lines)
    assert any(line.startswith("  and 28 more tasks") for line in lines)


def test_jobs_that_wait_without_a_ready_one_are_shown() -> None:
    assert "↻ 1 delayed   they failed, and are tried again" in [line for line, _ in drawn([job(State.DELAYED)], 80)]
    assert "⧗ 1 waiting   they need jobs that are not done" in [line for line, _ in drawn([job(State.WAITING)], 80)]


def test_failures_say_how_long_ago_they_were() -> None:
    (line,) = [line for line, _ in drawn([job(State.FAILED, since_s=1.0)], 90) if line.startswith("✗")]
    assert " d ago  (xpm show " in line
    (line,) = [line for line, _ in drawn([job(State.FAILED, since_s=0.0)], 90) if line.startswith("✗")]
    assert "ago" not in line, "a job that had failed before this run"


def test_lines_are_shared_among_kinds() -> None:
    assert shared([4, 5, 4], 9) == [3, 3, 3]
    assert shared([1, 5, 0], 9) == [1, 5, 0]
    assert split([1, 2, 3], 3) == ([1, 2, 3], 0)
    assert split([1, 2, 3, 4], 3) == ([1, 2], 2)
