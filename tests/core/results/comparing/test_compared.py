"""Two groups of jobs: what is compared with what, and what never is."""

from __future__ import annotations

import random

import pytest
from helpers.result_jobs import FakeJob, table

from xpm_core.errors import FilterError, ResultsError
from xpm_core.labels import label
from xpm_core.results.statistics.aggregates import probability_of_improvement
from xpm_core.results.statistics.comparisons import holm, paired, welch
from xpm_core.states import State


def jobs(seeds: int = 6) -> list[FakeJob]:
    draw = random.Random(2)
    return [
        FakeJob({"model": model, "data": data, "seed": seed}, {"a": draw.random() + (model == "new")})
        for model in ("old", "new")
        for data in ("x", "y")
        for seed in range(seeds)
    ]


def values(found: list[FakeJob], model: str, data: str) -> list[float]:
    return [job.results["a"] for job in found if (job.params["model"], job.params["data"]) == (model, data)]


def test_equal_seeds_are_paired_within_what_both_have() -> None:
    found = jobs()
    rows = table(found).compare("model=new", "model=old", over="seed")
    expected = [paired(values(found, "new", data), values(found, "old", data)) for data in "xy"]
    assert [row["data"] for row in rows] == ["x", "y"]
    assert [row["p"] for row in rows] == [each.p for each in expected]
    assert [row["adjusted"] for row in rows] == holm([each.p for each in expected])
    assert [row["difference"].mean for row in rows] == [each.difference for each in expected]
    assert [row["exact_p"] for row in rows] == [each.exact_p for each in expected] == [2 / 64, 2 / 64]
    assert (rows[0]["test"], rows[0]["a"].n, rows[0]["difference"].unit) == ("paired t", 6, "pairs")
    assert str(rows[0]).startswith("data=x: ")
    assert "(95 % paired t, n=6 pairs), p=" in str(rows[0])
    assert repr(rows) == "<2 comparisons of model=new with model=old>"


def test_other_seeds_are_compared_by_welch() -> None:
    found = jobs()
    for job in found[:4]:
        job.state = State.FAILED
    for seed in (6, 7):
        found.append(FakeJob({"model": "old", "data": "x", "seed": seed}, {"a": seed / 10}))
    rows = table(found).compare("model=new", "model=old", over="seed", value="a", level=0.9)
    assert rows[0].comparison.p == welch(values(found, "new", "x"), values(found[4:], "old", "x")).p
    assert "not paired: 2 in common of 6 and 4" in str(rows[0])
    assert rows[0]["difference"].method == "90 % Welch t"


def test_common_seeds_are_paired_and_those_left_out_and_holes_are_named() -> None:
    found = jobs()
    found[0].state = State.FAILED
    rows = table(found).compare("model=new", "model=old", over="seed", value="a", level=0.9)
    assert rows[0].comparison.p == paired(values(found, "new", "x")[1:], values(found[1:], "old", "x")).p
    assert str(rows[0]).endswith(", without seed=0, which only the first side has")
    difference = rows[0]["difference"]
    assert (difference.method, difference.count_text) == ("90 % paired t", "n=5 pairs")
    assert len(difference.jobs) == 10, "the job without a counterpart is no part of the difference"
    assert rows[0]["a"].n == 6
    said = "difference of data=x: without seed=0, which only the first side has."
    assert (said in rows.sheet().notes, said in rows.to_latex(), said in str(rows)) == (True, True, True)
    assert rows.notes == [f"model=old data=x: 5 of 6 seeds (1 failed: xpm show {found[0].identity[:7]})."]


def test_a_configuration_that_only_one_has_is_named_and_not_compared() -> None:
    found = [job for job in jobs() if (job.params["model"], job.params["data"]) != ("old", "y")]
    rows = table(found).compare("model=new", "model=old", over="seed")
    assert [row["data"] for row in rows] == ["x"]
    assert rows.notes == ["Compared with nothing, because the other group has no such configuration: model=new data=y."]


