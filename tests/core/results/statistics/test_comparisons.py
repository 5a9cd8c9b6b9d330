"""Comparisons of two groups agree with SciPy, and Holm's correction with statsmodels."""

from __future__ import annotations

import math
import warnings
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.comparisons import compare, holm, paired, welch, with_holm

FINITE = st.floats(-1e9, 1e9)
PAIRS = st.lists(st.tuples(FINITE, FINITE), max_size=16)

A = [0.91, 0.93, 0.92, 0.95, 0.90, 0.94, 0.96]
B = [0.90, 0.91, 0.92, 0.93, 0.91, 0.90, 0.92]
GROUPS = [
    (A[:3], B[:3]),
    (A[:5], B[:5]),
    (A, B),
    ([value * 1e60 for value in A], B),
    ([math.sin(k) + 0.3 for k in range(40)], [math.cos(k) for k in range(40)]),
    ([1e3 + math.sin(k) for k in range(200)], [1e3 + math.cos(7 * k) / 3 for k in range(200)]),
]


@pytest.mark.parametrize(("a", "b"), GROUPS)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_paired_agrees_with_scipy(a: list[float], b: list[float], level: float) -> None:
    found = paired(a, b, level)
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval(level)
    assert (found.p, found.statistic, found.df) == pytest.approx(
        (expected.pvalue, expected.statistic, expected.df), rel=1e-9
    )
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert (found.test, found.n, found.paired, found.sizes) == ("paired t", len(a), True, (len(a), len(b)))
    assert (found.adjusted, found.note) == (None, "")
    one = stats.ttest_1samp(np.subtract(a, b), 0)
    assert found.p == pytest.approx(one.pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("a", "b"), [*GROUPS, (A, B[:4]), (A[:3], B), ([0.5] * 4, B), (A, [value / 1e9 for value in B])]
)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_welch_agrees_with_scipy(a: list[float], b: list[float], level: float) -> None:
    found = welch(a, b, level)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the group that does not vary
        expected = stats.ttest_ind(a, b, equal_var=False)
        interval = expected.confidence_interval(level)
    assert (found.p, found.statistic, found.df) == pytest.approx(
        (expected.pvalue, expected.statistic, expected.df), rel=1e-9
    )
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert (found.test, found.n, found.paired, found.sizes) == ("Welch t", len(a) + len(b), False, (len(a), len(b)))
    assert (found.exact_p, found.exact_test, found.note) == (None, "", "")


@pytest.mark.parametrize(
    ("n", "test"),
    [
        (3, ""),
        (5, ""),
        (6, "sign flips"),
        (12, "sign flips"),
        (13, "Wilcoxon"),
        (50, "Wilcoxon"),
        (51, "Wilcoxon (normal)"),
    ],
)
def test_a_test_without_a_normal_distribution_stands_beside_where_there_are_enough_pairs(n: int, test: str) -> None:
    a, b = [math.sin(k) + 0.4 for k in range(n)], [math.cos(k) for k in range(n)]
    found = paired(a, b)
    assert found.exact_test == test
    if test.startswith("Wilcoxon"):
        assert found.exact_p == pytest.approx(stats.wilcoxon(a, b).pvalue, rel=1e-9)
    elif test:
        flipped = stats.permutation_test(
            (np.subtract(a, b),), np.mean, permutation_type="samples", n_resamples=math.inf
        )
        assert found.exact_p == pytest.approx(flipped.pvalue, rel=1e-9)
    else:
        assert found.exact_p is None


@pytest.mark.parametrize("n", [0, 1, 2])
def test_below_three_there_is_a_difference_but_no_test(n: int) -> None:
    found = paired(A[:n], B[:n])
    assert found.difference == pytest.approx(sum(A[:n]) / n - sum(B[:n]) / n if n else math.nan, nan_ok=True)
    assert found[1:6] == (None, None, None, None, "")
    assert found.note == f"too few for a test: {n} pair{'s' * (n != 1)}, and it needs 3"
    found = welch(A, B[:n])
    assert math.isnan(found.difference) == (n == 0)
    assert found[1:6] == (None, None, None, None, "")
    assert found.note == f"too few for a test: 7 and {n} value{'s' * (n != 1)}, and it needs 3"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("test", [paired, welch])
