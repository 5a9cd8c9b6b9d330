"""What annotations of parameters mean, and which of them no parameter can have."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
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


AS_OBJECTS = """
from xpm_core import Config, Param

class Model(Config):
    size: Param[int]

class Learn(Config):
    model: Param[Model]
    rate: Param[float] = 0.1
"""

NAMED_BEFORE = """
from xpm_core import Config, Param

class Learn(Config):
    model: Param[Model]
    models: Param[dict[str, Model]]
    next: Param[Learn | None] = None

class Model(Config):
    size: Param[int]
"""


def test_annotations_of_a_module_that_does_not_make_them_text_are_read(written: Path) -> None:
    (written / "as_objects.py").write_text(AS_OBJECTS)
    module = importlib.import_module("as_objects")
    assert list(module.Learn.__xpm_schema__.parameters) == ["model", "rate"]
    assert module.Learn.C(model=module.Model.C(size=3)).model.size == 3


@pytest.mark.skipif(sys.version_info < (3, 14), reason="before Python 3.14, it is an error to name a later class")
def test_class_that_is_defined_later_can_be_named_without_making_annotations_text(written: Path) -> None:
    (written / "named_before.py").write_text(NAMED_BEFORE)
    module = importlib.import_module("named_before")
    learn = module.Learn.C(model=module.Model.C(size=3), models={"a": module.Model.C(size=4)})
    assert (learn.model.size, learn.models["a"].size) == (3, 4)
    with pytest.raises(ParameterTypeError, match="expected Model, got 3"):
        learn.model = 3


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
