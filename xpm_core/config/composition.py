"""Make configurations from others: copies, composition with `@`, and whether one counts in the identity of another."""

from __future__ import annotations

from typing import Any, TypeVar

from xpm_core.errors import MismatchError, ParameterValueError, SealedError
from xpm_core.language.classes.assignment import assign, copied
from xpm_core.language.graph.state import state_of
from xpm_core.language.parameters.schema import Parameter, schema_of
from xpm_core.language.values.kinds import AnyKind
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")


@edge
def copyconfig(config: T, **values: Any) -> T:
    """Copy a configuration, with other values for some parameters. Nested configurations are shared.

    The copy has the tags, and comes from the same task. It has no job, no callbacks and no dependencies.

    Args:
        config: The configuration; it may be sealed.
        values: New values, by parameter.

    Returns:
        A configuration that can be assigned.

    Example:
        >>> faster = copyconfig(learn, epochs=10)
    """
    return copied(config, values)  # type: ignore[no-any-return]


@edge
def setmeta(config: T, flag: bool) -> T:
    """Set whether a configuration counts in the identity of configurations that hold it, whatever the parameter says.

    Args:
        config: The configuration, not sealed.
        flag: True if it shall not count, as with `Meta`; False if it shall count.

    Returns:
        The same configuration.

    Raises:
        SealedError: The configuration is sealed.

    Example:
        >>> Learn.C(model=setmeta(Model.C(), True))
    """
    own = state_of(config)
    if own.sealed:
        raise SealedError(type(config).__name__, "setmeta() came too late, it is sealed", "Change a copy.", own.created)
    own.ignored = flag
    return config


def compose(outer: T, inner: Any) -> T:
    """Assign a configuration to the one parameter of another that takes it. `outer @ inner` calls this.

    Raises:
        ParameterValueError: No parameter takes it, or several do.
    """
    takers = [p.name for p in schema_of(outer).parameters.values() if takes(p, inner)]
    if len(takers) != 1:
        name, given = type(outer).__name__, type(inner).__name__
        wrong = f"{' and '.join(takers)} take a {given}" if takers else f"no parameter takes a {given}"
        raise ParameterValueError(
            name, f"{wrong} given by @", f"Name the parameter: {name}.C(...={given}.C(...)).", format_line(caller())
        )
    assign(outer, takers[0], inner)
    return outer


def takes(parameter: Parameter, value: Any) -> bool:
    """Whether a parameter is declared for configurations like this one."""
    if not parameter.holds or parameter.role == "constant" or isinstance(parameter.kind, AnyKind):
        return False
    try:
        parameter.check(value)
    except MismatchError:
        return False
    return True
