"""Long lists of plain values are handled as a whole: each step gives the result that it gives item by item."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.config import Param, Task
from xpm_core.identity import seal
from xpm_core.language.identity.description import Describer
from xpm_core.language.identity.digest import encode
from xpm_core.language.values import encoding
from xpm_core.language.values.encoding import array_head
from xpm_core.language.values.frozen import frozen, thawed
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import readable

FLOATS = st.sampled_from([0.0, -0.0, math.nan, -math.nan, math.inf, -math.inf, 1e308, 5e-324]) | st.floats()
ATOM = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | st.text(max_size=5) | st.binary(max_size=5)
LISTS = st.lists(ATOM, max_size=8) | st.lists(FLOATS, max_size=8) | st.lists(st.integers(), max_size=8)
VALUE = st.recursive(
    ATOM, lambda each: st.lists(each, max_size=4) | st.lists(each, max_size=4).map(tuple), max_leaves=8
)


class Holder(Task):
    anything: Param[Any]

    def execute(self) -> None: ...


def bits(value: Any) -> Any:
    """A value in a form in which NaN equals itself, and zeros of two signs do not."""
    if isinstance(value, (list, tuple)):
        return [type(value).__mro__[-2].__name__, *map(bits, value)]
    return ("float", struct.pack(">d", value)) if isinstance(value, float) else (type(value).__name__, value)


@given(LISTS)
def test_list_is_written_as_its_items_are(values: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "LONG", 1)
        assert encode(values) == array_head(len(values)) + b"".join(map(encode, values))


@given(VALUE)
def test_frozen_and_thawed_values_are_the_same(value: Any) -> None:
    assert bits(thawed(frozen(value))) == bits(value)


@given(LISTS)
def test_job_gets_the_values_that_it_was_given(values: list[Any]) -> None:
    task = Holder.C(anything=[values, tuple(values)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "LONG", 1)
        data = payload.pack(task)
    live: Any = payload.load(data, workspace=Path("/ws"), identity=seal(task), jobpath=Path("/ws/x"))
    expected = [[0.0 if type(each) is float and not each else each for each in values]] * 2
    found = [[math.nan if type(each) is float and math.isnan(each) else each for each in one] for one in live.anything]
    expected = [[math.nan if type(each) is float and math.isnan(each) else each for each in one] for one in expected]
    assert [bits(each) for each in found] == [bits(each) for each in expected]
    assert type(live.anything[0]) is list


@given(LISTS)
def test_list_is_described_as_its_items_are(values: list[Any]) -> None:
    task = Holder.C(anything=0)
    seal(task)
    describer = Describer(task, None, None)
    described = describer.value("", values)
    assert bits(described) == bits([describer.value("", each) for each in values])
    assert described is not values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=3), each, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3) | st.integers() | st.booleans(), JSON, max_size=4))
def test_records_are_written_as_an_indenting_encoder_writes_them(fields: dict[Any, Any]) -> None:
    assert readable(fields).decode() == json.dumps(fields, ensure_ascii=False, indent=1) + "\n"


def test_value_that_json_lacks_is_an_error() -> None:
    with pytest.raises(TypeError, match="bytes is not JSON serializable"):
        readable({"a": [b"x"]})
