"""One value in each place, or an error that says how to get there."""

from __future__ import annotations

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import ResultsError, UnknownColumnError
from xpm_core.results.table import Table
from xpm_core.states import State


def grid(**more: object) -> Table:
    jobs = [
        FakeJob({"model": model, "data": data, "seed": seed, **more}, {"a": model * 10 + seed / 10 + (data == "y")})
        for model in (1, 2, 3)
        for data in ("x", "y")
        for seed in range(4)
    ]
    return table(jobs)


def test_each_place_has_one_cell_and_the_best_is_marked() -> None:
    pivot = grid().over("seed").pivot("model", "data")
    assert [column.name for column in pivot.columns] == ["model", "x", "y"]
    assert [(row["model"], row["x"].mean, row["y"].n) for row in pivot] == [(1, 10.15, 4), (2, 20.15, 4), (3, 30.15, 4)]
    assert [row.marks for row in pivot] == [{}, {}, {"x": "best", "y": "best"}]
    assert grid().over("seed").pivot("model", "data", "a", lowest=True)[0].marks == {"x": "best", "y": "best"}
    assert (pivot.caption, len(pivot), repr(pivot)) == (
        "Mean and 95 % t interval of a over 4 seeds.", 3, "<3 rows of a with model, x, y>",
    )  # fmt: skip
    with pytest.raises(UnknownColumnError, match=r"There are: model, x, y\."):
        pivot[0]["z"]


def test_two_rows_in_one_place_are_an_error_that_says_what_differs() -> None:
    with pytest.raises(ResultsError) as caught:
        grid().pivot("model", "data", "a")
    assert str(caught.value) == (
        "pivot: 4 rows have the place model=1 data=x, and differ in seed (0, 1, 2 and 1 more). "
        'Fold it: .over("seed").pivot(...); or choose: .where("seed=..."); or add it to the rows.'
    )
    with pytest.raises(ResultsError, match=r"differ in data \(x, y\)"):
        grid().over("seed").pivot("model", "model", "a")
    twins = table([FakeJob({"model": 1, "data": "x"}, {"a": 1}), FakeJob({"model": 1.0, "data": "x"}, {"a": 2})])
    with pytest.raises(ResultsError, match="differ in no tag or parameter"):
        twins.pivot("param.model", "param.data", "a")


def test_a_place_may_be_empty() -> None:
    jobs = [FakeJob({"model": model, "data": data}, {"a": model}) for model, data in ((1, "x"), (2, "y"))]
    pivot = table(jobs).pivot("model", "data")
    assert [dict(row) for row in pivot] == [{"model": 1, "x": 1, "y": None}, {"model": 2, "x": None, "y": 2}]
    assert pivot.caption == ""


def test_what_differs_unseen_is_told() -> None:
    jobs = [FakeJob({"model": n, "data": "x", "lr": n / 10 + 1}, {"a": n}) for n in (1, 2)]
    jobs += [FakeJob({"model": n, "data": "y", "lr": 5}, {"a": n}) for n in (1, 2)]
    assert table(jobs).pivot("model", "data").notes == ["Places differ in what is not shown, too: lr."]


def test_names_of_columns_are_clear() -> None:
    jobs = [FakeJob({"model": m, "data": "model", "k": k}, {"a": m * k + m}) for m in (1, 2) for k in (1, 2)]
    assert list(table(jobs).pivot("model", "k")[0]) == ["model", "1", "2"]
    assert list(table(jobs).pivot(["model"], ["data", "k"])[0]) == ["model", "data=model k=1", "data=model k=2"]
    odd = [FakeJob({"m": m, "k": k}, {"a": m}) for m in (1, 2) for k in ("1", 1)]
    assert list(table(odd).pivot("m", "k")[0]) == ["m", "k='1'", "k=1"]
    with pytest.raises(ResultsError, match="names of rows and of columns"):
        table(jobs).pivot([], "k")


def test_cells_with_too_few_values_are_named() -> None:
    jobs = [
        FakeJob({"m": m, "d": d, "seed": seed}, {"a": m * 10 + seed}) for m in (1, 2) for d in "xy" for seed in (1, 2)
    ]
    pivot = table(jobs).over("seed").pivot("m", "d")
    said = "Not told from the best, because a test needs 3 values on each side, and no nan or infinity: m=1, m=2."
    assert pivot.notes == [said]
    assert [row.marks for row in pivot] == [{"x": "untested", "y": "untested"}] * 2
    assert (pivot.sheet().bold, pivot.sheet().caption.endswith(said)) == (set(), True)
    assert pivot.sheet().notes == ["x, y: 2 values are too few for an interval, which needs 3."]
    jobs += [FakeJob({"m": m, "d": "x", "seed": 3}, {"a": m * 10 + 3}) for m in (1, 2)]
    pivot = table(jobs).over("seed").pivot("m", "d")
    assert [row.marks.get("x") for row in pivot] == [None, "best"]
    assert pivot.notes[-1] == said.replace("m=1, m=2", "m=1 (y), m=2 (y)")


def test_a_job_that_is_not_done_has_no_value() -> None:
    jobs = [FakeJob({"m": m, "d": d}, {"a": m}) for m in (1, 2) for d in "xy"]
    jobs[0].state = State.FAILED
    pivot = table(jobs).pivot("m", "d")
    assert [dict(row) for row in pivot] == [{"m": 1, "x": None, "y": 1}, {"m": 2, "x": 2, "y": 2}]
    assert pivot.notes == [f"Without a value, because not done: <Train {jobs[0].identity[:7]} failed>."]


def test_tasks_that_do_not_report_the_value_have_no_row() -> None:
    jobs = [FakeJob({"m": m, "d": d, "seed": s}, {"a": m}) for m in (1, 2) for d in "xy" for s in range(3)]
    jobs += [FakeJob({"seed": s, "size": 7}, {"time": 1}, task="study:Prepare") for s in range(3)]
    for state in (State.DONE, State.FAILED):
        jobs[0].state = jobs[1].state = jobs[2].state = state  # the place has no value then, and stays
        pivot = table(jobs).over("seed").pivot("m", "d", "a")
        assert [row["m"] for row in pivot] == [1, 2]
        assert list(pivot[0]) == ["m", "x", "y"]
        assert pivot.notes[-1] == "Left out, because they do not report a: Prepare."
        assert not any("not shown" in note for note in pivot.notes)
    single = table([job for job in jobs if job.params["seed"] == 0]).pivot("m", "d", "a")
    assert [dict(row) for row in single] == [{"m": 1, "x": None, "y": 1}, {"m": 2, "x": 2, "y": 2}]


def test_a_pivot_has_the_holes_of_its_value_alone() -> None:
    jobs = [
        FakeJob({"m": m, "d": d, "seed": seed}, {"a": 1, **({"b": 1} if seed else {})})
        for m in "xy" for d in "uv" for seed in range(3)
    ]  # fmt: skip
    folded = table(jobs).over("seed")
    assert len(folded.holes) == 4
    assert not any("without b: xpm show" in note for note in folded.pivot("m", "d", "a").notes)
    assert len([note for note in folded.pivot("m", "d", "b").notes if "without b: xpm show" in note]) == 4
