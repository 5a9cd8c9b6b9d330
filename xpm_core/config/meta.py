"""The metaclass of configurations: it reads what a class declares, and makes configurations when one is called."""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from xpm_core.config.annotations import Names, UnresolvedError, annotations_of, kind_of, role_of, substitutions
from xpm_core.config.assign import make
from xpm_core.config.fields import Field, field
from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.graph import PACKAGE, STATE
from xpm_core.schema import MISSING, Parameter, Schema, refusal

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**options: Any) -> Callable[[type], type]:
        """Tells type checkers what the metaclass does; at run time nothing."""
        return lambda cls: cls


C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ConfigMeta(ABCMeta):
    """Metaclass of configurations. Calling a class makes a configuration of it, not a live object."""

    __xpm_schema__: Schema

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> ConfigMeta:
        cls = super().__new__(mcs, name, bases, namespace, **options)
        cls.__xpm_schema__ = Schema(cls)
        guard_attributes(cls)
        names = Names(cls, enclosing(cls))
        cls.__xpm_schema__.names = names
        with suppress(UnresolvedError):  # tried again when the class is first used: a name may be defined later
            complete(cls)
        return cls

    @property
    def C(cls: type[C]) -> type[C]:
        """The class itself, as maker of configurations: `Learn.C(epochs=3)` and `Learn(epochs=3)` mean the same."""
        return cls

    def __call__(cls, /, *args: Any, **values: Any) -> Any:
        if not cls.__xpm_schema__.complete:
            complete(cls, last=True)
        return make(cls, args, values)


def ours(method: F) -> F:
    """Mark an attribute method as one that knows configurations from live objects."""
    method.ours = True  # type: ignore[attr-defined]
    return method


def guard_attributes(cls: type) -> None:
    """Let assignment to configurations be ours also when a class, or a base before ours, has its own.

    `torch.nn.Module` has: its `__setattr__` is for live objects.
    """
    for name in ("__setattr__", "__delattr__"):
        theirs = getattr(cls, name)
        if not getattr(theirs, "ours", False) and hasattr(cls, "__xpm_base__"):
            setattr(cls, name, guarded(name, theirs))


def guarded(name: str, theirs: Callable[..., None]) -> Callable[..., None]:
    from xpm_core.config.base import Config

    @ours
    def method(self: Any, *args: Any) -> None:
        (getattr(Config, name) if STATE in self.__dict__ else theirs)(self, *args)

    return method


def enclosing(cls: type) -> list[dict[str, Any]]:
    """The local variables of the functions around a class that is being defined, the innermost first."""
    if "<locals>" not in cls.__qualname__:
        return []
    found: list[dict[str, Any]] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name != "<module>":
        found.append(frame.f_locals)
        inner, frame = frame.f_code, frame.f_back
        if frame is None or inner not in frame.f_code.co_consts:
            break
    return found


def complete(cls: type, last: bool = False) -> None:
    """Read the annotations of a class into its schema, those of its bases before.

    Args:
        cls: The class.
        last: Whether a name that is not defined now is an error.

    Raises:
        UnresolvedError: A name is not defined yet, and may still be.
        DeclarationError: Parameters are declared in a way that cannot work.
    """
    schema: Schema = cls.__dict__["__xpm_schema__"]
    if schema.complete:
        return
    parameters: dict[str, Parameter] = {}
    variables = substitutions(cls)
    for base in reversed(cls.__mro__[1:]):
        if "__xpm_schema__" in base.__dict__:
            complete(base, last)
            for name, parameter in base.__dict__["__xpm_schema__"].own.items():
                inherit(cls, parameters, name, rebound(cls, parameter, variables))
    own = declared(cls, schema, last)
    for name, parameter in own.items():
        inherit(cls, parameters, name, parameter)
    for name, value in list(vars(cls).items()):
        if name in parameters and name not in own and not isinstance(value, Parameter):
            own[name] = parameters[name] = changed_default(cls, parameters[name], value)
    for name, parameter in own.items():
        setattr(cls, name, parameter)
    schema.own = own
    schema.fill(parameters)
    schema.names = None


