"""A rehearsal: the steps of a job, taken in advance with a task that does nothing, in a folder that is then removed.

The fork server takes some of the steps many times, because Python adapts its code to what it does often, and fills its
caches. A process forked from a template takes all of them once, so that it can be looked up which memory they write to
(pages.py).
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
from xpm_worker.job.reports import Reports
from xpm_worker.job.standby import wait_for_job
from xpm_worker.protocol.channel import Channel
from xpm_worker.protocol.messages import RunJob, TaskFinished
from xpm_worker.system import kernel

MODULE = "xpm_worker.template.rehearsal_task"
"""The module of the task. It is imported anew for each rehearsal, as the module of a job is."""

VARIABLE = "XPM_REHEARSAL"

NAME = "xpm-rehearsal"
"""The name of a process that takes all steps. The names of rehearsal folders begin with it, too."""

_PARENT_FOLDER = Path(os.environ.get("TMPDIR") or "/tmp").absolute()


def warm() -> None:
    """Take those steps that leave nothing in this process: from the job's message to its last message."""
    try:
        with prepared() as channel:
            job, reports = _received(channel)
            job_process.execute(job, job_process.directory_of(job), reports)
            reports.send(TaskFinished(True, None))
    finally:
        _forget_module()
    os.environ[VARIABLE] = ""
    os.environ.pop(VARIABLE)


def rehearse(channel: Channel) -> None:
    """Take all steps of a job. The process cannot be used for anything else afterwards.

    Args:
        channel: As `prepared` gave it.
    """
    kernel.set_name(NAME)
    atexit._clear()  # exit handlers of packages must not run now
    job_process.perform(*_received(channel))


def _received(channel: Channel) -> tuple[RunJob, Reports]:
    job = wait_for_job(channel)
    assert job is not None
    return job, Reports(channel)


@cache
def message() -> RunJob:
    """The message for the job of a rehearsal, without a workspace. The fork server makes it once, before it forks."""
    module = importlib.import_module(MODULE)
    task = module.Rehearsal.C(name="a", size=2, names=["b"])
    identity, name = seal(task), task_id(type(task))
    job = RunJob(
        execution="0",
        identity=identity,
        task=name,
        label="Rehearsal",
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
    _forget_module()
    return job


@contextlib.contextmanager
def prepared() -> Iterator[Channel]:
    """Give what the process of a job gets: the way to its starter, with the message in it. The folder is removed after.

    Raises:
        OSError: The folder of the rehearsal cannot be made.
    """
    folder = _PARENT_FOLDER / f"{NAME}-{os.getpid()}-{os.urandom(8).hex()}"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            folder.mkdir(0o700)
            os.makedirs(folder / message().directory)
            Channel(ours).send(message()._replace(workspace=str(folder)))
            yield Channel(theirs)
        finally:
            _remove(folder)


def sweep() -> None:
    """Remove this user's folders that were left by processes which were killed during a rehearsal."""
    for folder in _PARENT_FOLDER.iterdir():
        named = re.fullmatch(rf"{NAME}-(\d+)-[0-9a-f]+", folder.name)
        with contextlib.suppress(OSError):
            if named and folder.lstat().st_uid == os.getuid() and not _exists(int(named[1])):
                _remove(folder)


def _exists(pid: int) -> bool:
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


def _forget_module() -> None:
    """Remove the task's module and its classes from this process."""
    sys.modules.pop(MODULE, None)
    package, _, name = MODULE.rpartition(".")
    with contextlib.suppress(AttributeError):
        delattr(sys.modules[package], name)
    gc.collect()
