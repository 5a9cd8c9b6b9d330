"""The job's side of outputs: its code registers one, which is kept in the job's directory and then sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from xpm_core.errors import OutputError
from xpm_core.job import outputs
from xpm_core.job import running as job
from xpm_core.job.outputs import Output
from xpm_core.language.graph.state import state_of
from xpm_core.language.graph.walk import reachable

LARGEST = 64 * 1024
"""How large an output may be in its JSON form, bytes."""


def register(method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Register an output; `Config.register_task_output` calls this.

    Args:
        method: A method of the task, or of one of its configurations.
        args: Positional arguments of the method, after `dep`.
        kwargs: Its other arguments.

    Raises:
        NoJobError: No job runs in this process.
        OutputError: The method does not belong to the task, does not take the arguments, or they cannot be sent.
        WorkspaceError: The output cannot be written into the job's directory.
    """
    from inspect import signature  # late, because scripts that only declare tasks do not need it

    where = f"register_task_output({getattr(method, '__qualname__', repr(method))})"
    running = job.own(where)
    source = _source(running.task, method, where)
    try:
        signature(method).bind(None, *args, **kwargs)
    except TypeError as error:
        problem = f"it does not take these arguments after `dep` ({error})"
        raise OutputError(where, problem, "Give the arguments that the script is to call it with.") from None
    encoded = {
        "args": outputs.encode(args, running.directory, where),
        "kwargs": outputs.encode(kwargs, running.directory, where),
    }
    output = {**source, **encoded}
    size = len(outputs.key(output))
    if size > LARGEST:
        problem = f"its arguments take {size} bytes, {LARGEST} are allowed"
        raise OutputError(where, problem, "Keep large data in files, and pass their paths.")
    _keep(running, output)
    running.output(output)


def _source(task: Any, method: Callable[..., Any], where: str) -> Output:
    """Which method of which configuration of the task this is."""
    owner = getattr(method, "__self__", None)
    objects = task.__dict__.get(outputs.OBJECTS, {})
    root = next((config for config, live in objects.values() if live is task), None)
    for trail, config in reachable(root) if root is not None else ():
        if objects[id(config)][1] is owner:
            return {"of": str(trail), "identity": str(state_of(config).identity), "method": method.__name__}
    problem = "this is no method of the task, or of one of its configurations"
    raise OutputError(where, problem, "Pass one, such as self.validation.checkpoint.")


def _keep(running: job.RunningJob, output: Output) -> None:
    """Write an output into the job's directory, unless it is there already, as in a resumed attempt."""
    if running.kept is None:
        running.kept = {outputs.key(each) for each in outputs.kept(running.directory)}
    key = outputs.key(output)
    if key not in running.kept:
        running.directory.add_output(json.dumps(output))
        running.kept.add(key)
