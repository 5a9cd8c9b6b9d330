"""How many digits of a number are written: by the interval, where there is one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.digits import decimals, fixed


@pytest.mark.parametrize(
    ("half", "places"),
    [
        (0.0081, 3), (0.025, 2), (0.0096, 3), (0.0996, 2), (0.00999, 3), (0.0149, 3), (0.0196, 2), (0.1, 2), (0.68, 1),
        (12.3, 0), (1.23, 1), (9.7, 0), (123.0, 0), (0.0, None), (math.nan, None),
    ],
)  # fmt: skip
def test_a_digit_of_the_half_width_is_written_and_two_after_a_one(half: float, places: int | None) -> None:
    assert decimals(half) == places


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.91237, 3, "0.912"),
        (0.91237, None, "0.9124"),
        (3.0, None, "3"),
        (1234567.0, None, "1234567"),
        (-1234.4, 0, "-1234"),
        (12345.678, None, "12346"),
        (-99999.6, None, "-100000"),
        (9999.7, None, "10000"),
        (0.0, None, "0"),
        (-0.0, None, "0"),
        (-0.0004, 2, "0.00"),
        (-0.4, 0, "0"),
        (1.234e-12, 13, "1.2e-12"),
        (0.0, 12, "0.0e+00"),
        (2e300, 0, "2.000000000000000e+300"),
        (math.inf, 2, "inf"),
    ],
)
def test_a_number_has_so_many_decimals(value: float, places: int | None, text: str) -> None:
    assert fixed(value, places) == text


@given(st.floats(1e-8, 1e8))
def test_what_is_written_is_within_a_fifth_of_the_half_width_and_has_two_digits_after_a_one(half: float) -> None:
    places = decimals(half)
    assert places is not None
    written = fixed(half, places)
    assert abs(float(written) - half) <= (0.2 + 1e-9) * half
    digits = written.partition("e")[0].replace(".", "").strip("0")
    if digits.startswith("1") and half < 10 and places <= 9:
        assert round(float(written) * 10**places) >= 10
