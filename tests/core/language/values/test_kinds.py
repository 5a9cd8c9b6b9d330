"""Each type of parameters: what it takes, what it converts, what it refuses."""

from __future__ import annotations

import enum
import math
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import pytest

from xpm_core.config import Config, Param
from xpm_core.errors import ParameterTypeError, ParameterValueError
from xpm_core.language.graph.state import STATE
from xpm_core.language.graph.tags import tag


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Text(str, enum.Enum):
    A = "a"


class Inner(Config):
    x: Param[int] = 0


class Other(Config):
    pass


class Everything(Config):
    integer: Param[int]
    number: Param[float]
    text: Param[str]
    flag: Param[bool]
    data: Param[bytes]
    path: Param[Path]
    colour: Param[Colour]
    nothing: Param[None]
    maybe: Param[int | None]
    either: Param[Inner | Other]
    several: Param[int | str | float]
    number_or_text: Param[float | str]
    path_or_text: Param[str | Path]
    choice: Param[Literal["small", "big", 3]]
    numbers: Param[list[float]]
    nested: Param[list[dict[str, list[int]]]]
    pair: Param[tuple[int, str]]
    row: Param[tuple[int, ...]]
    empty: Param[tuple[()]]
    names: Param[set[str]]
    fixed: Param[frozenset[int]]
    table: Param[dict[int, str]]
    paths: Param[dict[str, Path]]
    inner: Param[Inner]
    inners: Param[list[Inner]]
    when: Param[datetime]
    day: Param[date]
    hour: Param[time]
    lapse: Param[timedelta]
    anything: Param[Any]
    bare: Param[list]  # type: ignore[type-arg]


INNER, OTHER = Inner.C(), Other.C()
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=1)))

TAKEN: list[tuple[str, Any, Any]] = [
    ("integer", 3, 3),
    ("integer", 2**200, 2**200),
    ("number", 3, 3.0),
    ("number", 0.5, 0.5),
    ("text", "é", "é"),
    ("text", Text.A, "a"),
    ("flag", True, True),
    ("data", b"\x00", b"\x00"),
    ("path", Path("x"), Path("x")),
    ("path", "x", Path("x")),
    ("colour", Colour.RED, Colour.RED),
    ("nothing", None, None),
    ("maybe", None, None),
    ("either", OTHER, OTHER),
    ("several", 3, 3),
    ("several", 3.0, 3.0),
    ("several", "3", "3"),
    ("number_or_text", 3, 3.0),
    ("path_or_text", "x", "x"),
    ("path_or_text", Path("x"), Path("x")),
    ("choice", "big", "big"),
    ("choice", 3, 3),
    ("numbers", [1, 2.5], [1.0, 2.5]),
    ("nested", [{"a": [1]}], [{"a": [1]}]),
    ("pair", (1, "x"), (1, "x")),
    ("row", (1, 2, 3), (1, 2, 3)),
    ("row", (), ()),
    ("empty", (), ()),
    ("names", {"a"}, {"a"}),
    ("fixed", frozenset({1}), frozenset({1})),
    ("table", {1: "x"}, {1: "x"}),
    ("paths", {"a": Path("x")}, {"a": Path("x")}),
    ("inner", INNER, INNER),
    ("inners", [INNER, INNER], [INNER, INNER]),
    ("when", NOW, NOW),
    ("day", date(2026, 1, 2), date(2026, 1, 2)),
    ("hour", time(3, 4), time(3, 4)),
    ("lapse", timedelta(seconds=1.5), timedelta(seconds=1.5)),
    ("anything", {"a": [1, (2, {3}), INNER]}, {"a": [1, (2, {3}), INNER]}),
    ("bare", [1, "x"], [1, "x"]),
]

