"""From configurations to live objects: what a job works with, and what `instance()` returns."""

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
from xpm_core.language.parameters.schema import schema_of, shortened
from xpm_core.language.values.data_objects import fresh
from xpm_core.language.values.frozen import thawed
from xpm_core.scalars import flat
from xpm_core.tracebacks.callsite import caller, written
from xpm_core.tracebacks.edges import edge

T = TypeVar("T")

_configs: dict[int, tuple[weakref.ref[Any], Any]] = {}
"""By `id` of each live object that there is: a reference to it, and its configuration. The object shows none of it, so
that it is pickled, copied and compared as a plain one."""

Made = Callable[[Any, Any], None]


def instance(config: T) -> T:
    """A live object of a configuration, outside of any job; generated paths are those of the working directory."""
    seal(config)
    return live(config, Layout(config, Path.cwd(), Path.cwd()))


def live(config: T, layout: Layout, made: Made = lambda config, found: None) -> T:
    """A live object of a sealed configuration, with one for each configuration below it, the inner ones first.

    Args:
        config: The configuration.
        layout: Where its generated paths lie.
        made: Called with each configuration and its object, before `__post_init__`.
    """
    objects: dict[int, Any] = {}
    for _, each in reachable(config):
        content = each.__dict__
        values = {
            name: layout.path(each, name) or replaced(content[name], objects) for name in schema_of(each).parameters
        }
        found = objects[id(each)] = blank(schema_of(each).value_class)
        remember(found, each)
        found.__dict__.update(values)  # an `__init__` can read them
        found.__init__()
        for name, value in values.items():  # and a `torch.nn.Module`, initialised now, can register its parts
            setattr(found, name, value)
        made(each, found)
        if hasattr(found, "__post_init__"):
            found.__post_init__()
    return objects[id(config)]  # type: ignore[no-any-return]


def remember(found: Any, config: Any) -> None:
    """Let a live object have its configuration, as long as it lives."""
    key, pop = id(found), _configs.pop  # no global: it may be gone when the interpreter ends
    _configs[key] = weakref.ref(found, lambda _: pop(key, None)), config


@edge
def config_of(found: T) -> T:
    """The configuration that a live object was made of, in a job or by `instance()`; a configuration is its own.

    Raises:
        ParameterTypeError: It is no live object, or a copy of one, or one that was pickled.

    Example:
        >>> save(config_of(self.model), "best")
    """
    if is_configuration(found):
        return found
    known = _configs.get(id(found))
    if known is None or known[0]() is not found:
        wrong = f"no configuration is known of {shortened(found)} ({type(found).__name__})"
        raise ParameterTypeError("config_of()", wrong, "Pass a live object, not a copy of it.", written(caller()))
    return known[1]  # type: ignore[no-any-return]


def replaced(value: Any, objects: dict[int, Any]) -> Any:
    """A value with live objects in the place of configurations."""
    if is_configuration(value):
        return objects[id(value)]
    if isinstance(value, dict):
        return {key: replaced(item, objects) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        if flat(value):
            return thawed(value)
        return type(thawed(value))([replaced(item, objects) for item in value])
    return fresh(value)
