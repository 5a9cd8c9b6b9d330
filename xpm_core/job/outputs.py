"""Outputs that a task produces while it runs: a job registers them, a script watches for them.

An output is a call of a method of one of the task's configurations. The job tells which method, and with what
arguments; the script makes the call, and so has the configuration that stands for the output. Owns: the form in which
they are told, the file in the job's directory that keeps them, and what can be registered. Imports nothing heavy.
"""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import Any, NamedTuple

from xpm_core.errors import OutputError
from xpm_core.job import running as job
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.graph.walk import reachable
from xpm_core.workspace.job_directory import JobDirectory

LARGEST = 64 * 1024
"""Bytes that an output may have as it is told."""

Output = dict[str, Any]
"""An output as it is told: `of` (the way to the configuration), `identity` (of it), `method`, `args` and `kwargs`."""

OBJECTS = "__xpm_objects__"
"""Where a live task keeps, in its `__dict__`, the live object of each of its configurations, by the `id` of those."""


class Watch(NamedTuple):
    """What a script watches for: a method of one of a task's configurations, and whom to call with what it returns."""

    task: Any
    method: Callable[..., Any]
    callback: Callable[[Any], Any]

    def source(self) -> tuple[str, str]:
        """The way to the configuration whose method this is, and its identity; the task is sealed.

        Raises:
            OutputError: It is no configuration of the task.
        """
        config = self.method.__self__  # type: ignore[attr-defined]
        for trail, each in reachable(self.task):
            if each is config:
                return str(trail), str(state_of(each).identity)
        where = f"{type(self.task).__name__}.watch_output"
        problem = f"the {type(config).__name__} made at {state_of(config).created} is no part of the task"
        raise OutputError(where, problem, "Watch a method of the task, or of a configuration that is a value of it.")


def watch(task: Any, method: Callable[..., Any], callback: Callable[[Any], Any]) -> Watch:
    """What to watch for, as `Task.watch_output` was told.

    Raises:
        OutputError: It is no method of a configuration, or nothing that could be called.
    """
    where = f"{type(task).__name__}.watch_output"
    if not isinstance(method, MethodType) or not is_configuration(method.__self__):
        problem = f"expected a method of one of the task's configurations, got {method!r}"
        raise OutputError(where, problem, "Pass one, such as learn.validation.checkpoint.")
    if not callable(callback):
        raise OutputError(where, f"expected a function, got {callback!r}", "Pass what to call with each output.")
    return Watch(task, method, callback)


# -- the job's side ----------------------------------------------------------------------------------------------------


def register(method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Tell of an output, as `Config.register_task_output` was told.

    Raises:
        NoJobError: No job runs in this process.
        OutputError: The method is none of the task's, does not take the arguments, or these cannot be told.
        WorkspaceError: It cannot be written down.
    """
    from inspect import signature  # which scripts that declare tasks do without

    where = f"register_task_output({getattr(method, '__qualname__', repr(method))})"
    running = job.own(where)
    told = Teller(where, running.directory)
    source = told.source(running.task, method)
    try:
        signature(method).bind(None, *args, **kwargs)
    except TypeError as error:
        problem = f"it does not take these arguments after `dep` ({error})"
        raise OutputError(where, problem, "Give those that it is to be called with in the script.") from None
    output = {**source, "args": told.values(args), "kwargs": told.values(kwargs)}
    if len(key(output)) > LARGEST:
        problem = f"its arguments take {len(key(output))} bytes, {LARGEST} are allowed"
        raise OutputError(where, problem, "Keep large data in files, and pass their paths.")
    keep(running, output)
    running.output(output)


class Teller:
    """Puts an output into the form in which it is told.

    Args:
        where: What asks, for messages.
        directory: The job's.
    """

    def __init__(self, where: str, directory: JobDirectory) -> None:
        self._where, self._directory = where, directory

    def source(self, task: Any, method: Callable[..., Any]) -> Output:
        """Which method of which configuration."""
        owner = getattr(method, "__self__", None)
        objects = task.__dict__.get(OBJECTS, {})
        root = next((config for config, found in objects.values() if found is task), None)
        for trail, config in reachable(root) if root is not None else ():
            if objects[id(config)][1] is owner:
                return {"of": str(trail), "identity": str(state_of(config).identity), "method": method.__name__}
        problem = "this is no method of the task, or of one of its configurations"
        raise OutputError(self._where, problem, "Pass one, such as self.validation.checkpoint.")

    def values(self, value: Any) -> Any:
        """Arguments in a form that JSON has; paths in the job's directory or the workspace are told relative to it."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real):
            return float(value)
        if isinstance(value, Path):
            return self._path(Path(os.path.abspath(value)))
        if isinstance(value, (list, tuple)):
            return [self.values(each) for each in value]
        if isinstance(value, dict) and all(isinstance(name, str) for name in value):
            return {"items": {name: self.values(each) for name, each in value.items()}}
        problem = f"an argument that is a {type(value).__name__} cannot be told to the script"
        raise OutputError(self._where, problem, "Pass numbers, texts, paths, and lists and dicts of them.")

    def _path(self, path: Path) -> Output:
        for base, name in ((self._directory.path, "job"), (self._directory.workspace, "workspace")):
            if path.is_relative_to(base):
                return {"path": str(path.relative_to(base)), "in": name}
        return {"path": str(path), "in": ""}


def keep(running: job.RunningJob, output: Output) -> None:
    """Write an output down in the job's directory, unless it is there, as after a resumed attempt."""
    if running.kept is None:
        running.kept = {key(each) for each in kept(running.directory)}
    if key(output) not in running.kept:
        running.directory.add_output(json.dumps(output))
        running.kept.add(key(output))


# -- the script's side -------------------------------------------------------------------------------------------------


def kept(directory: JobDirectory) -> list[Output]:
    """The outputs that a job's directory keeps, in order. What is damaged, as by a power cut, is left out."""
    found = []
    for line in directory.outputs():
        try:
            output = json.loads(line)
        except ValueError:
            continue
        if is_output(output):
            found.append(output)
    return found


def is_output(value: Any) -> bool:
    """Whether a value has the form of an output."""
    if not isinstance(value, dict) or not all(
        isinstance(value.get(name), str) for name in ("of", "identity", "method")
    ):
        return False
    return isinstance(value.get("args"), list) and isinstance(value.get("kwargs"), dict) and "items" in value["kwargs"]


def key(output: Output) -> str:
    """What an output is told apart by."""
    return json.dumps(output, sort_keys=True)


def arguments(output: Output, directory: JobDirectory) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an output's method, with paths as they are on this machine."""
    return _read(output["args"], directory), _read(output["kwargs"], directory)


def _read(value: Any, directory: JobDirectory) -> Any:
    if isinstance(value, list):
        return [_read(each, directory) for each in value]
    if not isinstance(value, dict):
        return value
    if "items" in value:
        return {name: _read(each, directory) for name, each in value["items"].items()}
    path, base = Path(value["path"]), {"job": directory.path, "workspace": directory.workspace}.get(value["in"])
    if (base is None) is not path.is_absolute() or ".." in path.parts:
        raise ValueError(f"a path that leads elsewhere: {value!r}")
    return path if base is None else base / path
