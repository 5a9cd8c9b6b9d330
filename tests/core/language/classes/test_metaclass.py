"""Members of Config and Task give way: if a user's class has something of such a name, it works as it did before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xpm_core.config import Config, Meta, Param, PathGenerator, Task, field
from xpm_core.config.attributes import ConfigAttributes, ReportingAttributes, TaskAttributes
from xpm_core.errors import DeclarationError, ExperimentError, MissingParameterError, UnsubmittedTaskError
from xpm_core.identity import seal
from xpm_core.language.graph.state import state_of

REPORTING = sorted(name for name in vars(ReportingAttributes) if not name.startswith("_"))
KINDS = (ConfigAttributes, ReportingAttributes, TaskAttributes)
NAMES = sorted(name for cls in KINDS for name in vars(cls) if not name.startswith("_"))


class Plain(Task):
    size: Param[int] = 1

    def execute(self) -> None: ...


class Keeper:
    """Comes after Task among the bases of a class."""

    state = "kept"

    def wait(self) -> str:
        return f"waited, {self.state}"


class Kept(Plain, Keeper):
    pass


class Parts:
    """Keeps what is assigned aside, and finds it by `__getattr__`, as `torch.nn.Module` does."""

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__.setdefault("parts", {})[name] = value

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["parts"][name]
        except KeyError:
            raise AttributeError(name) from None


class Network(Config, Parts):
    width: Param[int]

    def __post_init__(self) -> None:
        self.identity = "mine"


def test_members_that_give_way_are_known() -> None:
    assert REPORTING == ["log", "output", "result"]
    assert NAMES == ["identity", "log", "output", "result", "results", "state", "stderr", "stdout", "wait"]


@pytest.mark.parametrize("role", [Param, Meta])
def test_parameters_of_these_names_are_parameters(role: Any) -> None:
    annotations = dict.fromkeys(NAMES, role[int])
    made = type(Config)("Taken", (Task,), {"__annotations__": annotations, "__module__": __name__, **executable()})
    config: Any = made(**{name: number for number, name in enumerate(NAMES)})
    config.state = 7
    assert {name: getattr(config, name) for name in NAMES} == {**{n: i for i, n in enumerate(NAMES)}, "state": 7}
    live = config.instance()
    assert {name: getattr(live, name) for name in NAMES} == {name: getattr(config, name) for name in NAMES}


def test_a_parameter_of_such_a_name_without_a_value_is_missing() -> None:
    class Taken(Config):
        state: Param[int]

    assert Taken.C().missing() == ["Taken.state"]
    with pytest.raises(MissingParameterError, match=r"Taken\.state: it has no value yet"):
        _ = Taken.C().state


def test_a_generated_path_of_such_a_name_is_one() -> None:
    class Taken(Config):
        stdout: Meta[Path] = field(default_factory=PathGenerator("log.txt"))

    assert Taken.C().instance().stdout.name == "log.txt"


def test_attributes_and_methods_of_these_names_are_the_class_s_own() -> None:
    made = type(Config)("Own", (Plain,), {**dict.fromkeys(NAMES, "own"), "__module__": __name__})
    config: Any = made()
    assert [getattr(config, name) for name in NAMES] == ["own"] * len(NAMES)
    assert [getattr(config.instance(), name) for name in NAMES] == ["own"] * len(NAMES)


def test_members_of_a_later_base_are_found() -> None:
    assert (Kept.state, Kept.C().state, Kept.C().wait()) == ("kept", "kept", "waited, kept")
    live = Kept.C().instance()
    assert (live.state, live.wait()) == ("kept", "waited, kept")


def test_a_live_object_has_only_what_it_reports_with() -> None:
    live: Any = Plain.C().instance()
    assert [name for name in NAMES if hasattr(live, name)] == REPORTING
    for name in NAMES:
        setattr(live, name, name)
    assert [getattr(live, name) for name in NAMES] == NAMES


def test_what_a_base_keeps_aside_under_such_a_name_is_found() -> None:
    config = Network.C(width=3)
    assert config.instance().identity == "mine"
    assert config.identity == seal(config)


@pytest.mark.parametrize("name", NAMES)
def test_none_of_them_can_be_assigned_to_a_configuration(name: str) -> None:
    with pytest.raises(AttributeError, match=f"Plain: unknown parameter '{name}'"):
        setattr(Plain.C(), name, 3)


@pytest.mark.parametrize("name", ["state", "stdout", "stderr", "wait"])
def test_a_task_that_was_not_submitted_has_no_job_to_ask(name: str) -> None:
    with pytest.raises(UnsubmittedTaskError, match=rf"Plain\.{name}: the task made at .*\.py:\d+ was not submitted"):
        getattr(Plain.C(), name)


@pytest.mark.parametrize("name", ["state", "wait"])
def test_a_job_does_not_follow_the_tasks_that_it_uses(name: str) -> None:
    config = Plain.C()
    state_of(config).submitted = SimpleNamespace(jobpath=Path("/ws/jobs/plain/0123"))
    assert config.stdout == Path("/ws/jobs/plain/0123/plain.out")
    with pytest.raises(ExperimentError, match=rf"Plain\.{name}: a job does not follow the tasks that it uses\. Ask in"):
        getattr(config, name)


def test_a_class_may_look_whether_it_has_such_an_attribute() -> None:
    class Looks(Plain):
        def __validate__(self) -> None:
            assert not hasattr(self, "state")
            assert getattr(self, "stdout", None) is None

    assert not hasattr(Looks.C().instance(), "state")


def test_names_that_are_not_new_stay_taken() -> None:
    with pytest.raises(DeclarationError, match="'tags' is a name of Config itself"):
        type(Config)("Model", (Config,), {"__annotations__": {"tags": Param[int]}, "__module__": __name__})


def executable() -> dict[str, Any]:
    return {"execute": lambda self: None}


class Reloaded(Config):
    """Stands for a class whose module `%autoreload` loads again."""

    size: Param[int] = 1


class Holder(Config):
    inner: Param[Reloaded]


def test_class_that_autoreload_has_replaced_makes_configurations_of_the_new_one() -> None:
    before = Reloaded
    later = type(Config)(
        "Reloaded", (Config,), {"__module__": __name__, "__annotations__": {"size": Param[int]}, "size": 7}
    )
    before.__xpm_schema__ = later.__xpm_schema__  # what IPython does to the class of before
    made = before.C()
    assert (type(made), made.size) == (later, 7)
    assert Holder.C(inner=made).inner is made, "a class of another module takes it"


def test_patches_of_autoreload_are_refused_so_that_it_loads_the_module_again() -> None:
    patch = {"__name__": "IPython.extensions.deduperreload.deduperreload", "cls": Plain}
    for change in ("setattr(cls, 'size', 3)", "delattr(cls, 'execute')"):
        with pytest.raises(RuntimeError, match=r"^Plain\.\w+: the class has to be made again"):
            exec(change, patch)
    Plain.note = "anybody else may"  # type: ignore[attr-defined]
    del Plain.note  # type: ignore[attr-defined]
