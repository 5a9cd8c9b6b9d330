"""The dependencies between tasks: which configurations a task has made, and which tasks a task uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from xpm_core.config.base import ResumableTask, Task
from xpm_core.errors import UnsubmittedTaskError
from xpm_core.language.classes.assignment import copied
from xpm_core.language.graph.state import state_of, unsubmitted
from xpm_core.language.graph.walk import Trail, children, path_root, reachable
from xpm_core.language.parameters.schema import schema_of

T = TypeVar("T")


class DependentMarker(Protocol):
    """The type of `dep`, which `task_outputs` and methods that make outputs take. It marks what the task has made.

    Example:
        def task_outputs(self, dep: DependentMarker) -> TrainedModel:
            return dep(TrainedModel.C(model=self.model))
    """

    def __call__(self, config: T, /) -> T: ...


def outputs(task: Task, *, owned: bool = False) -> Any:
    """The result of `submit()` for a submitted task: its `task_outputs`, in which `dep` marks configurations.

    Args:
        task: The task, submitted.
        owned: Whether `own_paths` was called before.
    """

    def dep(config: T) -> T:
        return made_by(task, config)

    if not owned:
        own_paths(task)
    return task.task_outputs(dep)


def own_paths(task: Task, below: Iterable[Any] | None = None) -> None:
    """Make a submitted task the owner of the generated paths below it, unless they have another owner.

    Args:
        task: The task, submitted.
        below: The configurations below it that are no part of another task; None to look for them.
    """
    for each in (each for _, each in reachable(task, unsubmitted)) if below is None else below:
        if each is not task and schema_of(each).generates and state_of(each).owner is None:
            state_of(each).owner = task  # without generated paths nobody reads it, and it would make a reference circle


def made_by(task: Task, config: T) -> T:
    """Mark a configuration as made by a task.

    Whatever uses the configuration depends on the task, and the identity of the task counts in its identity.

    Returns:
        The configuration; or a copy, if it is sealed or another task made it.
    """
    if config is task or state_of(config).source is task:
        return config
    if state_of(config).sealed or state_of(config).source is not None:
        origin, config = config, copied(config, {})
        state_of(config).origin = origin
    state_of(config).source = task
    return config


def produced_by(task: Task, config: T) -> T:
    """Mark a configuration as an output that a task has produced while it runs.

    It does what `dep` does in `task_outputs`: the identity of the task counts in that of the output. But whatever uses
    an output of a ResumableTask need not wait until the task is done, because a retry of that task keeps the directory.

    Args:
        task: The task, submitted.
        config: The configuration.

    Returns:
        The configuration; or a copy, if it is sealed or another task made it.
    """
    own_paths(task)
    if config is task or not isinstance(task, ResumableTask):
        return made_by(task, config)
    if state_of(config).source is task and not state_of(config).early:
        config = copied(config, {})  # other users of this configuration wait for the task
    config = made_by(task, config)
    state_of(config).early = True
    return config


def upstream(task: Any) -> list[Task]:
    """The submitted tasks that a task uses directly, each once, in order.

    A task uses another task in four ways: as a value of its parameters, at any depth; as the task that made such a
    value; through an initial task; by `add_dependencies`. Tasks that those use in turn are not among the result.

    Args:
        task: The task, submitted.

    Raises:
        UnsubmittedTaskError: One of them was not submitted.
    """
    found: dict[int, Task] = {}
    for trail, config in reachable(task, enter=lambda child: not schema_of(child).task):
        own = state_of(config)
        if own.source is not None and not own.early:
            _take(trail, own.source, found)
        for step, child in children(config):
            if schema_of(child).task:
                _take(Trail((trail, step)), child, found)
    for other in state_of(task).after:
        _take(f"{path_root(task)}.add_dependencies", other, found)
    return list(found.values())


def _take(path: Trail | str, used: Task, found: dict[int, Task]) -> None:
    if state_of(used).submitted is None:
        made = f"the {path_root(used)} made at {state_of(used).created}"
        raise UnsubmittedTaskError(str(path), f"{made} was not submitted", "Submit it first.")
    found[id(used)] = used
