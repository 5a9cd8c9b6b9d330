"""A curve of any length in a few points: the first, the last and the extremes stay."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.thinning import Thinned

VALUES = st.lists(st.floats(), min_size=1, max_size=300)


@given(VALUES, st.integers(9, 20))
def test_first_last_and_extremes_are_kept(values: list[float], most: int) -> None:
    points = Thinned(most)
    for step, value in enumerate(values):
        points.add(step, value)
    found = points.pairs()
    assert len(found) <= most + 3
    assert (found[0][0], found[-1][0]) == (0, len(values) - 1)
    assert [step for step, _ in found] == sorted({step for step, _ in found})
    assert all(repr(values[int(step)]) == repr(value) for step, value in found)
    numbers = [value for value in values if not math.isnan(value)]
    if numbers:
        kept = [value for _, value in found if not math.isnan(value)]
        assert (min(kept), max(kept)) == (min(numbers), max(numbers))
    assert (points.count, points.nans) == (len(values), len(values) - len(numbers))
    assert points.is_thinned == (len(values) >= most - (most + 1) % 2)


@given(st.integers(1, 400), st.integers(9, 20))
def test_every_second_fourth_and_so_on_is_kept_for_means(count: int, most: int) -> None:
    points = Thinned(most, "every")
    for step in range(count):
        points.add(step, 0.0)
    steps = [step for step, _ in points.pairs()]
    assert (steps[0], steps[-1]) == (0, count - 1)
    gaps = {after - before for before, after in pairwise(steps)}
    assert max(gaps, default=1) <= points.stride + 1
    assert len(steps) <= most + 2


@pytest.mark.parametrize("keep", ["extremes", "every"])
def test_a_cut_removes_only_points_of_earlier_parts(keep: str) -> None:
    points = Thinned(8, keep)  # type: ignore[arg-type]
    for step in range(100):
        points.add(step, 1.0)
    points.new_part()
    points.cut(50)
    for step in range(50, 60):
        points.add(step, 2.0)
    found = points.pairs()
    assert {value for step, value in found if step < 50} == {1.0}
    assert {value for step, value in found if step >= 50} == {2.0}
    assert (found[0][0], found[-1][0]) == (0, 59)


def test_a_cut_of_everything_leaves_the_new_part() -> None:
    points = Thinned(8)
    for step in range(100):
        points.add(step, 1.0)
    points.new_part()
    points.cut(0)
    for step in range(30):
        points.add(step, 2.0)
    assert (points.pairs()[0], points.pairs()[-1]) == ((0, 2.0), (29, 2.0))
