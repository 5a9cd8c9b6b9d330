"""How far jobs are, as a waiting script shows it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from helpers import tracked_jobs
from rich.cells import cell_len

from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.script.live.run_screen import RunScreen
from xpm_core.script.live.run_view import RunView
from xpm_core.states import State
from xpm_core.words.text import meter


def job(n: int, progress: dict[str, Any]) -> TrackedJob:
    """A running job that has told something."""
    return tracked_jobs.job(State.RUNNING, tags={"lr": n}, progress=progress, since_s=time.time() - 2460)


def drawn(jobs: list[TrackedJob], width: int = 90, glyphs: bool = True) -> list[str]:
    """The lines of the running jobs."""
    return [line for line, _ in RunScreen(RunView("x", jobs, 60), width, glyphs).lines()][1:-1]


def test_running_jobs_have_a_bar_and_words() -> None:
    jobs = [job(1, {"fraction": 0.75, "desc": "epoch 8/10"}), job(2, {}), job(3, {"fraction": None, "desc": "12"})]
    assert drawn(jobs) == [
        "● Train lr=1                                    gpu-a:0     41 min  ███████▌··  epoch 8/10",
        "● Train lr=2                                    gpu-a:0     41 min                        ",
        "● Train lr=3                                    gpu-a:0     41 min              12        ",
    ]


def test_without_a_word_from_any_there_are_no_columns() -> None:
    assert drawn([job(1, {})], width=50) == ["● Train lr=1                    gpu-a:0     41 min"]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("desc", ["epoch 1/2", "日本語" * 30, "two\nlines", "x" * 200])
@pytest.mark.parametrize("glyphs", [True, False])
def test_lines_fit_whatever_a_job_says(width: int, desc: str, glyphs: bool) -> None:
    lines = drawn([job(1, {"fraction": 0.5, "desc": desc}), job(2, {})], width, glyphs)
    assert all(cell_len(line) == width and "\n" not in line for line in lines)


def test_where_there_is_little_room_words_go_first_and_then_the_bar() -> None:
    told = {"fraction": 0.5, "desc": "epoch 1/2"}
    assert "epoch 1/2" in drawn([job(1, told)], 70)[0]
    assert "epoch" not in drawn([job(1, told)], 58)[0]
    assert "█████·····" in drawn([job(1, told)], 58)[0]
    assert "█" not in drawn([job(1, told)], 45)[0]


@pytest.mark.parametrize(
    ("fraction", "bar"),
    [
        (0, "··········"),
        (0.04, "▌·········"),
        (0.75, "███████▌··"),
        (1, "██████████"),
        (7, "██████████"),
        (-1, "·" * 10),
    ],
)
def test_a_bar_is_drawn_to_half_a_character(fraction: float, bar: str) -> None:
    assert meter(fraction, 10) == bar
