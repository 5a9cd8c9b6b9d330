"""Configurations from configurations: copies, composition with `@`, and whether one counts."""

from __future__ import annotations

from typing import Any, TypeVar

from xpm_core.errors import MismatchError, ParameterValueError, SealedError
from xpm_core.language.classes.assignment import assign, copied
from xpm_core.language.graph.state import state
from xpm_core.language.parameters.schema import Parameter, schema_of
from xpm_core.language.values.kinds import AnyKind
from xpm_core.tracebacks.callsite import caller, written
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")


@edge
def copyconfig(config: T, **values: Any) -> T:
    """A copy of a configuration that can be assigned, with other values for some parameters.

    Nested configurations are shared. Tags and the task that made it go along; what was said of a job does not.

    Example:
        >>> faster = copyconfig(learn, epochs=10)
    """
    return copied(config, values)  # type: ignore[no-any-return]


@edge
def setmeta(config: T, flag: bool) -> T:
    """Say whether a configuration counts for the identity of what it is given to, whatever the parameter says.

    Args:
        config: The configuration, not sealed.
        flag: True lets it not count, False lets it count.

    Returns:
        The configuration.
    """
    own = state(config)
    if own.sealed:
        raise SealedError(type(config).__name__, "setmeta() came too late, it is sealed", "Change a copy.", own.created)
    own.meta = flag
    return config


def compose(outer: T, inner: Any) -> T:
    """Give a configuration to the one parameter of another that takes it; what `outer @ inner` does.

    Raises:
        ParameterValueError: No parameter takes it, or several do.
    """
    takers = [p.name for p in schema_of(outer).parameters.values() if takes(p, inner)]
    if len(takers) != 1:
        name, given = type(outer).__name__, type(inner).__name__
        wrong = f"{' and '.join(takers)} take a {given}" if takers else f"no parameter takes a {given}"
        raise ParameterValueError(
            name, f"{wrong} given by @", f"Name the parameter: {name}.C(...={given}.C(...)).", written(caller())
        )
    assign(outer, takers[0], inner)
    return outer


def takes(parameter: Parameter, value: Any) -> bool:
    """Whether a parameter is declared for configurations such as this one."""
    if not parameter.holds or parameter.role == "constant" or isinstance(parameter.kind, AnyKind):
        return False
    try:
        parameter.check(value)
    except MismatchError:
        return False
    return True
