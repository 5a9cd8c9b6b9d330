"""Templates: processes that have imported what jobs import, and from which jobs are forked.

What short jobs really cost is their imports. A template imports the *installed* packages that a task's modules were
seen to import; project files are imported in each job, so that a job sees the code that it would see without
templates. Owns: what may be imported beforehand, the process of a template, and what a job forked from one must
not share with the others.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from xpm_worker import pages, rehearsal, sibling, system
from xpm_worker.protocol import Channel, Ready
from xpm_worker.standby import stand_by

TEMPLATE_NAME = "xpm-template"
PLAIN_NAME = "xpm-fork"
"""The name of a template that imports nothing."""


def serve(sock: socket.socket, modules: Sequence[str], env: dict[str, str], starter: int) -> NoReturn:
    """Be a template: import, say so, then fork a process for each request, which stands by for a job.

    Args:
        sock: The way to the starter; when it is closed, the template ends.
        modules: What to import.
        env: Variables that the jobs have beside the starter's own: they count while packages are imported.
        starter: Its process id.
    """
    code = 1
    try:
        system.die_with_parent(starter)
        system.set_name(TEMPLATE_NAME if modules else PLAIN_NAME)
        system.reset_signals()
        os.environ.update(env)
        _silence()
        for name in modules:
            importlib.import_module(name)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        problem = _unsafe()
        Channel(sock).send(Ready(problem))
        if not problem:
            gc.collect()
            gc.freeze()
            _answer(sock, starter)
        code = 0
    except BaseException as error:  # the edge of the process: whatever a package raises, jobs do without it
        with contextlib.suppress(Exception):
            Channel(sock).send(Ready(f"{type(error).__name__}: {error}"[:500]))
    finally:
        os._exit(code)


def _silence() -> None:
    """What packages print while they are imported is no job's."""
    null = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(null, target)
    os.close(null)


def _unsafe() -> str:
    """Why jobs cannot be forked from here; empty when they can. OpenBLAS's threads are safe: it handles forks."""
    if len(threading.enumerate()) > 1:
        return "threads were started: " + ", ".join(thread.name for thread in threading.enumerate()[1:])
    if system.LINUX:
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                    return f"a device was opened: {target}"
    return ""


def _answer(sock: socket.socket, starter: int) -> None:
    """Fork for each request: a byte, and with it the socket over which the job comes."""
    written = pages.written(rehearsal.rehearse)

    def prepare() -> None:
        freshen()
        pages.copy(written)

    while True:
        select.select([sock], [], [])
        data, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
        if not data:
            return
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as theirs:
                if sibling.fork(starter):
                    sock.close()
                    stand_by(theirs, starter, prepare, announce=True)


def freshen() -> None:
    """Make a job's process its own: generators that a fork would share are seeded anew, as `random` does by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    if tracker is not None:
        fresh = vars(tracker)["ResourceTracker"]()
        vars(tracker)["_resource_tracker"] = fresh
        for name in ("ensure_running", "register", "unregister", "getfd"):
            setattr(tracker, name, getattr(fresh, name))


def start(modules: Sequence[str], env: dict[str, str], leave_starter: Callable[[], None]) -> tuple[int, socket.socket]:
    """Fork a template from this process. Returns its process id, and the way to it."""
    ours, theirs = socket.socketpair()
    starter = os.getpid()
    pid = os.fork()
    if pid == 0:
        leave_starter()
        ours.close()
        serve(theirs, modules, env, starter)
    theirs.close()
    return pid, ours
