"""The live task of a job: running it, making its folders, and describing it for `params.json`.

Owns: what a job's process does with the live task that payload.py made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from xpm_core.config.base import Task
from xpm_core.config.decorators import locked
from xpm_core.job.outputs import OBJECTS
from xpm_core.language.graph.state import state_of, unsubmitted
from xpm_core.language.graph.walk import reachable
from xpm_core.language.identity.description import describe
from xpm_core.language.parameters.calls import run
from xpm_core.language.parameters.schema import PathMaker, schema_of

INIT_TASKS = "__xpm_init_tasks__"
"""The entry in the `__dict__` of a live task that holds its initial tasks."""

_SEED = re.compile("(?:.*_)?seed|random_state")
MOST_SEEDS = 50
"""How many seeds a record has."""
LONGEST_SEED = 200
"""How many characters the path of a seed has at most, and how many digits a seed."""
LARGEST_SEED = 600
"""How many bits a seed has at most."""

SEALED = "__xpm_sealed__"
"""The entry in the `__dict__` of a live task that holds its sealed configuration, the workspace, and where its shared
directories lie, which is the workspace for a job of a worker."""


def execute(task: Task) -> Any:
    """Run a task that `load` returned: its initial tasks in order, then its own `execute`.

    Before that, the folders of the job's generated paths are made. Jobs that share a directory, by a partial
    identifier, run one at a time; the others wait here.

    Returns:
        What `execute` returned.

    Raises:
        DeclarationError: An `execute` returned a coroutine or a generator, so nothing of it ran.
    """
    make_folders(task)
    with ExitStack() as held:
        for folder in shared_folders(task):
            held.enter_context(locked(folder.with_name(f"{folder.name}.lock"), "directory"))
        for each in task.__dict__.get(INIT_TASKS, ()):
            run(each)
        return run(task)


def make_folders(task: Task) -> None:
    """Make the folders for the generated paths of a loaded task, as far as they are below the job's directory."""
    jobpath: Path = task.__dict__["__taskdir__"]
    for _, _, path in generated(task):
        if path.parent != jobpath and path.is_relative_to(jobpath):
            path.parent.mkdir(parents=True, exist_ok=True)


def generated(task: Task) -> Iterator[tuple[Any, PathMaker, Path]]:
    """The generated paths that a loaded task can use: configuration, generator and path of each."""
    for config, _ in task.__dict__[OBJECTS].values():
        schema = schema_of(config)
        for parameter in schema.parameters.values() if schema.generates else ():
            path = config.__dict__.get(parameter.name)
            if parameter.generator is not None and isinstance(path, Path):
                yield config, parameter.generator, path


def shared_folders(task: Task) -> list[Path]:
    """Make and return the directories that a loaded task shares with others by a partial identifier.

    Directories of tasks that it only uses are not among them.

    Returns:
        The directories, sorted. All jobs lock them in this order, so that no two wait for each other.
    """
    found = [each for each in generated(task) if each[1].partial is not None]
    if not found:
        return []
    sealed, _, place = task.__dict__[SEALED]
    own = set(map(id, _own(sealed)))
    folders = set()
    for config, generator, path in found:
        folder = place / generator.partial.folder(config)
        if id(config) in own and path.is_relative_to(folder):
            for each in (folder, path.parent):
                each.mkdir(parents=True, exist_ok=True)
            folders.add(folder)
    return sorted(folders)


def move_shared(sealed: Any, workspace: Path, place: Path) -> None:
    """Let the paths of a task in directories that it shares with others lie elsewhere, before its objects are made.

    Args:
        sealed: The sealed configuration of the task, as it was read from a payload.
        workspace: The workspace, where the paths are now.
        place: Where they are to be instead.
    """
    for config in _own(sealed):
        for parameter in schema_of(config).parameters.values():
            generator, path = parameter.generator, config.__dict__.get(parameter.name)
            if generator is None or generator.partial is None or not isinstance(path, Path):
                continue
            if path.is_relative_to(workspace / generator.partial.folder(config)):
                config.__dict__[parameter.name] = place / path.relative_to(workspace)


def _own(sealed: Any) -> list[Any]:
    """A task and the configurations below it, without other tasks and what these have made."""
    below = [config for _, config in reachable(sealed, unsubmitted)]
    return [config for config in below if config is sealed or state_of(config).source is None]


def seeds(task: Task) -> dict[str, int | str]:
    """The seeds among the parameters of a task that `load` returned, and of the configurations below it, by path.

    A seed is an integer whose parameter is named `seed`, `random_state`, or `..._seed`. One of more than 64 bits is
    written as text. Other tasks that it uses have their own.

    Example:
        >>> seeds(task)
        {'seed': 1, 'model.init_seed': 7}
    """
    sealed, _, _ = task.__dict__[SEALED]
    found: dict[str, int | str] = {}
    for trail, config in reversed(reachable(sealed, unsubmitted)):
        for name in filter(_SEED.fullmatch, schema_of(config).parameters):
            value = config.__dict__.get(name)
            if type(value) is int and value.bit_length() <= LARGEST_SEED and len(found) < MOST_SEEDS:
                path = ".".join([*str(trail).split(".")[1:], name])
                if len(path) <= LONGEST_SEED:
                    found[path] = value if value.bit_length() < 64 else str(value)
    return found


def params(task: Task) -> dict[str, Any]:
    """The content of `params.json` for a task that `load` returned; see `describe`."""
    sealed, workspace, _ = task.__dict__[SEALED]
    described = describe(sealed, job=task.__dict__["__taskdir__"], workspace=workspace)
    return {**described, "tags": task.__dict__["__tags__"]}
