"""Aggregates agree with the numbers that rliable gives, and with its formulas."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xpm_core.errors import ResultsError
from xpm_core.results.statistics import bootstrap
from xpm_core.results.statistics.aggregates import (
    aggregate,
    iqm,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
    task_mean,
    task_median,
)

X = {
    "a": [0.32, 0.61, 0.8, 1.09, 0.17],
    "b": [1.0, 1.25, 1.3, 1.22, 0.9],
    "c": [0.84, 1.35, 0.1, 1.37, 0.2],
    "d": [0.76, 0.54, 0.12, 1.12, 1.32],
    "e": [0.59, 1.11, 0.03, 0.65, 0.73],
    "f": [0.9, 0.74, 1.17, 1.09, 0.58],
}
Y = {
    "a": [0.32, 0.73, 0.84, 0.38],
    "b": [1.0, 1.25, 1.3, 1.22],
    "c": [0.55, 1.13, 0.8, 0.68],
    "d": [0.68, 0.82, 0.8, 0.53],
    "e": [0.02, 0.43, 0.25, 1.19],
    "f": [0.74, 0.52, 0.15, 0.12],
}

# What rliable 1.2 gives for these scores: metrics.aggregate_*, metrics.probability_of_improvement,
# library.create_performance_profile, and library.get_interval_estimates with 50,000 repetitions (5,000 for pairs).
POINTS = {
    "iqm": (0.8443750000000001, 0.6766666666666667),
    "mean": (0.7989999999999999, 0.6854166666666667),
    "median": (0.772, 0.6375),
    "optimality_gap": (0.28066666666666673, 0.36),
}
INTERVALS = {
    "iqm": (0.67375, 0.98875),
    "mean": (0.66933333, 0.92533333),
    "median": (0.604, 0.964),
    "optimality_gap": (0.18166667, 0.38533333),
}
IMPROVEMENT, IMPROVEMENT_INTERVAL = 0.5916666666666667, (0.44166667, 0.74166667)
TAUS = [0.0, 0.25, 0.5, 0.5001, 0.77, 1.0, 1.4]
PROFILE = [1.0, 0.8333333333333334, 0.8, 0.8, 0.5333333333333333, 0.36666666666666664, 0.0]
PROFILE_LOW = [1.0, 0.7, 0.6666666666666666, 0.6666666666666666, 0.36666666666666664, 0.2, 0.0]
PROFILE_HIGH = [1.0, 0.9333333333333333, 0.9333333333333333, 0.9333333333333333, 0.7, 0.5333333333333333, 0.0]


@pytest.mark.parametrize("stat", POINTS)
def test_points_are_those_of_rliable(stat: str) -> None:
    assert tuple(aggregate(scores, stat).value for scores in (X, Y)) == pytest.approx(POINTS[stat], rel=1e-12)
    function = {"iqm": iqm, "mean": task_mean, "median": task_median, "optimality_gap": optimality_gap}[stat]
    assert function(X) == aggregate(X, stat).value


@pytest.mark.parametrize("stat", INTERVALS)
def test_intervals_are_those_of_rliable_up_to_chance(stat: str) -> None:
    found = aggregate(X, stat)
    assert found.interval == pytest.approx(INTERVALS[stat], abs=0.01)
    assert (found.method, found.tasks, found.n, found.note) == ("95 % stratified bootstrap", 6, 30, "")


@pytest.mark.parametrize("stat", POINTS)
def test_intervals_are_percentiles_of_the_same_resamples(stat: str) -> None:
    rows = sorted(sorted(runs) for runs in X.values())
    formulas: dict[str, Any] = {
        "iqm": lambda matrix: stats.trim_mean(matrix, 0.25, axis=None),
        "mean": lambda matrix: np.mean(np.mean(matrix, axis=0)),
        "median": lambda matrix: np.median(np.mean(matrix, axis=0)),
        "optimality_gap": lambda matrix: 1 - np.mean(np.minimum(matrix, 1)),
    }
    drawn = [formulas[stat](np.array(rows).T) for rows in bootstrap.stratified_draws(rows, 1000, 3)]
    expected = np.percentile(drawn, [5, 95])
    assert aggregate(X, stat, level=0.9, seed=3, resamples=1000).interval == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.lists(st.floats(-10, 10), min_size=3, max_size=6), min_size=1, max_size=5))
def test_points_follow_the_formulas(rows: list[list[float]]) -> None:
    scores = dict(enumerate(rows))
    flat = np.array([score for row in rows for score in row])
    means = [np.mean(row) for row in rows]
    assert iqm(scores) == pytest.approx(stats.trim_mean(flat, 0.25), rel=1e-9, abs=1e-12)
    assert task_mean(scores) == pytest.approx(np.mean(means), rel=1e-9, abs=1e-12)
    assert task_median(scores) == pytest.approx(np.median(means), rel=1e-9, abs=1e-12)
    assert optimality_gap(scores, 0.5) == pytest.approx(0.5 - np.mean(np.minimum(flat, 0.5)), rel=1e-9, abs=1e-12)


def test_the_probability_of_improvement_is_that_of_rliable() -> None:
    found, swapped = probability_of_improvement(X, Y), probability_of_improvement(Y, X)
    assert found.value == pytest.approx(IMPROVEMENT, rel=1e-12)
    assert swapped.value == pytest.approx(1 - IMPROVEMENT, rel=1e-12)
    assert found.interval == pytest.approx(IMPROVEMENT_INTERVAL, abs=0.02)
    assert (found.tasks, found.n) == (6, 54)
    assert probability_of_improvement(X, X).value == 0.5


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 5), min_size=1, max_size=5), st.lists(st.integers(0, 5), min_size=1, max_size=5)
        ),
        min_size=1,
        max_size=2,
    )
)
@settings(max_examples=30)
def test_the_probability_of_improvement_is_the_mean_of_mann_and_whitneys(
    tasks: list[tuple[list[int], list[int]]],
) -> None:
    shares = [stats.mannwhitneyu(a, b, method="asymptotic").statistic / len(a) / len(b) for a, b in tasks if a != b]
    shares += [0.5 for a, b in tasks if a == b]
    first, second = ({number: task[side] for number, task in enumerate(tasks)} for side in (0, 1))
    found = probability_of_improvement(first, second, resamples=1000)
    assert found.value == pytest.approx(np.mean(shares), rel=1e-12)


def test_a_profile_is_that_of_rliable() -> None:
    points = performance_profile(X, TAUS)
    assert [point.tau for point in points] == TAUS
    assert [point.share for point in points] == pytest.approx(PROFILE, rel=1e-12)
    assert [point.interval[0] for point in points if point.interval] == pytest.approx(PROFILE_LOW, abs=0.035)
    assert [point.interval[1] for point in points if point.interval] == pytest.approx(PROFILE_HIGH, abs=0.035)


def test_a_profile_falls_and_its_intervals_are_shares() -> None:
    points = performance_profile(X, [k / 20 for k in range(-1, 31)], resamples=1000)
    shares = [point.share for point in points]
    assert (shares[0], shares[-1]) == (1.0, 0.0)
    assert shares == sorted(shares, reverse=True)
    assert all(point.interval and 0 <= point.interval.low <= point.interval.high <= 1 for point in points)


@pytest.mark.parametrize("stat", POINTS)
def test_the_order_of_tasks_and_runs_does_not_matter(stat: str) -> None:
    random = Random(0)
    shuffled = {task: random.sample(X[task], 5) for task in random.sample(list(X), 6)}
    assert list(shuffled) != list(X)
    assert aggregate(shuffled, stat, resamples=1000) == aggregate(X, stat, resamples=1000)
    assert performance_profile(shuffled, TAUS) == performance_profile(X, TAUS)
    first = probability_of_improvement(X, Y, resamples=1000)
    assert probability_of_improvement(shuffled, Y, resamples=1000) == first


def test_a_seed_gives_another_interval_and_the_same_one_again() -> None:
    assert aggregate(X, seed=1, resamples=1000) == aggregate(X, seed=1, resamples=1000)
    assert aggregate(X, seed=1, resamples=1000) != aggregate(X, seed=2, resamples=1000)
    assert aggregate(X, resamples=1000).method == "95 % stratified bootstrap (1,000 resamples)"


def test_tasks_with_other_numbers_of_runs_are_named() -> None:
    scores = {**X, "a": X["a"][:3]}
    found = aggregate(scores, resamples=1000)
    assert found.note == "tasks have 3 to 5 runs"
    assert found.value == pytest.approx(stats.trim_mean([v for runs in scores.values() for v in runs], 0.25))
    assert found.interval is not None


def test_below_three_runs_in_a_task_there_is_no_interval() -> None:
    found = aggregate({**X, "a": X["a"][:1]})
    assert (found.interval, found.method) == (None, "")
    assert found.note == "a task has 1 run, too few for an interval, which needs 3. tasks have 1 to 5 runs"
    assert math.isfinite(found.value)
    assert [point.interval for point in performance_profile({"a": [1.0, 2.0]}, [0.5, 1.5])] == [None, None]


@pytest.mark.parametrize(
    ("scores", "note"),
    [
        ({}, "there are no scores"),
        ({"a": []}, "there are no scores"),
        ({"a": [1.0, 2.0, 3.0], "b": []}, "a task has no scores"),
        ({"a": [1.0, math.nan, 3.0]}, "1 of 3 values is no finite number (nan), so there is no aggregate"),
        (
            {"a": [1.0, math.inf, -math.inf]},
            "2 of 3 values are no finite numbers (inf, -inf), so there is no aggregate",
        ),
    ],
)
@pytest.mark.parametrize("stat", POINTS)
def test_without_numbers_there_is_no_aggregate_and_the_reason(scores: Any, note: str, stat: str) -> None:
    found = aggregate(scores, stat)
    assert math.isnan(found.value)
    assert (found.interval, found.method, found.note) == (None, "", note)
    assert math.isnan(probability_of_improvement(scores, scores).value)
    [point] = performance_profile(scores, [2.0])
    assert (math.isnan(point.share), point.interval) == (True, None)


def test_equal_scores_have_an_interval_without_width() -> None:
    for stat, value in (("iqm", 0.1), ("mean", 0.1), ("median", 0.1), ("optimality_gap", 0.9)):
        assert aggregate({"a": [0.1] * 3, "b": [0.1] * 3}, stat).interval == pytest.approx((value, value))


def test_scores_near_the_largest_float_have_aggregates() -> None:
    assert aggregate({"a": [1.7e308, 1.6e308, 1.7e308]}, "mean", resamples=1000).value == pytest.approx(
        1.6666e308, rel=1e-4
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: aggregate(X, "iqr"), "stat: expected one of 'iqm', 'mean', 'median', 'optimality_gap', got 'iqr'"),
        (lambda: aggregate(X, level=95), "level: expected a number between 0 and 1"),
        (lambda: aggregate(X, resamples=10), "resamples: expected a whole number of at least 1,000, got 10"),
        (lambda: probability_of_improvement(X, {"a": [1.0]}), "the same tasks in both, but only one has 'b', 'c', 'd'"),
        (lambda: performance_profile(X, [math.nan]), "taus: expected numbers, got nan"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call: Any, said: str) -> None:
    with pytest.raises(ResultsError, match=said):
        call()