def test_a_value_that_is_no_number_is_neither_averaged_nor_left_out(test: Any, bad: float) -> None:
    for a, b in (([*A, bad], [*B, 0.9]), ([*A, 0.9], [*B, bad])):
        found = test(a, b)
        assert math.isnan(found.difference)
        assert found[1:6] == (None, None, None, None, "")
        assert found.note == f"1 of 16 values is no finite number ({bad}), so there is no difference"


def test_a_difference_beyond_all_floats_is_none() -> None:
    assert paired([1.7e308] * 3, [-1.7e308] * 3).note.startswith("3 of 3 values are no finite numbers (inf)")
    assert welch([1.7e308, 1.6e308, 1.7e308], [-1.7e308] * 3).note == "the values are too large for a test"
    assert welch([1.7e308, 1.6e308, 1.7e308], [-1.7e308] * 3)[1:6] == (None, None, None, None, "")
    assert paired([1.7e308, -1.7e308] * 2, [0.0] * 4)[1:6] == (None, None, None, None, "")


@pytest.mark.parametrize("test", [paired, welch])
def test_where_nothing_varies_only_an_equal_mean_is_no_difference(test: Any) -> None:
    same, other = test([0.5] * 5, [0.5] * 5), test([0.75] * 5, [0.5] * 5)
    assert (same.difference, same.interval, same.p, same.statistic) == (0.0, (0.0, 0.0), 1.0, 0.0)
    assert (other.difference, other.interval, other.p, other.statistic) == (0.25, (0.25, 0.25), 0.0, math.inf)
    assert test([0.5] * 5, [0.75] * 5).statistic == -math.inf
    assert same.note == other.note == "nothing varies, so t has no spread to go by"
    assert test([0.5] * 6, [0.5] * 6).exact_p in (1.0, None)


@pytest.mark.parametrize("test", [paired, welch])
def test_what_rounding_makes_is_no_difference(test: Any) -> None:
    found = test([0.1 + 0.2, 0.2 + 0.1, 0.1 + 0.2], [0.3, 0.3, 0.3])
    assert found.difference != 0
    assert (found.p, found.note) == (1.0, "nothing varies, so t has no spread to go by")
    found = test([1e-20, 3e-20, 2e-20], [0.0, 0.0, 0.0])
    assert found.p == pytest.approx(stats.ttest_rel([1, 3, 2], [0, 0, 0]).pvalue), "tiny values are no rounding"


def test_the_same_seeds_are_paired_in_whatever_order_they_come() -> None:
    a, b = {1: 0.91, 2: 0.93, 3: 0.92}, {3: 0.91, 1: 0.90, 2: 0.91}
    assert compare(a, b) == paired([0.91, 0.93, 0.92], [0.90, 0.91, 0.91])
    assert compare({"one": 1, "two": 2}, {"one": 1, "two": 3}).paired


def test_other_seeds_are_not_paired_and_that_is_said() -> None:
    a = dict(enumerate(A))
    found = compare(a, dict(enumerate(B, 5)))
    assert found == welch(A, B)._replace(note="not paired: 2 in common of 7 and 7")
    found = compare(a, {0: 0.5})
    assert found.note == "not paired: 1 in common of 7 and 1. too few for a test: 7 and 1 value, and it needs 3"
    assert compare(A, B) == welch(A, B) == compare(a, B), "values without seeds are never paired"


def test_three_common_seeds_are_paired_and_those_left_out_are_said() -> None:
    a = dict(enumerate(A))
    found = compare(a, dict(enumerate(B, 2)))
    assert found == paired(A[2:], B[:5])._replace(
        note="without 0, 1, which only the first side has; without 7, 8, which only the second side has"
    )
    assert compare(a, dict(enumerate(B, 4))).n == 3
    many = dict(enumerate(A * 2))
    assert compare(many, dict(enumerate(B)), named=lambda seed: f"s={seed}").note == (
        "without s=7, s=8, s=9 and 4 more, which only the first side has"
    )
    lost = compare({**a, 9: math.nan}, a)
    assert (lost.p, math.isnan(lost.difference)) == (None, True), "a run that diverged is not passed over"
    assert "so there is no difference" in lost.note


def test_pairs_need_as_many_values_in_both() -> None:
    with pytest.raises(ResultsError, match="paired: expected as many values in both groups, got 7 and 6"):
        paired(A, B[:6])


