"""Make configurations and assign their values. An error names the line of the script that did it."""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from xpm_core.errors import ConfigurationError, DeclarationError, MismatchError, SealedError, UnknownParameterError
from xpm_core.language.graph.state import STATE, ConfigState, state_of
from xpm_core.language.graph.tagged_values import PLAIN, label_brought, without_tag
from xpm_core.language.graph.tags import Tagged
from xpm_core.language.parameters.annotations import annotations_of
from xpm_core.language.parameters.fields import LATER
from xpm_core.language.parameters.generics import hold_together
from xpm_core.language.parameters.schema import Parameter, Schema, refusal, schema_of
from xpm_core.language.values.frozen import thawed
from xpm_core.scalars import safe_repr
from xpm_core.tracebacks.callsite import CodeLine, caller, format_line


def make(cls: type, args: tuple[Any, ...], values: dict[str, Any]) -> Any:
    """Make a configuration of a class with some values. `Learn.C(...)` calls this."""
    schema: Schema = cls.__xpm_schema__  # type: ignore[attr-defined]
    place = caller(3)
    if args:
        named = ", ".join(f"{name}=..." for name in list(schema.parameters)[: len(args)]) or "..."
        remedy = f"Give parameters by name: {cls.__name__}.C({named})."
        raise UnknownParameterError(cls.__name__, f"{args[0]!r} has no name", remedy, format_line(place))
    if schema.abstract:
        lacking(cls, schema.abstract, format_line(place))
    if schema.successor is not None:
        warn(f"{cls.__name__} is deprecated: use {schema.successor.__name__}", place)
    config: Any = object.__new__(cls)
    content = config.__dict__
    content.update(schema.prefilled)
    for name, factory in schema.factories:
        content[name] = factory()
    own = content[STATE] = ConfigState(place)
    parameters = schema.parameters
    for name, value in values.items():
        parameter = parameters.get(name)
        if parameter is None or parameter.role == "constant":
            put(config, own, name, value, place)
        elif type(value) is parameter.exact:
            content[name] = value
        else:
            put_value(config, own, parameter, value, place)
    if schema.tied:
        hold_together(config, cls.__name__)
    return schema.converts(config) if schema.replaced and schema.converts else config


def warn(what: str, place: CodeLine) -> None:
    """Warn that something is deprecated, and name the line of the script that uses it."""
    warnings.warn_explicit(what, DeprecationWarning, *place)


def lacking(cls: type, methods: frozenset[str], place: str) -> NoReturn:
    """Refuse to make a configuration of a class that lacks abstract methods, such as a task without `execute`."""
    names = " and ".join(sorted(methods))
    wrong = f"it has no method {names}, so no configuration can be made of it, as at {place}"
    raise DeclarationError(cls.__name__, wrong, f"Define {names} in the class.")


def copied(config: Any, values: dict[str, Any]) -> Any:
    """Copy a configuration, with other values for some parameters. The copy can be assigned."""
    copy = restored(type(config), thawed(values_of(config)), state_of(config))
    own = state_of(copy)
    own.made_at = caller()
    for name, value in values.items():
        put(copy, own, name, value, own.made_at)
    if schema_of(copy).tied:
        hold_together(copy, type(copy).__name__)
    return copy


def restored(cls: type, values: dict[str, Any], state: ConfigState) -> Any:
    """A configuration of a class that has exactly some values. They are not checked."""
    config: Any = object.__new__(cls)
    config.__dict__.update(values)
    config.__dict__[STATE] = state.renewed()
    return config


def values_of(config: Any) -> dict[str, Any]:
    """The values of a configuration, by parameter. Generated paths are not among them."""
    return {name: config.__dict__[name] for name in schema_of(config).parameters if name in config.__dict__}


def assign(config: Any, name: str, value: Any) -> None:
    """Assign a value to a parameter of a configuration. `learn.epochs = 3` calls this."""
    own: ConfigState = config.__dict__[STATE]
    place = caller()
    if own.sealed or own.validating:
        raise sealed(config, own, name, value, place)
    before = (dict(config.__dict__), dict(vars(own))) if schema_of(config).tied else None
    put(config, own, name, value, place)
    own.places = {**own.places, name: place}
    if before is not None:
        try:
            hold_together(config, type(config).__name__, last=name)
        except ConfigurationError:
            for content, values in zip((config.__dict__, vars(own)), before, strict=True):
                content.clear()
                content.update(values)
            raise


