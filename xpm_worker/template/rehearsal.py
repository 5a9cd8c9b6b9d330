"""The steps of a job, taken ahead with a task that does nothing, in a folder that is gone afterwards.

The mother of starters takes some of them often, for Python adapts its code to what it does often, and fills its caches.
A process forked from a template takes all of them once, to see what memory they write to: see pages.py.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import re
import socket
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from xpm_core.language.identity.digest import task_id
from xpm_core.language.identity.seal import seal
from xpm_core.wire.payload import pack
from xpm_core.workspace.workspace import Workspace
from xpm_worker.job import main as job_process
from xpm_worker.job.standby import awaited
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import Finished, Run
from xpm_worker.system import kernel

MODULE = "xpm_worker.template.rehearsed"
"""Where the task is; imported anew each time, as a job's module is."""

VARIABLE = "XPM_REHEARSAL"

NAME = "xpm-rehearsal"
"""Of a process that takes all steps; names of folders begin with it."""

_PLACE = Path(os.environ.get("TMPDIR") or "/tmp").absolute()


def warm() -> None:
    """Take the steps that leave nothing in this process: from the job's message to its last word."""
    try:
        with handed() as channel:
            run, reports = _received(channel)
            job_process.execute(run, job_process.directory_of(run), reports)
            reports.say(Finished(True, None))
    finally:
        _forget()
    os.environ[VARIABLE] = ""
    os.environ.pop(VARIABLE)


def rehearse(channel: Channel) -> None:
    """Take all steps of a job, in a process that is of no use afterwards.

    Args:
        channel: What `handed` gave.
    """
    kernel.set_name(NAME)
    atexit._clear()  # what packages do at the end is not to be done now
    job_process.perform(*_received(channel))


def _received(channel: Channel) -> tuple[Run, job_process.Reports]:
    run = awaited(channel)
    assert run is not None
    return run, job_process.Reports(channel)


@cache
def play() -> Run:
    """What is rehearsed, but for the workspace. The mother makes it once, before it forks."""
    module = importlib.import_module(MODULE)
    task = module.Rehearsed.C(name="a", size=2, names=["b"])
    identity, name = seal(task), task_id(type(task))
    run = Run(
        execution="0",
        identity=identity,
        task=name,
        label="Rehearsed",
        workspace="",
        directory=Workspace(Path(), "").directory_of(name, identity),
        payload=pack(task),
        attempt=1,
        resumable=False,
        template=False,
        env={},
        timeout_s=None,
        lease_until=0.0,
        worker="",
        host="",
    )
    _forget()
    return run


@contextlib.contextmanager
def handed() -> Iterator[Channel]:
    """What a job's process gets: the way to its starter, over which the job comes. Its directory is there for so long.

    Raises:
        OSError: It cannot be made.
    """
    folder = _PLACE / f"{NAME}-{os.getpid()}-{os.urandom(8).hex()}"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            folder.mkdir(0o700)
            os.makedirs(folder / play().directory)
            Channel(ours).send(play()._replace(workspace=str(folder)))
            yield Channel(theirs)
        finally:
            _remove(folder)


def sweep() -> None:
    """Remove the folders of processes that were killed amid a rehearsal; only this user's."""
    for folder in _PLACE.iterdir():
        named = re.fullmatch(rf"{NAME}-(\d+)-[0-9a-f]+", folder.name)
        with contextlib.suppress(OSError):
            if named and folder.lstat().st_uid == os.getuid() and not _lives(int(named[1])):
                _remove(folder)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _remove(folder: Path) -> None:
    for path, _, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(path, name))
        os.rmdir(path)


def _forget() -> None:
    """Leave neither the module nor its classes."""
    sys.modules.pop(MODULE, None)
    package, _, name = MODULE.rpartition(".")
    with contextlib.suppress(AttributeError):
        delattr(sys.modules[package], name)
    gc.collect()
