"""What a script adds to a task beside its parameters: initial tasks, callbacks, watches, dependencies.

Owns: these entries in the state of a task. Submitting is the experiment's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xpm_core.errors import DeclarationError, ExperimentError, OutputError, ParameterTypeError, SealedError
from xpm_core.language.graph import tags
from xpm_core.language.graph.state import ConfigState, is_configuration, state_of
from xpm_core.language.parameters.calls import refuse_callback
from xpm_core.tracebacks.callsite import caller, format_line


def setup_of(task: Any, method: str) -> ConfigState:
    """The state of a configuration of a task.

    Raises:
        DeclarationError: The task is a live object. The error names the method that was called.
    """
    if not is_configuration(task):
        name = type(task).__name__
        wrong = "this is a live object"
        raise DeclarationError(f"{name}.{method}", wrong, f"Call it on a configuration: {name}.C(...).")
    return state_of(task)


def set_init_tasks(task: Any, init_tasks: Sequence[Any], base: type) -> None:
    """Give a task its initial tasks, with the tags that `stop_tags` keeps from it.

    Args:
        task: The task.
        init_tasks: The initial tasks, in order.
        base: LightweightTask, the class of them all.
    """
    where, own = f"{type(task).__name__}.init_tasks", state_of(task)
    if own.sealed:
        raise SealedError(where, "the task is sealed", "Submit a copy of it with them.", own.created)
    found = []
    for number, each in enumerate(init_tasks):
        if isinstance(each, tags.Tagged):
            own.stopped |= {f"init_tasks[{number}]"}
            each = each.value
        if not isinstance(each, base) or not is_configuration(each):
            wrong = f"expected {base.__name__}, got {each!r} ({type(each).__name__})"
            raise ParameterTypeError(f"{where}[{number}]", wrong, "Pass configurations of them.", format_line(caller()))
        found.append(each)
    own.init_tasks = tuple(found)


def add_callback(task: Any, callback: Any) -> None:
    """Call a function once the task is done; at once if it is."""
    refuse_callback(callback, f"{type(task).__name__}.on_completed", ExperimentError)
    own = setup_of(task, "on_completed")
    if own.submitted is None:
        own.callbacks += (callback,)
    else:
        own.submitted.on_completed(callback, task)


def add_watch(task: Any, method: Callable[..., Any], callback: Callable[[Any], Any]) -> None:
    """Call a function with each output of a method of a task."""
    from xpm_core.job import output_watch  # late, because few scripts watch outputs

    own, watch = setup_of(task, "watch_output"), output_watch.watch(task, method, callback)
    refuse_callback(callback, f"{type(task).__name__}.watch_output", OutputError)
    if own.submitted is None:
        own.watches += (watch,)
    else:
        own.submitted.watch(watch)


def add_dependencies(task: Any, dependencies: Sequence[Any], base: type) -> None:
    """Let a task wait for tasks, and hold units of tokens.

    Args:
        task: The task.
        dependencies: Tasks, and units of tokens. Units of one token add up.
        base: Task, the class of all tasks.
    """
    own = setup_of(task, "add_dependencies")
    if own.submitted is not None:
        raise SealedError(
            type(task).__name__,
            f"cannot add dependencies, the task was submitted at {own.submitted.where}",
            "Add them before submit().",
            format_line(caller()),
        )
    for dependency in dependencies:
        if isinstance(dependency, base):
            own.after += (dependency,)
        else:
            units = own.demand.get(dependency.name, 0) + dependency.units
            own.demand = {**own.demand, dependency.name: units}