@pytest.mark.parametrize("test", [paired, welch, compare])
def test_a_level_that_is_none_is_refused_also_without_values(test: Any) -> None:
    with pytest.raises(ResultsError, match="level: expected a number between 0 and 1, got 95"):
        test([], [], level=95)


@given(PAIRS, st.sampled_from([paired, welch]))
def test_swapped_groups_have_the_mirrored_difference(pairs: list[tuple[float, float]], test: Any) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    found, swapped = test(a, b), test(b, a)
    assert found.difference == -swapped.difference or not pairs
    assert (found.p, found.exact_p, found.test, found.note) == (swapped.p, swapped.exact_p, swapped.test, swapped.note)
    assert (found.interval is None) == (found.p is None) == (len(pairs) < 3)
    if found.interval:
        assert found.interval == (-swapped.interval.high, -swapped.interval.low)
        assert found.interval.low <= found.difference <= found.interval.high
        assert 0 <= found.p <= 1


@given(PAIRS, st.randoms())
def test_the_order_of_values_does_not_matter(pairs: list[tuple[float, float]], random: Random) -> None:
    shuffled = random.sample(pairs, len(pairs))
    first = paired([x for x, _ in pairs], [y for _, y in pairs])
    again = paired([x for x, _ in shuffled], [y for _, y in shuffled])
    assert repr(first._replace(exact_p=None)) == repr(again._replace(exact_p=None))
    assert first.exact_p == pytest.approx(again.exact_p)
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    assert repr(welch(a, b)) == repr(welch(random.sample(a, len(a)), random.sample(b, len(b))))


STATSMODELS = [
    ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
    ([0.001, 0.2, 0.013, 0.04, 0.5, 0.013, 0.9], [0.007, 0.6, 0.078, 0.16, 1.0, 0.078, 1.0]),
    ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
    ([1e-12, 0.999, 0.05, 0.0, 1.0], [4e-12, 1.0, 0.15, 0.0, 1.0]),
]
"""What multipletests(ps, method="holm") of statsmodels 0.15 gives."""


@pytest.mark.parametrize(("ps", "adjusted"), STATSMODELS)
def test_holm_agrees_with_statsmodels(ps: list[float], adjusted: list[float]) -> None:
    assert holm(ps) == pytest.approx(adjusted, rel=1e-12)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=20), st.randoms())
def test_holm_keeps_the_order_never_lowers_and_does_not_depend_on_places(
    ps: list[float | None], random: Random
) -> None:
    adjusted = holm(ps)
    assert [p is None for p in ps] == [p is None for p in adjusted]
    tested = sorted((p, q) for p, q in zip(ps, adjusted, strict=True) if p is not None and q is not None)
    assert all(p <= q <= 1 for p, q in tested)
    assert [q for _, q in tested] == sorted(q for _, q in tested)
    assert all(q <= min(1.0, len(tested) * tested[-1][0]) for _, q in tested)
    places = random.sample(range(len(ps)), len(ps))
    assert holm([ps[place] for place in places]) == [adjusted[place] for place in places]


def test_comparisons_without_a_test_do_not_count_as_tests() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([]) == []
    found = with_holm([paired(A, B), welch(A, B[:2]), welch(A, B)])
    ps = [comparison.p for comparison in found]
    assert ps[1] is None
    assert [comparison.adjusted for comparison in found] == holm(ps)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(ResultsError, match="holm: expected numbers from 0 to 1"):
        holm([0.5, bad])


def test_differences_that_are_equal_but_for_rounding_share_a_rank() -> None:
    """Accuracies have few digits, so many differences are equal, and floats tell them from each other."""
    thousandths = [7, -3, 10, 10, 3, -7, 10, 20, -10, 7, 3, 10, 7, 20, 3, -3]
    start = [910 + 3 * place for place in range(len(thousandths))]
    b = [each / 1000 for each in start]
    a = [(each + more) / 1000 for each, more in zip(start, thousandths, strict=True)]
    assert len({abs(x - y) for x, y in zip(a, b, strict=True)}) > 4
    expected = stats.wilcoxon([float(each) for each in thousandths]).pvalue
    for factor in (1.0, 1e-7, 1e6):
        found = paired([x * factor for x in a], [y * factor for y in b])
        assert found.exact_p == pytest.approx(expected, rel=1e-9)
        assert found.exact_test == "Wilcoxon (normal)"
