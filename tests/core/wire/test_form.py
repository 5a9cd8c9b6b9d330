"""Forged payloads are refused in bounded time and memory, and nothing of them runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from payload_samples import Everything, sample

from xpm_core.config import Param, Task
from xpm_core.errors import NestingError, PayloadError, TaskImportError
from xpm_core.identity import seal
from xpm_core.language.values.encoding import TUPLE, extension
from xpm_core.limits import DEEPEST_VALUE, LARGEST_PAYLOAD
from xpm_core.wire import payload
from xpm_core.wire.form import form_problem

pytestmark = pytest.mark.slow

TASK = sample()
GOOD = payload.pack(TASK)
IDENTITY = seal(TASK)


def load(data: bytes, identity: str = IDENTITY, **more: Any) -> Any:
    place = Path("/ws")
    return payload.load(data, workspace=place, identity=identity, jobpath=place / "jobs" / "x", **more)


def refused_or_the_same(data: bytes) -> None:
    """What is loaded counts as what was submitted; everything else is refused by one of two errors."""
    try:
        found = load(data)
    except (PayloadError, TaskImportError):
        return
    assert isinstance(found, Everything)
    assert found.words == TASK.words


def content() -> dict[str, Any]:
    found: dict[str, Any] = msgpack.unpackb(GOOD, strict_map_key=False)
    return found


def test_the_sample_has_everything_that_a_payload_can_have() -> None:
    parts = content()
    assert form_problem(parts) is None
    assert {name for each in parts["objects"] for name in each} == {
        "class", "values", "counted", "source", "init", "stand_in", "meta", "job",
    }  # fmt: skip
    assert {name for each in parts["classes"] for name in each} > {"local", "value"}
    assert load(GOOD).words == TASK.words


# -- random data -------------------------------------------------------------------------------------------------------

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats() | st.booleans()
extensions = st.builds(msgpack.ExtType, st.integers(0, 20), st.binary(max_size=12))
anything = st.recursive(
    st.none() | numbers | st.text(max_size=8) | st.binary(max_size=8) | extensions,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | anything.map(msgpack.packb))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(PayloadError):
        load(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_with_some_bytes_changed_it_is_refused_or_means_the_same(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    refused_or_the_same(bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=20))
def test_with_a_part_cut_or_replaced_it_is_refused_or_means_the_same(first: int, second: int, new: bytes) -> None:
    start, end = sorted((first, second))
    refused_or_the_same(GOOD[:start] + new + GOOD[end:])


def places(node: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each part of a payload."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [trail, *(place for name, each in inner for place in places(each, (*trail, name)))]


def changed(node: Any, trail: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not trail:
        return change(node)
    node[trail[0]] = changed(node[trail[0]], trail[1:], change)
    return node


def other(node: Any) -> st.SearchStrategy[Any]:
    """What may stand in the place of a part: something of its type, or anything."""
    if isinstance(node, bytes):
        return anything | st.binary(max_size=30) | anything.map(msgpack.packb)
    if isinstance(node, int):
        return anything | st.integers(-3, 12)
    if isinstance(node, str):
        return anything | st.sampled_from(["os", "builtins", "eval", "os.path", "function", "alias", "class", ""])
    return anything


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_with_a_part_made_something_else_it_is_refused_or_means_the_same(data: st.DataObject) -> None:
    parts = content()
    for _ in range(data.draw(st.integers(1, 2))):
        trail = data.draw(st.sampled_from(places(parts)))
        parts = changed(parts, trail, lambda node: data.draw(other(node)))
        if not isinstance(parts, (dict, list)):
            break
    refused_or_the_same(msgpack.packb(parts))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_field_more_or_less_is_refused(data: st.DataObject) -> None:
    parts = content()
    maps = [trail for trail in places(parts) if isinstance(at(parts, trail), dict)]
    fixed = [trail for trail in maps if not {"values", "tags", "names", "keywords", "standard"} & set(trail)]
    node = at(parts, data.draw(st.sampled_from(fixed)))
    if data.draw(st.booleans()):
        node["more"] = None
    else:
        optional = {"local", "value", "source", "init", "stand_in", "meta", "job", "argv", "standard"}
        del node[data.draw(st.sampled_from(sorted(set(node) - optional)))]
    with pytest.raises(PayloadError):
        load(msgpack.packb(parts))


def at(node: Any, trail: tuple[Any, ...]) -> Any:
    for name in trail:
        node = node[name]
    return node


@given(st.binary(max_size=40))
@example(b"\xdc\xff\xff")
def test_noise_in_a_value_is_refused_or_means_the_same(value: bytes) -> None:
    parts = content()
    parts["objects"][-1]["values"]["anything"] = value
    refused_or_the_same(msgpack.packb(parts))


# -- bounds ------------------------------------------------------------------------------------------------------------


class Deep(Task):
    value: Param[Any]

    def execute(self) -> None:
        pass


def nested(depth: int) -> Any:
    value: Any = 2**70
    for number in range(depth):
        value = (value,) if number % 2 else frozenset((value,))
    return value


def test_values_are_nested_as_deep_as_can_be_read() -> None:
    task = Deep.C(value=nested(DEEPEST_VALUE))
    assert load(payload.pack(task), seal(task)).value == nested(DEEPEST_VALUE)
    with pytest.raises(NestingError, match=rf"Deep.value: its value is nested deeper than {DEEPEST_VALUE} tuples"):
        payload.pack(Deep.C(value=nested(DEEPEST_VALUE + 1)))


def test_values_in_lists_and_dicts_do_not_count_as_deep() -> None:
    value: Any = 1
    for number in range(100):
        value = [value] if number % 2 else {"x": value}
    task = Deep.C(value=value)
    assert load(payload.pack(task), seal(task)).value == value


def test_a_payload_over_the_limit_is_neither_written_nor_read() -> None:
    with pytest.raises(PayloadError, match=r"Deep: its parameters take \d+ bytes, 33554432 are allowed. Keep large"):
        payload.pack(Deep.C(value=b"x" * LARGEST_PAYLOAD))
    with pytest.raises(PayloadError, match="33554433 bytes, 33554432 are allowed"):
        load(b"\x00" * (LARGEST_PAYLOAD + 1))


def test_data_nested_without_end_are_refused() -> None:
    value = b"\x01"
    for _ in range(5000):
        value = extension(TUPLE, b"\x91" + value)
    parts = content()
    parts["objects"][-1]["values"]["anything"] = value
    for data in (value, msgpack.packb(parts), b"\x91" * 100_000 + b"\x01"):
        with pytest.raises(PayloadError):
            load(data)


HUNGRY = """
import resource, sys
from pathlib import Path
from xpm_core.wire import payload
from xpm_core.errors import PayloadError
from xpm_core.limits import LARGEST_PAYLOAD

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
kind, ws = sys.argv[1], Path("/ws")
if kind == "lists":
    data = (b"\\xdd\\x01\\x00\\x00\\x00" * 500).ljust(LARGEST_PAYLOAD, b"\\x01")
