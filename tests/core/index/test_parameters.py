"""Parameters in one level: the quick way and the description of the task say the same."""

from __future__ import annotations

import enum
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payload_samples import sample

from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field
from xpm_core.identity import seal
from xpm_core.index.flat_form import MOST, flattened
from xpm_core.index.parameters import flat_parameters
from xpm_core.language.identity.description import describe
from xpm_core.workspace.job_directory import JobDirectory, readable

WORKSPACE = Path("/data/workspace")
DIRECTORY = JobDirectory(WORKSPACE, f"jobs/t/{'ab' * 32}")
JOB = DIRECTORY.path


class Colour(enum.Enum):
    RED = 1


class Optim(Config):
    lr: Param[float] = 0.1
    name: Param[str] = "adam"


class Model(Config):
    layers: Param[int] = 3
    optim: Param[Optim]


class Pair(Config):
    left: Param[Any]
    right: Param[Any]


class Learn(Task):
    value: Param[Any]
    seed: Meta[int] = 0
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None: ...


def flat(task: Any) -> dict[str, Any]:
    """The parameters of a task, which must be the same by its description, also as `params.json` holds that."""
    seal(task)
    found = flat_parameters(task, DIRECTORY)
    described = describe(task, job=JOB, workspace=WORKSPACE)
    assert found == flattened(described)
    assert json.loads(json.dumps(found)) == flattened(json.loads(readable(described)))
    return found


def test_plain_values_stand_as_they_are() -> None:
    assert flat(Learn.C(value=0.5)) == {"value": 0.5, "seed": 0}
    assert flat(Learn.C(value=None, seed=3)) == {"value": None, "seed": 3}


def test_nested_configurations_are_named_by_class_and_their_parameters_follow() -> None:
    found = flat(Learn.C(value=Model.C(layers=5, optim=Optim.C(lr=0.01))))
    assert list(found.items()) == [
        ("value", "Model"),
        ("value.layers", 5),
        ("value.optim", "Optim"),
        ("value.optim.lr", 0.01),
        ("value.optim.name", "adam"),
        ("seed", 0),
    ]


def test_a_configuration_that_is_used_twice_has_its_parameters_in_both_places() -> None:
    optim = Optim.C(lr=0.5)
    found = flat(Learn.C(value=[optim, Model.C(optim=optim)]))
    assert found["value[0].lr"] == found["value[1].optim.lr"] == 0.5
    assert found["value[1].optim"] == "Optim"


def test_a_graph_in_which_each_level_is_used_twice_is_cut() -> None:
    node: Any = Optim.C()
    for _ in range(14):
        node = Pair.C(left=node, right=node)
    assert len(flat(Learn.C(value=node))) < 2 * MOST


def test_a_task_that_is_used_is_another_job() -> None:
    used = Learn.C(value=1)
    seal(used)
    used.__dict__["__xpm_state__"].submitted = type("Job", (), {"jobpath": JOB, "where": "x.py:1"})()
    found = flat(Learn.C(value=used))
    assert found["value"] == {"job": f"Learn/{used.identity[:7]}"}
    assert not any(name.startswith("value.") for name in found)
    listed = flat(Learn.C(value=[used, used]))
    assert listed["value[0]"] == listed["value[1]"] == found["value"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Colour.RED, {"enum": f"{__name__}:Colour.RED"}),
        (Path("/data/corpus"), {"path": "/data/corpus"}),
        ((1, 2), {"tuple": [1, 2]}),
        (timedelta(hours=1), {"timedelta": 3600.0}),
        (float("inf"), {"float": "inf"}),
        ([1, 2], [1, 2]),
        ({"a": 1}, {"a": 1}),
        (2**2000, {"int": hex(2**2000)}),
    ],
)
def test_other_values_stand_as_in_params_json(value: Any, written: Any) -> None:
    assert flat(Learn.C(value=value))["value"] == written


def test_the_sample_with_everything_is_the_same_both_ways() -> None:
    flat(sample())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.builds(Optim.C),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.sampled_from(["a", "b", "see", "class"]), inner, max_size=2)
            | st.builds(lambda n: Model.C(layers=n, optim=Optim.C()), st.integers())
        ),
        max_leaves=5,
    )
)
def test_both_ways_say_the_same_of_any_value(value: Any) -> None:
    task = Learn.C(value=value)
    seal(task)
    found, described = flat_parameters(task, DIRECTORY), describe(task, job=JOB, workspace=WORKSPACE)
    assert repr(found) == repr(flattened(described))  # a NaN equals nothing
