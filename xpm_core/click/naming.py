"""Parameters by name: `arguments(Learn).optimizer.lr`.

Owns: the way from a class to a parameter below it, and what is known of that parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from xpm_core.errors import DeclarationError, UnknownParameterError
from xpm_core.language.classes.parameter_help import ParameterHelp, help_of
from xpm_core.language.graph.state import is_configuration
from xpm_core.language.parameters.generics import ConfigKind
from xpm_core.language.parameters.schema import MISSING
from xpm_core.language.values.kinds import Kind, NoneKind, UnionKind
from xpm_core.tracebacks.edges import edge

C = TypeVar("C")


@dataclass(frozen=True)
class Selection:
    """A parameter of a class, or of a configuration below it.

    Attributes:
        root: The class.
        names: The names of the parameters that lead to it; none for the class itself.
        help: Its entry in the class's help; None for the class itself.
        default: Its value if no other is given; MISSING if one has to be given.
        inside: The class whose parameters lie below it; None if there are none.
    """

    root: type
    names: tuple[str, ...] = ()
    help: ParameterHelp | None = None
    default: Any = MISSING
    inside: type | None = None

    @property
    def where(self) -> str:
        """Its path in messages: `Learn.optimizer.lr`."""
        return ".".join((self.root.__name__, *self.names))

    @property
    def variable(self) -> str:
        """The name of its option as a variable: `optimizer_lr`."""
        return "_".join(self.names)

    @property
    def known(self) -> ParameterHelp:
        """The parameter's entry in the class's help.

        Raises:
            DeclarationError: This is the class itself.
        """
        if self.help is None:
            raise DeclarationError(self.where, "no parameter is named", "Name one: arguments(Learn).epochs.")
        return self.help

    @property
    def kind(self) -> Kind:
        """The type of the parameter."""
        return self.known.parameter.kind

    def below(self) -> list[Selection]:
        """The parameters below this one."""
        return [self._child(found) for found in help_of(self.inside)] if self.inside is not None else []

    def select(self, name: str) -> Selection:
        """The parameter of that name below this one.

        Raises:
            UnknownParameterError: There is no such parameter.
        """
        known = {found.names[-1]: found for found in self.below()}
        if name in known:
            return known[name]
        near = get_close_matches(name, known, 1)
        remedy = f"Parameters are: {', '.join(known)}." if known else f"{self.where} has no parameters."
        wrong = f"unknown parameter {name!r}"
        raise UnknownParameterError(self.where, wrong, f"Did you mean {near[0]!r}?" if near else remedy)

    def _child(self, found: ParameterHelp) -> Selection:
        default = MISSING if found.required else found.default
        if is_configuration(self.default):
            default = self.default.__dict__.get(found.name, MISSING)
        inside = type(default) if is_configuration(default) else class_in(found.parameter.kind)
        return Selection(self.root, (*self.names, found.name), found, default, inside)


def class_in(kind: Kind) -> type | None:
    """The class of configurations that a type stands for; None for other types. `Model | None` stands for `Model`."""
    if isinstance(kind, UnionKind):
        options = [option for option in kind.options if not isinstance(option, NoneKind)]
        return class_in(options[0]) if len(options) == 1 else None
    return kind.cls if isinstance(kind, ConfigKind) else None


def selected(cls: type) -> Selection:
    """The beginning of a selection: a class of configurations."""
    if not hasattr(cls, "__xpm_schema__"):
        raise DeclarationError("arguments()", f"{cls!r} is no class of configurations", "Pass a subclass of Config.")
    return Selection(cls, inside=cls)


class Arguments:
    """The parameters of a class as attributes; what `arguments` returns."""

    __slots__ = ("__selection",)

    def __init__(self, selection: Selection) -> None:
        self.__selection = selection

    @edge
    def __getattr__(self, name: str) -> Arguments:
        if name.startswith("__"):  # Python itself looks for such names
            raise AttributeError(name)
        return Arguments(self.__selection.select(name))

    def __repr__(self) -> str:
        return f"arguments({self.__selection.where})"

    @staticmethod
    def selection(of: Any) -> Selection:
        """The selected parameter.

        Raises:
            DeclarationError: `of` is not a parameter named by `arguments`.
        """
        if isinstance(of, Arguments):
            return of.__selection
        raise DeclarationError("forwardoption", f"{of!r} names no parameter", "Name one: arguments(Learn).epochs.")


@edge
def arguments(cls: type[C]) -> C:
    """Return the parameters of a class, so that one of them can be named.

    Type checkers and editors see the attributes of a configuration of that class.

    Args:
        cls: A class of configurations.

    Returns:
        An object whose attributes are the parameters.

    Raises:
        DeclarationError: It is no class of configurations.
        UnknownParameterError: There is no parameter of that name; names the nearest one.

    Example:
        >>> arguments(Learn).optimizer.lr
        arguments(Learn.optimizer.lr)
    """
    return cast(C, Arguments(selected(cls)))
