"""Live objects: what `instance()` makes of a configuration, and what may be done with them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from xpm_core.config import Config, LightweightTask, Meta, Param, PathGenerator, Task, field, state_of
from xpm_core.errors import DeclarationError, ParameterTypeError, UnknownParameterError
from xpm_core.language.graph.state import is_configuration


class Module:
    """Has what makes `torch.nn.Module` a difficult base: it keeps its parts aside, and guards assignment itself."""

    def __init__(self) -> None:
        object.__setattr__(self, "parts", {})

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self.__dict__.pop(name, None)
            self.__dict__["parts"][name] = value
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        parts = self.__dict__.get("parts", {})
        if name in parts:
            return parts[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Layer(Module, Config):
    width: Param[int]


class Network(Config, Module):
    layer: Param[Layer]
    other: Param[Layer]
    depth: Param[int] = 2
    seen: Meta[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self.before = self.depth

    def __post_init__(self) -> None:
        self.total = self.depth * self.layer.width


class Holder(Config):
    paths: Param[dict[str, Path]] = field(default_factory=dict)
    pair: Param[tuple[Any, ...]] = ()
    many: Param[set[int]] = field(default_factory=set)
    out: Meta[Path] = field(default_factory=PathGenerator("out.txt"))


def test_live_object_is_a_plain_object_of_the_same_class() -> None:
    layer = Layer.C(width=3)
    network = Network.C(layer=layer, other=layer).instance()
    assert type(network) is Network
    assert not is_configuration(network)
    assert (network.before, network.total) == (2, 6)
    assert network.layer is network.other, "what was shared is shared"
    assert set(network.parts) == {"layer", "other"}, "the other base sees its parts assigned"
    network.anything = 3  # type: ignore[attr-defined]
    network.depth = "any type"  # type: ignore[assignment]
    del network.depth


def test_configuration_refuses_what_a_base_would_take() -> None:
    layer = Layer.C(width=3)
    with pytest.raises(UnknownParameterError):
        layer.anything = 3  # type: ignore[attr-defined]
    with pytest.raises(ParameterTypeError):
        layer.width = Layer.C(width=3)  # type: ignore[assignment]
    network = Network.C(layer=layer, other=layer)
    assert network.layer is layer
    assert is_configuration(network.layer)


def test_live_objects_hold_plain_containers() -> None:
    inner = Layer.C(width=1)
    holder = Holder.C(paths={"a": Path("x")}, pair=([1, inner], inner), many={1}).instance()
    assert (type(holder.paths), type(holder.pair), type(holder.pair[0]), type(holder.many)) == (dict, tuple, list, set)
    assert holder.pair[0][1] is holder.pair[1]
    assert not is_configuration(holder.pair[1])
    holder.many.add(2)


def test_generated_path_is_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Holder.C().instance().out == tmp_path / "out.txt"


def test_live_objects_copy_as_python_objects_do() -> None:
    live = Holder.C(many={1}).instance()
    live.note = [1]  # type: ignore[attr-defined]
    twin = copy.deepcopy(live)
    assert not is_configuration(twin)
    assert (twin.many, twin.note) == ({1}, [1])  # type: ignore[attr-defined]
    assert copy.copy(live).note is live.note  # type: ignore[attr-defined]


def test_instance_seals_the_configuration() -> None:
    config = Holder.C()
    config.instance()
    assert state_of(config).sealed


class Shape(Config):
    size: Param[int] = 3


@Shape.value_class()
class HeavyShape(Shape):
    def area(self) -> int:
        return self.size**2


class Square(Shape):
    name: Param[str] = "square"


def test_value_class_is_the_class_of_live_objects() -> None:
    live = Shape.C(size=4).instance()
    assert isinstance(live, HeavyShape)
    assert live.area() == 16
    assert Shape.XPMValue is HeavyShape
    assert type(Square.C().instance()) is Square


def test_value_class_has_to_derive_from_the_class_and_its_bases_value_classes() -> None:
    with pytest.raises(
        DeclarationError, match="Other: it does not derive from Shape, as a value class of Shape has to"
    ):

        @Shape.value_class()
        class Other(Config):
            pass

    with pytest.raises(DeclarationError, match="it does not derive from HeavyShape, as a value class of Square has to"):

        @Square.value_class()
        class HeavySquare(Square):
            pass

    with pytest.raises(DeclarationError, match="it declares the parameter 'more', and is the value class of Shape"):

        @Shape.value_class()
        class More(HeavyShape):
            more: Param[int] = 3


def test_abstract_tasks_make_no_configurations() -> None:
    class Unfinished(Task):
        pass

    class Light(LightweightTask):
        pass

    for cls in (Unfinished, Light):
        with pytest.raises(DeclarationError, match="it has no method execute"):
            cls.C()  # type: ignore[abstract]