def test_groups_that_differ_in_more_than_was_asked_for_say_so() -> None:
    found = [job for job in jobs() if (job.params["model"] == "new") == (job.params["data"] == "x")]
    rows = table(found).compare("model=new", "model=old", over="seed")
    assert rows.notes == ["The two groups differ in model (new, old), data (x, y)."]


def test_several_configurations_of_one_group_are_never_averaged() -> None:
    found = [
        *(FakeJob({"model": "new", "lr": lr, "seed": seed}, {"a": 1}) for lr in (1, 2) for seed in range(3)),
        *(FakeJob({"model": "old", "seed": seed}, {"a": 1}) for seed in range(3)),
    ]
    with pytest.raises(ResultsError) as caught:
        table(found).compare("model=new", "model=old", over="seed")
    assert str(caught.value) == (
        "compare: model=new and model=old have no configuration in common: lr is 1, 2 in model=new, and none in "
        "model=old. Narrow the filters to one value of it."
    )
    assert len(table(found).compare("model=new and lr=1", "model=old", over="seed")) == 1


def test_filters_may_name_the_parameters_of_jobs_that_are_used() -> None:
    trains = [FakeJob({"lr": lr, "seed": seed}) for lr in (0.1, 0.2) for seed in range(3)]
    uses = [{"job": label(job.name, job.identity)} for job in trains]
    evals = [FakeJob({"train": use}, {"a": n}, task="study:Eval") for n, use in enumerate(uses)]
    [row] = table(evals, trains).compare("lr=0.2", "lr=0.1", over="seed")
    assert (row["difference"].mean, row.comparison.paired) == (3.0, True)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("model=new", "model=none", "no job has model=none"),
        ("model=new", "data=x", "both filters find <Train "),
        ("model=new", "colour=red", "colour"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(a: str, b: str, said: str) -> None:
    with pytest.raises((ResultsError, FilterError)) as caught:
        table(jobs()).compare(a, b, over="seed")
    assert said in str(caught.value)


def test_a_result_that_is_no_number_is_refused() -> None:
    found = [FakeJob({"m": m, "seed": seed}, {"a": f"x{seed}"}) for m in (1, 2) for seed in range(3)]
    with pytest.raises(ResultsError, match="a is no number"):
        table(found).compare("m=1", "m=2", over="seed")


def test_the_probability_of_improvement_is_that_of_the_statistics() -> None:
    found = jobs()
    cell = table(found).improvement("model=new", "model=old", over=["data", "seed"], seed=4)
    scores = [{(data,): values(found, model, data) for data in "xy"} for model in ("new", "old")]
    expected = probability_of_improvement(scores[0], scores[1], 0.95, 4)
    assert (cell.mean, cell.interval, cell.n, cell.unit) == (expected.value, expected.interval, 24, "runs")
    with pytest.raises(ResultsError, match="model=new has 2 configurations, which differ in data"):
        table(found).improvement("model=new", "model=old", over="seed")
    with pytest.raises(ResultsError, match="no job has model=x"):
        table(found).improvement("model=new", "model=x", over=["data", "seed"])


def test_a_certain_improvement_is_no_number_with_a_spread_of_zero() -> None:
    found = [
        FakeJob({"model": model, "data": data, "seed": seed}, {"a": model + seed / 10})
        for model in (1, 2)
        for data in "xy"
        for seed in range(3)
    ]
    cell = table(found).improvement("model=2", "model=1", over=["data", "seed"])
    assert cell.value_text == "1 [1, 1]"


def test_a_hole_of_one_group_is_counted_among_the_runs_of_both() -> None:
    found = jobs()
    found[0].state = State.FAILED
    cell = table(found).improvement("model=new", "model=old", over=["data", "seed"])
    assert (cell.n, cell.expected, cell.count_text) == (23, 24, "n=23 of 24 runs")
    assert len(cell.keys) == len(cell.values) == len(cell.jobs) == 23
