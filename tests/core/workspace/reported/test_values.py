"""Values that a job reports become strict JSON, and come back as they were."""

from __future__ import annotations

import json
import math
import sys
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.errors import ResultValueError
from xpm_core.workspace.reported.values import flat, lacking, plain, restored

NAMES = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


class Scalar:
    """A number as NumPy and torch have it, without them."""

    shape: tuple[int, ...] = ()

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        return self.value


class Array(Scalar):
    def __init__(self, values: list[Any], shape: tuple[int, ...]) -> None:
        super().__init__(values)
        self.shape = shape

    def tolist(self) -> Any:
        return self.value


@given(VALUES)
def test_what_was_reported_comes_back(value: Any) -> None:
    marks: dict[str, str] = {}
    found = json.loads(json.dumps(plain(value, "x", marks), allow_nan=False))
    assert repr(restored(found, "x", marks)) == repr(value)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_the_flat_form_fits_the_index(values: dict[str, Any]) -> None:
    found, _ = flat({name: plain(value, name, {}) for name, value in values.items()})
    assert msgpack.unpackb(msgpack.packb(found), strict_map_key=False) == found
    assert not any(isinstance(value, (list, dict)) for value in found.values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Scalar(0.5), 0.5),
        (Scalar(True), True),
        (Array([[1, 2], [3, 4]], (2, 2)), [[1, 2], [3, 4]]),
        ((1, "a"), [1, "a"]),
        ({1: 0.5, 2.5: 1}, {"1": 0.5, "2.5": 1}),
        (Fraction(1, 4), 0.25),
        (Path("a/b"), "a/b"),
        (type("Text", (str,), {})("a"), "a"),
        (type("Number", (float,), {})(0.25), 0.25),
    ],
)
def test_other_values_that_are_taken(value: Any, expected: Any) -> None:
    found = plain(value, "x", {})
    assert found == expected
    assert json.loads(json.dumps(found)) == expected


def test_numpy_is_taken() -> None:
    np = pytest.importorskip("numpy")
    marks: dict[str, str] = {}
    found = plain({"a": np.float32(0.5), "b": np.int64(3), "c": np.eye(2), "d": np.float64("nan")}, "x", marks)
    assert json.dumps(found) == '{"a": 0.5, "b": 3, "c": [[1.0, 0.0], [0.0, 1.0]], "d": null}'
    assert marks == {"x.d": "nan"}


class Broken:
    def __len__(self) -> int:
        raise RuntimeError("no")


circle: list[Any] = []
circle.append(circle)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"model": object()}, "x.model: expected a JSON value, got object"),
        ([1, {2, 3}], "x.1: expected a JSON value, got set"),
        (b"abc", "x: expected a JSON value, got bytes"),
        (array("d", [1.0]), "x: expected a JSON value, got array"),
        (1j, "x: expected a JSON value, got complex"),
        ({(1, 2): 3}, "x: a name in it is a tuple"),
        ({1: 2, "1": 3}, "x: two of its names are '1'"),
        (circle, "levels deep"),
        (10**2000, "x: an integer of more than 1000 digits"),
        (Array([0] * 10_001, (10_001,)), "x: an array of 10001 values: expected at most 10000; keep it in a file"),
        (Scalar(Broken()), "x: expected a JSON value, got Broken"),
    ],
)
def test_what_is_no_json_is_named_with_its_path(value: Any, said: str) -> None:
    with pytest.raises(ResultValueError) as caught:
        plain(value, "x", {})
    assert said in str(caught.value)


def test_a_scalar_that_is_its_own_item_ends() -> None:
    own = Scalar(None)
    own.value = own
    with pytest.raises(ResultValueError, match="got Scalar"):
        plain(own, "x", {})


def test_the_flat_form_has_dotted_names_and_limits() -> None:
    found, more = flat({"loss": {"train": 0.1, "test": {"a": None}}, "curve": [1], "ok": True, "why": "x" * 201})
    assert (found, more) == ({"loss.train": 0.1, "loss.test.a": None, "ok": True}, True)
    found, more = flat({str(number): number for number in range(300)})
    assert (len(found), more) == (200, True)
    assert flat({"small": -(2**63), "cut": "\ud800"}) == ({"small": -(2**63)}, True)


def test_a_large_integer_is_a_float_in_the_flat_form() -> None:
    found, more = flat({"flops": 314 * 10**21, "most": 2**63 - 1, "huge": 10**400})
    assert (found, more) == ({"flops": 3.14e23, "most": 2**63 - 1}, True)
    assert type(found["flops"]) is float
    assert lacking({"flops": 314 * 10**21, "huge": 10**400}) == 0


def test_infinity_has_a_sign() -> None:
    marks: dict[str, str] = {}
    found = plain([math.inf, -math.inf, sys.float_info.max], "x", marks)
    assert found == [None, None, sys.float_info.max]
    assert restored(found, "x", marks) == [math.inf, -math.inf, sys.float_info.max]
