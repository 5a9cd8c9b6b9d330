"""Rows of a table, what is selected of them, and the parameters of the jobs that jobs use."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from helpers.result_jobs import WORKSPACE, FakeJob, table

from xpm_core.errors import FilterError, UnknownColumnError
from xpm_core.labels import label
from xpm_core.results.table import Table
from xpm_core.states import State


def sweep() -> Table:
    values = {0.1: 0.5, 0.2: math.nan, 0.3: 0.9, 0.4: 0.7}
    jobs = [FakeJob({"lr": lr}, {"accuracy": accuracy}) for lr, accuracy in values.items()]
    return table([*jobs, FakeJob({"lr": 0.5}, {}, State.RUNNING, ended_s=None)])


def test_a_row_is_a_mapping_of_what_the_table_shows() -> None:
    row = sweep()[2]
    assert (dict(row), len(row), list(row)) == ({"lr": 0.3, "accuracy": 0.9}, 2, ["lr", "accuracy"])
    assert row.directory == Path(WORKSPACE, "jobs", "study.train", row.identity)
    assert sweep()[4]["accuracy"] is None
    assert (sweep()[4].seconds, sweep()[4].state) == (None, State.RUNNING)
    assert repr(row).startswith("<Train ")


def test_rows_are_sorted_and_those_without_a_value_come_last() -> None:
    rows = sweep()
    assert [row["lr"] for row in rows.sort("accuracy")] == [0.1, 0.4, 0.3, 0.2, 0.5]
    assert [row["lr"] for row in rows.sort("-accuracy")] == [0.3, 0.4, 0.1, 0.2, 0.5]
    assert [row["lr"] for row in rows.sort("state", "-lr")] == [0.4, 0.3, 0.2, 0.1, 0.5]


def test_rows_and_columns_are_selected() -> None:
    rows = sweep()
    assert [row["lr"] for row in rows.where("lr>0.1 and state=done")] == [0.2, 0.3, 0.4]
    chosen = rows[1:3].select("host", "lr")
    assert [dict(row) for row in chosen] == [{"host": "gpu-a", "lr": 0.2}, {"host": "gpu-a", "lr": 0.3}]
    assert [row["lr"] for row in chosen.where("lr=0.3")] == [0.3]
    with pytest.raises(FilterError, match="lrr"):
        rows.where("lrr>0.1")
    assert repr(rows) == "<5 rows with lr, accuracy>"
    with pytest.raises(UnknownColumnError, match="no column 'seed', because there is no row"):
        rows[:0].over("seed")


def test_the_best_names_the_jobs_that_it_was_not_chosen_from() -> None:
    jobs = [FakeJob({"seed": at}, {"a": value}) for at, value in enumerate((0.5, "high", math.nan, 0.7, 0.7))]
    best = table([*jobs, FakeJob({"seed": 9}, {"b": 1})]).best("a")
    assert [row["seed"] for row in best] == [3, 4]
    strange = ", ".join(job.identity[:7] for job in jobs[1:3])
    assert best.notes[-1] == f"The best is chosen without 2 jobs whose a is no finite number: {strange}."
    assert table(jobs[:1]).best("a").notes == []


def test_a_job_that_is_used_is_replaced_by_its_parameters() -> None:
    trains = [FakeJob({"lr": 0.1, "seed": seed}) for seed in (1, 2)]
    uses = [{"job": label(job.name, job.identity)} for job in trains]
    evals = [FakeJob({"train": use, "split": "test"}, {"a": n}, task="study:Eval") for n, use in enumerate(uses)]
    tests = [FakeJob({"eval": {"job": label(job.name, job.identity)}}, {"b": 1}, task="study:Test") for job in evals]
    rows = table(evals, trains)
    assert [dict(row) for row in rows] == [{"seed": 1, "a": 0}, {"seed": 2, "a": 1}]
    assert rows[0]["train.lr"] == 0.1
    assert [dict(row) for row in table(tests, [*trains, *evals])] == [{"seed": 1, "b": 1}, {"seed": 2, "b": 1}]


def test_a_job_that_nobody_knows_stays_as_it_is() -> None:
    uses = [{"job": "Train/1234567"}, {"job": "Train/7654321"}]
    rows = table([FakeJob({"train": use}, {"a": 1}) for use in uses])
    assert [row["train"] for row in rows] == uses


# -- notes -------------------------------------------------------------------------------------------------------------


def test_tasks_that_report_nothing_are_left_out_and_named() -> None:
    jobs = [FakeJob({"n": n}, {"a": n}) for n in range(3)]
    silent = [FakeJob({"n": n}, task="study:Prepare") for n in range(2)]
    rows = table([*jobs, *silent])
    assert (len(rows), rows.notes) == (3, ["Left out, because none has reported anything: 2 jobs of Prepare."])
    assert len(table([*jobs, *silent], whole=True)) == 5
    assert table(silent).notes == ["No job has reported a result: return it from execute(), or call result()."]
    assert len(table(silent)) == 2
    assert table([]).notes == []


def test_a_result_that_some_jobs_lack_is_said() -> None:
    jobs = [FakeJob({"n": 0}, {"a": 1}), FakeJob({"n": 1}, {"a": 1, "b": 2}), FakeJob({"n": 2}, {"b": 1})]
    running = FakeJob({"n": 3}, {}, State.RUNNING)
    assert table([*jobs, running]).notes == ["Of 3 done jobs of Train: 1 without a, 1 without b."]


def test_what_a_job_reported_before_it_failed_is_told_from_final_values_in_each_form() -> None:
    jobs = [FakeJob({"seed": seed}, {"f1": 0.9}, State.FAILED if seed == 2 else State.DONE) for seed in range(3)]
    found, failed = table(jobs), jobs[2].identity[:7]
    assert found.to_csv().splitlines() == ["seed,state,f1", "0,done,0.9", "1,done,0.9", "2,failed,0.9"]
    said = f"1 job not done, whose values may not be final: {failed} failed."
    assert said in found.to_markdown()
    assert found.select("seed", "f1").to_csv().splitlines()[0] == "seed,f1"
    assert said in found.select("seed", "f1").to_latex()
    assert found[:2].to_csv().splitlines()[0] == "seed,f1"
    waiting = FakeJob({"seed": 9}, {}, State.WAITING)
    assert table([*jobs[:2], waiting]).to_csv().splitlines()[::3] == ["seed,state,f1", "9,waiting,"]
