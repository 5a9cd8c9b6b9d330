"""The schemas of types agree with what is read: a value fits the schema if, and only if, it can be read."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from yaml_tasks import Checked, Many, Settings

from xpm_core.errors import ConfigurationError
from xpm_core.experiment_file.content.merging import Document, FileLines
from xpm_core.experiment_file.content.values import combinations
from xpm_core.experiment_file.type_schemas import SchemaWriter


def fits(cls: type, values: dict[str, Any]) -> bool:
    """Whether values fit the schema of a class; it agrees with whether they can be read."""
    writer = SchemaWriter()
    schema = {**writer.configuration(cls, whole=True), "$defs": writer.definitions}
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).is_valid(values)
    with nullcontext() if found else pytest.raises(ConfigurationError):
        combinations(cls, Document({"config": values}, FileLines(("sweep.yaml", 1))))
    return found


GOOD: list[dict[str, Any]] = [
    {},
    {"widths": [1, 2], "pair": [2, "b"], "several": [1, 0.5], "names": ["a"], "sizes": {"a": 1}},
    {"scheduler": "COSINE", "mode": 3, "maybe": None, "either": "a", "short": "abc", "file": "a/b"},
    {"day": "2024-02-29", "span": {"days": 1}, "anything": {"a": [1]}},
    {"maybe": {"grid": [None, 1]}, "widths": {"grid": {"one": [1]}}, "either": {"range": [3]}},
    {"maybe": {"range": [0, 4, 2]}, "scheduler": {"grid": ["COSINE"]}, "anything": {"grid": [1, "a"]}},
]
BAD: list[dict[str, Any]] = [
    {"width": [1]},
    {"widths": 1},
    {"widths": [0.5]},
    {"widths": [{"grid": [1]}]},
    {"pair": [1]},
    {"pair": ["b", 2]},
    {"names": ["a", "a"]},
    {"sizes": {"a": "b"}},
    {"scheduler": "LINEAR"},
    {"mode": "slower"},
    {"maybe": "a"},
    {"short": "abcd"},
    {"file": 3},
    {"span": 3},
    {"maybe": {"grid": []}},
    {"maybe": {"grid": ["a"]}},
    {"scheduler": {"range": [3]}},
    {"maybe": {"range": [0.5]}},
]


@pytest.mark.parametrize("values", GOOD)
def test_what_can_be_read_fits(values: dict[str, Any]) -> None:
    assert fits(Many, values)


@pytest.mark.parametrize("values", BAD)
def test_what_cannot_be_read_does_not_fit(values: dict[str, Any]) -> None:
    assert not fits(Many, values)


def test_nested_classes_bounds_and_required_parameters() -> None:
    good = {"optimizer": {"lr": 1}, "epochs": 1}
    assert fits(Settings, good)
    assert fits(Settings, {**good, "optimizer": {"class": "Momentum", "lr": 1, "momentum": 0.1}})
    assert fits(Settings, {**good, "optimizer": {"lr": {"logspace": [1e-3, 1, 4]}}})
    assert fits(Settings, {**good, "optimizer": {"grid": {"a": {"lr": 1}, "b": {"class": "Momentum", "lr": 1}}}})
    for wrong in (
        {"optimizer": {"lr": 1}},
        {**good, "epochs": 0},
        {**good, "epochs": {"grid": [0]}},
        {**good, "optimizer": {}},
        {**good, "optimizer": {"lr": 1, "momentum": 0.1}},
        {**good, "optimizer": {"class": "Moment", "lr": 1}},
        {**good, "optimizer": {"lr": {"logspace": [0, 1, 4]}}},
        {**good, "optimizer": {"grid": {"a": {}}}},
        {**good, "optimizer": {"grid": {}}},
    ):
        assert not fits(Settings, wrong)


def test_the_help_of_parameters_is_there() -> None:
    writer = SchemaWriter()
    writer.configuration(Settings, whole=True)
    assert writer.definitions["Optimizer"]["properties"]["lr"]["description"] == "How large a step is"


def test_a_part_needs_nothing() -> None:
    writer = SchemaWriter()
    schema = {**writer.configuration(Checked, whole=False), "$defs": writer.definitions}
    assert Draft202012Validator(schema).is_valid({"high": 3})
    assert not Draft202012Validator(schema).is_valid({"higher": 3})
