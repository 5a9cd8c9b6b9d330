"""params.json takes every value that a parameter takes: each one reaches a job, and is written down there."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers.payloads import loaded
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.config import Config, Param, Task
from xpm_core.errors import ParameterTypeError
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.differences import differences
from xpm_core.wire import live_task
from xpm_core.workspace.job_directory import readable

WORKSPACE = Path("/data/workspace")


class Colour(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Model(Config):
    value: Param[Any] = None


class Learn(Task):
    value: Param[Any]

    def execute(self) -> None: ...


def written(value: Any, **tags: Any) -> Any:
    """What params.json holds of a task with a value, after that has gone to a job."""
    learn = Learn.C(value=value)
    for name, label in tags.items():
        learn.tag(name, label)
    found = json.loads(readable(live_task.params(loaded(learn, WORKSPACE))))
    assert found == json.loads(readable(describe(learn, workspace=WORKSPACE)))
    return found


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: (1, value)], ids=["set", "set in a tuple"])
def test_equal_sets_of_sets_are_written_alike(wrap: Callable[[Any], Any]) -> None:
    one, other = frozenset([0, 8]), frozenset([8, 0])
    assert list(one) != list(other), "equal, but not of one order"
    assert written({wrap(one), wrap(frozenset([5]))}) == written({wrap(other), wrap(frozenset([5]))})


def test_integers_without_end_are_written() -> None:
    assert written(2**1023)["parameters"]["value"] == 2**1023
    assert written(-(2**1024))["parameters"]["value"] == {"int": hex(-(2**1024))}
    huge = 10**5000
    assert written({huge, 1})["parameters"]["value"] == {"set": [1, {"int": hex(huge)}]}
    assert written({huge: [huge]})["parameters"]["value"] == {"dict": [[{"int": hex(huge)}, [{"int": hex(huge)}]]]}


def test_names_that_are_no_text_are_written() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert written(Path("/data", name))["parameters"]["value"] == {"path": f"/data/{name}"}
    assert written(name, note=name)["parameters"]["value"] == name
    assert written({name: 1}, note=name)["tags"] == {"note": name}
    assert b"caf\\udce9" in readable({"name": name}), "as JSON writes it, so that the file is UTF-8"


def test_large_tags_reach_the_job() -> None:
    assert written(1, size=2**70)["tags"] == {"size": 2**70}
    with pytest.raises(ParameterTypeError, match=r"tag: an int of 16610 bits cannot be a tag"):
        Learn.C(value=1).tag("size", 10**5000)


def test_members_of_a_flag_are_written_by_name_or_number() -> None:
    assert written(Access.READ)["parameters"]["value"] == {"enum": f"{__name__}:Access.READ"}
    assert written(Access(0))["parameters"]["value"] == {"enum": f"{__name__}:Access.0"}


def test_long_integers_are_compared_and_shown() -> None:
    first, second = (describe(Learn.C(value={10**5000: number})) for number in (1, 2))
    assert [each.path for each in differences(first, second)] == [f"value[{hex(10**5000)}]"]
    with pytest.raises(ParameterTypeError, match=r"Learn\.value\[0x[0-9a-f]*\]: expected a value that"):
        Learn.C(value={10**5000: object()})
    with pytest.raises(ParameterTypeError, match=r"expected a value that .*, got a Long, too long to be shown"):
        Learn.C(value={3: Long([10**5000])})
    assert hex(10**5000) in repr(Learn.C(value=10**5000))


class Long(list[Any]):
    _fields = ()


names = st.binary(min_size=1, max_size=6).filter(lambda name: b"\0" not in name).map(os.fsdecode)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**17000), 2**17000)
    | st.floats()
    | st.text(st.characters(), max_size=6)
    | names
    | st.binary(max_size=6)
    | names.map(lambda name: Path("/data", name))
    | st.sampled_from([Colour.RED, *Access, Access(0), datetime.max, timedelta.max, timedelta.min])
)
keys = scalars | st.tuples(scalars, scalars) | st.frozensets(scalars, max_size=3)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=4)
    pairs = st.dictionaries(keys, inner, max_size=4)
    models = inner.map(lambda value: Model.C(value=value))
    return several | several.map(tuple) | pairs | st.sets(keys, max_size=4) | models


@given(st.recursive(scalars, containers, max_leaves=12))
def test_what_can_be_sealed_is_packed_read_and_written(value: Any) -> None:
    written(value)