def declared(cls: type, schema: Schema, last: bool) -> dict[str, Parameter]:
    """The parameters that the annotations of a class declare."""
    found = {}
    names = schema.names
    for name, annotation in annotations_of(cls).items():
        where = f"{cls.__name__}.{name}"
        try:
            declaration = role_of(annotation, names, where)
            if declaration is not None:
                found[name] = parameter_of(cls, name, declaration, names)
        except UnresolvedError as error:
            if not last:
                raise
            raise DeclarationError(
                where, f"the annotation {annotation!r} cannot be resolved: {error}", "Import it, or define it before."
            ) from None
    return found


def parameter_of(cls: type, name: str, declaration: tuple[str, Any], names: Names) -> Parameter:
    """The parameter that an annotation and the value beside it declare."""
    role, annotation = declaration
    where = f"{cls.__name__}.{name}"
    refuse_name(cls, name, where)
    names.generic = False
    parameter = Parameter(cls, name, kind_of(annotation, names, where), role)
    if names.generic:
        parameter.rebind = lambda given: kind_of(annotation, names.bound(given), where)
    value = cls.__dict__.get(name, MISSING)
    if isinstance(value, Field):
        take_field(parameter, value, where)
    elif value is not MISSING and not isinstance(value, Parameter):
        set_default(parameter, value, where)
    if role == "constant" and parameter.required:
        raise DeclarationError(where, "a constant has no value", f"Give it one: {name}: Constant[...] = ...")
    return parameter


def refuse_name(cls: type, name: str, where: str) -> None:
    """Refuse names that configurations need for themselves."""
    taken = any(name in vars(base) for base in cls.__mro__ if vars(base).get("__xpm_base__"))
    if name.startswith("__") or taken:
        raise DeclarationError(where, f"{name!r} is a name of Config itself", "Choose another name.")


def take_field(parameter: Parameter, said: Field, where: str) -> None:
    """Let a parameter be as its `field(...)` says."""
    from xpm_core.config.fields import PathGenerator

    parameter.ignore_default, parameter.explicit = said.ignore_default, said.overrides
    parameter.groups = said.groups
    parameter.counted = parameter.counted and not said.ignored
    if isinstance(said.factory, PathGenerator):
        parameter.generator = said.factory
        parameter.counted = False
    elif said.factory is not None:
        factory, check = said.factory, parameter.check
        parameter.factory = lambda: check(factory())
    elif said.default is not MISSING:
        set_default(parameter, said.default, where)


def set_default(parameter: Parameter, value: Any, where: str) -> None:
    """Give a parameter its default, checked; one that could be changed is copied for each configuration."""
    try:
        value = parameter.check(value)
    except MismatchError as error:
        problem = refusal(where, error, None)
        raise DeclarationError(f"{problem.where}: the default", problem.wrong, problem.remedy) from None
    parameter.default, parameter.factory, parameter.generator = MISSING, None, None
    if isinstance(value, (list, dict, set, tuple)) or parameter.holds:
        from copy import deepcopy

        parameter.factory = lambda: deepcopy(value)
    else:
        parameter.default = value


def changed_default(cls: type, inherited: Parameter, value: Any) -> Parameter:
    """An inherited parameter with the default that a subclass gives it: `lr = 0.5` in its body."""
    where = f"{cls.__name__}.{inherited.name}"
    if isinstance(value, (FunctionType, property, staticmethod, classmethod)):
        raise DeclarationError(where, f"it hides the parameter of {inherited.owner.__name__}", "Choose another name.")
    parameter = inherited.copy(cls, inherited.kind)
    if isinstance(value, Field):
        take_field(parameter, value, where)
    else:
        set_default(parameter, value, where)
    return parameter


def rebound(cls: type, parameter: Parameter, variables: dict[Any, Any]) -> Parameter:
    """An inherited parameter with the types that a class puts in the place of type variables."""
    if parameter.rebind is None or not variables:
        return parameter
    return parameter.copy(cls, parameter.rebind(variables))


def inherit(cls: type, parameters: dict[str, Parameter], name: str, parameter: Parameter) -> None:
    """Add a parameter to those of the bases; one that replaces another must fit where the other did."""
    replaced = parameters.get(name)
    if replaced is not None and replaced.owner is not parameter.owner and not parameter.kind.within(replaced.kind):
        raise DeclarationError(
            f"{cls.__name__}.{name}",
            f"its type {parameter.kind.text} does not fit that of {replaced.owner.__name__}, {replaced.kind.text}",
            "Give it a narrower type, or another name.",
        )
    parameters[name] = parameter
