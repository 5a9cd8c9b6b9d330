"""Payloads: a sealed task as msgpack, and the way back to live objects.

A payload holds each configuration that the task refers to once, the inner ones first. It says where their classes are,
and which tags the task has. The payload of a large graph names parts that hold the rest
(xpm_core.workspace.payload_parts). Values are written as in identities (language/values/encoding.py), but the entries
of dicts keep their order. Paths in the workspace are relative to it, generated paths to the job's directory.

What is read is bound to an identity: the digest is computed anew, so nothing that counts can have been changed.
Imports no client of a server and no display.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from xpm_core.config.base import Task
from xpm_core.config.decorators import CACHE, has_cache
from xpm_core.config.live_objects import live
from xpm_core.errors import PayloadError
from xpm_core.job.outputs import OBJECTS
from xpm_core.language.graph.state import state_of
from xpm_core.language.identity.digest import task_id
from xpm_core.language.identity.seal import seal
from xpm_core.language.parameters.paths import Layout
from xpm_core.project.import_path import ImportPath
from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.wire import live_task
from xpm_core.wire.live_task import INIT_TASKS, SEALED
from xpm_core.wire.packer import Packer, within_limit
from xpm_core.wire.part_packer import write_part
from xpm_core.wire.restorer import import_path_in
from xpm_core.wire.unpacker import Unpacker, opened
from xpm_core.workspace.payload_parts import Parts

MANY = 24
"""Submitted tasks that a payload holds itself. If it needs more, parts hold them."""
LARGE = 64 * 1024
"""Bytes that a payload has without parts. If it would have more, parts hold what is below submitted tasks."""


def pack(
    task: Task,
    workspace: Path | None = None,
    tags: Mapping[str, Any] | None = None,
    parts: Parts | None = None,
) -> bytes:
    """The payload of a task. The task is sealed first, if it is not.

    Args:
        task: The task.
        workspace: The workspace; paths in it are written relative to it.
        tags: The task's tags, if they are known already.
        parts: The parts of the workspace, for what is below submitted tasks if that is large. Without them, the payload
            holds everything.

    Returns:
        At most `LARGEST_PAYLOAD` bytes.

    Raises:
        ClassNameError: No other process could import a class.
        MissingParameterError: A parameter has no value.
        NestingError: A value is nested deeper than the reader accepts.
        PayloadError: The payload would be too large.
        WorkspaceError: A part cannot be written.

    Example:
        >>> data = pack(learn, workspace.path)
    """
    seal(task)
    with nullcontext() if parts is None else parts.lock:
        packer = Packer(task, workspace, parts=parts)
        data = packer.data(tags)
        if parts is not None and (len(data) > LARGE or len(packer.submitted()) > MANY) and write_part(packer):
            data = Packer(task, workspace, parts=parts).data(tags)
    return within_limit(data, task)


def load(
    data: bytes,
    *,
    workspace: Path,
    identity: str,
    jobpath: Path,
    allow: Sequence[str] = (),
    shared: Path | None = None,
    code: MovedCode = UNMOVED,
) -> Task:
    """The live task of a payload, ready for `execute`, with `__taskdir__` and `__tags__`.

    From now on, this process imports as the script does (xpm_core.project.import_path), and has the script's
    `sys.argv`.

    Args:
        data: The bytes that `pack` returned.
        workspace: Where the workspace is on this machine.
        identity: The identity that the task must have, as 64 hexadecimal characters.
        jobpath: The job's directory on this machine.
        allow: Patterns of the modules that may be imported (xpm_core.language.code.allow_list); empty for all.
        shared: Where the directories lie that the job shares with other jobs, and the caches of its objects; None for
            the workspace.
        code: Where the code of the script lies now.

    Returns:
        A live object of the task's class.

    Raises:
        ModuleNotAllowedError: The task needs another module. Nothing of it was imported.
        TaskImportError: A class cannot be imported; names module and reason.
        PayloadError: The data are malformed, or have another identity.

    Example:
        >>> execute(load(data, workspace=workspace, identity=identity, jobpath=directory))
    """
    root, tags = Unpacker(workspace, jobpath, allow, code).configuration(data, identity)
    if not isinstance(root, Task):
        raise PayloadError("payload", f"it is a {type(root).__name__}, not a task", "Submit a task.")
    if shared is not None:
        live_task.move_shared(root, workspace, shared)
    place = shared or workspace
    objects: dict[int, tuple[Any, Any]] = {}
    caches: Callable[[type], bool] = cache(has_cache)  # for this load only, because it keeps classes alive

    def on_made(config: Any, found: Any) -> None:
        objects[id(config)] = config, found
        if isinstance(config, Task):
            own = state_of(config).submitted
            found.__dict__["__taskdir__"] = jobpath if config is root else own and own.jobpath
        if caches(type(found)):
            folder = task_id(type(config)).replace(":", ".")
            found.__dict__[CACHE] = place / "config" / folder / str(state_of(config).identity)
        if config is root:
            found.__dict__["__tags__"] = tags

    task = live(root, Layout(root, jobpath, place), on_made)
    task.__dict__[INIT_TASKS] = [objects[id(each)][1] for each in state_of(root).init_tasks]
    task.__dict__[OBJECTS] = objects
    task.__dict__[SEALED] = root, workspace, place
    return task


def first_module(data: bytes, code: MovedCode = UNMOVED) -> tuple[str, ImportPath]:
    """The module that `load` would import first, and the import path that it would follow. This does neither.

    Args:
        data: The bytes that `pack` returned.
        code: Where the code of the script lies now.

    Returns:
        The name of the module, empty for a local class, which is made and not imported; and the import path.

    Raises:
        Exception: The data are malformed, in any way.
    """
    content = opened(data)
    record = content["classes"][content["objects"][0]["class"]]
    return "" if "local" in record else record["module"], import_path_in(content, code)
