"""Configurations from plain values: what each value becomes, and that a refusal names the path."""

from __future__ import annotations

from datetime import date, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from dict_samples import CNN, FULL, MLP, Adam, Learn, Loss, Mode, Optimizer, Range, Wide

from xpm_core import Config, Param, field
from xpm_core.config import deprecate
from xpm_core.errors import (
    ConfigurationError,
    CycleError,
    NestingError,
    ParameterTypeError,
    ParameterValueError,
    SealedError,
    UnknownParameterError,
)
from xpm_core.identity import seal


def test_values_become_what_the_parameters_declare() -> None:
    learn = Learn.from_dict(FULL)
    assert (learn.epochs, learn.lr, learn.name, learn.amp, learn.maybe) == (3, 1e-4, "no", True, 4)
    assert (learn.loss, learn.losses) == (Loss.HINGE, {Loss.CROSS: 0.5, Loss.HINGE: 1.5})
    assert (learn.mode, learn.window, learn.names) == (Mode.FAST | Mode.SAFE, (2, 0.25), ("a", "b"))
    assert (learn.folds, learn.by_number) == ({1, 2}, {1: ["x"], 2: []})
    assert (learn.since, learn.daily) == (date(2024, 2, 29), time(12, 30))
    assert learn.at is not None
    assert learn.at.utcoffset() == timedelta(hours=1)
    assert (learn.span, learn.key) == (timedelta(days=1, seconds=30, microseconds=5), b"\x00\xff")
    assert (learn.data, learn.range, learn.wide) == (Path("/data/x"), Range(2, 5), Wide(Size=4))
    assert (type(learn.optimizer), learn.optimizer.lr) == (Adam, 0.3)
    assert [type(each) for each in learn.optimizers.values()] == [Optimizer, Adam]
    assert (type(learn.model), type(learn.base)) == (CNN, MLP)
    assert learn.loader is not None
    assert learn.loader.items == [Path("/a"), Path("/b")]


def test_dict_of_a_configuration_makes_an_equal_one() -> None:
    learn = Learn.from_dict(FULL)
    assert learn.to_dict() == FULL
    assert seal(Learn.from_dict(learn.to_dict())) == seal(learn)
    assert seal(Learn.from_dict(Learn.C().to_dict())) == seal(Learn.C())


def test_yaml_of_a_configuration_makes_an_equal_one() -> None:
    learn = Learn.from_dict(FULL)
    text = yaml.safe_dump(learn.to_dict(), sort_keys=False)
    assert seal(Learn.from_yaml(StringIO(text))) == seal(learn)


def test_what_has_no_entry_keeps_its_default_or_is_missing() -> None:
    assert MLP.from_dict({}).missing() == ["MLP.layers"]
    assert seal(Learn.from_dict({})) == seal(Learn.C())


