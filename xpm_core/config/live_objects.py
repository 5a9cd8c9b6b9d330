"""Make live objects from configurations: the objects that a job works with, and that `instance()` returns."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from xpm_core.errors import ParameterTypeError
from xpm_core.language.graph.state import blank, is_configuration
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.paths import Layout
from xpm_core.language.parameters.schema import schema_of, short_repr
from xpm_core.language.values.data_objects import copied_object
from xpm_core.language.values.frozen import thawed
from xpm_core.scalars import all_atoms
from xpm_core.tracebacks.callsite import caller, format_line
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")

_configs: dict[int, tuple[weakref.ref[Any], Any]] = {}
"""By `id` of each live object: a reference to it, and its configuration. This is not kept in the object, so that the
object can be pickled, copied and compared like any other."""

OnMade = Callable[[Any, Any], None]


def instance(config: T) -> T:
    """A live object of a configuration, outside of any job. Its generated paths lie in the working directory."""
    seal(config)
    return live(config, Layout(config, Path.cwd(), Path.cwd()))


def live(config: T, layout: Layout, on_made: OnMade = lambda config, found: None) -> T:
    """A live object of a sealed configuration. Each configuration below it gets one, too, the inner ones first.

    Args:
        config: The configuration.
        layout: The generated paths below it.
        on_made: Called with each configuration and its object, before `__post_init__`.
    """
    objects: dict[int, Any] = {}
    for _, each in reachable(config):
        content = each.__dict__
        values = {
            name: layout.path(each, name) or replaced(content[name], objects) for name in schema_of(each).parameters
        }
        found = objects[id(each)] = blank(schema_of(each).value_class)
        remember(found, each)
        found.__dict__.update(values)  # so that an `__init__` can read them
        found.__init__()
        for (
            name,
            value,
        ) in values.items():  # again: a `torch.nn.Module`, initialised now, registers its parts
            setattr(found, name, value)
        on_made(each, found)
        if hasattr(found, "__post_init__"):
            found.__post_init__()
    return objects[id(config)]  # type: ignore[no-any-return]


def remember(found: Any, config: Any) -> None:
    """Remember the configuration of a live object, as long as the object lives."""
    key, pop = id(found), _configs.pop  # not the global name, which may be gone when the interpreter ends
    _configs[key] = weakref.ref(found, lambda _: pop(key, None)), config


@edge
def config_of(found: T) -> T:
    """The configuration that a live object was made of, in a job or by `instance()`.

    Args:
        found: The live object. For a configuration, the configuration itself is returned.

    Returns:
        The sealed configuration.

    Raises:
        ParameterTypeError: It is no live object; or it is a copy of one, or was unpickled.

    Example:
        >>> save(config_of(self.model), "best")
    """
    if is_configuration(found):
        return found
    known = _configs.get(id(found))
    if known is None or known[0]() is not found:
        wrong = f"no configuration is known of {short_repr(found)} ({type(found).__name__})"
        raise ParameterTypeError("config_of()", wrong, "Pass a live object, not a copy of it.", format_line(caller()))
    return known[1]  # type: ignore[no-any-return]


def replaced(value: Any, objects: dict[int, Any]) -> Any:
    """A value in which live objects replace the configurations."""
    if is_configuration(value):
        return objects[id(value)]
    if isinstance(value, dict):
        return {key: replaced(item, objects) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        if all_atoms(value):
            return thawed(value)
        return type(thawed(value))([replaced(item, objects) for item in value])
    return copied_object(value)
