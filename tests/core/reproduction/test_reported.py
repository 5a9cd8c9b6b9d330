"""What two runs of a job have reported, compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xpm_core.reproduction import comparison
from xpm_core.reproduction.comparison import Compared, compare
from xpm_core.reproduction.reported import Parting


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


def test_large_metrics_are_compared_as_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MOST_BYTES", 10)
    texts = {"same": (0.5, 0.4), "other": (0.5, 0.3), "fewer": (0.5,)}
    files = {name: logged(*enumerate(values), at=len(name)) + '{"torn' for name, values in texts.items()}
    for name, result in (("same", "equal"), ("other", "differs"), ("fewer", "differs")):
        (tmp_path / name).mkdir()
        then = logged(*enumerate(texts["same"]), execution="e0", at=9.0) + '{"torn'
        assert compared(tmp_path / name, "metrics.jsonl", then, files[name]).result == result
    (tmp_path / "text").mkdir()
    assert compared(tmp_path / "text", "large.txt", "0.1 and more", "0.2 and more").result == "differs"


def test_large_metrics_that_xpm_has_not_written_count_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MOST_BYTES", 10)
    ours, theirs, later = lines({"xpm_execution": "e1", "at": 1}), lines({"at": 1}), lines({"at": 2})
    for number, (then, now) in enumerate(
        [(theirs, later), (theirs + ours, later + ours), ("1\n" + theirs, "1\n" + later)]
    ):
        (tmp_path / str(number)).mkdir()
        assert compared(tmp_path / str(number), "metrics.jsonl", then, now).result == "differs"


def logged(*steps: tuple[int, Any], execution: str = "e1", at: float = 5.0) -> str:
    rows = [{"step": step, "loss": loss, "at": at + step} for step, loss in steps]
    return lines({"xpm_execution": execution, "at": at}, *rows)


def test_the_metrics_of_a_job_that_was_resumed_equal_those_of_one_that_was_not(tmp_path: Path) -> None:
    then = (
        logged((1, 0.5), (2, 0.4), (3, 0.37)) + '{"step": 4, "lo\n' + logged((3, 0.3), (4, 0.2), execution="e2", at=9)
    )
    now = logged((1, 0.5), (2, 0.4), (3, 0.3), (4, 0.2), execution="e3")
    assert compared(tmp_path, "metrics.jsonl", then, now).result == "equal"


def test_metrics_that_differ_say_where_they_part_first(tmp_path: Path) -> None:
    found = compared(tmp_path, "metrics.jsonl", logged((1, 0.5), (2, 0.4), (3, 1)), logged((1, 0.5), (2, 0.2), (3, 2)))
    assert (found.parting, found.relative) == (Parting("loss", 2, 0.4, 0.2), 0.5)


def test_metrics_that_end_earlier_differ_by_their_first_step_that_lacks(tmp_path: Path) -> None:
    found = compared(tmp_path, "metrics.jsonl", logged((1, 0.5), (2, 0.4)), logged((1, 0.5)))
    assert (found.parting, found.relative) == (Parting("loss", 2, 0.4, None), None)


def test_a_text_among_metrics_counts(tmp_path: Path) -> None:
    found = compared(tmp_path, "metrics.jsonl", logged((1, "warm")), logged((1, "cold")))
    assert found.parting == Parting("loss", 1, "warm", "cold")


def test_metrics_that_are_not_finite_are_equal_if_they_are_the_same(tmp_path: Path) -> None:
    nan = {"step": 1, "loss": None, "at": 1, "not_finite": {"loss": "nan"}}
    then, now = ({"xpm_execution": each, "at": 1} for each in ("e1", "e2"))
    assert compared(tmp_path, "metrics.jsonl", lines(then, nan), lines(now, nan)).result == "equal"


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
