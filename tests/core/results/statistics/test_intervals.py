"""Summaries: intervals are those of SciPy, stay inside bounds, and are missing where they would say nothing."""

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
from xpm_core.results.statistics.intervals import KINDS, Interval, Summary, around, summary

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ACCURACIES = [0.91, 0.92, 0.90, 0.93, 0.905]
SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=12)

GOLDEN_BOOTSTRAP = (0.30500000000000005, 0.6300000000000001)
"""Of the ten values in a test, when it was written."""

SAMPLES = [
    ACCURACIES,
    [1.0, 2.0, 4.0],
    [-3.0, 7.0, 1e3, 2.0, 2.0, 5.5, 0.1, 0.2],
    [5 + math.sin(k) * 2 for k in range(200)],
    [1e9 + k for k in (0.1, 0.5, 0.7, 3.0)],
    [value * 1e-60 for value in ACCURACIES],
    [value * 1e90 for value in ACCURACIES],
]


@pytest.mark.parametrize("values", SAMPLES)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.999999999999])
def test_t_agrees_with_scipy(values: list[float], level: float) -> None:
    found = summary(values, level=level)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    low = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=error)[0]
    expected = (low, 2 * np.mean(values) - low)  # SciPy's upper end loses digits when the level is near 1
    assert found.interval == pytest.approx(expected, rel=1e-9, abs=1e-9 * error)
    assert (found.mean, found.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)), rel=1e-9)
    assert (found.n, found.note) == (len(values), "")


