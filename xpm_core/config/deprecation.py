"""Classes and parameters that were replaced by others, and keep their results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from xpm_core.errors import DeclarationError, ValidationError
from xpm_core.language.classes.assignment import restored, values_of
from xpm_core.language.graph.state import state
from xpm_core.language.parameters.fields import Renamed
from xpm_core.language.parameters.schema import Schema
from xpm_core.tracebacks.callsite import caller_frame
from xpm_core.tracebacks.edges import edge

F = TypeVar("F", bound=Callable[..., Any])


@overload
def deprecate(deprecated: type, *, replace: bool = False): ...  # type: ignore[no-untyped-def]  # see below
@overload
def deprecate(deprecated: F) -> F: ...
# What it returns for a class is left open, so that type checkers take the decorated class for what it was.
@edge
def deprecate(deprecated: Any, *, replace: bool = False) -> Any:
    """Deprecate a class or a parameter; what was computed with it keeps its identity.

    - `@deprecate` on a subclass of the class that replaces it: the two have one identity.
    - `@deprecate(New)` on a class with a method `__convert__`, which returns a configuration of New: the identity is
      that of what it returns. With `replace=True` a configuration is replaced by that as soon as it is made.
    - `@deprecate` on a function in a class: assigning to the parameter of that name calls it with the value.

    Example:
        >>> @deprecate(Learn)
        ... class OldLearn(Task):
        ...     rate: Param[float]
        ...     def __convert__(self):
        ...         return Learn.C(rates=[self.rate])
    """
    if not isinstance(deprecated, type):
        return Renamed(deprecated)
    if not hasattr(deprecated, "__xpm_schema__"):
        raise DeclarationError(deprecated.__name__, "it is no class of configurations", "Deprecate one that is.")
    if has_name(deprecated):
        return lambda cls: replaced(cls, deprecated, replace)
    return replaced(deprecated, successor_in_bases(deprecated), replace)


def has_name(cls: type) -> bool:
    """Whether a class has been defined already: one that is just being decorated has no name yet."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls or any(value is cls for value in caller_frame().f_locals.values())


def successor_in_bases(cls: type) -> type:
    """The class that replaces one which derives from it."""
    base = cls.__bases__[0]
    if len(cls.__bases__) != 1 or base.__dict__.get("__xpm_base__"):
        raise DeclarationError(
            cls.__name__, "@deprecate does not know what replaces it", "Derive it from that, or say @deprecate(New)."
        )
    return base


def replaced(cls: type, successor: type, at_once: bool) -> type:
    """Let configurations of a class have the identity of configurations of another one."""
    schema: Schema = cls.__dict__["__xpm_schema__"]
    convert = cls.__dict__.get("__convert__")
    if convert is None and not issubclass(cls, successor):
        raise DeclarationError(
            cls.__name__, f"it has no __convert__ to make a {successor.__name__} of it", "Define __convert__(self)."
        )

    def converted(config: Any) -> Any:
        found = convert(config) if convert else restored(successor, values_of(config), state(config))
        if type(found) is not successor:
            wrong = f"its __convert__ returned {type(found).__name__}, not {successor.__name__}"
            raise ValidationError(cls.__name__, wrong, "Let it return a configuration of that.", state(config).created)
        return found

    schema.successor, schema.converts, schema.replaced = successor, converted, at_once
    return cls
