"""What people read of a job, its params.json, says the same as its payload; a word that was changed is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from exchange_tasks import Model, Noted, Prepare, Train
from helpers.payloads import submitted
from hypothesis import given
from hypothesis import strategies as st
from payload_samples import Access, Colour, sample

from xpm_core.config import Config, Param, Task, deprecate
from xpm_core.exchange.identities.descriptions import description_problem
from xpm_core.exchange.identities.verifier import Verifier
from xpm_core.identity import seal
from xpm_core.language.identity.description import describe
from xpm_core.wire.packer import Packer


class Holder(Config):
    value: Param[Any] = None


class Keeper(Config):
    value: Param[Noted]


def holder(value: Any) -> Any:
    return Keeper.C(value=value) if isinstance(value, Noted) else Holder.C(value=value)


class Work(Task):
    size: Param[int]

    def execute(self) -> None:
        pass


@deprecate(Work)
class Former(Task):
    size: Param[int]

    def execute(self) -> None:
        pass

    def __convert__(self) -> Any:
        return Work.C(size=self.size)


def no_part(digest: bytes) -> bytes:
    raise AssertionError


def problem_of(config: Any, change: Callable[[dict[str, Any]], object] = lambda said: None) -> str:
    """What is found of a configuration and its description after a change."""
    identity = seal(config)
    said = json.loads(json.dumps(describe(config, workspace=Path("/ws"))))
    change(said)
    return description_problem(said, Verifier(no_part).verify(Packer(config, Path("/ws")).data({}), identity))


def train(**values: Any) -> Any:
    return Train.C(
        **{"lr": 0.1, "data": submitted(Prepare.C(seed=1), Path("/ws")), "model": Model.C(layers=3)} | values
    )


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.datetimes(timezones=st.just(timezone.utc) | st.none()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.sampled_from(
        [Colour.RED, Access.READ, Access.READ | Access.WRITE, Path("/x"), Path("/ws/y"), Path("/ws"), 2**2000]
    ),
    st.builds(lambda layers: Model.C(layers=layers), st.integers(0, 2)),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.binary(), st.dates())


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    flat = st.lists(st.one_of(st.integers(), st.text(), st.dates(), st.sampled_from([Colour.RED])))
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        flat.map(set),
        flat.map(frozenset),
        flat.map(lambda items: {(item, item) for item in items}),
    )


@given(st.recursive(ATOMS, nested, max_leaves=12) | st.builds(Noted, st.integers(), st.text(), st.text()))
def test_the_description_of_any_value_fits(value: Any) -> None:
    assert problem_of(holder(value)) == ""


def test_a_description_that_says_the_same_fits() -> None:
    assert problem_of(train()) == ""
    assert problem_of(sample()) == ""
    model = Model.C(layers=3)
    assert problem_of(train(model=model, extra=[model, {"a.b": (model, model)}])) == ""


def test_the_description_of_a_deprecated_task_fits() -> None:
    with pytest.warns(DeprecationWarning, match="Former"):
        former = Former.C(size=3)
    assert problem_of(former) == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda said: said.update(identity="0" * 64), "identity"),
        (lambda said: said.update(task="other:Task"), "task"),
        (lambda said: said.update(see="Train", parameters={"lr": 9.0}), "stands for another"),
        (lambda said: said["parameters"].update(lr=0.5), "lr has another value"),
        (lambda said: said["parameters"].pop("lr"), "lr"),
        (lambda said: said["parameters"]["model"]["parameters"].update(layers=4), "model.layers has another value"),
        (lambda said: said["parameters"]["model"].update(see="x", parameters={}), "model stands for another"),
        (lambda said: said["parameters"].update(model={"see": "Train.data"}), "model stands for another"),
        (lambda said: said["parameters"]["model"].update({"class": "models:SVM"}), "model has another class"),
        (lambda said: said["parameters"]["model"].update(job={"path": "x"}), "model is a job in one of both only"),
        (lambda said: said["parameters"]["data"].pop("job"), "data is a job in one of both only"),
        (lambda said: said["parameters"]["data"].update(identity="1" * 64), "data has another identity"),
        (lambda said: said["parameters"].update(extra=False), "extra has another value"),
        (lambda said: said["parameters"].update(model="MLP"), "model"),
    ],
)
def test_a_description_that_says_something_else_is_found(
    change: Callable[[dict[str, Any]], object], problem: str
) -> None:
    assert problem in problem_of(train(), change)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ((3, 0.1), {"tuple": [3, 0.2]}),
        ((3,), [3]),
        ({1, 2}, {"set": [1, 3]}),
        (frozenset("a"), {"frozenset": ["b"]}),
        ({1: "a"}, {"dict": [[1, "b"]]}),
        ({1: "a"}, {"dict": [[2, "a"]]}),
        ({1: "a"}, {"dict": [1]}),
        ({}, {"dict": [[1, 2]]}),
        (b"a", {"bytes": "62"}),
        (timedelta(1), {"timedelta": 1}),
        (date(2026, 1, 1), {"date": "2025-01-01"}),
        (datetime(2026, 1, 1), {"text": "yesterday"}),
        (time(1), {"time": "02:00:00"}),
        (Colour.RED, {"enum": "payload_samples:Colour.BLUE"}),
        (Access.READ, {"enum": "payload_samples:Colour.READ"}),
        (Path("/x"), {"path": "/y"}),
        (Path("/x"), "/x"),
        (Noted(1), {"object": {"class": "exchange_tasks:Noted", "fields": {"start": 2, "note": "", "place": ""}}}),
        (Noted(1), {"object": {"class": "exchange_tasks:Noted", "fields": {}}}),
        (Noted(1), {"object": {"class": "other:Noted", "fields": {"start": 1, "note": "", "place": ""}}}),
        (2**2000, {"int": "0x1"}),
        (float("inf"), {"float": "nan"}),
        (1, True),
        (1.0, True),
    ],
)
def test_another_value_is_found(value: Any, said: Any) -> None:
    assert "value" in problem_of(holder(value), lambda whole: whole["parameters"].update(value=said))
