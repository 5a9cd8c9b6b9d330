"""Resamples are the same on every machine, and intervals from them are those of SciPy and NumPy."""

from __future__ import annotations

import math
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from xpm_core.results.statistics import bootstrap
from xpm_core.results.statistics.bootstrap import (
    bca_interval,
    means_left_out,
    percentile_interval,
    quantile,
    resampled_means,
    resamples_for,
    stratified_draws,
)
from xpm_core.results.statistics.numbers import mean

SAMPLES = [
    [0.91, 0.92, 0.90, 0.93, 0.905],
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
    [0.5, 0.5, 0.5, 0.9],
    [-3.0, 7.0, 1e3, 2.0, 2.0, 5.5, 0.1, 0.2],
]

GOLDEN_DRAWS = [[[3.0, 3.0, 2.0], [4.0, 5.0]], [[2.0, 3.0, 1.0], [4.0, 5.0]], [[3.0, 2.0, 1.0], [5.0, 5.0]]]
GOLDEN_MEANS = [0.2333333333333333, 0.3, 0.3, 0.3666666666666667]


@pytest.mark.parametrize("values", SAMPLES)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_bca_agrees_with_scipy_on_the_same_resamples(values: list[float], level: float) -> None:
    means = resampled_means(values, 2000, seed=3)
    made = SimpleNamespace(bootstrap_distribution=np.array(means))
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=0, bootstrap_result=made, confidence_level=level, method="BCa"
    ).confidence_interval
    found = bca_interval(means, float(np.mean(values)), means_left_out(values, float(np.mean(values))), level)
    assert found == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_bca_is_not_defined_where_nothing_varies_or_all_lies_on_one_side() -> None:
    assert bca_interval([1.0] * 10, 1.0, [0.0] * 3, 0.95) is None
    assert bca_interval([1.0, 2.0, 3.0], 4.0, [0.0, 1.0, 2.0], 0.95) is None
    skewed = [1.0] * 50 + [0.0]
    assert bca_interval([0.1] * 999 + [0.9], 0.5, skewed, 0.999999) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    ordered = sorted(values)
    assert quantile(ordered, share) == pytest.approx(float(np.quantile(ordered, share)), rel=1e-12, abs=1e-9)
    low, high = percentile_interval(ordered, 0.9)
    assert ordered[0] <= low <= high <= ordered[-1]


def test_draws_are_the_same_in_every_version_of_python() -> None:
    assert list(stratified_draws([[1.0, 2.0, 3.0], [4.0, 5.0]], 3, seed=0)) == GOLDEN_DRAWS
    assert resampled_means([0.1, 0.5, 0.3], 4, seed=1) == pytest.approx(GOLDEN_MEANS, rel=1e-15)


def test_a_seed_gives_other_draws() -> None:
    assert resampled_means(SAMPLES[1], 1000, seed=1) != resampled_means(SAMPLES[1], 1000, seed=2)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8), st.randoms())
@example([-1.0000000000000002e300, -2.2e-309], Random(0))
def test_resamples_stay_inside_and_do_not_depend_on_the_order(values: list[float], random) -> None:
    means = resampled_means(values, 20, seed=5)
    assert means == sorted(means)
    assert min(values) <= means[0]
    assert means[-1] <= max(values)
    assert means == resampled_means(random.sample(values, len(values)), 20, seed=5)


def test_each_value_is_drawn_as_often_as_any_other() -> None:
    drawn = [value for [row] in stratified_draws([[0.0, 1.0, 2.0, 3.0]], 5000, seed=0) for value in row]
    assert stats.chisquare([drawn.count(value) for value in range(4)]).pvalue > 0.01


def test_many_values_have_fewer_resamples() -> None:
    assert [resamples_for(n) for n in (1, 5, 200, 1000, 10_000)] == [10_000, 10_000, 10_000, 2_000, 1_000]
    assert resamples_for(5, 2_000) == 2_000
    assert bootstrap.LEAST_RESAMPLES == 1_000


def test_leaving_one_out_changes_the_mean_as_said() -> None:
    values = SAMPLES[1]
    centre = mean(values)
    expected = [mean(values[:place] + values[place + 1 :]) - centre for place in range(len(values))]
    assert means_left_out(values, centre) == pytest.approx(expected, rel=1e-12)
    assert all(map(math.isfinite, expected))
