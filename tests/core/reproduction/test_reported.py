"""What two runs of a job have reported, compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xpm_core.reproduction.comparison import Compared, compare


def compared(tmp_path: Path, name: str, then: str, now: str) -> Compared:
    for folder, text in (("then", then), ("now", now)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text)
    [found] = compare(tmp_path / "then", tmp_path / "now")
    return found


def results(execution: str, accuracy: float) -> str:
    return json.dumps({"schema": 1, "execution": execution, "results": {"accuracy": accuracy}})


def lines(*rows: Any) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def metrics(execution: str, at: float, loss: float) -> str:
    return lines({"xpm_execution": execution, "at": at}, {"step": 1, "loss": loss, "at": at + 1})


def test_the_same_results_of_another_execution_are_equal(tmp_path: Path) -> None:
    assert compared(tmp_path, "results.json", results("e1", 0.9), results("e2", 0.9)).result == "equal"


def test_other_results_differ_by_their_numbers(tmp_path: Path) -> None:
    found = compared(tmp_path, "results.json", results("e1", 0.9), results("e2", 0.45))
    assert (found.result, found.relative) == ("differs", 0.5)


def test_the_same_metrics_at_another_time_are_equal(tmp_path: Path) -> None:
    assert compared(tmp_path, "metrics.jsonl", metrics("e1", 5.0, 0.5), metrics("e2", 9.0, 0.5)).result == "equal"


def test_other_metrics_differ_by_their_numbers(tmp_path: Path) -> None:
    found = compared(tmp_path, "metrics.jsonl", metrics("e1", 5.0, 0.5), metrics("e2", 9.0, 0.25))
    assert (found.result, found.relative) == ("differs", 0.5)


@pytest.mark.parametrize(
    ("name", "then", "now"),
    [
        ("results.json", '{"execution": "e1"}', '{"execution": "e2"}'),
        ("results.json", "[1]", "[ 1]"),
        ("results.json", "{", "{}"),
        ("metrics.jsonl", lines({"at": 1}), lines({"at": 2})),
        ("metrics.jsonl", lines(1), lines(2)),
        ("other.json", results("e1", 0.9), results("e2", 0.9)),
    ],
)
def test_a_file_that_xpm_has_not_written_counts_as_it_is(tmp_path: Path, name: str, then: str, now: str) -> None:
    assert compared(tmp_path, name, then, now).result == "differs"
