"""The identity that a configuration would have before a change: it is the one that it had before that change."""

from __future__ import annotations

from typing import Any

import pytest

from xpm_core.config import Config, LightweightTask, Param, Task, deprecate, field
from xpm_core.identity import seal
from xpm_core.language.graph.state import state_of
from xpm_core.language.identity.former_identity import Change, former_identity
from xpm_core.language.parameters.schema import schema_of


class Model(Config):
    __xpmid__ = "model"
    width: Param[int] = 3


class Load(LightweightTask):
    __xpmid__ = "load"
    model: Param[Model]

    def execute(self) -> None: ...


class Train(Task):
    __xpmid__ = "train"
    model: Param[Model]
    models: Param[list[Model]] = field(default_factory=list)

    def execute(self) -> None: ...


def classes(*, model: str = "model", power: Any = None, factory: Any = None) -> tuple[Any, Any, Any]:
    """The same three classes, as they might be after a change."""
    body: dict[str, Any] = {"__xpmid__": model, "__module__": __name__, "width": 3}
    annotations: dict[str, Any] = {"width": Param[int]}
    if power is not None or factory is not None:
        annotations["power"] = Param[Any]
        body["power"] = power if factory is None else field(default_factory=factory)
    made: Any = type(Config)("Model", (Config,), {**body, "__annotations__": annotations})
    load = type(Config)(
        "Load",
        (LightweightTask,),
        {
            "__xpmid__": "load",
            "__module__": __name__,
            "__annotations__": {"model": Param[made]},
            "execute": lambda self: None,
        },
    )
    train = type(Config)(
        "Train",
        (Task,),
        {
            "__xpmid__": "train",
            "__module__": __name__,
            "__annotations__": {"model": Param[made], "models": Param[list[made]]},
            "models": field(default_factory=list),
            "execute": lambda self: None,
        },
    )
    return made, load, train


def built(model: Any, load: Any, train: Any, **values: Any) -> Any:
    """A task with the model in each place where a configuration can be."""
    shared = model(width=5, **values)
    task = train(model=shared, models=[model(), shared])
    source = train(model=model(width=9))
    seal(source)
    state_of(task.models[0]).source = source
    state_of(task).init_tasks = (load(model=model()),)
    seal(task)
    return task


BEFORE = seal(built(Model, Load, Train))


@pytest.mark.parametrize(
    "given",
    [{"power": 2}, {"power": "x"}, {"power": 0.5}, {"factory": list}, {"factory": lambda: Model.C(width=8)}],
    ids=["int", "str", "float", "list", "configuration"],
)
def test_without_a_new_parameter_at_its_default_it_is_what_it_was(given: dict[str, Any]) -> None:
    model, load, train = classes(**given)
    task = built(model, load, train)
    parameter = schema_of(model()).parameters["power"]
    assert seal(task) != BEFORE
    assert former_identity(task, Change(model, parameter), {}) == BEFORE
    other = built(model, load, train, power=7)
    assert former_identity(other, Change(model, parameter), {}) not in (BEFORE, seal(task))


def test_under_its_former_name_it_is_what_it_was() -> None:
    model, load, train = classes(model="other")
    task = built(model, load, train)
    assert seal(task) != BEFORE
    assert former_identity(task, Change(model, name="model"), {}) == BEFORE


def test_with_no_change_that_concerns_it_it_is_what_it_is() -> None:
    task = built(Model, Load, Train)
    assert former_identity(task, Change(int), {}) == BEFORE


def test_a_deprecated_class_counts_as_the_one_that_replaces_it() -> None:
    @deprecate(Model)
    class Old(Config):
        size: Param[int]

        def __convert__(self) -> Model:
            return Model.C(width=self.size)

    with pytest.deprecated_call():
        old = Old.C(size=5)
    assert seal(old) == former_identity(old, Change(int), {}) == seal(Model.C(width=5))
