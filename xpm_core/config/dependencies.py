"""How tasks depend on one another: what a task makes, and which tasks another one uses."""

from __future__ import annotations

from typing import Any, TypeVar

from xpm_core.config.base import ResumableTask, Task
from xpm_core.errors import UnsubmittedTaskError
from xpm_core.language.classes.assignment import copied
from xpm_core.language.graph.state import state, unsubmitted
from xpm_core.language.graph.walk import Trail, children, reachable, title
from xpm_core.language.parameters.schema import schema_of

T = TypeVar("T")


def outputs(task: Task) -> Any:
    """What `submit()` returns for a submitted task: its `task_outputs`, with the configurations that it marks."""

    def dep(config: T) -> T:
        return made_by(task, config)

    own_paths(task)
    return task.task_outputs(dep)


def own_paths(task: Task) -> None:
    """Let the configurations below a submitted task that belong to no other have their generated paths in its job."""
    for _, each in reachable(task, unsubmitted):
        if each is not task and schema_of(each).generates and state(each).owner is None:
            state(each).owner = task  # where nothing is generated nobody asks, and it would make a circle


def made_by(task: Task, config: T) -> T:
    """Mark a configuration as made by a task: what uses it depends on the task, and its identity counts the task's.

    Returns:
        The configuration, or a copy if it is sealed or was made by another task.
    """
    if config is task or state(config).source is task:
        return config
    if state(config).sealed or state(config).source is not None:
        origin, config = config, copied(config, {})
        state(config).origin = origin
    state(config).source = task
    return config


def produced_by(task: Task, config: T) -> T:
    """Mark a configuration as an output that a task has produced while it runs.

    As `made_by`; but what uses it need not wait for a ResumableTask to be done, for its directory outlasts whatever
    may happen to it until then.
    """
    own_paths(task)
    if config is task or not isinstance(task, ResumableTask):
        return made_by(task, config)
    if state(config).source is task and not state(config).early:
        config = copied(config, {})  # its other uses wait
    config = made_by(task, config)
    state(config).early = True
    return config


def upstream(task: Any) -> list[Task]:
    """The submitted tasks that a task refers to, each once, in order, not looking beyond them.

    They are values of its parameters at any depth, made such values, are used by its initial tasks, or were added by
    `add_dependencies`.

    Raises:
        UnsubmittedTaskError: One of them was not submitted.
    """
    found: dict[int, Task] = {}
    for trail, config in reachable(task, enter=lambda child: not schema_of(child).task):
        own = state(config)
        if own.source is not None and not own.early:
            _take(trail, own.source, found)
        for step, child in children(config):
            if schema_of(child).task:
                _take(Trail((trail, step)), child, found)
    for other in state(task).after:
        _take(f"{title(task)}.add_dependencies", other, found)
    return list(found.values())


def _take(path: Trail | str, used: Task, found: dict[int, Task]) -> None:
    if state(used).submitted is None:
        made = f"the {title(used)} made at {state(used).created}"
        raise UnsubmittedTaskError(str(path), f"{made} was not submitted", "Submit it first.")
    found[id(used)] = used
