"""Curves as they are read from what a job has logged, over executions, torn lines and marks."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers.reporting_jobs import ReportingJob

from xpm_core import log
from xpm_core.job.reporting.metrics import NAME
from xpm_core.results.curves import Curves, Point, curves

Lines = list[Mapping[str, Any] | str]


def start(execution: str) -> Mapping[str, Any]:
    return {"xpm_execution": execution, "at": 1.5}


def write(folder: Path, lines: Lines, end: str = "\n") -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / NAME).write_text("\n".join(texts) + end)
    return folder


def read(folder: Path, *lines: Mapping[str, Any] | str, end: str = "\n") -> Curves:
    return curves(write(folder, list(lines), end))


def steps(first: int, last: int, **values: float) -> Lines:
    return [{"step": step, **values, "at": 2.0} for step in range(first, last)]


def test_nothing_logged_is_no_curve(tmp_path: Path) -> None:
    assert (dict(curves(tmp_path)), curves(tmp_path).notes) == ({}, [])
    assert dict(read(tmp_path, start("e1"))) == {}


def test_each_metric_is_a_curve(tmp_path: Path) -> None:
    found = read(
        tmp_path, start("e1"), {"step": 0, "loss": 2, "at": 1}, {"step": 0.5, "loss": 1.5, "f1": True, "at": 2}
    )
    assert dict(found) == {"loss": [(0, 2.0), (0.5, 1.5)], "f1": [(0.5, 1.0)]}
    assert found["loss"][0] == Point(step=0, value=2.0)
    assert found.notes == []


def test_lines_without_a_step_are_numbered(tmp_path: Path) -> None:
    found = read(tmp_path, start("e1"), {"loss": 2}, {"loss": 1}, {"step": None, "loss": 0}, {"step": "x", "loss": 4})
    assert found["loss"] == [(0, 2), (1, 1), (2, 0), (3, 4)]


def test_the_steps_of_a_later_execution_win(tmp_path: Path) -> None:
    lines = [start("e1"), *steps(0, 8, loss=1.0), start("e2"), *steps(5, 7, loss=2.0)]
    assert read(tmp_path, *lines)["loss"] == [*((step, 1.0) for step in range(5)), (5, 2.0), (6, 2.0)]


def test_each_metric_has_its_own_first_step_of_a_later_execution(tmp_path: Path) -> None:
    batches = [{"step": step, "batch_loss": 1.0} for step in range(0, 100, 10)]
    epochs = [{"step": step, "accuracy": 0.5} for step in range(10)]
    later: Lines = [{"step": 8, "accuracy": 0.9}, {"step": 80, "batch_loss": 2.0}]
    found = read(tmp_path, start("e1"), *batches, *epochs, start("e2"), *later)
    assert found["accuracy"] == [*((step, 0.5) for step in range(8)), (8, 0.9)]
    assert found["batch_loss"] == [*((step, 1.0) for step in range(0, 80, 10)), (80, 2.0)]


def test_a_resumed_task_without_steps_loses_nothing_and_this_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, start("e1"), {"loss": 2}, {"loss": 1}, start("e2"), {"loss": 0})
    assert found["loss"] == [(0, 2), (1, 1), (2, 0)]
    assert found.notes == [
        "metrics.jsonl: its lines have no steps, and the task was resumed at line 2: steps that it repeated are there "
        "twice. Log them with step=."
    ]


def test_the_torn_last_line_of_an_execution_is_passed_over(tmp_path: Path) -> None:
    torn = '{"step": 2, "loss": 0.'
    found = read(tmp_path, start("e1"), *steps(0, 2, loss=1.0), torn, start("e2"), *steps(2, 4, loss=1.0), torn, end="")
    assert ([point.step for point in found["loss"]], found.notes) == ([0, 1, 2, 3], [])


def test_other_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    bad = ["\0\0\0\0", "[1, 2]", '{"step": 1' + "0" * 5000 + "}", "[" * 50_000, "\xff"]
    found = read(tmp_path, start("e1"), {"step": 0, "loss": 1}, *bad, {"step": 1, "loss": 2})
    assert found["loss"] == [(0, 1), (1, 2)]
    assert found.notes == ["metrics.jsonl: 5 lines cannot be read, and were passed over."]


def test_marks_of_nan_and_infinity_come_back(tmp_path: Path) -> None:
    marked = {"step": 1, "loss": None, "f1": None, "not_finite": {"loss": "nan", "f1": "-inf"}}
    found = read(tmp_path, start("e1"), {"step": 0, "loss": 1, "f1": 1}, marked)
    assert math.isnan(found["loss"][1].value)
    assert found["f1"][1] == (1, -math.inf)
    assert found.notes == ["loss: 1 value of 2 is nan."]


def test_a_metric_of_two_types_is_said(tmp_path: Path) -> None:
    lines: Lines = [{"step": 0, "loss": 1, "phase": "a"}, {"step": 1, "loss": "low"}, {"step": 2, "loss": None}]
    found = read(tmp_path, start("e1"), *lines, {"step": 3, "loss": 10**400})
    assert dict(found) == {"loss": [(0, 1.0)]}
    assert found.notes == [
        "loss: 3 of 4 values are no numbers, and are no points.",
        "phase: none of its 1 value is a number, so it has no curve.",
    ]


def test_a_metric_may_be_called_execution(tmp_path: Path) -> None:
    assert read(tmp_path, start("e1"), {"step": 0, "execution": 3.5})["execution"] == [(0, 3.5)]


def test_steps_that_go_back_are_sorted_and_repetitions_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, start("e1"), *steps(0, 3, loss=1.0), *steps(0, 2, loss=2.0))
    assert found["loss"] == [(0, 2.0), (1, 2.0), (2, 1.0)]
    assert found.notes == ["loss: 2 points repeat a step; of each step, the last value counts."]


def test_long_curves_are_thinned_and_this_is_said(tmp_path: Path) -> None:
    values = [math.sin(step) for step in range(30_000)]
    values[17_777], values[3] = 9.0, -9.0
    write(tmp_path, [start("e1"), *({"step": step, "loss": value} for step, value in enumerate(values))])
    found = curves(tmp_path)
    points = found["loss"]
    assert len(points) <= 10_000
    assert (points[0], points[-1]) == ((0, values[0]), (29_999, values[-1]))
    assert {(17_777, 9.0), (3, -9.0)} <= set(points)
    assert found.notes == [f"loss: {len(points)} of 30000 points are kept (first, last and extremes)."]
    evenly = curves(tmp_path, most=1000, keep="every", only="loss")
    assert {point.step % 32 for point in evenly["loss"][:-1]} == {0}
    assert "every 32th" not in evenly.notes[0]
    assert "one in 32" in evenly.notes[0]


def test_many_long_curves_are_said_in_one_note(tmp_path: Path) -> None:
    write(tmp_path, [{"step": step, **{f"m{n}": n for n in range(8)}, "at": 1} for step in range(50)])
    assert curves(tmp_path, most=20, keep="every").notes == [
        "m0, m1, m2, m3, m4 and 3 more: of the longest, 14 of 50 points are kept (first, last and one in 4)."
    ]


def test_memory_is_bounded_however_long_the_file_and_its_lines_are(tmp_path: Path) -> None:
    with open(tmp_path / NAME, "wb") as file:
        file.write(b'{"step": 0, "loss": 1}\n' + b"x" * 20_000_000 + b"\n")
        for step in range(200_000):
            file.write(b'{"step": %d, "loss": 1, "at": 1764288001.7}\n' % step)
    tracemalloc.start()
    found = curves(tmp_path, most=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found["loss"]) <= 1003
    assert peak < 25_000_000


def test_what_a_job_logs_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ReportingJob(tmp_path / "workspace", monkeypatch)
    job.begin("first")
    for step in range(5):
        log(step, loss=math.inf if step == 1 else step, accuracy={"train": 0.5})
    job.begin("second")
    for step in range(3, 5):
        log(step=step, loss=-step)
    found = curves(job.path)
    assert found["loss"] == [(0, 0), (1, math.inf), (2, 2), (3, -3), (4, -4)]
    assert found["accuracy.train"] == [(step, 0.5) for step in range(5)]
    assert found.notes == []


def test_too_many_metrics_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, *({"step": 0, f"m{n}": 1} for n in range(600)))
    assert len(found) == 500
    assert found.notes == ["metrics.jsonl has 600 metrics: the first 500 were read."]
