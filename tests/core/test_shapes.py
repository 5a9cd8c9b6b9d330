"""Checks of the shape of data from outside: each names what is wrong, and where."""

from __future__ import annotations

from typing import Any

import pytest

from xpm_core.shapes import BOOL, BYTES, INTEGER, OPTIONAL_TEXT, TEXT, Check, brief, list_of, map_of, record, sequence

POINT = record({"x": INTEGER, "y": INTEGER}, {"name": TEXT})


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (TEXT, ""),
        (INTEGER, -1),
        (BYTES, b""),
        (BOOL, False),
        (OPTIONAL_TEXT, None),
        (OPTIONAL_TEXT, "a"),
        (list_of(INTEGER), []),
        (list_of(INTEGER, 1), [1]),
        (sequence(TEXT, INTEGER), ["a", 1]),
        (map_of(INTEGER), {"a": 1}),
        (POINT, {"x": 1, "y": 2}),
        (POINT, {"x": 1, "y": 2, "name": "p"}),
        (list_of(POINT), [{"x": 1, "y": 2}]),
    ],
)
def test_value_of_the_shape_has_no_problem(check: Check, value: Any) -> None:
    assert list(check(value, "v")) == []


@pytest.mark.parametrize(
    ("check", "value", "problems"),
    [
        (TEXT, 1, ["v: expected a text, got 1"]),
        (TEXT, None, ["v: expected a text, got None"]),
        (INTEGER, True, ["v: expected an integer, got True"]),
        (BOOL, 1, ["v: expected true or false, got 1"]),
        (OPTIONAL_TEXT, 1, ["v: expected a text or nothing, got 1"]),
        (list_of(INTEGER), (1,), ["v: expected a list, got a tuple"]),
        (list_of(INTEGER, 1), [], ["v: empty"]),
        (
            list_of(INTEGER),
            [1, "a", None],
            ["v[1]: expected an integer, got 'a'", "v[2]: expected an integer, got None"],
        ),
        (sequence(TEXT, INTEGER), ["a"], ["v: expected a list of 2, got a list"]),
        (sequence(TEXT, INTEGER), ["a", "b"], ["v[1]: expected an integer, got 'b'"]),
        (map_of(INTEGER), [], ["v: expected a map, got a list"]),
        (map_of(INTEGER), {1: 2}, ["v, a name in it: expected a text, got 1"]),
        (map_of(INTEGER), {"a": "b"}, ["v.a: expected an integer, got 'b'"]),
        (POINT, [], ["v: expected a map, got a list"]),
        (POINT, {"x": 1}, ["v.y: missing"]),
        (POINT, {"x": 1, "y": 2, "z": 3}, ["v: unknown field 'z'"]),
        (POINT, {"x": "1", "y": 2, "name": 3}, ["v.x: expected an integer, got '1'", "v.name: expected a text, got 3"]),
        (list_of(POINT), [{"x": 1, "y": b""}], ["v[0].y: expected an integer, got b''"]),
    ],
)
def test_value_of_another_shape_has_its_problems_named(check: Check, value: Any, problems: list[str]) -> None:
    assert list(check(value, "v")) == problems


def test_long_values_are_cut_and_containers_are_only_named() -> None:
    assert brief("a" * 100) == "'" + "a" * 59 + "…"
    assert brief({"password": "secret"}) == "a dict"
