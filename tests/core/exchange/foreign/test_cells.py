"""Texts of cells become the values that they look like, and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.exchange.foreign.cells import has_decimal_comma, moment_of, object_of, result_of, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        ("1e-4", 1e-4),
        (" 3 ", 3),
        ("-0", 0),
        ("+5", 5),
        (".5", 0.5),
        ("5.", 5.0),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("١٢", "١٢"),
        ("True", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("[64, 32]", [64, 32]),
        ("[64, 32", "[64, 32"),
        ("[a]", "[a]"),
        ("", None),
        ("  ", None),
        ("NA", "NA"),
        ("a, b", "a, b"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_text_is_the_value_that_it_looks_like(text: str, value: Any) -> None:
    found = value_of(text)
    assert (found, type(found)) == (value, type(value))


def test_nan_is_kept() -> None:
    assert math.isnan(value_of("NaN"))
    assert math.isnan(result_of("NaN"))


@given(st.one_of(st.floats(allow_nan=False), st.integers(-(10**30), 10**30)))
def test_each_number_that_python_writes_is_read_as_it_was(number: float) -> None:
    assert value_of(repr(number)) == number


@given(st.text())
def test_no_text_fails(text: str) -> None:
    value_of(text)
    result_of(text)
    object_of(text)
    moment_of(text)
    has_decimal_comma(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("0,912", True), ("-1,5e-3", True), ("1.234,5", True), ("64,32,16", False), ("a,5", False), ("0.912", False)],
)
def test_decimal_commas_are_told(text: str, is_one: bool) -> None:
    assert has_decimal_comma(text) is is_one


@pytest.mark.parametrize(
    ("value", "result"),
    [("N/A", None), ("-", None), ("none", None), ("-inf", -math.inf), ("good", "good"), (0.5, 0.5), (True, True)],
)
def test_words_for_nothing_are_no_results(value: Any, result: Any) -> None:
    assert result_of(value) == result


def test_objects_are_json_or_dicts_of_python_and_nothing_is_run() -> None:
    assert object_of('{"lr": 0.1, "on": true}') == {"lr": 0.1, "on": True}
    found = object_of("{'lr': -0.1, 'sizes': (1, 2), 'deep': {'on': None}, 'loss': inf}")
    assert found == {"lr": -0.1, "sizes": [1, 2], "deep": {"on": None}, "loss": math.inf}
    for text in ("{'a': __import__('os').getcwd()}", "{'a': b}", "{**{}}", "{1", "[1]", "{1, 2}", "{" * 5000):
        assert object_of(text) is None


@given(
    st.dictionaries(
        st.text(),
        st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), lambda each: st.lists(each)),
    )
)
def test_a_dict_comes_back_from_both_forms(value: dict[str, Any]) -> None:
    assert object_of(repr(value)) == value
    assert object_of(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-27T12:00:00Z", 1795780800.0),
        ("2026-11-27 13:00:00+01:00", 1795780800.0),
        ("2026-11-27T12:00:00", 1795780800.0),
        (1795780800, 1795780800.0),
        (1795780800000, 1795780800.0),
        ("yesterday", None),
        (True, None),
        (3, None),
        (math.nan, None),
    ],
)
def test_times_are_read_as_far_as_they_are_times(value: Any, moment: float | None) -> None:
    assert moment_of(value) == moment
