"""Curves as the points of a line."""

from __future__ import annotations

import math

from xpm_cli.page.export.shapes import curve_of, place_of
from xpm_core.results.curves import Point


def test_a_curve_fills_the_picture() -> None:
    found = curve_of("loss", [Point(0, 4.0), Point(5, 2.0), Point(10, 0.0)])
    assert found is not None
    assert found.lines == ["0.0,0.0 160.0,60.0 320.0,120.0"]
    assert (found.first, found.last, found.least, found.greatest, found.value) == ("0", "10", "0", "4", "0")


def test_what_is_no_number_parts_the_line_and_one_point_is_a_dot() -> None:
    found = curve_of("loss", [Point(0, 1.0), Point(1, math.nan), Point(2, 0.0), Point(3, 1.0)])
    assert found is not None
    assert found.lines == ["0.0,0.0 0.0,0.0", "213.3,120.0 320.0,0.0"]


def test_a_curve_without_a_number_is_none() -> None:
    assert curve_of("loss", [Point(0, math.nan), Point(1, math.inf)]) is None


def test_a_flat_line_is_in_the_middle() -> None:
    assert [place_of(3.0, 3.0, 3.0), place_of(1e308, -1e308, 1e308)] == [0.5, 0.5]
