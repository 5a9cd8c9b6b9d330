"""Deprecated classes and parameters: others replace them, and the results of old jobs are still found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from xpm_core.errors import DeclarationError, ValidationError
from xpm_core.language.classes.assignment import restored, values_of
from xpm_core.language.graph.state import state_of
from xpm_core.language.parameters.fields import Renamed
from xpm_core.language.parameters.schema import Schema
from xpm_core.tracebacks.callsite import caller_frame
from xpm_core.tracebacks.edges import edge

F = TypeVar("F", bound=Callable[..., Any])


@overload
def deprecate(deprecated: type, *, replace: bool = False): ...  # type: ignore[no-untyped-def]  # see below
@overload
def deprecate(deprecated: F) -> F: ...
# The result for a class has no type here, so that type checkers keep the type of the decorated class.
@edge
def deprecate(deprecated: Any, *, replace: bool = False) -> Any:
    """Deprecate a class or a parameter. What was computed with it keeps its identity.

    - `@deprecate` on a subclass of the class that replaces it: the two have one identity.
    - `@deprecate(New)` on a class with a method `__convert__`, which returns a configuration of New: the identity is
      that of what it returns. With `replace=True` a configuration is replaced by that as soon as it is made.
    - `@deprecate` on a function in a class: the function replaces the parameter of its name. An assignment to the
      parameter calls the function with the value.

    Args:
        deprecated: The class, the class that replaces it, or the function.
        replace: Whether a configuration of the deprecated class is converted as soon as it is made.

    Returns:
        The class; or a decorator, for a class that replaces another.

    Raises:
        DeclarationError: It is no class of configurations, or there is no way to convert its configurations.

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
    """Whether a class is known by its name already. A class that is just being decorated is not."""
    found: Any = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls or any(value is cls for value in caller_frame().f_locals.values())


def successor_in_bases(cls: type) -> type:
    """The class that replaces a class derived from it."""
    base = cls.__bases__[0]
    if len(cls.__bases__) != 1 or base.__dict__.get("__xpm_base__"):
        raise DeclarationError(
            cls.__name__, "@deprecate does not know what replaces it", "Derive it from that, or say @deprecate(New)."
        )
    return base


def replaced(cls: type, successor: type, at_once: bool) -> type:
    """Give the configurations of a class the identity of configurations of the class that replaces it."""
    schema: Schema = cls.__dict__["__xpm_schema__"]
    convert = cls.__dict__.get("__convert__")
    if convert is None and not issubclass(cls, successor):
        raise DeclarationError(
            cls.__name__, f"it has no __convert__ to make a {successor.__name__} of it", "Define __convert__(self)."
        )

    def converted(config: Any) -> Any:
        found = convert(config) if convert else restored(successor, values_of(config), state_of(config))
        if type(found) is not successor:
            wrong = f"its __convert__ returned {type(found).__name__}, not {successor.__name__}"
            raise ValidationError(
                cls.__name__, wrong, "Let it return a configuration of that.", state_of(config).created
            )
        return found

    schema.successor, schema.converts, schema.replaced = successor, converted, at_once
    return cls