elif kind == "maps":
    data = (b"\\xdf\\x00\\x80\\x00\\x00" + b"\\x81\\x01" * 100).ljust(LARGEST_PAYLOAD, b"\\x01")
elif kind == "extensions":
    data, size = b"", LARGEST_PAYLOAD
    for _ in range(3000):
        size -= 7
        data += b"\\xc9" + (size - 6).to_bytes(4, "big") + b"\\x02" + b"\\x91"
    data = data.ljust(LARGEST_PAYLOAD, b"\\x01")
else:
    data = b"\\xdd" + (LARGEST_PAYLOAD - 5).to_bytes(4, "big") + b"\\x80" * (LARGEST_PAYLOAD - 5)
try:
    payload.load(data, workspace=ws, identity="0" * 64, jobpath=ws)
except PayloadError:
    print("refused")
"""


@pytest.mark.parametrize("kind", ["lists", "maps", "extensions", "many"])
def test_data_that_announce_or_hold_very_much_take_bounded_time_and_memory(kind: str) -> None:
    """In a process that may take 1 GB of memory and 20 s of a processor."""
    found = subprocess.run([sys.executable, "-c", HUNGRY, kind], capture_output=True, text=True)
    assert (found.stdout, found.returncode) == ("refused\n", 0), found.stderr
