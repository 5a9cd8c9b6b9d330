"""The words by which a class declares its parameters: `Param[int]`, `Meta[Path]`, `Constant[str]`, `field(...)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar, overload

from xpm_core.errors import DeclarationError
from xpm_core.language.parameters.calls import plain_call, wrong_arguments
from xpm_core.language.parameters.schema import MISSING, ParameterGroup
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")


class Role:
    """The role of a parameter, which an annotation names beside its type: "param", "meta", "constant" or "data"."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


Param = Annotated[T, Role("param")]
"""A parameter. Its value is part of the identity.

Example:
    >>> class Learn(Task):
    ...     epochs: Param[int] = 100
"""

Meta = Annotated[T, Role("meta")]
"""A parameter that is no part of the identity, such as the number of threads, or a name for people.

Example:
    >>> class Learn(Task):
    ...     threads: Meta[int] = 4
"""

Constant = Annotated[T, Role("constant")]
"""A value that cannot be assigned, and is part of the identity. Change it when the work of the class has changed.

Example:
    >>> class Learn(Task):
    ...     version: Constant[int] = 2
"""

DataPath = Annotated[Path, Role("data")]
"""A path to data that belong to the configuration. `save` copies the data. The path is no part of the identity.

Example:
    >>> class Model(Config):
    ...     weights: DataPath
"""

LATER: Any = type("Later", (), {"__repr__": lambda self: "LATER", "__slots__": ()})()
"""Stands for the value of a parameter that is assigned later, so that type checkers miss no argument.

Example:
    >>> learn = Learn.C(epochs=LATER)
    >>> learn.epochs = 3
"""


def param_group(name: str) -> ParameterGroup:
    """A group of parameters, which partial identifiers leave out or include; see `partial`.

    Args:
        name: The name of the group. Groups of one name are equal.

    Example:
        >>> iterations = param_group("iterations")
        >>> class Learn(Task):
        ...     epochs: Param[int] = field(groups=[iterations])
    """
    return ParameterGroup(name)


class Field:
    """The arguments of a `field()`, which declare a parameter."""

    __slots__ = ("default", "factory", "groups", "ignore_default", "ignored", "overrides")

    def __init__(self, default: Any, factory: Any, ignore_default: bool) -> None:
        self.default, self.factory, self.ignore_default = default, factory, ignore_default
        self.ignored = self.overrides = False
        self.groups: frozenset[ParameterGroup] = frozenset()


@overload
def field(
    *,
    default: T,
    ignore_default: bool = False,
    ignored: bool = False,
    overrides: bool = False,
    groups: Iterable[ParameterGroup] = (),
) -> T: ...
@overload
def field(
    *,
    default_factory: Callable[[], T],
    ignore_default: bool = False,
    ignored: bool = False,
    overrides: bool = False,
    groups: Iterable[ParameterGroup] = (),
) -> T: ...
@overload
def field(
    *,
    ignore_default: Any = False,
    ignored: bool = False,
    overrides: bool = False,
    groups: Iterable[ParameterGroup] = (),
) -> Any: ...
@edge
def field(
    *,
    default: Any = MISSING,
    default_factory: Any = None,
    ignore_default: Any = False,
    ignored: bool = False,
    overrides: bool = False,
    groups: Iterable[ParameterGroup] = (),
) -> Any:
    """Declare more of a parameter than its type.

    Args:
        default: The value if none is given. Lists, dicts and configurations are copied for each configuration.
        default_factory: A function that makes this value. A `PathGenerator` makes a path in the job's directory.
        ignore_default: Whether the default is left out of the identity. With it, a new parameter does not change the
            identities of jobs that are done. If there is no default, the default itself can be given here.
        ignored: Whether the parameter is no part of the identity at all.
        overrides: Whether it replaces a parameter of that name in a base class on purpose.
        groups: The groups that it belongs to; see `partial`.

    Returns:
        An object for the body of the class. Type checkers see the type of the default.

    Raises:
        DeclarationError: Two defaults are given, or the function cannot be called without arguments.

    Example:
        >>> class Learn(Task):
        ...     epochs: Param[int] = field(default=100)
        ...     seed: Param[int] = field(default=0, ignore_default=True)
        ...     checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))
    """
    if default is not MISSING and default_factory is not None:
        raise DeclarationError("field()", "it has both a default and a default_factory", "Give one of them.")
    alone = default is MISSING and default_factory is None
    if alone and ignore_default is not False:
        default, ignore_default = ignore_default, True
    if default_factory is not None:
        refuse_uncallable_with(0, default_factory, "field(default_factory={})", "Write lambda: ...")
    if not isinstance(ignore_default, bool):
        raise DeclarationError("field()", f"ignore_default is {ignore_default!r} beside a default", "Make it a bool.")
    said = Field(default, default_factory, ignore_default)
    said.ignored, said.overrides, said.groups = ignored, overrides, frozenset(groups)
    return said


def refuse_uncallable_with(count: int, function: Any, where: str, remedy: str) -> None:
    """Refuse a function that cannot be called with so many arguments.

    Raises:
        DeclarationError: It cannot.
    """
    call = plain_call(function, count)
    if call is not None and (wrong := wrong_arguments(call)) is not None:
        raise DeclarationError(where.format(getattr(function, "__name__", "...")), wrong, remedy)


class Renamed:
    """A deprecated parameter. An assignment to it calls its function with the value."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function