def refuse_delete(config: Any, name: str) -> NoReturn:
    """Refuse to delete a parameter of a configuration. `del learn.epochs` calls this."""
    raise DeclarationError(f"{type(config).__name__}.{name}", "a parameter cannot be deleted", "Assign LATER.")


def put(config: Any, own: ConfigState, name: str, value: Any, place: CodeLine) -> None:
    """Assign a value under a name, which may be unknown, deprecated or a constant."""
    schema = schema_of(config)
    parameter = schema.parameters.get(name)
    where = f"{type(config).__name__}.{name}"
    if name in schema.renamed:
        warn(f"{where} is deprecated", place)
        schema.renamed[name](config, value)
    elif parameter is None:
        unknown(config, name, format_line(place))
    elif parameter.role == "constant":
        wrong = f"cannot assign {safe_repr(value)}, it is a constant"
        raise SealedError(where, wrong, "Change its value in the class.", format_line(place))
    else:
        put_value(config, own, parameter, value, place)


def put_value(config: Any, own: ConfigState, parameter: Parameter, value: Any, place: CodeLine) -> None:
    """Check a value and assign it to a parameter, with its tag if it has one."""
    name = parameter.name
    if own.tags and own.tags.get(name, (None, None, False))[2]:
        own.tags = {known: tag for known, tag in own.tags.items() if known != name}
    if name in own.stopped:
        own.stopped -= {name}
    if type(value) in PLAIN:
        value = Tagged(without_tag(value), label_brought(value))
    while isinstance(value, Tagged):
        if value.stop:
            own.stopped |= {name}
        else:
            own.tags = {**own.tags, name: (value.label, place, True)}
        value = without_tag(value.value)
    if value is LATER:
        config.__dict__.pop(name, None)
        return
    try:
        config.__dict__[name] = parameter.check(value)
    except MismatchError as error:
        raise refusal(f"{type(config).__name__}.{name}", error, format_line(place)) from None
    except RecursionError:
        raise nested_too_deep(config, name, place) from None


def nested_too_deep(config: Any, name: str, place: CodeLine) -> ConfigurationError:
    """The error about a value that is nested too deep."""
    from xpm_core.errors import NestingError
    from xpm_core.language.values.decoding import too_deep

    return NestingError(
        f"{type(config).__name__}.{name}", f"its value is {too_deep()}", "Flatten it.", format_line(place)
    )


def unknown(config: Any, name: str, place: str) -> NoReturn:
    """Refuse a name that no parameter has, and suggest one that is alike."""
    from difflib import get_close_matches  # late, because only errors need it

    cls = type(config)
    known = schema_of(config).parameters
    near = get_close_matches(name, known, 1)
    if near:
        remedy = f"Did you mean {near[0]!r}?"
    elif any(name in annotations_of(base) for base in cls.__mro__):
        remedy = f"Declare it as {name}: Param[...]."
    else:
        remedy = f"Parameters are: {', '.join(known)}." if known else "It has no parameters."
    raise UnknownParameterError(cls.__name__, f"unknown parameter {name!r}", remedy, place)


def sealed(config: Any, own: ConfigState, name: str, value: Any, place: CodeLine) -> SealedError:
    """The error about an assignment to a configuration that can no longer change."""
    where = f"{type(config).__name__}.{name}"
    if own.validating:
        return SealedError(
            where, f"cannot assign {safe_repr(value)} in __validate__", "Only look there.", format_line(place)
        )
    submitted = getattr(own.submitted, "where", None)
    why = f"the task was submitted at {submitted}" if submitted else "it is sealed"
    copy = f"{type(config).__name__.lower()}.copy({name}={safe_repr(value)})"
    return SealedError(where, f"cannot assign {safe_repr(value)}, {why}", f"Change a copy: {copy}.")
