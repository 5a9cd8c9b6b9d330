"""The latest values of metrics, from the end of a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from xpm_core.results.curves import curves
from xpm_core.results.latest import Latest, latest_metrics


def written(folder: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return folder


def test_each_metric_has_its_latest_value_and_step(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"xpm_execution": "e1", "at": 1.0},
        {"step": 1, "loss": 0.5, "accuracy": 0.1, "at": 2.0},
        {"step": 2, "loss": None, "not_finite": {"loss": "inf"}, "at": 3.0},
        {"note": "warm", "at": 4.0},
    )
    assert latest_metrics(tmp_path).values == {
        "loss": Latest(math.inf, 2, 3.0),
        "accuracy": Latest(0.1, 1, 2.0),
        "note": Latest("warm", None, 4.0),
    }


def test_values_of_a_later_execution_count_metric_by_metric_as_in_curves(tmp_path: Path) -> None:
    written(
        tmp_path,
        {"xpm_execution": "e1", "at": 1.0},
        {"step": 5, "early": 1},
        {"step": 6, "test": 0.9, "loss": 0.9},
        {"xpm_execution": "e2", "at": 2.0},
        {"step": 6, "loss": 0.3},
    )
    found = latest_metrics(tmp_path).values
    assert found == {"early": Latest(1, 5, None), "test": Latest(0.9, 6, None), "loss": Latest(0.3, 6, None)}
    assert {name: (each.step, each.value) for name, each in found.items()} == {
        name: points[-1] for name, points in curves(tmp_path).items()
    }


def test_a_file_that_was_opened_twice_loses_nothing(tmp_path: Path) -> None:
    mark = {"xpm_execution": "e1", "at": 1.0}
    written(tmp_path, mark, {"step": 8, "test": 0.9}, mark, {"step": 8, "loss": 0.3})
    assert latest_metrics(tmp_path).values == {"test": Latest(0.9, 8, None), "loss": Latest(0.3, 8, None)}


def test_damaged_lines_and_a_torn_last_one_are_passed_over(tmp_path: Path) -> None:
    damaged = ("{", "[1]", "3", '{"step": "x", "lists": [1]}')
    written(tmp_path, {"step": 1, "loss": 0.5}, *damaged, {"step": 2, "loss": 0.4})
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 3, "loss": 0.3}')
    assert latest_metrics(tmp_path).values == {"loss": Latest(0.4, 2, None)}


def test_of_a_large_file_only_the_end_is_read(tmp_path: Path) -> None:
    written(tmp_path, {"step": 0, "first": 1}, *({"step": step, "loss": step / 10} for step in range(1, 100)))
    found = latest_metrics(tmp_path, 200)
    assert (found.values, found.whole) == ({"loss": Latest(9.9, 99, None)}, False)
    assert latest_metrics(tmp_path).whole


def test_no_file_is_no_metrics(tmp_path: Path) -> None:
    assert latest_metrics(tmp_path).values == {}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    for name in ("job", "elsewhere"):
        (tmp_path / name).mkdir()
    written(tmp_path / "elsewhere", {"step": 1, "private": 0.5})
    (tmp_path / "job" / "metrics.jsonl").symlink_to(tmp_path / "elsewhere" / "metrics.jsonl")
    assert latest_metrics(tmp_path / "job").values == {}
