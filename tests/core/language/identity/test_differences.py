"""What makes two identities differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xpm_core import Config, Meta, Param, Task, field
from xpm_core.config import InstanceConfig, state_of
from xpm_core.identity import seal
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.differences import ABSENT, Difference, differences

pytestmark = pytest.mark.slow


class Loss(Enum):
    CROSS = 1
    HINGE = 2


@dataclass
class Range:
    low: int
    high: int = 9


class Encoder(Config):
    width: Param[int] = 8


class Model(Config):
    encoder: Param[Encoder] = field(default=Encoder.C())
    threads: Meta[int] = 1


class Deep(Model):
    layers: Param[list[int]] = field(default_factory=list)


class Part(InstanceConfig):
    size: Param[int] = 1


class Prepare(Task):
    seed: Param[int] = 0

    def execute(self) -> None: ...


class Learn(Task):
    epochs: Param[int] = 1
    anything: Param[Any] = None
    model: Param[Model] = field(default=Model.C())
    models: Param[list[Model]] = field(default_factory=list)
    named: Param[dict[str, int]] = field(default_factory=dict)
    numbered: Param[dict[int, int]] = field(default_factory=dict)
    losses: Param[dict[Loss, int]] = field(default_factory=dict)
    window: Param[tuple[int, int]] = (1, 2)
    folds: Param[set[int]] = field(default_factory=set)
    range: Param[Range] = Range(1)
    first: Param[Part] = field(default=Part.C())
    second: Param[Part] = field(default=Part.C())
    data: Param[Prepare | None] = None
    seed: Param[int] = field(default=0, ignore_default=True)
    path: Meta[Path] = Path("x")

    def execute(self) -> None: ...


def compared(first: dict[str, Any], second: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The parameters that count and differ between two configurations with these values."""
    found = differences(describe(Learn.C(**first)), describe(Learn.C(**second)))
    return [(each.path, each.first, each.second) for each in found if each.counted]


def test_parameters_are_named_by_path() -> None:
    assert compared({}, {}) == []
    assert compared({"epochs": 1}, {"epochs": 2}) == [("epochs", 1, 2)]
    assert compared({}, {"model": Model.C(encoder=Encoder.C(width=9))}) == [("model.encoder.width", 8, 9)]
    assert compared({"models": [Model.C()]}, {"models": [Model.C(), Model.C()]}) == [("models[1]", ABSENT, "Model")]
    assert compared({"named": {"a": 1, "b": 2}}, {"named": {"a": 3, "c": 4}}) == [
        *[("named['a']", 1, 3), ("named['b']", 2, ABSENT), ("named['c']", ABSENT, 4)]
    ]
    assert compared({"numbered": {1: 1}}, {"numbered": {1: 2}}) == [("numbered[1]", 1, 2)]
    assert compared({"losses": {Loss.CROSS: 1}}, {"losses": {Loss.CROSS: 2}}) == [
        (f"losses[{Loss.__module__}:Loss.CROSS]", 1, 2)
    ]
    assert compared({"window": (1, 2)}, {"window": (1, 3)}) == [("window[1]", 2, 3)]
    assert compared({"folds": {1}}, {"folds": {2}}) == [("folds", {"set": [1]}, {"set": [2]})]
    assert compared({"range": Range(1)}, {"range": Range(1, 2)}) == [("range.high", 9, 2)]
    assert compared({}, {"seed": 3}) == [("seed", 0, 3)]


def test_values_of_other_types_differ() -> None:
    assert compared({"anything": 1}, {"anything": 1.0}) == [("anything", 1, 1.0)]
    assert compared({"anything": [True]}, {"anything": [1]}) == [("anything[0]", True, 1)]
    assert compared({"anything": "a"}, {"anything": Path("a")}) == [("anything", "a", {"path": "a"})]


def test_other_class_is_told_by_its_name_alone() -> None:
    assert compared({}, {"model": Deep.C(layers=[1])}) == [("model", "Model", "Deep")]


def test_what_does_not_count_comes_last_and_is_marked() -> None:
    first = describe(Learn.C(path=Path("a"), model=Model.C(threads=1)))
    second = describe(Learn.C(path=Path("b"), model=Model.C(threads=2), epochs=5))
    assert differences(first, second) == [
        Difference("epochs", 1, 5),
        Difference("model.threads", 1, 2, counted=False),
        Difference("path", {"path": "a"}, {"path": "b"}, counted=False),
    ]


def test_shared_configuration_is_looked_up_where_it_is_told() -> None:
    one, other = Model.C(encoder=Encoder.C(width=1)), Model.C(encoder=Encoder.C(width=2))
    assert compared({"models": [one, one]}, {"models": [one, other]}) == [("models[1].encoder.width", 1, 2)]
    assert compared({"models": [one, one]}, {"models": [other, other]}) == [("models[0].encoder.width", 1, 2)]


def test_sharing_is_told_when_nothing_else_differs() -> None:
    part = Part.C()
    shared, apart = {"first": part, "second": part}, {"first": Part.C(), "second": Part.C()}
    assert compared(shared, apart) == [("second", "the same as Learn.first", "one of its own")]
    assert compared({**shared, "epochs": 2}, apart) == [("epochs", 2, 1)]


def test_parameters_of_a_task_that_is_used_are_compared() -> None:
    assert compared({"data": Prepare.C(seed=1)}, {"data": Prepare.C(seed=2)}) == [("data.seed", 1, 2)]
    assert compared({}, {"data": Prepare.C()}) == [("data", None, "Prepare")]


def test_maker_of_a_configuration_is_compared_by_its_own_description() -> None:
    makers = [Prepare.C(seed=seed) for seed in (1, 2)]
    described = []
    for number, maker in enumerate(makers):
        model = Model.C()
        seal(maker)
        state_of(model).source = maker
        description = describe(Learn.C(model=model))
        description["parameters"]["model"]["made by"]["job"] = {"path": f"jobs/{number}", "in": "workspace"}
        described.append(description)
    jobs = {f"jobs/{number}": describe(maker) for number, maker in enumerate(makers)}
    found = differences(described[0], described[1], lambda job: jobs.get(job["path"]))
    assert found == [Difference("model.made by.seed", 1, 2)]
    [unknown] = differences(*described)
    assert unknown.path == "model.made by"
    assert unknown.first == f"Prepare {describe(makers[0])['identity'][:7]}"


def test_diamonds_are_compared_once() -> None:
    class Node(Config):
        left: Param[Node | None] = None
        right: Param[Node | None] = None
        value: Param[int] = 0

    def diamond(value: int) -> Node:
        node = Node.C(value=value)
        for _ in range(30):
            node = Node.C(left=node, right=node)
        return node

    found = differences(describe(diamond(1)), describe(diamond(2)))
    assert [(each.first, each.second) for each in found] == [(1, 2)]


class Link(Task):
    before: Param[Task]

    def execute(self) -> None: ...


def test_difference_is_found_at_the_far_end_of_a_long_chain() -> None:
    told: dict[str, Any] = {}

    def end_of_chain(seed: int) -> Any:
        task: Any = Prepare.C(seed=seed)
        for _ in range(1000):
            described = describe(task)
            told[described["identity"]] = described
            state_of(task).submitted = SimpleNamespace(jobpath=Path("jobs") / described["identity"], where="here")
            task = Link.C(before=task)
        return describe(task)

    found = differences(end_of_chain(1), end_of_chain(2), lambda job: told[Path(job["path"]).name])
    assert found == [Difference(".".join(["before"] * 1000 + ["seed"]), 1, 2)]