def test_values_of_Python_are_taken_as_they_are() -> None:
    given = {"loss": Loss.HINGE, "data": Path("x"), "window": (2, 0.5), "optimizer": Adam.C(lr=0.3), "range": Range(3)}
    learn = Learn.from_dict({**given, "since": date(2024, 1, 1), "folds": {1}})
    assert {name: getattr(learn, name) for name in given} == given


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ({"epochs": "3"}, ParameterTypeError, "Learn.epochs: expected int, got '3' (str), set at "),
        ({"epochs": 3.0}, ParameterTypeError, "Learn.epochs: expected int, got 3.0 (float), set at "),
        ({"amp": 1}, ParameterTypeError, "Learn.amp: expected bool, got 1 (int), set at "),
        ({"name": 3}, ParameterTypeError, "Learn.name: expected str, got 3 (int), set at "),
        ({"share": 1.5}, ParameterValueError, "Learn.share: expected float > 0 and < 1, got 1.5 (float), set at "),
        ({"loss": "hinge"}, ParameterTypeError, "Learn.loss: expected Loss, got 'hinge' (str), set at "),
        ({"losses": {"X": 1.0}}, ParameterTypeError, "Learn.losses{key 'X'}: expected Loss, got 'X' (str), set at "),
        ({"layers": [1, "2"]}, ParameterTypeError, "Learn.layers[1]: expected int, got '2' (str), set at "),
        ({"layers": 3}, ParameterTypeError, "Learn.layers: expected list[int], got 3 (int), set at "),
        ({"window": [1]}, ParameterValueError, "Learn.window: expected tuple[int, float], got [1] (list), set at "),
        ({"folds": [1, 1]}, ParameterValueError, "Learn.folds: expected set[int], got [1, 1] (list), set at "),
        ({"by_number": {"1": []}}, ParameterTypeError, "Learn.by_number{key '1'}: expected int, got '1' (str), set at"),
        ({"by_number": {1: [2]}}, ParameterTypeError, "Learn.by_number[1][0]: expected str, got 2 (int), set at "),
        ({"since": "today"}, ParameterTypeError, "Learn.since: expected date | None, got 'today' (str), set at "),
        ({"span": {"days": 0.5}}, ParameterTypeError, "Learn.span: expected timedelta, got {'days': 0.5} (dict), set "),
        ({"key": "&"}, ParameterTypeError, "Learn.key: expected bytes, got '&' (str), set at "),
        ({"lerning": 3}, UnknownParameterError, "Learn: unknown parameter 'lerning', set at "),
        ({"epoch": 3}, UnknownParameterError, "Learn: unknown parameter 'epoch', set at "),
        ({"optimizer": {"l": 3}}, UnknownParameterError, "Learn.optimizer: unknown parameter 'l', set at "),
        ({"optimizer": 3}, ParameterTypeError, "Learn.optimizer: expected Optimizer, got 3 (int), set at "),
        ({"optimizers": {"a": {"lr": ""}}}, ParameterTypeError, "Learn.optimizers['a'].lr: expected float, got ''"),
        ({"optimizer": {"class": "Adan"}}, ParameterValueError, "Learn.optimizer: class: 'Adan' is none of the "),
        ({"optimizer": {"class": "MLP"}}, ParameterValueError, "Learn.optimizer: class: 'MLP' is none of the "),
        ({"model": {"width": 3}}, ParameterValueError, "Learn.model: it could be MLP or CNN, set at "),
        ({"base": {"width": 3}}, ParameterValueError, "Learn.base: Model has no method forward, so none can be made"),
        ({"loader": {"items": [3]}}, ParameterTypeError, "Learn.loader.items[0]: expected Path, got 3 (int), set at "),
        ({"range": {"lo": 3}}, UnknownParameterError, "Learn.range: unknown parameter 'lo', set at "),
        ({"range": {"low": "3"}}, ParameterTypeError, "Learn.range.low: expected int, got '3' (str), set at "),
        ({"range": {"high": 3}}, ParameterValueError, "Learn.range: Range refuses its fields ("),
        ({"wide": {"size": 0}}, ParameterValueError, "Learn.wide.size: expected int > 0, got 0 (int), set at "),
        ({"version": 2}, SealedError, "Learn.version: cannot set 2, it is a constant, set at "),
        ({"either": 3}, ParameterTypeError, "Learn.either: expected str | list[str] | dict[str, int], got 3"),
        ({"either": {"a": ""}}, ParameterTypeError, "Learn.either['a']: expected int, got '' (str), set at "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(
    values: dict[str, Any], kind: type[ConfigurationError], said: str
) -> None:
    with pytest.raises(kind) as error:
        Learn.from_dict(values)
    assert str(error.value).startswith(said)
    assert "test_dict_reader.py:" in str(error.value)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'?"),
        ({"loss": "hinge"}, "Write CROSS or HINGE."),
        ({"optimizer": {"class": "Adan"}}, "Did you mean 'Adam'?"),
        ({"optimizer": {"class": "MLP"}}, "There are: Adam, Optimizer."),
        ({"model": {"width": 3}}, "Name the class: class: MLP."),
        ({"base": {"width": 3}}, "Name a class: class: CNN, MLP."),
        ({"window": [1]}, "Write 2 items, not 1."),
        ({"folds": [1, 1]}, "Write each item once."),
        ({"optimizer": 3}, "Write a dict of the parameters of Optimizer."),
        ({"span": {"days": 0.5}}, "Write it as {days: 1, seconds: 30} (got {'days': 0.5})."),
    ],
)
def test_error_says_what_to_write(values: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Learn.from_dict(values)
    assert str(error.value).endswith(remedy)


def test_dict_that_contains_itself_is_refused() -> None:
    class Node(Config):
        next: Param[Node | None] = None

    values: dict[str, Any] = {}
    values["next"] = values
    with pytest.raises(CycleError, match=r"Node\.next: it contains itself"):
        Node.from_dict(values)


def test_dict_that_is_nested_too_deep_is_refused() -> None:
    class Node(Config):
        next: Param[Node | None] = None

    values: dict[str, Any] = {}
    for _ in range(10_000):
        values = {"next": values}
    with pytest.raises(NestingError, match=r"Node: its values are nested deeper than"):
        Node.from_dict(values)


def test_deprecated_names_are_followed() -> None:
    class New(Config):
        values: Param[list[int]] = field(default_factory=list)

        @deprecate
        def value(self, value: int) -> None:
            self.values = [value]

    with pytest.warns(DeprecationWarning, match=r"New\.value is deprecated"):
        assert New.from_dict({"value": 3}).values == [3]
