"""What annotations of parameters mean, and which of them no parameter can have."""

from __future__ import annotations

from typing import ClassVar

import pytest

from xpm_core.config import Config, Meta, Param
from xpm_core.errors import DeclarationError, ParameterTypeError


class Optimiser(Config):
    rate: Param[float]
    steps: Param[int] = 10
    name: Meta[str] = "plain"


class Node(Config):
    child: Param[Node | None] = None
    later: Param[Defined | None] = None


class Defined(Config):
    pass


def test_annotations_that_are_no_parameters_are_left_alone() -> None:
    class Model(Config):
        count: ClassVar[int] = 0
        note: str = "free"
        size: Param[int]

    assert list(Model.__xpm_schema__.parameters) == ["size"]
    assert Model.note == "free"


def test_class_that_is_defined_later_can_be_named() -> None:
    assert Node.C(child=Node.C(), later=Defined.C()).child is not None
    with pytest.raises(ParameterTypeError, match=r"expected Defined \| None, got 3"):
        Node.C(later=3)  # type: ignore[arg-type]


def test_name_that_is_never_defined_is_an_error_when_the_class_is_used() -> None:
    class Model(Config):
        inner: Param[Missing]  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(DeclarationError, match=r"Model.inner: the annotation 'Param\[Missing\]' cannot be resolved"):
        Model.C()


def test_param_inside_of_another_type_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="Make it the outermost"):

        class Model(Config):
            size: Param[int] | None


@pytest.mark.parametrize("kind", ["complex", "type", "list[complex]", "dict[Optimiser, int]"])
def test_type_that_parameters_cannot_have_is_an_error(kind: str) -> None:
    with pytest.raises(DeclarationError, match=r"Model\.size: "):
        type(Config)("Model", (Config,), {"__annotations__": {"size": f"Param[{kind}]"}, "__module__": __name__})