REFUSED: list[tuple[str, Any, str]] = [
    ("integer", True, "integer: expected int, got True (bool)"),
    ("integer", "3", "integer: expected int, got '3' (str)"),
    ("integer", 3.0, "integer: expected int, got 3.0 (float)"),
    ("number", True, "number: expected float, got True (bool)"),
    ("number", "0.1", "number: expected float, got '0.1' (str)"),
    ("number", 2**53 + 1, "It has more digits than a float keeps"),
    ("number", 10**400, "It has more digits than a float keeps"),
    ("text", 3, "text: expected str, got 3 (int)"),
    ("flag", 1, "flag: expected bool, got 1 (int)"),
    ("flag", "yes", "flag: expected bool"),
    ("path", 3, "path: expected Path, got 3 (int)"),
    ("path", b"x", "path: expected Path"),
    ("colour", "red", "Pass Colour.RED."),
    ("colour", 1, "Pass Colour.RED or Colour.GREEN."),
    ("nothing", 0, "nothing: expected None"),
    ("maybe", "3", "maybe: expected int | None, got '3' (str)"),
    ("either", Colour.RED, "either: expected Inner | Other"),
    ("several", None, "several: expected int | str | float, got None"),
    ("choice", "smal", "Did you mean 'small'?"),
    ("choice", True, "choice: expected one of 'small', 'big', 3, got True (bool)"),
    ("choice", 3.0, "choice: expected one of"),
    ("numbers", [1, "x"], "numbers[1]: expected float, got 'x' (str)"),
    ("numbers", (1, 2), "Pass a list: [1, 2]."),
    ("numbers", "12", "numbers: expected list[float], got '12' (str)"),
    ("nested", [{"a": [1, True]}], "nested[0]['a'][1]: expected int, got True (bool)"),
    ("nested", [{1: []}], "nested[0]{key 1}: expected str, got 1 (int)"),
    ("pair", (1, 2), "pair[1]: expected str, got 2 (int)"),
    ("pair", (1,), "Pass 2 items, not 1."),
    ("pair", [1, "x"], "Pass a tuple: (1, 'x')."),
    ("row", (1, None), "row[1]: expected int, got None"),
    ("empty", (1,), "Pass 0 items, not 1."),
    ("names", ["a"], "names: expected set[str], got ['a'] (list)"),
    ("names", {1}, "names{}: expected str, got 1 (int)"),
    ("names", frozenset({"a"}), "names: expected set[str]"),
    ("table", {"1": "x"}, "table{key '1'}: expected int, got '1' (str)"),
    ("table", {True: "x"}, "table{key True}: expected int"),
    ("table", {1: 2}, "table[1]: expected str, got 2 (int)"),
    ("inner", Inner, "Pass a configuration of it: Inner.C(...)."),
    ("inner", OTHER, "inner: expected Inner, got Other() (Other)"),
    ("inner", INNER.instance(), "Pass the configuration, not the live object made of it."),
    ("inners", [None], "inners[0]: expected Inner, got None"),
    ("when", date(2026, 1, 2), "when: expected datetime"),
    ("day", NOW, "day: expected date, got datetime.datetime("),
    ("anything", object, "anything: expected a value that a configuration can hold"),
    ("anything", [{"a": 1j}], "anything[0]['a']: expected a value that a configuration can hold, got 1j (complex)"),
]


@pytest.mark.parametrize(("name", "value", "kept"), TAKEN, ids=lambda value: repr(value)[:30])
def test_value_of_the_type_is_taken(name: str, value: Any, kept: Any) -> None:
    config = Everything.C(**{name: value})
    found = getattr(config, name)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(("name", "value", "message"), REFUSED, ids=lambda value: repr(value)[:30])
def test_value_of_another_type_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises((ParameterTypeError, ParameterValueError)) as caught:
        Everything.C(**{name: value})
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"Everything.{name}")


@pytest.mark.parametrize(("name", "value", "message"), REFUSED, ids=lambda value: repr(value)[:30])
def test_assignment_refuses_the_same_and_keeps_what_was(name: str, value: Any, message: str) -> None:
    config = Everything.C()
    with pytest.raises((ParameterTypeError, ParameterValueError)) as caught:
        setattr(config, name, value)
    assert message in str(caught.value)
    assert vars(config) == {**vars(Everything.C()), STATE: vars(config)[STATE]}