def test_each_kind_has_its_method() -> None:
    mean, sd = float(np.mean(ACCURACIES)), float(np.std(ACCURACIES, ddof=1))
    error = sd / math.sqrt(5)
    expected = {
        "sd": (mean - sd, mean + sd),
        "se": (mean - error, mean + error),
        "minmax": (0.90, 0.93),
    }
    for kind, interval in expected.items():
        assert summary(ACCURACIES, kind).interval == pytest.approx(interval, rel=1e-12)
    assert {kind: summary(ACCURACIES, kind).method for kind in KINDS} == {
        "t": "95 % t",
        "bootstrap": "95 % bootstrap (BCa)",
        "sd": "sd",
        "se": "se",
        "minmax": "min to max",
    }
    assert summary(ACCURACIES, level=0.999).method == "99.9 % t"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("values", "mean", "sd", "note"),
    [
        ([], math.nan, None, "there are no values"),
        ([2.5], 2.5, None, "1 value is too few for an interval, which needs 3"),
        ([1, 3], 2.0, math.sqrt(2), "2 values are too few for an interval, which needs 3"),
    ],
)
def test_below_three_values_there_is_no_interval(
    kind: str, values: list[float], mean: float, sd: float | None, note: str
) -> None:
    found = summary(values, kind)
    assert found[1:] == (pytest.approx(sd) if sd else None, len(values), None, "", note)
    assert found.mean == pytest.approx(mean, nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_is_no_number_is_neither_averaged_nor_left_out(kind: str) -> None:
    for bad in (math.nan, math.inf, -math.inf):
        found = summary([*ACCURACIES, bad], kind)
        assert math.isnan(found.mean)
        assert found[1:5] == (None, 6, None, "")
        assert found.note == f"1 of 6 values is no finite number ({bad}), so there is no mean"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bounds", [None, (0, 1), (0, None), (None, 1)])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_equal_values_have_an_interval_without_width(kind: str, bounds: Any, value: float) -> None:
    found = summary([value] * 5, kind, bounds=bounds)
    assert found[:4] == (value, 0.0, 5, (value, value))
    if kind in ("t", "se", "bootstrap"):
        assert found.note == "all values are equal, so the interval has no width"


@given(SHARES, st.sampled_from(KINDS), st.sampled_from([(0, 1), (0, None), (None, 1), (-1, 1), (0, 1e300)]))
def test_intervals_stay_inside_bounds_and_hold_the_mean(values: list[float], kind: str, bounds: Any) -> None:
    found = summary(values, kind, bounds=bounds)
    assert found.interval is not None
    low, high = found.interval
    assert bounds[0] is None or low >= bounds[0]
    assert bounds[1] is None or high <= bounds[1]
    assert not math.isnan(low)
    if kind != "bootstrap":  # BCa may lie on one side of the mean of very skewed values
        assert low <= found.mean <= high


@given(st.lists(FINITE, max_size=12), st.sampled_from(["t", "sd", "se", "minmax"]), st.randoms())
def test_the_order_of_values_does_not_matter(values: list[float], kind: str, random: Random) -> None:
    shuffled = random.sample(values, len(values))
    assert repr(summary(values, kind)) == repr(summary(shuffled, kind))


@given(SHARES, st.randoms())
@settings(max_examples=15)
def test_the_order_of_values_does_not_matter_to_the_bootstrap(values: list[float], random: Random) -> None:
    assert summary(values, "bootstrap") == summary(random.sample(values, len(values)), "bootstrap")


@given(SHARES, st.sampled_from(["t", "sd", "se", "minmax"]), st.sampled_from([None, (-1, 1)]))
def test_mirrored_values_have_the_mirrored_interval(values: list[float], kind: str, bounds: Any) -> None:
    found, mirrored = summary(values, kind, bounds=bounds), summary([-v for v in values], kind, bounds=bounds)
    assert found.interval is not None
    assert mirrored.interval == pytest.approx((-found.interval.high, -found.interval.low), rel=1e-9, abs=1e-12)


def test_with_two_bounds_the_interval_is_that_of_the_logit() -> None:
    values = [0.97, 0.99, 1.0, 0.995, 0.985]
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(5)
    logit, slope = math.log(mean / (1 - mean)), 1 / (mean * (1 - mean))
    ends = [logit + sign * float(stats.t.ppf(0.975, 4)) * error * slope for sign in (-1, 1)]
    found = summary(values, bounds=(0, 1))
    assert found.interval == pytest.approx([1 / (1 + math.exp(-end)) for end in ends], rel=1e-12)
    assert found.method == "95 % t (logit)"
    unbounded = summary(values).interval
    assert unbounded is not None
    assert unbounded.high > 1, "without bounds it leaves them"
    percentages = summary([100 * value for value in values], bounds=(0, 100)).interval
    assert percentages == pytest.approx([100 * end for end in found.interval or ()], rel=1e-9)
    assert summary(values, "se", bounds=(0, 1)).method == "se (logit)"


def test_with_one_bound_the_interval_is_that_of_the_logarithm() -> None:
    values = [0.1, 0.5, 2.0, 0.2]
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / 2
    factor = math.exp(float(stats.t.ppf(0.975, 3)) * error / mean)
    found = summary(values, bounds=(0, math.inf))
    assert found.interval == pytest.approx((mean / factor, mean * factor), rel=1e-9)
    assert found.method == "95 % t (log)"
    below = summary([-value for value in values], bounds=(None, 0)).interval
    assert below == pytest.approx((-mean * factor, -mean / factor), rel=1e-9)


def test_far_from_bounds_the_interval_is_nearly_the_plain_one() -> None:
    plain, bounded = summary(ACCURACIES).interval, summary(ACCURACIES, bounds=(-1000, 1000)).interval
    assert bounded == pytest.approx(plain, rel=1e-4)


def test_one_standard_deviation_is_cut_at_the_range_and_that_is_said() -> None:
    found = summary([0.5, 1.0, 1.0], "sd", bounds=(0, 1))
    assert found.interval is not None
    assert (found.interval.high, found.note) == (1.0, "the interval is cut at the range")


def test_values_outside_of_the_range_are_named_and_there_is_no_interval() -> None:
    found = summary([91, 92, 0.9], bounds=(0, 1))
    assert found.interval is None
    assert found.note == "2 of 3 values lie outside of the range 0 to 1, so there is no interval"
    assert summary([0.5, 0.5, 1.5], bounds=(0, 1)).note.startswith("1 of 3 values lies outside of the range")
    assert summary([0.0, 1.0, 1.0], bounds=(0, 1)).interval is not None, "bounds are inside"


@given(FINITE, st.floats(0, allow_nan=False), st.sampled_from([(0.0, 1.0), (-1e308, 1e308), (0.0, math.inf)]))
def test_no_width_is_too_large_for_bounds(centre: float, width: float, limits: tuple[float, float]) -> None:
    centre = min(max(centre, limits[0]), limits[1])
    low, high = around(centre, width, limits)[0]
    assert limits[0] <= low <= centre <= high <= limits[1]


def test_the_bootstrap_is_the_same_tomorrow() -> None:
    found = summary([0.1, 0.5, 0.3, 0.9, 0.2, 0.25, 0.4, 0.8, 0.7, 0.35], "bootstrap")
    assert found == summary([0.1, 0.5, 0.3, 0.9, 0.2, 0.25, 0.4, 0.8, 0.7, 0.35], "bootstrap")
    assert found.interval == pytest.approx(GOLDEN_BOOTSTRAP, rel=1e-12)
    assert found.note == ""
    assert summary(SAMPLES[3], "bootstrap", seed=1).interval != summary(SAMPLES[3], "bootstrap", seed=2).interval


def test_the_bootstrap_agrees_with_that_of_scipy_up_to_chance() -> None:
    values = [math.exp(math.sin(k)) for k in range(30)]
    expected = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa").confidence_interval
    found = summary(values, "bootstrap").interval
    assert found == pytest.approx((expected.low, expected.high), rel=0.05)


def test_a_bootstrap_says_when_it_is_poor_and_when_it_is_none() -> None:
    assert summary(ACCURACIES, "bootstrap").note == "a bootstrap of 5 values is mostly too narrow"
    many = [math.sin(k) for k in range(1_000)]
    assert summary(many, "bootstrap").method == "95 % bootstrap (BCa, 2,000 resamples)"
    most = [float(k) for k in range(10_001)]
    found, plain = summary(most, "bootstrap"), summary(most)
    assert found.interval == plain.interval
    assert (found.method, plain.note) == ("95 % t", "")
    assert found.note == "t in place of a bootstrap, because there are more than 10,000 values"


def test_a_bootstrap_of_values_for_which_bca_is_not_defined_has_percentiles() -> None:
    found = summary([0.0] * 19 + [1.0], "bootstrap", level=1 - 1e-12)
    assert found.method == "99.9999999999 % bootstrap (percentiles)"
    assert found.note == "percentiles, because BCa is not defined for these values"


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_and_the_smallest_floats_have_summaries(kind: str) -> None:
    for values in ([1.7e308, 1.7e308, 1.7e308, -1.7e308], [5e-324, 1e-320, 0.0], [1.7e308] * 5 + [1.6e308]):
        found = summary(values, kind)
        low, high = found.interval or (math.nan, math.nan)
        assert low <= found.mean <= high
        assert found.sd


def test_t_intervals_hold_the_true_mean_as_often_as_they_say() -> None:
    random = Random(0)
    held = 0
    for _ in range(2000):
        low, high = summary([random.gauss(3, 2) for _ in range(5)]).interval or (0.0, 0.0)
        held += low <= 3 <= high
    assert 0.935 < held / 2000 < 0.965


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"interval": "bootsrap"}, "interval: expected one of 't', 'bootstrap', 'sd', 'se', 'minmax', got 'bootsrap'"),
        ({"level": 95}, "level: expected a number between 0 and 1, got 95"),
        ({"bounds": (1, 0)}, "range: expected two numbers in order"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_also_without_values(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ResultsError, match=said):
        summary([], **arguments)


def test_a_summary_is_a_tuple_of_plain_values() -> None:
    found = summary([1, 2, 3])
    assert isinstance(found, Summary)
    assert isinstance(found.interval, Interval)
    assert found.interval == (found.interval.low, found.interval.high)


@pytest.mark.parametrize("whole", [[938, 903, 899], [891, 937, 898, 894, 900]])
def test_a_bootstrap_interval_does_not_hang_on_how_a_mean_was_rounded(whole: list[int]) -> None:
    interval = summary([each / 1000 for each in whole], "bootstrap").interval
    expected = summary(whole, "bootstrap").interval
    assert interval is not None
    assert expected is not None
    assert [1000 * end for end in interval] == pytest.approx(list(expected), rel=1e-12)
