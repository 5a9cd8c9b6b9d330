"""How a class declares its parameters: `Param[int]`, `Meta[Path]`, `Constant[str]`, `field(...)`, bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial as bind
from pathlib import Path
from typing import Annotated, Any, TypeVar, overload

from xpm_core.errors import DeclarationError
from xpm_core.language.parameters.calls import plain_call, wrong_arguments
from xpm_core.language.parameters.schema import MISSING, ParameterGroup
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")


class Role:
    """What an annotation says of a parameter beside its type: "param", "meta", "constant" or "data"."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


Param = Annotated[T, Role("param")]
"""A parameter: part of the identity."""

Meta = Annotated[T, Role("meta")]
"""A parameter that does not count for the identity: the number of threads, a name for people."""

Constant = Annotated[T, Role("constant")]
"""A value that cannot be assigned, and counts: change it when what the class does has changed."""

DataPath = Annotated[Path, Role("data")]
"""A path to data that go with the configuration: `save` copies them. It does not count for the identity."""

LATER: Any = type("Later", (), {"__repr__": lambda self: "LATER", "__slots__": ()})()
"""Passed for a parameter that is assigned later, so that type checkers miss no argument. It counts as missing."""


def param_group(name: str) -> ParameterGroup:
    """A group that parameters can belong to.

    Example:
        >>> iterations = param_group("iterations")
    """
    return ParameterGroup(name)


class Field:
    """What `field()` says of a parameter."""

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
    """Say more of a parameter than its type.

    Args:
        default: Its value unless another is given. Lists, dicts and configurations are copied for each use.
        default_factory: Makes that value; a `PathGenerator` makes a path in the job's directory.
        ignore_default: Whether it is no part of the identity while it has its default, so that a parameter can be
            added without a change of what is done already. Without a default, this is the default itself.
        ignored: Whether it is no part of the identity at all.
        overrides: Whether it is meant to replace a parameter of that name in a base class.
        groups: The groups that it belongs to (see `partial`).

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
    """Refuse a function that could not run with so many arguments.

    Raises:
        DeclarationError: It could not.
    """
    call = plain_call(function, count)
    if call is not None and (wrong := wrong_arguments(call)) is not None:
        raise DeclarationError(where.format(getattr(function, "__name__", "...")), wrong, remedy)


class Renamed:
    """A deprecated parameter: what is assigned to it goes to the function that stands for it."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function


class Bounds:
    """Bounds of a number, or of the length of a text or list: `Annotated[float, Bounds(ge=0, lt=1)]`.

    Objects of the package annotated_types, which have the same attributes, do as well.

    Args:
        gt: Values are greater than this.
        ge: Values are greater than this, or equal.
        lt: Values are less than this.
        le: Values are less than this, or equal.
        multiple_of: Values are multiples of this.
        min_length: The smallest length.
        max_length: The greatest length.
    """

    __slots__ = ("ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of")

    def __init__(
        self,
        *,
        gt: Any = None,
        ge: Any = None,
        lt: Any = None,
        le: Any = None,
        multiple_of: Any = None,
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.gt, self.ge, self.lt, self.le, self.multiple_of = gt, ge, lt, le, multiple_of
        self.min_length, self.max_length = min_length, max_length


RELATIONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "gt": ("> {}", lambda bound, value: value > bound),
    "ge": (">= {}", lambda bound, value: value >= bound),
    "lt": ("< {}", lambda bound, value: value < bound),
    "le": ("<= {}", lambda bound, value: value <= bound),
    "multiple_of": ("that is a multiple of {}", lambda bound, value: value % bound == 0),
    "min_length": ("with at least {} items", lambda bound, value: len(value) >= bound),
    "max_length": ("with at most {} items", lambda bound, value: len(value) <= bound),
}


def bounds_in(metadata: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    """The bounds that an object in an `Annotated` sets: each in words, and as a test of a value."""
    found: list[tuple[str, Callable[[Any], bool]]] = []
    for name, (text, relation) in RELATIONS.items():
        bound = getattr(metadata, name, None)
        if bound is not None and not callable(bound):
            found.append((text.format(bound), bind(relation, bound)))
    return found
