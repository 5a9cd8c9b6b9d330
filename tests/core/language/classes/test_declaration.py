"""What classes declare: parameters, defaults, inheritance, overriding, generic classes."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Generic, Literal, Optional, TypeVar

import pytest

from xpm_core.config import Config, Constant, Meta, Param, Task, field
from xpm_core.errors import DeclarationError, ParameterTypeError, SealedError
from xpm_core.identity import seal

T = TypeVar("T")
U = TypeVar("U")


class Optimiser(Config):
    rate: Param[float]
    steps: Param[int] = 10
    name: Meta[str] = "plain"


class Adam(Optimiser):
    beta: Param[float] = field(default=0.9)


class Node(Config):
    child: Param[Node | None] = None
    later: Param[Defined | None] = None


class Defined(Config):
    pass


def test_parameters_of_bases_come_first() -> None:
    assert list(Adam.__xpm_schema__.parameters) == ["rate", "steps", "name", "beta"]
    assert Adam.C(rate=1, beta=0.5).rate == 1.0


def test_class_attribute_of_a_parameter_describes_it() -> None:
    assert repr(Optimiser.steps) == "<param Optimiser.steps: int>"


def test_mutable_defaults_are_never_shared() -> None:
    class Model(Config):
        layers: Param[list[int]] = []  # noqa: RUF012 -- the very thing that is tested
        inner: Param[Optimiser] = Optimiser.C(rate=1)
        made: Param[list[int]] = field(default_factory=list)

    one, two = Model.C(), Model.C()
    one.layers.append(3)
    one.made.append(3)
    one.inner.rate = 5
    assert (two.layers, two.made, two.inner.rate) == ([], [], 1.0)


def test_default_of_a_wrong_type_is_an_error_in_the_class() -> None:
    with pytest.raises(DeclarationError, match=r"Model.size: the default: expected int, got '3' \(str\)"):

        class Model(Config):
            size: Param[int] = "3"  # type: ignore[assignment]


@pytest.mark.parametrize("name", ["tag", "tags", "copy", "submit", "execute", "__hidden__"])
def test_names_of_config_itself_cannot_be_parameters(name: str) -> None:
    with pytest.raises(DeclarationError, match="is a name of Config itself"):
        type(Config)("Model", (Task,), {"__annotations__": {name: Param[int]}, "__module__": __name__})


def test_constant_has_a_value_that_cannot_be_assigned() -> None:
    class Model(Config):
        version: Constant[str] = "2.1"

    assert Model.C().version == "2.1"
    with pytest.raises(SealedError, match=r"Model.version: cannot assign '3', it is a constant, set at .*:\d+"):
        Model.C(version="3")
    with pytest.raises(DeclarationError, match="a constant has no value"):

        class Wrong(Config):
            version: Constant[str]


def test_overriding_without_saying_so_warns() -> None:
    with pytest.warns(UserWarning, match=r"Child.rate replaces the parameter of Optimiser"):

        class Child(Optimiser):
            rate: Param[float]


def test_overriding_needs_a_type_that_fits() -> None:
    class Narrow(Config):
        inner: Param[Optimiser]
        size: Param[float | None]

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Narrower(Narrow):
            inner: Param[Adam] = field(overrides=True)
            size: Param[int] = field(overrides=True)

    with pytest.raises(ParameterTypeError):
        Narrower.C(inner=Optimiser.C(rate=1))  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match=r"Other.inner: its type Node does not fit that of Narrow, Optimiser"):

        class Other(Narrow):
            inner: Param[Node] = field(overrides=True)  # type: ignore[assignment]


def test_overriding_may_widen_if_it_says_so() -> None:
    class Narrow(Config):
        inner: Param[Optimiser]
        size: Param[int]

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Wider(Narrow):
            inner: Param[Config] = field(overrides=True)  # type: ignore[assignment]
            size: Param[int | str | None] = field(overrides=True, default=None)  # type: ignore[assignment]

        class Below(Wider):
            pass

    assert Below.C(inner=Node.C(later=Defined.C()), size="x").size == "x"
    with pytest.warns(UserWarning, match=r"Silent.size replaces the parameter of Narrow by a wider type, int \| str\."):

        class Silent(Narrow):
            size: Param[int | str]  # type: ignore[assignment]

    assert Silent.C(inner=Optimiser.C(rate=1), size="x").size == "x"


def test_two_bases_widen_nothing_by_themselves() -> None:
    class Narrow(Config):
        size: Param[int]

    class Wide(Config):
        size: Param[int | str]

    with pytest.raises(DeclarationError, match=r"Both.size: its type int \| str does not fit that of Narrow, int"):

        class Both(Wide, Narrow):
            pass


def test_optional_parameter_without_a_default_is_none() -> None:
    class Model(Config):
        size: Param[Optional[int]]  # noqa: UP045
        inner: Meta[Optimiser | None] = field(ignored=True)
        given: Param[int | None] = 3
        fixed: Param[Literal["a"] | None]
        item: Param[list[int | None]]

    model = Model.C(item=[None])  # type: ignore[call-arg]
    assert (model.size, model.inner, model.given, model.fixed) == (None, None, 3, None)
    assert Model.C().missing() == ["Model.item"]  # type: ignore[call-arg]
    assert seal(model) == seal(Model.C(item=[None], size=None, fixed=None))
    for parameter in Model.__doc_params__[:2]:
        assert (parameter.default, parameter.required) == (None, False)


def test_overriding_nothing_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="it overrides nothing"):

        class Child(Optimiser):
            rates: Param[float] = field(overrides=True)


def test_default_can_be_changed_in_a_subclass_by_its_value_alone() -> None:
    class Fast(Optimiser):
        rate = 5

    assert Fast.C().rate == 5.0
    with pytest.raises(DeclarationError, match="it hides the parameter of Optimiser"):

        class Method(Optimiser):
            def rate(self) -> None: ...  # type: ignore[override]


def test_several_bases_are_mixed_in_the_order_of_python() -> None:
    class Left(Config):
        x: Param[int] = 1
        a: Param[int] = 1

    class Right(Config):
        x: Param[int] = 2
        b: Param[int] = 2

    class Both(Left, Right):
        pass

    assert (Both.C().x, Both.C().a, Both.C().b) == (1, 1, 2)


def test_bases_with_types_that_do_not_fit_cannot_be_mixed() -> None:
    class Left(Config):
        x: Param[str]

    class Right(Config):
        x: Param[int]

    with pytest.raises(DeclarationError, match=r"Both.x: its type str does not fit that of Right, int"):

        class Both(Left, Right):
            pass


def test_class_that_lacks_an_abstract_method_makes_no_configuration() -> None:
    class Model(Config):
        @abstractmethod
        def forward(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"Model: it has no method forward, .* as at .*\.py:\d+"):
        Model.C()  # type: ignore[abstract]


class Loader(Config, Generic[T]):
    item: Param[T]
    items: Param[list[T]] = field(default_factory=list)


class IntLoader(Loader[int]):
    pass


class ListLoader(Loader[list[U]], Generic[U]):
    pass


class TextsLoader(ListLoader[str]):
    pass


class Uses(Config):
    loader: Param[Loader[int]]


def test_generic_class_takes_anything_until_it_is_told() -> None:
    assert Loader.C(item="x", items=["y"]).item == "x"
    assert Loader[int](item=3).item == 3


def test_subclass_of_a_generic_class_checks_what_it_put_in() -> None:
    assert IntLoader.C(item=3, items=[4]).items == [4]
    with pytest.raises(ParameterTypeError, match=r"IntLoader.items\[1\]: expected int, got 'x'"):
        IntLoader.C(item=3, items=[4, "x"])  # type: ignore[list-item]
    assert TextsLoader.C(item=["x"]).item == ["x"]
    with pytest.raises(ParameterTypeError, match=r"TextsLoader.item\[0\]: expected str, got 3"):
        TextsLoader.C(item=[3])  # type: ignore[list-item]


def test_parameter_of_a_generic_type_checks_the_inside() -> None:
    assert Uses.C(loader=Loader.C(item=3)).loader.item == 3
    assert Uses.C(loader=IntLoader.C(item=3)).loader.item == 3
    with pytest.raises(ParameterTypeError, match=r"Uses.loader.item: expected int, got 'x'"):
        Uses.C(loader=Loader.C(item="x"))  # type: ignore[arg-type]
