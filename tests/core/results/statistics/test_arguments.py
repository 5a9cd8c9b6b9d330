"""Arguments that make no sense are refused, with what to write."""

from __future__ import annotations

import math
from typing import Any

import pytest

from xpm_core.errors import ResultsError
from xpm_core.results.statistics.arguments import checked_bounds, checked_choice, checked_level


@pytest.mark.parametrize(
    ("level", "remedy"),
    [(95, "0.95"), (99.9, "0.999"), (1, "0.95"), (0, "0.95"), (-0.5, "0.95"), (math.nan, "0.95"), ("0.9", "0.95")],
)
def test_a_level_is_between_0_and_1(level: Any, remedy: str) -> None:
    with pytest.raises(
        ResultsError, match=rf"^level: expected a number between 0 and 1, got .*\. Write level={remedy}"
    ):
        checked_level(level)
    assert checked_level(0.9) == 0.9


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (0, math.nan), (0,), 3, ("a", "b"), (None, -math.inf)])
def test_bounds_are_two_numbers_in_order(bounds: Any) -> None:
    with pytest.raises(ResultsError, match="range: expected two numbers in order"):
        checked_bounds(bounds)


def test_a_metric_can_have_one_bound_or_none() -> None:
    assert checked_bounds(None) == (-math.inf, math.inf) == checked_bounds((None, None))
    assert checked_bounds((0, None)) == (0.0, math.inf)
    assert checked_bounds([0, 1]) == (0.0, 1.0)


def test_a_word_is_one_of_those_that_the_error_lists() -> None:
    assert checked_choice("interval", "sd", ("t", "sd")) == "sd"
    with pytest.raises(ResultsError, match=r"interval: expected one of 't', 'sd', got 'sem'\. Write interval='t'\."):
        checked_choice("interval", "sem", ("t", "sd"))
