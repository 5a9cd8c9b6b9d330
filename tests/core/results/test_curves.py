"""Curves as they are read from what a job has logged, over executions, torn lines and marks."""

from __future__ import annotations

import json
import math
import os
import tempfile
import tracemalloc
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers.reporting_jobs import ReportingJob
from hypothesis import given
from hypothesis import strategies as st

from xpm_core import log
from xpm_core.job.reporting.metrics import NAME
from xpm_core.results import curves as module
from xpm_core.results.curves import CurveFile, Curves, Point, curves

rows = module._rows

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
        "loss: 3 of 4 values are no numbers, and no points.",
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


# -- files that grow ---------------------------------------------------------------------------------------------------


def grow(folder: Path, *lines: Mapping[str, Any] | str, end: str = "\n") -> None:
    with open(folder / NAME, "a") as file:
        file.write("\n".join(json.dumps(line) for line in lines) + end)


def test_a_file_that_grows_is_read_on_where_the_last_reading_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, [start("e1"), *steps(0, 3, loss=1.0)])
    file = CurveFile(tmp_path)
    assert file.read_on()
    assert not file.read_on()
    seen: list[int] = []

    def counting(lines: list[bytes], torn: Any) -> Any:
        seen.append(len(lines))
        return rows(lines, torn)

    monkeypatch.setattr(module, "_rows", counting)
    grow(tmp_path, *steps(3, 5, loss=2.0))
    assert file.read_on()
    assert seen == [2]  # only what was added
    assert dict(file.curves()) == dict(curves(tmp_path))
    assert len(file.curves()["loss"]) == file.held == 5


def test_a_line_without_its_end_counts_if_it_is_whole_and_is_no_second_point_later(tmp_path: Path) -> None:
    write(tmp_path, [start("e1")])
    file = CurveFile(tmp_path)
    for step in range(4):
        grow(tmp_path, {"step": step, "loss": step}, end="")
        file.read_on()
        assert file.curves()["loss"][-1] == (step, step)
        with open(tmp_path / NAME, "a") as out:
            out.write("\n")
        file.read_on()
        assert file.curves()["loss"] == [(each, each) for each in range(step + 1)]


def test_half_a_line_waits_for_the_rest(tmp_path: Path) -> None:
    write(tmp_path, [start("e1"), '{"step": 0, "lo'], end="")
    file = CurveFile(tmp_path)
    file.read_on()
    assert dict(file.curves()) == {}
    with open(tmp_path / NAME, "a") as out:
        out.write('ss": 0.5}\n')
    file.read_on()
    assert (file.curves()["loss"], file.curves().notes) == ([(0, 0.5)], [])


def test_a_file_that_is_another_one_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = CurveFile(write(tmp_path, [start("e1"), *steps(0, 9, loss=1.0)]))
    file.read_on()
    write(tmp_path, [start("e2"), *steps(0, 2, loss=7.0)])  # shorter, and of the same inode
    assert file.read_on()
    assert [point.value for point in file.curves()["loss"]] == [7.0] * 2
    write(tmp_path, [start("e3"), *steps(0, 20, loss=8.0)])  # longer
    file.read_on()
    assert [point.value for point in file.curves()["loss"]] == [8.0] * 20
    (tmp_path / NAME).unlink()
    assert file.read_on()
    assert not file.read_on()
    assert dict(file.curves()) == {}


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(OSError, match="no regular file"):
        CurveFile(tmp_path).read_on()


@given(st.lists(st.integers(0, 400), max_size=6), st.booleans())
def test_however_a_file_grows_its_curves_are_those_of_the_whole(cuts: list[int], resumed: bool) -> None:
    lines = [start("e1"), *steps(0, 9, loss=1.0), *([start("e2")] * resumed), *steps(5, 12, loss=2.0, f1=0.5)]
    data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    with tempfile.TemporaryDirectory() as name:
        file = CurveFile(Path(name))
        for at, (first, last) in enumerate(pairwise([0, *sorted(cuts), len(data)])):
            with open(Path(name) / NAME, "ab") as out:
                out.write(data[first:last])
            os.utime(Path(name) / NAME, ns=(at, at))
            file.read_on()
        whole = curves(Path(name))
        assert (dict(file.curves()), file.curves().notes) == (dict(whole), whole.notes)
