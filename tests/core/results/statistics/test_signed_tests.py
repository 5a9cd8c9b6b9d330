"""Sign flips agree with brute force, and Wilcoxon's test with SciPy."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from xpm_core.results.statistics.signed_tests import sign_flip_p, wilcoxon_p

WHOLE = st.integers(-20, 20).map(float)


def brute_force(differences: list[float]) -> float:
    """The share of all assignments of signs that are as extreme, counted one by one, with exact numbers."""
    parts = [Fraction(difference) for difference in differences]
    observed = abs(sum(parts))
    flips = list(product((1, -1), repeat=len(parts)))
    extreme = sum(abs(sum(s * part for s, part in zip(signs, parts, strict=True))) >= observed for signs in flips)
    return extreme / len(flips)


@given(st.lists(WHOLE, min_size=1, max_size=9))
def test_flipping_signs_is_brute_force(differences: list[float]) -> None:
    assert sign_flip_p(differences) == brute_force(differences)


def test_flipping_signs_of_twelve_pairs_is_brute_force() -> None:
    differences = [float(k * k % 13 - 4) for k in range(1, 13)]
    assert sign_flip_p(differences) == brute_force(differences)


def test_rounding_makes_no_difference_between_equal_sums() -> None:
    differences = [0.3, -0.1, -0.2, 0.7, 0.1, 0.4]  # 0.3 - 0.1 - 0.2 is not 0 in floats
    assert sum(differences[:3]) != 0
    assert sign_flip_p(differences) == brute_force([round(10 * difference) for difference in differences])


@pytest.mark.parametrize("factor", [1e308, 1e-308, 5e-324])
def test_huge_and_tiny_differences_are_flipped(factor: float) -> None:
    assert sign_flip_p([factor, factor, -factor, factor]) == brute_force([1.0, 1.0, -1.0, 1.0])


def test_all_of_one_sign_is_the_rarest_case_and_zeros_are_no_evidence() -> None:
    assert [sign_flip_p([1.0] * n) for n in (1, 5, 6, 12)] == [1.0, 2 / 32, 2 / 64, 2 / 4096]
    assert sign_flip_p([0.0] * 6) == 1.0 == sign_flip_p([])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8), st.randoms())
def test_flipping_does_not_depend_on_order_or_on_direction(differences: list[float], random: Random) -> None:
    p = sign_flip_p(differences)
    assert 0 < p <= 1
    assert p == sign_flip_p([-difference for difference in differences])
    assert p == pytest.approx(sign_flip_p(random.sample(differences, len(differences))))


def scipy_p(differences: list[float]) -> float:
    return float(stats.wilcoxon(differences).pvalue)


@pytest.mark.parametrize("n", [1, 5, 13, 14, 25, 26, 50, 51, 120])
def test_wilcoxon_without_ties_agrees_with_scipy_and_is_exact_up_to_50(n: int) -> None:
    differences = [(k + 1) * (-1) ** (k * k // 3) * 1.01 + 0.0001 * k for k in range(n)]
    p, exact = wilcoxon_p(differences)
    assert p == pytest.approx(scipy_p(differences), rel=1e-9)
    assert exact == (n <= 50)


@given(st.lists(WHOLE, min_size=1, max_size=9).filter(any))
@settings(max_examples=25)  # SciPy takes long
@example([17.0, 17.0, 19.0, -3.0, -3.0, 9.0, 0.0, -11.0, -20.0, 12.0, 3.0, -3.0, 11.0])
def test_wilcoxon_of_few_pairs_with_ties_and_zeros_agrees_with_scipy(differences: list[float]) -> None:
    p, exact = wilcoxon_p(differences)
    assert exact
    assert p == pytest.approx(scipy_p(differences), rel=1e-9)


@given(st.lists(WHOLE, min_size=14, max_size=70).filter(lambda values: any(values) and len(set(values)) < len(values)))
def test_wilcoxon_of_more_pairs_with_ties_and_zeros_agrees_with_scipy(differences: list[float]) -> None:
    p, exact = wilcoxon_p(differences)
    tied = len(set(map(abs, differences))) < len(differences) or 0.0 in differences
    assert exact == (not tied and len(differences) <= 50)
    assert p == pytest.approx(scipy_p(differences), rel=1e-9)


def test_zeros_alone_are_no_evidence() -> None:
    assert wilcoxon_p([0.0] * 20) == (1.0, True)
    assert wilcoxon_p([0.0] * 19 + [math.pi])[0] == pytest.approx(scipy_p([0.0] * 19 + [math.pi]), rel=1e-9)
