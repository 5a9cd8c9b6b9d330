"""Means and deviations lose no digits, in whatever order values come and however large they are."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.numbers import as_floats, counted, mean, moments, not_finite, percent

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ORDINARY = st.floats(-1e12, 1e12)


def exact(values: list[float]) -> tuple[float, float]:
    """Mean and deviation, computed with fractions."""
    parts = [Fraction(value) for value in values]
    centre = sum(parts) / len(parts)
    variance = sum((part - centre) ** 2 for part in parts) / (len(parts) - 1)
    with localcontext() as context:
        context.prec = 40
        return float(centre), float((Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt())


@given(st.lists(ORDINARY, min_size=2, max_size=30))
def test_moments_are_those_of_fractions(values: list[float]) -> None:
    centre, deviation = moments(values)
    size = max(map(abs, values))
    assert (centre, deviation) == pytest.approx(exact(values), rel=1e-12, abs=size * 1e-15)


@given(st.lists(FINITE, min_size=1, max_size=20), st.randoms())
def test_moments_do_not_depend_on_the_order_and_stay_inside(values: list[float], random) -> None:
    shuffled = random.sample(values, len(values))
    assert moments(values) == moments(shuffled)
    centre, deviation = moments(values)
    assert min(values) <= centre <= max(values)
    assert (deviation is None) == (len(values) == 1)
    assert deviation is None or deviation >= 0


@pytest.mark.parametrize("factor", [1.0, 2.0**900, 2.0**-900, 2.0**-1060])
def test_moments_of_huge_and_tiny_values_are_scaled(factor: float) -> None:
    values = [3.0, 5.0, 10.0]
    centre, deviation = moments([value * factor for value in values])
    assert centre == pytest.approx(6 * factor, rel=1e-3 if factor < 1e-310 else 1e-15)
    assert deviation == pytest.approx(math.sqrt(13) * factor, rel=1e-3 if factor < 1e-310 else 1e-12)


def test_a_mean_is_the_nearest_float() -> None:
    assert mean([0.97, 0.99, 1.0, 0.995, 0.985]) == 0.988
    assert mean([0.91, 0.92, 0.90, 0.93, 0.90]) == 0.912


def test_a_small_spread_on_a_large_mean_is_seen() -> None:
    values = [1e9 + k * 1e-6 for k in (0, 1, 2, 5)]
    assert moments(values) == pytest.approx(exact(values), rel=1e-12)


@pytest.mark.parametrize("value", [0.1, 0.7, 1e300, 5e-324, -3.3])
@pytest.mark.parametrize("count", [2, 3, 7, 1000])
def test_equal_values_have_exactly_no_deviation(value: float, count: int) -> None:
    assert moments([value] * count) == (value, 0.0)


def test_there_is_no_mean_of_nothing_and_no_deviation_of_one() -> None:
    assert math.isnan(mean([]))
    assert moments([])[1] is None
    assert moments([2.5]) == (2.5, None)


def test_numbers_of_every_kind_are_floats() -> None:
    given = [1, True, Decimal("0.5"), Fraction(1, 4), np.float32(0.5), np.int64(3), 10**400, -(10**400)]
    assert as_floats(given) == [1.0, 1.0, 0.5, 0.25, 0.5, 3.0, math.inf, -math.inf]
    assert all(type(value) is float for value in as_floats(given))


@pytest.mark.parametrize("value", [None, "0.5", b"1", [1.0], 1j])
def test_what_is_of_no_numeric_type_is_refused(value: Any) -> None:
    with pytest.raises(ResultsError, match="values: expected numbers, got "):
        as_floats([0.5, value])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], ""),
        ([1.0, 2.0], ""),
        ([math.nan], "1 of 1 value is no finite number (nan)"),
        ([0.5, math.nan, 1.0], "1 of 3 values is no finite number (nan)"),
        ([math.inf, math.nan, -math.inf, 0.0], "3 of 4 values are no finite numbers (nan, inf, -inf)"),
        ([-math.inf, 0.0], "1 of 2 values is no finite number (-inf)"),
    ],
)
def test_what_is_no_number_is_said(values: list[float], said: str) -> None:
    assert not_finite(values) == said


def test_counts_and_levels_are_written_for_people() -> None:
    assert [counted(n, "value") for n in (0, 1, 2, 10_000)] == ["0 values", "1 value", "2 values", "10,000 values"]
    assert [percent(level) for level in (0.95, 0.57, 0.999, 0.5)] == ["95 %", "57 %", "99.9 %", "50 %"]
