"""The value of a configuration: a mean with its interval, or what all of its jobs have in common."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import ResultsError
from xpm_core.results.folding.folded import Folded
from xpm_core.results.statistics.aggregates import aggregate
from xpm_core.results.statistics.intervals import summary
from xpm_core.states import State


def folded(*values: Any, **options: Any) -> Folded:
    return table([FakeJob({"seed": seed}, {"a": value}) for seed, value in enumerate(values)]).over("seed", **options)


@pytest.mark.parametrize("kind", ["t", "bootstrap", "sd", "se", "minmax"])
def test_a_cell_has_what_the_statistics_say(kind: str) -> None:
    values = (0.91, 0.92, 0.9, 0.93, 0.9)
    cell = folded(*values, interval=kind, level=0.9, range=(0, 1), seed=3)[0]["a"]
    found = summary(values, kind, 0.9, (0, 1), 3)
    assert cell[:5] == found[:5]
    assert (cell.note, cell.values, cell.keys[2], cell.unit) == (found.note, values, (2,), "seeds")


def test_truth_values_count_as_numbers() -> None:
    cell = folded(True, False, True, True)[0]["a"]
    assert (cell.mean, cell.n, cell.note) == (0.75, 4, "")
    cell = folded(True, 0.5, 0.5, 1)[0]["a"]
    assert (cell.mean, cell.note) == (0.75, "1 of 4 values is true or false, which counts as 1 or 0")


def test_below_three_jobs_there_is_no_interval_and_it_says_so() -> None:
    cell = folded(0.5, 0.7)[0]["a"]
    assert (cell.interval, cell.note) == (None, "2 values are too few for an interval, which needs 3")
    assert str(cell) == "0.6 (no interval, n=2 seeds)"


def test_a_value_that_is_no_number_is_never_left_out() -> None:
    cell = folded(0.5, math.nan, 0.7, 0.7)[0]["a"]
    assert math.isnan(cell.mean)
    assert (cell.n, cell.note) == (4, "1 of 4 values is no finite number (nan), so there is no mean")
    mixed = folded(0.5, "diverged", 0.7)[0]["a"]
    assert (mixed.n, mixed.note, len(mixed.jobs)) == (3, "1 of 3 values is no number", 3)


def test_a_text_that_all_have_stays() -> None:
    assert folded("adam", "adam")[0]["a"] == "adam"
    cell = folded("adam", "sgd", "sgd")[0]["a"]
    assert (cell.n, cell.note) == (3, "2 different values, none of which is a number")


def test_facts_that_are_asked_for_are_folded() -> None:
    jobs = [FakeJob({"seed": seed}, {"a": 1}, ended_s=1020.0 + seed) for seed in range(3)]
    [row] = table(jobs).select("a", "seconds", "host").over("seed")
    assert (row["seconds"].mean, row["host"], list(row)) == (11.0, "gpu-a", ["a", "seconds", "host"])


@pytest.mark.parametrize("options", [{"interval": "ci"}, {"level": 95}, {"range": (1, 0)}])
def test_arguments_that_make_no_sense_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ResultsError):
        folded(1, 2, 3, **options)


def test_an_aggregate_is_stratified_by_task() -> None:
    values = {(task, seed): task + seed / 10 for task in range(3) for seed in range(4)}
    jobs = [FakeJob({"task": task, "seed": seed}, {"a": value}) for (task, seed), value in values.items()]
    found = table(jobs).aggregate(["task", "seed"], "iqm", seed=5)
    cell = found[0]["a"]
    scores = {task: [values[task, seed] for seed in range(4)] for task in range(3)}
    expected = aggregate(scores, "iqm", 0.95, 5)
    assert (cell.mean, cell.interval, cell.n) == (expected.value, expected.interval, 12)
    assert found.caption == "Interquartile mean and 95 % stratified bootstrap interval over 12 runs."
    with pytest.raises(ResultsError, match="aggregates"):
        found.marks("a")
    with pytest.raises(ResultsError, match="stat"):
        table(jobs).aggregate(["task", "seed"], "max")


def test_an_aggregate_that_lacks_a_task_says_so() -> None:
    jobs = [
        FakeJob({"m": m, "data": data, "seed": seed}, {"a": m + seed}, State.FAILED if m == data == 1 else State.DONE)
        for m in range(2)
        for data in range(3)
        for seed in range(3)
    ]
    whole, short = table(jobs).aggregate(["data", "seed"], "mean")
    assert (whole["a"].note, whole["a"].n) == ("", 9)
    assert short["a"].note == "not comparable with aggregates of all tasks, because data=1 has no run"
