"""The help of parameters, from where it stands."""

from __future__ import annotations

from pathlib import Path

from xpm_core.config import Config, Constant, Meta, Param, PathGenerator, field


class Base(Config):
    """What is below.

    Attributes:
        rate: How fast
            it learns.
        name: Said twice.
    """

    rate: Param[float]
    name: Param[str] = "x"
    "Said here."


class Learn(Base):
    """
    :param epochs: In the other form.
    """

    epochs: Param[int | None] = field(default=100)
    layers: Param[list[int]] = field(default_factory=lambda: [1])
    """Sizes of the
    layers."""
    version: Constant[str] = "2"
    out: Meta[Path] = field(default_factory=PathGenerator("out"))


def test_help_comes_from_the_string_below_then_from_docstrings() -> None:
    found = {each.name: each for each in Learn.__doc_params__}
    assert {name: each.help for name, each in found.items()} == {
        "rate": "How fast it learns.",
        "name": "Said here.",
        "epochs": "In the other form.",
        "layers": "Sizes of the layers.",
        "version": "",
        "out": "",
    }
    assert [(each.type, each.default, each.required) for each in found.values()] == [
        ("float", None, True),
        ("str", "x", False),
        ("int | None", 100, False),
        ("list[int]", [1], False),
        ("str", "2", False),
        ("Path", None, False),
    ]
    assert found["version"].role == "constant"
    assert found["out"].generated


def test_class_without_a_source_has_no_strings_below() -> None:
    made = type(Config)("Made", (Config,), {"__annotations__": {"x": Param[int]}, "__module__": __name__})
    assert [(each.name, each.help) for each in made.__doc_params__] == [("x", "")]
