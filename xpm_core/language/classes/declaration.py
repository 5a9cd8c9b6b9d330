"""Make the schema of a class from its body: which parameters it declares, and which inherited ones they replace."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from types import FunctionType
from typing import Any, Generic, get_args, get_origin

from xpm_core.errors import DeclarationError, MismatchError
from xpm_core.language.parameters.annotations import (
    AnnotationScope,
    UnresolvedError,
    annotations_of,
    arguments_of,
    kind_of,
    role_of,
    unsupported,
)
from xpm_core.language.parameters.fields import Field, Renamed
from xpm_core.language.parameters.generics import ClassKind, hold_together
from xpm_core.language.parameters.paths import PathGenerator
from xpm_core.language.parameters.schema import MISSING, Parameter, Schema, refusal
from xpm_core.language.values.kinds import Kind, NoneKind, UnionKind
from xpm_core.tracebacks.callsite import caller

Bindings = dict[Any, Kind]
"""The types that type variables stand for."""


def complete(cls: type, last: bool = False) -> None:
    """Read the annotations of a class into its schema, after those of its bases.

    Args:
        cls: The class.
        last: Whether this is the last attempt, so that a name that is not defined is an error.

    Raises:
        UnresolvedError: A name is not defined yet. The script may define it later.
        DeclarationError: Parameters are declared in a way that cannot work.
    """
    schema: Schema = cls.__dict__["__xpm_schema__"]
    if schema.complete:
        return
    bases = [base for base in reversed(cls.__mro__[1:]) if "__xpm_schema__" in base.__dict__]
    for base in bases:
        complete(base, last)
    parameters, renamed = inherited(cls, bases, schema.names)
    own = declared(cls, schema.names, last)
    for name, parameter in own.items():
        inherit(cls, parameters, parameter)
        parameters[name] = parameter
    for name, value in list(vars(cls).items()):
        if isinstance(value, Renamed):
            renamed[name] = value.function
        elif name in parameters and name not in own and not isinstance(value, Parameter):
            own[name] = parameters[name] = changed_default(cls, parameters[name], value)
    for name, parameter in own.items():
        setattr(cls, name, parameter)
    schema.own, schema.renamed = own, renamed
    schema.scope.update(schema.names.used)
    schema.names.settle()
    names, schema.names = schema.names, None
    schema.hold_together = hold_together
    schema.bind = lambda given: bindings(cls, names, given)
    schema.fill(parameters)


def inherited(
    cls: type, bases: list[type], names: AnnotationScope
) -> tuple[dict[str, Parameter], dict[str, Callable[..., Any]]]:
    """The parameters of the bases, with types for their type variables; and the deprecated parameters."""
    parameters: dict[str, Parameter] = {}
    renamed: dict[str, Callable[..., Any]] = {}
    for base in bases:
        schema: Schema = base.__dict__["__xpm_schema__"]
        renamed |= schema.renamed
        for parameter in schema.own.values():
            found = rebound(cls, base, parameter, names)
            inherit(cls, parameters, found)
            parameters[parameter.name] = found
    return parameters, renamed


def inherit(cls: type, parameters: dict[str, Parameter], parameter: Parameter) -> None:
    """Check that a parameter fits in place of the inherited one that it replaces, if there is one."""
    where = f"{cls.__name__}.{parameter.name}"
    replaced = parameters.get(parameter.name)
    if replaced is None:
        if parameter.explicit and parameter.owner is cls:
            raise DeclarationError(where, "it overrides nothing", "Leave out overrides=True, or correct the name.")
        return
    if not parameter.kind.within(replaced.kind) and not widens(parameter, replaced):
        raise DeclarationError(
            where,
            f"its type {parameter.kind.text} does not fit that of {replaced.owner.__name__}, {replaced.kind.text}",
            "Give it a narrower type, or another name.",
        )
    if parameter.owner is cls and not parameter.explicit:
        wider = "" if parameter.kind.within(replaced.kind) else f" by a wider type, {parameter.kind.text}"
        what = f"{where} replaces the parameter of {replaced.owner.__name__}{wider}."
        what += " If it is meant to: field(overrides=True)."
        warnings.warn_explicit(what, UserWarning, *caller())


def widens(parameter: Parameter, replaced: Parameter) -> bool:
    """Whether a parameter gives a wider type to a parameter of a base of its own class."""
    chosen = issubclass(parameter.owner, replaced.owner)
    return chosen and replaced.kind.within(parameter.kind)


def bindings(cls: type, names: AnnotationScope, given: Bindings) -> dict[type, Bindings]:
    """The types that the type variables of each generic base of a class stand for.

    Args:
        cls: The class.
        names: The names that its annotations can use.
        given: The types that the type variables of the class itself stand for.
    """
    found: dict[type, Bindings] = {}

    def visit(each: type, variables: Bindings) -> None:
        for base in each.__dict__.get("__orig_bases__", each.__bases__):
            origin = get_origin(base) or base
            if origin is Generic or not hasattr(origin, "__xpm_schema__"):
                continue
            bound = names.bound(variables)
            inner = arguments_of(origin, get_args(base), bound, cls.__name__)
            found.setdefault(origin, {}).update(inner)
            visit(origin, inner)

    visit(cls, given)
    return found


def rebound(cls: type, base: type, parameter: Parameter, names: AnnotationScope) -> Parameter:
    """An inherited parameter, with the types that a class gives to type variables."""
    rebind = parameter.rebind
    if rebind is None:
        return parameter

    def kind(given: Bindings) -> Kind:
        return rebind(bindings(cls, names, given).get(base, {}))

    found = parameter.copy(parameter.owner, kind({}))
    if isinstance(found.kind, ClassKind):
        raise unsupported(found.kind.cls, f"{cls.__name__}.{parameter.name}")
    found.rebind = kind
    return found


def declared(cls: type, names: AnnotationScope, last: bool) -> dict[str, Parameter]:
    """The parameters that the annotations of a class declare."""
    found = {}
    for name, annotation in annotations_of(cls).items():
        where = f"{cls.__name__}.{name}"
        try:
            declaration = role_of(annotation, names, where)
            if declaration is not None:
                found[name] = parameter_of(cls, name, declaration, names)
        except UnresolvedError as error:
            if not last:
                raise
            wrong = f"the annotation {annotation!r} cannot be resolved ({error})"
            raise DeclarationError(where, wrong, "Import it, or define it before.") from None
    return found


def parameter_of(cls: type, name: str, declaration: tuple[str, Any], names: AnnotationScope) -> Parameter:
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
    if parameter.required and role != "constant" and takes_none(parameter.kind):
        set_default(parameter, None, where)
    if role == "constant" and parameter.required:
        raise DeclarationError(where, "a constant has no value", f"Give it one: {name}: Constant[...] = ...")
    return parameter


def takes_none(kind: Kind) -> bool:
    """Whether None is one of the values that a type names, as in `Optional[T]`."""
    return isinstance(kind, UnionKind) and any(isinstance(option, NoneKind) for option in kind.options)


def refuse_name(cls: type, name: str, where: str) -> None:
    """Refuse a name that Config itself uses."""
    taken = any(name in vars(base) for base in cls.__mro__ if vars(base).get("__xpm_base__"))
    if name.startswith("__") or taken:
        raise DeclarationError(where, f"{name!r} is a name of Config itself", "Choose another name.")


def take_field(parameter: Parameter, said: Field, where: str) -> None:
    """Set the attributes of a parameter to those of its `field(...)`."""
    parameter.ignore_default, parameter.explicit = said.ignore_default, said.overrides
    parameter.groups = said.groups
    parameter.counted = parameter.counted and not said.ignored
    if isinstance(said.factory, PathGenerator):
        parameter.default, parameter.factory = MISSING, None
        parameter.generator, parameter.counted = said.factory, False
    elif said.factory is not None:
        factory, check = said.factory, parameter.check
        parameter.default, parameter.generator = MISSING, None
        parameter.factory = lambda: check(factory())
    elif said.default is not MISSING:
        set_default(parameter, said.default, where)


def set_default(parameter: Parameter, value: Any, where: str) -> None:
    """Check a default and set it. A default that can be changed in place is copied for each configuration."""
    try:
        value = parameter.check(value)
    except MismatchError as error:
        problem = refusal(where, error, None)
        raise DeclarationError(f"{problem.where}: the default", problem.wrong, problem.remedy) from None
    parameter.default, parameter.factory, parameter.generator = MISSING, None, None
    if isinstance(value, (list, dict, set, tuple)) or parameter.holds or parameter.kind.container:
        parameter.factory = lambda: deepcopy(value)
    else:
        parameter.default = value


def changed_default(cls: type, inherited: Parameter, value: Any) -> Parameter:
    """An inherited parameter with the default that a subclass gives it by `lr = 0.5` in its body."""
    where = f"{cls.__name__}.{inherited.name}"
    if isinstance(value, (FunctionType, property, staticmethod, classmethod)):
        raise DeclarationError(where, f"it hides the parameter of {inherited.owner.__name__}", "Choose another name.")
    parameter = inherited.copy(cls, inherited.kind)
    if isinstance(value, Field):
        take_field(parameter, value, where)
    else:
        set_default(parameter, value, where)
    return parameter
