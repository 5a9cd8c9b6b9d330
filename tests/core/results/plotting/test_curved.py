"""The curves that the rows of a table have: all runs count, and what has none is named."""

from __future__ import annotations

import json
import math
import random
import statistics
from pathlib import Path
from typing import Any

import pytest
from helpers.result_jobs import FakeJob

from xpm_core.errors import ResultsError
from xpm_core.job.reporting.metrics import NAME
from xpm_core.results.listed import table_of
from xpm_core.results.plotting.curved import curved
from xpm_core.results.table import Table
from xpm_core.states import State


def job(folder: Path, values: list[float], metric: str = "loss", **options: Any) -> FakeJob:
    """A job that has logged some values."""
    made = FakeJob(options.pop("params"), {}, **options)
    place = folder / "jobs" / (made.task or "").replace(":", ".").lower() / made.identity
    place.mkdir(parents=True)
    lines = [{"xpm_execution": "e1", "at": 1}, *({"step": step, metric: value} for step, value in enumerate(values))]
    (place / NAME).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return made


def table(folder: Path, jobs: list[FakeJob]) -> Table:
    return table_of(jobs, folder, lambda: jobs, whole=True)


def test_the_mean_is_that_of_all_runs(tmp_path: Path) -> None:
    random.seed(3)
    values = [[random.gauss(1 / (step + 1), 0.1) for step in range(12)] for _ in range(500)]
    jobs = [job(tmp_path, each, params={"lr": 0.1, "seed": seed}) for seed, each in enumerate(values)]
    rest = [job(tmp_path, [1.0] * 12, params={"lr": 0.2, "seed": seed}) for seed in range(3)]
    folded = table(tmp_path, [*jobs, *rest]).over("seed")
    found = curved(folded.to_plot(), "loss", folded.grouping.columns)
    first, second = found.bands()
    assert (first.name, first.n, second.name, second.n) == ("lr=0.1", 500, "lr=0.2", 3)
    assert [step.n for step in first.steps] == [500] * 12
    exact = [statistics.fmean(run[step] for run in values) for step in range(12)]
    assert [step.mean for step in first.steps] == pytest.approx(exact, rel=1e-12)
    assert found.caption == "Mean and 95 % t interval at each step; dotted where fewer runs count."


def test_tasks_that_have_not_logged_the_metric_are_left_out_and_named(tmp_path: Path) -> None:
    jobs = [job(tmp_path, [1.0, 0.5], params={"seed": seed}, state=State.RUNNING) for seed in range(3)]
    jobs += [FakeJob({"corpus": "a"}, task="study:Prepare"), FakeJob({"seed": 4}, state=State.FAILED)]
    folded = table(tmp_path, jobs).over("seed")
    found = curved(folded.to_plot(), "loss", folded.grouping.columns)
    assert len(found.bands()) == 1
    assert "Left out, because they have not logged loss: jobs of Prepare." in found.notes
    assert any("1 of 4 runs without a curve" in note and "failed" in note for note in found.notes)
    lines = curved(table(tmp_path, jobs).to_plot(), "loss", [])
    assert [len(group.runs[0].points) for group in lines.groups] == [2, 2, 2, 0]
    assert any("1 job without a curve of loss" in note for note in lines.notes)


def test_what_is_said_of_many_curves_is_said_once(tmp_path: Path) -> None:
    jobs = [job(tmp_path, [1.0, math.nan, 0.5], params={"seed": seed}) for seed in range(5)]
    found = curved(table(tmp_path, jobs).to_plot(), "loss", [])
    names = ", ".join(each.identity[:7] for each in jobs[:3])
    assert found.notes == [f"{names} and 2 more: loss: 1 value of 3 is nan."]


def test_a_metric_that_nobody_has_logged_is_an_error_that_names_what_there_is(tmp_path: Path) -> None:
    rows = table(tmp_path, [job(tmp_path, [1.0], params={"seed": 1})])
    with pytest.raises(ResultsError, match=r"curves: no job has logged 'los' as a number\. Did you mean 'loss'\?"):
        curved(rows.to_plot(), "los", [], place="curves")
    bare = table(tmp_path, [FakeJob({"seed": 9})])
    with pytest.raises(ResultsError, match="no job has logged 'loss'"):
        curved(bare.to_plot(), "loss", [])
