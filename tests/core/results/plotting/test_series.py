"""Which rows are which points of a plot."""

from __future__ import annotations

import math

import pytest

from xpm_core.errors import ResultsError
from xpm_core.results.plotting.series import chart_of, is_log


def test_numbers_are_sorted_and_each_group_is_a_series() -> None:
    rows = [(0.1, ["mlp"], 0.9, ""), (0.001, ["mlp"], 0.8, ""), (0.1, ["svm"], 0.7, "")]
    chart = chart_of("lr", "accuracy", ["model"], rows, folded=True)
    assert [(series.name, [mark[:2] for mark in series.marks]) for series in chart.series] == [
        ("mlp", [(0.001, 0.8), (0.1, 0.9)]),
        ("svm", [(0.1, 0.7)]),
    ]
    assert (chart.places, chart.notes, is_log(chart)) == ([], [], True)


def test_texts_are_places_in_the_order_of_the_rows() -> None:
    chart = chart_of("model", "x", [], [("b", [], 1, ""), ("a", [], 2, ""), (None, [], 3, "")], folded=False)
    assert (chart.places, is_log(chart)) == (["b", "a", ""], False)


def test_rows_without_a_value_are_counted() -> None:
    rows = [(1, [], 0.5, ""), (2, [], None, ""), (3, [], math.nan, ""), (None, [], 1, ""), (4, [], "text", "")]
    assert chart_of("lr", "f1", [], rows, folded=False).notes == [
        "4 of 5 rows have no f1, or no lr, and are not drawn."
    ]


def test_two_rows_of_one_place_are_an_error_that_says_in_what_they_differ() -> None:
    rows = [(1, [], 0.5, "model=a"), (1, [], 0.6, "model=b")]
    with pytest.raises(ResultsError, match="several rows have lr=1: model=a, model=b"):
        chart_of("lr", "f1", [], rows, folded=True)
    assert len(chart_of("lr", "f1", [], rows, folded=False).series[0].marks) == 2


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ResultsError, match="no row has a number as 'f1'"):
        chart_of("lr", "f1", [], [(1, [], "x", "")], folded=False)
