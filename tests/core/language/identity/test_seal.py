"""Configurations are sealed whole or not at all, and nothing changes them afterwards."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from helpers.training import Model, train

from xpm_core.config import Config, Param, field, state_of
from xpm_core.errors import (
    CycleError,
    NestingError,
    ParameterTypeError,
    SealedError,
    ValidationError,
)
from xpm_core.identity import seal


def test_sealed_configuration_refuses_assignment_and_says_how_to_copy() -> None:
    config = train()
    seal(config)
    with pytest.raises(SealedError, match=r"Train.seed: cannot assign 1, it is sealed. .*: train.copy\(seed=1\)\."):
        config.seed = 1
    with pytest.raises(SealedError, match=r"Model\.layers"):
        config.model.layers = 4
    assert config.copy(seed=1).seed == 1


def test_sealed_lists_dicts_and_sets_refuse_changes() -> None:
    config = train()
    config.notes = {"a": [1, {2}], "b": (3, [4])}
    seal(config)
    for change in (
        lambda: config.notes.update(c=1),
        lambda: config.notes.__setitem__("a", 1),
        lambda: config.notes["a"].append(1),
        lambda: config.notes["a"][1].add(1),
        lambda: config.notes["b"][1].sort(),
    ):
        with pytest.raises(SealedError, match="cannot be changed, its configuration is sealed"):
            change()
    assert config.notes == {"a": [1, {2}], "b": (3, [4])}
    assert type(copy.deepcopy(config.notes)) is dict
    assert type(pickle.loads(pickle.dumps(config.notes["a"]))) is list


def test_list_changed_in_place_is_checked_when_it_is_sealed() -> None:
    config = Model.C(layers=3)
    config.widths.append("x")  # type: ignore[arg-type]
    with pytest.raises(ParameterTypeError, match=r"Model.widths\[0\]: expected int, got 'x' \(str\), set at "):
        seal(config)
    config.widths[:] = [3]
    assert seal(config) == seal(Model.C(layers=3, widths=[3]))


def test_sealing_twice_gives_the_same() -> None:
    config = train()
    assert seal(config) == seal(config) == state_of(config).identity


def test_nothing_is_sealed_when_sealing_fails() -> None:
    class Wrong(Config):
        inner: Param[Model]

        def __validate__(self) -> None:
            raise ValueError("never")

    config = Wrong.C(inner=Model.C(layers=3))
    with pytest.raises(ValidationError, match=r"Wrong: its values are refused \(never\). Change the configuration"):
        seal(config)
    assert not state_of(config).sealed
    assert not state_of(config.inner).sealed
    config.inner.layers = 4


def test_configurations_are_validated_once_each_the_inner_ones_first() -> None:
    calls = []

    class Inner(Config):
        name: Param[str]

        def __validate__(self) -> None:
            calls.append(self.name)

    class Outer(Inner):
        one: Param[Inner]
        two: Param[Inner]

    shared = Inner.C(name="shared")
    outer = Outer.C(name="outer", one=shared, two=Outer.C(name="middle", one=shared, two=Inner.C(name="leaf")))
    seal(outer)
    seal(outer)
    assert calls == ["shared", "leaf", "middle", "outer"]


def test_validation_cannot_assign_and_may_assert() -> None:
    class Assigns(Config):
        size: Param[int]

        def __validate__(self) -> None:
            self.size = 4

    class Asserts(Config):
        size: Param[int]

        def __validate__(self) -> None:
            if self.size % 2:
                raise AssertionError

    with pytest.raises(SealedError, match=r"Assigns.size: cannot assign 4 in __validate__"):
        seal(Assigns.C(size=3))
    with pytest.raises(ValidationError, match=r"Asserts: its values are refused \(AssertionError in __validate__\)"):
        seal(Asserts.C(size=3))


def test_cycle_is_an_error_that_names_the_way() -> None:
    class Node(Config):
        other: Param[Node | None] = None
        items: Param[list[Node]] = field(default_factory=list)

    one, two = Node.C(), Node.C()
    one.other, two.items = two, [one]
    with pytest.raises(CycleError, match=r"Node.other.items\[0\]: this configuration contains itself, set at "):
        seal(one)


def test_configurations_are_sealed_however_deep_they_are_nested() -> None:
    class Node(Config):
        other: Param[Node | None] = None

    node = Node.C()
    for _ in range(10_000):
        node = Node.C(other=node)
    assert len(seal(node)) == 64
    assert Node.C(other=node).missing() == []


def test_values_nested_too_deep_are_an_error() -> None:
    value: Any = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(NestingError, match=r"Train.notes: its value is nested deeper than"):
        train().notes = value
