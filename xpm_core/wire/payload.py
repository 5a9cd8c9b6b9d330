"""The wire form of a sealed task: msgpack, and the way back to live objects.

It holds the configurations that the task refers to, each once, the inner ones first; where their classes are; and the
tags. Of a large graph it names parts that hold the rest (xpm_core.wire.parts). Values are written as in identities
(xpm_core.language.values.encoding), entries of dicts in their own order. Paths in the workspace are relative to it, generated ones to
the job's directory. What is read is bound to an identity: its digest is computed anew, so that nothing that counts can
have been changed. Imports no client of a server and no display.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from xpm_core.config.base import Task
from xpm_core.config.live import live
from xpm_core.config.methods import CACHE, has_cache, locked
from xpm_core.errors import PayloadError
from xpm_core.job.outputs import OBJECTS
from xpm_core.language.graph.state import reachable, state, unsubmitted
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.digest import task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.calls import run
from xpm_core.language.parameters.paths import Layout
from xpm_core.language.parameters.schema import PathMaker, schema_of
from xpm_core.project.import_path import ImportPath
from xpm_core.wire.packing import Packer, checked
from xpm_core.wire.parts import LARGE, MANY, Parts
from xpm_core.wire.restoring import import_path_in
from xpm_core.wire.unpacking import Loader, opened

__all__ = ["describe", "execute", "load", "pack", "params"]

INIT_TASKS = "__xpm_init_tasks__"
"""Where a live task keeps its initial tasks, in its `__dict__`."""

SEALED = "__xpm_sealed__"
"""Where a live task keeps the sealed configuration that it was made of, and the workspace, in its `__dict__`."""


def pack(
    task: Task,
    workspace: Path | None = None,
    tags: Mapping[str, Any] | None = None,
    parts: Parts | None = None,
) -> bytes:
    """The wire form of a task; it is sealed, if it is not yet.

    Args:
        task: The task.
        workspace: The workspace, whose paths become relative to it.
        tags: Its tags, if they are known.
        parts: Where to put what is below submitted tasks, if it is much; else the wire form holds all of it.

    Raises:
        ClassNameError: A class has no file that another process could import.
        MissingParameterError: A parameter has no value.
        NestingError: A value is nested deeper than can be read.
        PayloadError: It is too large.
        WorkspaceError: A part cannot be written.
    """
    seal(task)
    with nullcontext() if parts is None else parts.lock:
        packer = Packer(task, workspace, parts=parts)
        data = packer.data(tags)
        if parts is not None and (len(data) > LARGE or len(packer.submitted()) > MANY) and packer.give_away():
            data = Packer(task, workspace, parts=parts).data(tags)
    return checked(data, task)


def load(data: bytes, *, workspace: Path, identity: str, jobpath: Path, allow: Sequence[str] = ()) -> Task:
    """The live task of a wire form, ready for `execute`, with `__taskdir__` and `__tags__`.

    From then on, this process imports as the script does (xpm_core.project.import_path), and has its `sys.argv`.

    Args:
        data: What `pack` made.
        workspace: Where the workspace is on this machine.
        identity: What the task has to be, as 64 hexadecimal characters.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported (xpm_core.language.code.allowed); empty for all.

    Raises:
        ModuleNotAllowedError: It needs another module; nothing of it was imported.
        TaskImportError: A class cannot be imported; names module and reason.
        PayloadError: The data are malformed, or not those of that identity.
    """
    root, tags = Loader(workspace, jobpath, allow).configuration(data, identity)
    if not isinstance(root, Task):
        raise PayloadError("payload", f"it is a {type(root).__name__}, and no task", "Submit a task.")
    objects: dict[int, tuple[Any, Any]] = {}
    caches: Callable[[type], bool] = cache(has_cache)  # for this load only, because it keeps the classes alive

    def made(config: Any, found: Any) -> None:
        objects[id(config)] = config, found
        if isinstance(config, Task):
            own = state(config).submitted
            found.__dict__["__taskdir__"] = jobpath if config is root else own and own.jobpath
        if caches(type(found)):
            folder = task_id(type(config)).replace(":", ".")
            found.__dict__[CACHE] = workspace / "config" / folder / str(state(config).identity)
        if config is root:
            found.__dict__["__tags__"] = tags

    task = live(root, Layout(root, jobpath, workspace), made)
    task.__dict__[INIT_TASKS] = [objects[id(each)][1] for each in state(root).init_tasks]
    task.__dict__[OBJECTS] = objects
    task.__dict__[SEALED] = root, workspace
    return task


def first_module(data: bytes) -> tuple[str, ImportPath]:
    """The module that `load` would import first, and the path that it would follow; it does neither.

    The module's name is empty for a class that is made and not imported.

    Raises:
        Exception: The data are malformed, in whatever way.
    """
    content = opened(data)
    record = content["classes"][content["objects"][0]["class"]]
    return "" if "local" in record else record["module"], import_path_in(content)


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