def test_scalars_of_numpy_are_taken_for_what_they_are() -> None:
    numpy = pytest.importorskip("numpy")
    config = Everything.C(integer=numpy.int64(3), number=numpy.float32(0.5), text=numpy.str_("x"))  # type: ignore
    config.flag, config.anything = numpy.bool_(True), numpy.float64(0.5)
    values = (config.integer, config.number, config.text, config.flag, config.anything)
    assert [(type(v), v) for v in values] == [(int, 3), (float, 0.5), (str, "x"), (bool, True), (float, 0.5)]
    for value in (numpy.float64(3.0), numpy.array(3), numpy.bool_(True)):
        with pytest.raises(ParameterTypeError, match="integer: expected int"):
            config.integer = value


def test_containers_are_copied_when_assigned() -> None:
    numbers: list[float] = [1.0]
    config = Everything.C(numbers=numbers)  # type: ignore[call-arg]
    numbers.append(2.0)
    assert config.numbers == [1.0]


DATES = [
    (("datetime64", 1, "ns"), None),
    (("datetime64", 1000, "ns"), None),
    (("datetime64", "NaT"), None),
    (("datetime64", "10000-01-01"), None),
    (("datetime64", "2000-01-02"), date(2000, 1, 2)),
    (("datetime64", "2000-01-02T03"), datetime(2000, 1, 2, 3)),
    (("datetime64", "2000-01-02T03:04:05.000006"), datetime(2000, 1, 2, 3, 4, 5, 6)),
    (("timedelta64", 1), None),
    (("timedelta64", 5, "ns"), None),
    (("timedelta64", 1, "M"), None),
    (("timedelta64", 1, "Y"), None),
    (("timedelta64", "NaT"), None),
    (("timedelta64", 2**62, "D"), None),
    (("timedelta64", 1, "W"), timedelta(7)),
    (("timedelta64", 5, "us"), timedelta(microseconds=5)),
]


@pytest.mark.filterwarnings("ignore:The 'generic' unit")
@pytest.mark.parametrize(("made", "expected"), DATES)
def test_dates_of_numpy_keep_their_unit_or_are_refused(made: tuple[Any, ...], expected: Any) -> None:
    numpy = pytest.importorskip("numpy")
    value = getattr(numpy, made[0])(*made[1:])
    if expected is not None:
        assert Everything.C(anything=value).anything == expected
        assert type(Everything.C(anything=value).anything) is type(expected)
    for name in ("integer", "number", "anything") if expected is None else ("integer", "number"):
        with pytest.raises(ParameterTypeError, match=rf"{name}: expected .*, got "):
            Everything.C(**{name: value})
    if expected is None:
        with pytest.raises(ParameterTypeError, match="Pass a number, and name its unit in the parameter"):
            Everything.C(anything=[value])
        with pytest.raises(ParameterTypeError, match="cannot be a tag"):
            tag(value)


def test_texts_and_bytes_of_numpy_keep_what_stands_at_their_end() -> None:
    numpy = pytest.importorskip("numpy")
    config = Everything.C(text=numpy.str_("a\0"), anything=numpy.bytes_(b"a\0"))
    assert (config.text, config.anything) == ("a\0", b"a\0")
    assert (type(config.text), type(config.anything)) == (str, bytes)


def test_number_that_is_not_equal_to_the_plain_one_is_refused() -> None:
    class Seconds(float):
        unit = "s"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Seconds) and float(self) == float(other) and self.unit == other.unit

        __hash__ = float.__hash__

    class Named(int):
        pass

    with pytest.raises(ParameterTypeError, match=r"number: expected float, got 5.0 \(Seconds\)"):
        Everything.C(number=Seconds(5))
    with pytest.raises(ParameterTypeError, match="anything: expected a value that"):
        Everything.C(anything=Seconds(5))
    assert type(Everything.C(integer=Named(3)).integer) is int
    assert math.isnan(Everything.C(number=type("Plain", (float,), {})("nan")).number)


def test_value_of_a_wrong_type_is_a_type_error_and_a_value_error() -> None:
    for expected in (TypeError, ValueError):
        with pytest.raises(expected, match="expected int"):
            Sized.C(size="3")  # type: ignore[arg-type]


class Sized(Config):
    size: Param[int]
