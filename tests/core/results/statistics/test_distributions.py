"""Student's t, the normal distribution and the incomplete beta function agree with SciPy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from xpm_core.results.statistics.distributions import (
    betainc,
    log_beta,
    normal_cdf,
    normal_quantile,
    t_quantile,
    t_sf,
    two_sided_p,
)

DEGREES = [1, 1.5, 2, 3, 3.7, 4, 5, 7, 10, 19, 20, 21, 29.3, 50, 100, 1e3, 1e4, 1e5, 1e6, 9.9e6, 1.1e7, 1e9, 1e12]
TAILS = [
    1e-30,
    1e-12,
    1e-9,
    1e-6,
    1e-4,
    0.001,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.2,
    0.2499,
    0.25,
    0.2501,
    0.3,
    0.4,
    0.45,
]


@pytest.mark.parametrize("df", DEGREES)
def test_t_agrees_with_scipy_far_into_the_tails(df: float) -> None:
    for p in TAILS:
        expected = float(stats.t.isf(p, df))
        assert -t_quantile(p, df) == pytest.approx(expected, rel=1e-9)
        assert t_sf(expected, df) == pytest.approx(p, rel=1e-9)
        assert t_sf(-expected, df) == pytest.approx(1 - p, rel=1e-9)
        assert two_sided_p(-expected, df) == pytest.approx(2 * p, rel=1e-9)


@pytest.mark.parametrize("df", [1, 2, 4])
@pytest.mark.parametrize("p", [0.49, 0.4999, 0.499999, 0.5 - 1e-12])
def test_quantiles_near_the_middle_agree_with_closed_forms(df: int, p: float) -> None:
    """SciPy 1.17 is wrong by 4e-5 at 4 degrees and 0.499999."""
    t = t_quantile(1 - p, df)
    x = t / math.sqrt(1 + t * t / 4)
    centre = {
        1: math.atan(t) / math.pi,
        2: t / (2 * math.sqrt(2 + t * t)),
        4: 3 / 8 * x * (1 - x * x / 12),
    }[df]
    assert centre == pytest.approx((1 - p) - 0.5, rel=1e-12)


@given(st.floats(1e-14, 0.5), st.floats(1, 1e6))
def test_a_quantile_leaves_its_probability(p: float, df: float) -> None:
    q = t_quantile(p, df)
    assert q <= 0
    assert t_sf(-q, df) == pytest.approx(p, rel=1e-9)


def test_ends_are_infinite_and_the_middle_is_zero() -> None:
    assert [t_quantile(p, 5) for p in (0.0, 0.5, 1.0)] == [-math.inf, 0.0, math.inf]
    assert [normal_quantile(p) for p in (0.0, 0.5, 1.0)] == [-math.inf, 0.0, math.inf]
    for df in (1, 5, 1e6, 1e8):
        assert [t_sf(t, df) for t in (-math.inf, 0.0, math.inf)] == [1.0, 0.5, 0.0]
        assert math.isnan(t_sf(math.nan, df))
        assert 0 <= t_sf(1e300, df) <= 1e-300
        assert t_sf(1e-300, df) == 0.5


def test_no_probability_is_too_small_for_a_quantile() -> None:
    for df in (1, 2.5, 500, 1e6, 1e8):
        q = -t_quantile(1e-300, df)
        assert q == math.inf or q > 37
    assert -t_quantile(1e-200, 1) == pytest.approx(1e200 / math.pi, rel=1e-9)


@given(st.floats(-37, 37))
def test_the_normal_distribution_agrees_with_scipy(z: float) -> None:
    assert normal_cdf(z) == pytest.approx(float(stats.norm.cdf(z)), rel=1e-9)


@pytest.mark.parametrize("p", [1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.9, 0.975])
def test_normal_quantiles_agree_with_scipy(p: float) -> None:
    assert normal_quantile(p) == pytest.approx(float(stats.norm.ppf(p)), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("a", [0.5, 1, 2.5, 9, 10, 33, 1e3, 5e5])
@pytest.mark.parametrize("b", [0.5, 1, 3, 11, 200, 1e4])
def test_the_incomplete_beta_function_agrees_with_scipy(a: float, b: float) -> None:
    assert log_beta(a, b) == pytest.approx(float(special.betaln(a, b)), rel=1e-9, abs=1e-12)
    for x in (0.0, 1e-9, 0.01, 0.3, 0.5, 0.9, 0.999, 1.0):
        assert betainc(a, b, x) == pytest.approx(float(special.betainc(a, b, x)), rel=1e-9, abs=1e-290)


def test_the_beta_function_of_large_numbers_agrees_with_closed_forms() -> None:
    """SciPy 1.17 has only ten digits here."""
    assert log_beta(5e5, 1) == pytest.approx(-math.log(5e5), rel=1e-15)
    assert log_beta(3, 5e5) == pytest.approx(math.log(2 / (5e5 * (5e5 + 1) * (5e5 + 2))), rel=1e-15)
    assert log_beta(20, 30) == pytest.approx(-math.log(49 * math.comb(48, 19)), rel=1e-14)
