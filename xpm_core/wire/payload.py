"""The wire form of a sealed task: msgpack, and the way back to live objects.

It holds the configurations that the task refers to, each once, the inner ones first; where their classes are; and the
tags. Of a large graph it names parts that hold the rest (xpm_core.workspace.payload_parts). Values are written as in identities
(values/encoding.py), entries of dicts in their own order. Paths in the workspace are relative to it, generated ones to
the job's directory. What is read is bound to an identity: its digest is computed anew, so that nothing that counts can
have been changed. Imports no client of a server and no display.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from xpm_core.config.base import Task
from xpm_core.config.live_objects import live
from xpm_core.config.decorators import CACHE, has_cache
from xpm_core.errors import PayloadError
from xpm_core.job.outputs import OBJECTS
from xpm_core.language.graph.state import state
from xpm_core.language.identity.digest import task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.paths import Layout
from xpm_core.project.import_path import ImportPath
from xpm_core.wire.live_task import INIT_TASKS, SEALED
from xpm_core.wire.packer import Packer, checked
from xpm_core.workspace.payload_parts import LARGE, MANY, Parts
from xpm_core.wire.restorer import import_path_in
from xpm_core.wire.unpacker import Loader, opened


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
        allow: Patterns of the modules that may be imported (xpm_core.language.code.allow_list); empty for all.

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
