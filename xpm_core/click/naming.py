"""Parameters by name: `arguments(Learn).optimizer.lr`."""

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
        help: What is known of it; None for the class itself.
        default: The value that it has unless another is given; MISSING when one has to be given.
        inside: The class whose parameters lie below it; None when there are none.
    """

    root: type
    names: tuple[str, ...] = ()
    help: ParameterHelp | None = None
    default: Any = MISSING
    inside: type | None = None

    @property
    def where(self) -> str:
        """Its path, as messages have it: `Learn.optimizer.lr`."""
        return ".".join((self.root.__name__, *self.names))

    @property
    def variable(self) -> str:
        """The name of its option as a variable: `optimizer_lr`."""
        return "_".join(self.names)

    @property
    def known(self) -> ParameterHelp:
        """What is known of the parameter.

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
            UnknownParameterError: There is none.
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
    """The class of configurations that a type stands for, when it is one; `Model | None` is one, too."""
    if isinstance(kind, UnionKind):
        options = [option for option in kind.options if not isinstance(option, NoneKind)]
        return class_in(options[0]) if len(options) == 1 else None
    return kind.cls if isinstance(kind, ConfigKind) else None


def selected(cls: type) -> Selection:
    """A class of configurations as what parameters are selected from."""
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
        if name.startswith("__"):  # what Python itself looks for
            raise AttributeError(name)
        return Arguments(self.__selection.select(name))

    def __repr__(self) -> str:
        return f"arguments({self.__selection.where})"

    @staticmethod
    def selection(of: Any) -> Selection:
        """What was selected.

        Raises:
            DeclarationError: That is no parameter named by `arguments`.
        """
        if isinstance(of, Arguments):
            return of.__selection
        raise DeclarationError("forwardoption", f"{of!r} names no parameter", "Name one: arguments(Learn).epochs.")


@edge
def arguments(cls: type[C]) -> C:
    """The parameters of a class, to name one: `arguments(Learn).optimizer.lr`.

    Type checkers and editors see the attributes of a configuration of that class.

    Raises:
        UnknownParameterError: There is no parameter of that name; names the nearest one.
    """
    return cast(C, Arguments(selected(cls)))
