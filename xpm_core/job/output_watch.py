"""The script's side of outputs: which method of which configuration a script watches for."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, NamedTuple

from xpm_core.errors import OutputError
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.walk import reachable


class Watch(NamedTuple):
    """A method of one of a task's configurations, and the function to call with what the method returns."""

    task: Any
    method: Callable[..., Any]
    callback: Callable[[Any], Any]

    def source(self) -> tuple[str, str]:
        """The way from the sealed task to the configuration whose method this is, and the configuration's identity.

        Raises:
            OutputError: The configuration is no part of the task.
        """
        config = self.method.__self__  # type: ignore[attr-defined]
        for trail, each in reachable(self.task):
            if each is config:
                return str(trail), str(state_of(each).identity)
        where = f"{type(self.task).__name__}.watch_output"
        problem = f"the {type(config).__name__} made at {state_of(config).created} is no part of the task"
        raise OutputError(where, problem, "Watch a method of the task, or of a configuration that is a value of it.")


def watch(task: Any, method: Callable[..., Any], callback: Callable[[Any], Any]) -> Watch:
    """Make a watch of the arguments of `Task.watch_output`.

    Raises:
        OutputError: `method` is no method of a configuration, or `callback` cannot be called.
    """
    where = f"{type(task).__name__}.watch_output"
    if not isinstance(method, MethodType) or not is_configuration(method.__self__):
        problem = f"expected a method of one of the task's configurations, got {method!r}"
        raise OutputError(where, problem, "Pass one, such as learn.validation.checkpoint.")
    if not callable(callback):
        raise OutputError(where, f"expected a function, got {callback!r}", "Pass a function that takes an output.")
    return Watch(task, method, callback)
