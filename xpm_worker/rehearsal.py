"""What a process does while it stands by: once all that it will do for its job, with a task that does nothing.

A process that was just forked shares its memory, and gets a copy of each page when it first writes to it. Python
writes to whatever it uses, for it counts references, so that a job's first steps cost some thousand page faults, which
are most of what a new process costs. In a process that has taken these steps before, they take a third of the time.

Nothing of it is seen: no file is made, no module and no class stays.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import socket
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from xpm_core import payload
from xpm_core.identity import seal, task_id
from xpm_core.job_directory import readable
from xpm_core.workspace import Workspace
from xpm_worker import job_process
from xpm_worker.protocol import Channel, Finished, Loaded, Run

MODULE = "xpm_worker.rehearsed"
"""Where the task is; imported anew each time, as a job's module is."""

WORKSPACE = "/nonexistent"
VARIABLE = "XPM_REHEARSAL"


@cache
def play() -> Run:
    """What is rehearsed. The starter makes it once, before it forks."""
    module = importlib.import_module(MODULE)
    task = module.Rehearsed.C(name="a", size=2, names=["b"])
    identity, name = seal(task), task_id(type(task))
    run = Run(
        execution="0",
        identity=identity,
        task=name,
        label="Rehearsed",
        workspace=WORKSPACE,
        directory=Workspace(Path(WORKSPACE), "").directory_of(name, identity),
        payload=payload.pack(task),
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


def steps() -> Iterator[None]:
    """Take the steps of a job, one after the other; whoever has no more time leaves off. Nothing of them stays."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        starter, job = Channel(ours), Channel(theirs)
        starter.send(play())
        [run] = job.receive()
        assert isinstance(run, Run)
        yield
        try:
            yield from _scenes(run, job_process.Reports(job))
        finally:
            _forget()


def _scenes(run: Run, reports: job_process.Reports) -> Iterator[None]:
    last = next(reversed(sys.modules))
    directory = Workspace(Path(run.workspace), "").job_at(run.directory)
    task = payload.load(run.payload, workspace=directory.workspace, identity=run.identity, jobpath=directory.path)
    yield
    directory.params.exists()
    readable(payload.params(task))
    yield
    reports.say(Loaded(job_process.installed(last)))
    payload.execute(task)
    reports.last(Finished(True, None))
    os.environ[VARIABLE] = ""
    os.environ.pop(VARIABLE)


def _forget() -> None:
    """Leave neither the module nor its classes."""
    sys.modules.pop(MODULE, None)
    package, _, name = MODULE.rpartition(".")
    with contextlib.suppress(AttributeError):
        delattr(sys.modules[package], name)
    gc.collect()
