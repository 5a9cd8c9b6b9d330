"""The live task of a job, made from its payload: running it, its folders, and what `params.json` says of it.

Owns: what a job's process does with a live task. payload.py makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from xpm_core.config.base import Task
from xpm_core.config.decorators import locked
from xpm_core.job.outputs import OBJECTS
from xpm_core.language.graph.state import state, unsubmitted
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity.description import describe
from xpm_core.language.parameters.calls import run
from xpm_core.language.parameters.schema import PathMaker, schema_of

INIT_TASKS = "__xpm_init_tasks__"
"""Where a live task keeps its initial tasks, in its `__dict__`."""

SEALED = "__xpm_sealed__"
"""Where a live task keeps the sealed configuration that it was made of, and the workspace, in its `__dict__`."""


def execute(task: Task) -> Any:
    """Run a task that `load` returned: its initial tasks in order, then its own `execute`.

    The folders that generated paths of the job lie in are made before. Of the jobs that share a directory, by a partial
    identifier, one runs at a time: the others wait here.

    Raises:
        DeclarationError: An `execute` returned a coroutine or a generator, of which nothing ran.
    """
    make_folders(task)
    with ExitStack() as held:
        for folder in shared_folders(task):
            held.enter_context(locked(folder.with_name(f"{folder.name}.lock"), "directory"))
        for each in task.__dict__.get(INIT_TASKS, ()):
            run(each)
        return run(task)


def make_folders(task: Task) -> None:
    """Make the folders, below the job's directory, in which the generated paths of a loaded task lie."""
    jobpath: Path = task.__dict__["__taskdir__"]
    for _, _, path in generated(task):
        if path.parent != jobpath and path.is_relative_to(jobpath):
            path.parent.mkdir(parents=True, exist_ok=True)


def generated(task: Task) -> Iterator[tuple[Any, PathMaker, Path]]:
    """The generated paths that a loaded task can use: the configuration, what has generated it, the path."""
    for config, _ in task.__dict__[OBJECTS].values():
        schema = schema_of(config)
        for parameter in schema.parameters.values() if schema.generates else ():
            path = config.__dict__.get(parameter.name)
            if parameter.generator is not None and isinstance(path, Path):
                yield config, parameter.generator, path


def shared_folders(task: Task) -> list[Path]:
    """Make and return the directories that a loaded task shares with others by a partial identifier, in one order.

    Those of tasks that it only uses are not among them.
    """
    found = [each for each in generated(task) if each[1].partial is not None]
    if not found:
        return []
    sealed, workspace = task.__dict__[SEALED]
    below = [config for _, config in reachable(sealed, unsubmitted)]
    own = {id(config) for config in below if config is sealed or state(config).source is None}
    folders = set()
    for config, generator, path in found:
        folder = workspace / generator.partial.folder(config)
        if id(config) in own and path.is_relative_to(folder):
            for each in (folder, path.parent):
                each.mkdir(parents=True, exist_ok=True)
            folders.add(folder)
    return sorted(folders)


def params(task: Task) -> dict[str, Any]:
    """What `params.json` holds of a task that `load` returned; see `describe`."""
    sealed, workspace = task.__dict__[SEALED]
    described = describe(sealed, job=task.__dict__["__taskdir__"], workspace=workspace)
    return {**described, "tags": task.__dict__["__tags__"]}
