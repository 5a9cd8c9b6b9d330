"""Configurations without their classes: every value that a description holds comes back as it was."""

from __future__ import annotations

import copy
import json
import math
import pickle
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payload_samples import Colour, New, sample

from xpm_core.config import Config, Param, Task
from xpm_core.identity import seal
from xpm_core.index.flat_form import flattened
from xpm_core.language.identity.description import describe
from xpm_core.reading.past.plain_values import PlainConfig, of_description, of_flat

PLACES = {"job": Path("/ws/jobs/t/1"), "workspace": Path("/ws")}


class Holder(Task):
    value: Param[Any]
    other: Param[Any] = None

    def execute(self) -> None:
        pass


class Part(Config):
    size: Param[int]


def back(value: Any, other: Any = None) -> PlainConfig:
    """A task with a value, described, written as JSON, and read again."""
    task = Holder.C(value=value, other=other)
    seal(task)
    described = json.loads(json.dumps(describe(task, **PLACES)))
    found = of_description(described, **PLACES)
    assert found.identity == task.identity
    return found


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.datetimes(), st.datetimes(timezones=st.just(timezone.utc)), st.dates(), st.times(),
    st.timedeltas(timedelta(days=-999), timedelta(days=999)).map(lambda each: timedelta(seconds=each.total_seconds())),
    st.sampled_from([Path("/data/x"), Path("/ws/corpus"), Path("/ws/jobs/t/1/out.txt")]),
)  # fmt: skip
HASHABLE = st.one_of(st.booleans(), st.integers(), st.text())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text(min_size=3).filter(lambda name: name not in NAMES), inner),
        st.dictionaries(st.integers(), inner, min_size=1),
        st.frozensets(HASHABLE),
        st.sets(HASHABLE),
    ),
    max_leaves=8,
)
NAMES = ("see", "class", "identity", "tuple", "set", "frozenset", "dict", "path", "enum", "int", "float", "bytes",
         "timedelta", "datetime", "date", "time", "object", "text")  # fmt: skip
"""Words with which a description names types. A dict with only such a word in it looks like a value of the type."""


@given(VALUES)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    found = back(value).value
    assert found == value
    assert type(found) is type(value)


def test_nan_comes_back() -> None:
    assert math.isnan(back(math.nan).value)


def test_configurations_come_back_nested_and_one_that_is_used_twice_is_one_object() -> None:
    part = Part.C(size=3)
    found = back([part, {"a": part}], Part.C(size=4))
    assert found.value[0].size == 3
    assert found.value[0] is found.value[1]["a"]
    assert found.other is not found.value[0]
    assert found.value[0].identity == part.identity
    assert repr(found) == "Holder(value=[Part(size=3), {'a': Part(size=3)}], other=Part(size=4))"


def test_task_with_every_part_of_a_payload_can_be_read() -> None:
    task = sample()
    seal(task)
    found = of_description(json.loads(json.dumps(describe(task, **PLACES))), **PLACES)
    assert found.words == ["a", "b"]
    assert (found.span.start, found.span.end, found.noted.size) == (1, 9, 3)
    assert found.anything[:3] == [2**70, 1.5, (1, {2}, frozenset((3,)))]
    assert found.anything[3].endswith("Colour.RED")
    assert found.file == PLACES["job"] / "file.txt"
    assert Colour
    assert New


def test_values_can_be_read_and_not_changed() -> None:
    found = back(Part.C(size=3), [1])
    assert (found["other"], list(found), len(found)) == ([1], ["value", "other"], 2)
    assert {"value", "other", "identity"} <= set(dir(found))
    with pytest.raises(AttributeError, match=r"Holder.value: a configuration of a past run cannot be changed"):
        found.value = 4
    with pytest.raises(AttributeError):
        del found.value
    with pytest.raises(AttributeError, match=r"Part: no parameter 'sise'\. It has size\."):
        _ = found.value.sise
    for again in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert (again.value.size, again.identity) == (3, found.identity)


def test_parameters_in_one_level_are_nested_again() -> None:
    task = Holder.C(value=Part.C(size=3), other="text")
    seal(task)
    flat = flattened(describe(task))
    found = of_flat("tests:Holder", "ab", flat)
    assert (found.value.size, found.other, found.identity) == (3, "text", "ab")
    assert repr(found.value) == "Part(size=3)"


@pytest.mark.parametrize(
    "described", [{}, {"task": 3, "parameters": 4}, {"task": "a:B", "parameters": {"x": {"int": 3}}}]
)
def test_what_is_no_description_is_an_error(described: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        of_description(described, **PLACES)


def test_times_are_what_they_were() -> None:
    moments = [datetime(2026, 1, 2, 3, 4), date(2026, 1, 2), time(3, 4), timedelta(seconds=3)]
    assert back(moments).value == moments
