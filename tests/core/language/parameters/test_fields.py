"""How a class declares its parameters: bounds, defaults, generated paths, and contradictions."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import pytest

from xpm_core.config import Bounds, Config, Meta, Param, PathGenerator, field
from xpm_core.errors import DeclarationError, MismatchError, ParameterValueError
from xpm_core.language.parameters.schema import refusal


class Optimiser(Config):
    rate: Param[float]
    steps: Param[int] = 10
    name: Meta[str] = "plain"


class Adam(Optimiser):
    beta: Param[float] = field(default=0.9)


def test_bounds_are_checked() -> None:
    class Model(Config):
        dropout: Param[Annotated[float, Bounds(ge=0, lt=1)]]
        names: Param[Annotated[list[str], Bounds(min_length=1)]] = ["x"]  # noqa: RUF012

    assert Model.C(dropout=0).dropout == 0.0
    with pytest.raises(ParameterValueError, match=r"Model.dropout: expected float >= 0 and < 1, got 1.0 \(float\)"):
        Model.C(dropout=1)
    with pytest.raises(ParameterValueError, match=r"expected list\[str\] with at least 1 items"):
        Model.C(dropout=0, names=[])


def test_bounds_of_annotated_types_do_as_well() -> None:
    known = pytest.importorskip("annotated_types")

    class Model(Config):
        size: Param[Annotated[int, known.Interval(ge=2, lt=5), known.MultipleOf(2)]]
        name: Param[Annotated[str, known.Len(1, 3)]] = "x"

    assert Model.C(size=4).size == 4
    for size in (0, 3, 6):
        with pytest.raises(ParameterValueError, match="expected int >= 2 and < 5 and that is a multiple of 2"):
            Model.C(size=size)
    with pytest.raises(ParameterValueError, match="expected str with at least 1 items and with at most 3 items"):
        Model.C(size=2, name="long")


def test_field_refuses_what_contradicts_itself() -> None:
    with pytest.raises(DeclarationError, match="both a default and a default_factory"):
        field(default=[], default_factory=list)  # type: ignore[call-overload]
    with pytest.raises(DeclarationError, match="ignore_default is 3 beside a default"):
        field(default=3, ignore_default=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x"])
def test_generated_path_stays_in_its_directory(path: str) -> None:
    with pytest.raises(DeclarationError, match="leaves the job's directory"):
        PathGenerator(path)


def test_function_of_a_generated_path_takes_the_configuration_alone() -> None:
    for function in (lambda context, config: f"{config.n}.txt", lambda: "x.txt", lambda config, *, n: "x.txt"):
        with pytest.raises(DeclarationError, match=r"PathGenerator\(<lambda>\): it .*\. Write lambda config: \.\.\."):
            PathGenerator(function)
    for function in (str, lambda config: "x", lambda config, n=1: "x", lambda *all: "x", functools.partial(max, "x")):
        PathGenerator(function)


def test_function_that_makes_a_default_takes_nothing() -> None:
    with pytest.raises(
        DeclarationError, match=r"field\(default_factory=<lambda>\): it needs 'self', which is not passed"
    ):
        field(default_factory=lambda self: 3)
    for function in (list, lambda: 3, lambda n=3: n, Adam, Adam.C, functools.partial(int, "3")):
        field(default_factory=function)


def test_default_factory_is_checked() -> None:
    class Model(Config):
        path: Param[Path] = field(default_factory=lambda: Path("x"))
        size: Param[int] = field(default_factory=lambda: 3)

    assert Model.C().path == Path("x")
    assert Model.C().size == 3


@pytest.mark.parametrize(
    ("expected", "remedy"),
    [
        ("float", "Pass a float."),
        ("int", "Pass an int."),
        ("a value that a configuration can hold", "Pass a value that a configuration can hold."),
        ("data that count", "Pass data that count."),
    ],
)
def test_a_remedy_has_one_article(expected: str, remedy: str) -> None:
    assert refusal("Train.lr", MismatchError(expected, 3j), None).remedy == remedy
