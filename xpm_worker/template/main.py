"""Templates: processes that have imported what jobs import, and from which jobs are forked.

What short jobs really cost is their imports. A template imports the *installed* packages that a task's modules were
seen to import; project files are imported in each job, so that a job sees the code that it would see without
templates. Of the first job of a task, only what it begins with is known (see foretelling.py): it is forked from a
template that imports this, and so need not be imported once more for the others. Owns: what may be imported
beforehand, the process of a template, and what a job forked from one must not share with the others.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from xpm_worker.job import failure, leaving
from xpm_worker.job import main as job_process
from xpm_worker.job.standby import stand_by
from xpm_worker.protocol.codec import LARGEST_REPORT, encode
from xpm_worker.protocol.messages import Ready
from xpm_worker.system import kernel, signals
from xpm_worker.template import first_imports, pages, rehearsal, sibling

if TYPE_CHECKING:
    from xpm_worker.template.generators import Call

TEMPLATE_NAME = "xpm-template"
PLAIN_NAME = "xpm-fork"
"""The name of a template that imports nothing."""


def serve(
    sock: socket.socket, modules: Sequence[str], env: dict[str, str], starter: int, payload: bytes = b""
) -> NoReturn:
    """Be a template: import, say so, then fork a process for each request, which stands by for a job.

    One that was started for a task's first job, and is no template in the end, runs that job itself.

    Args:
        sock: The way to the starter; when it is closed, the template ends.
        modules: What to import.
        env: Variables that the jobs have beside the starter's own: they count while packages are imported.
        starter: Its process id.
        payload: Of a task's first job, if it is to import what that begins with.
    """
    code = 1
    try:
        kernel.die_with_parent(starter)
        signals.reset_signals()
        os.environ.update(env)
        _silence()
        if modules or payload:  # not at the start: with `random` comes that it is seeded whenever a process is forked
            from xpm_worker.template import generators
        last, known = next(reversed(sys.modules)), sibling.libraries()
        gc.disable()  # it would look at all that was imported so far, time and again, and find hardly anything to free
        given = first_imports.foretold(payload) if payload else contextlib.nullcontext(modules)
        with given as names, generators.noting() if names else contextlib.nullcontext() as notes:
            kernel.set_name(TEMPLATE_NAME if names else PLAIN_NAME)
            for name in names:
                first_imports.bring(name)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        found = job_process.imported(last)
        brought = job_process.installed(found)
        problem = _unsafe() or _strange(found, None if payload else modules)
        problem = problem or ("" if brought or not payload else "there is nothing to import")
        sock.sendall(encode(Ready(problem, brought if payload else []), LARGEST_REPORT))
        renew = generators.fresh(notes) if notes and not problem else []
        leaving.bequeath(brought)
        gc.freeze()
        gc.enable()
        if not problem:
            _answer(sock, starter, renew, at_once=sibling.libraries() == known)
        elif payload:
            _run_first(sock, starter)
        code = 0
    except BaseException as error:  # the edge of the process: whatever a package raises, jobs do without it
        with contextlib.suppress(Exception):
            sock.sendall(encode(Ready(f"{type(error).__name__}: {error}"[:500], [])))
    finally:
        os._exit(code)


def _run_first(sock: socket.socket, starter: int) -> NoReturn:
    """Be the process of the first job: nobody can be forked from here, but what that job needs is here."""
    theirs = next(_asked(sock))
    sock.close()
    stand_by(theirs, starter, announce=True)


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
    if kernel.LINUX:
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                    return f"a device was opened: {target}"
    return ""


def _strange(found: Mapping[str, str], wanted: Sequence[str] | None) -> str:
    """Why what was imported here is not what jobs import; empty when it is.

    An installed package may import a module of a name that the project has, too. The project's comes first in a job.

    Args:
        found: The modules that were imported here, with their files.
        wanted: What a job has seen to be imported; None if it was imported with the job's own path.
    """
    own = [name for name, file in found.items() if file and failure.is_own(file)]
    if own:
        return f"a package imports {own[0]}, which is none"
    if wanted is not None:
        packages = {name.partition(".")[0] for name in wanted}
        other = [name for name in job_process.installed(found) if name.partition(".")[0] not in packages]
        if other:
            return f"it imports {other[0]}, as no job does"
    return ""


def _answer(sock: socket.socket, starter: int, renew: Sequence[Call], *, at_once: bool) -> None:
    """Fork for each request. The first one, for which a job may wait, comes before what is of use to all others.

    Args:
        sock: The way to the starter.
        starter: Its process id.
        renew: Makes generators fresh, in each process.
        at_once: Whether it is safe to fork at once (`sibling.fork`).
    """
    written: pages.Pages = []

    def prepare() -> None:
        freshen(renew)
        pages.copy(written)

    for number, theirs in enumerate(_asked(sock)):
        with theirs:
            if sibling.fork(starter, at_once=at_once):
                sock.close()
                stand_by(theirs, starter, prepare, announce=True)
        if number == 0:
            with contextlib.suppress(OSError), rehearsal.handed() as job:
                written = pages.written(lambda: rehearsal.rehearse(job))


def _asked(sock: socket.socket) -> Iterator[socket.socket]:
    """The requests that come: a byte, and with it the socket over which its job does."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
        if not data:
            return
        yield from (socket.socket(fileno=descriptor) for descriptor in descriptors)


def freshen(renew: Sequence[Call]) -> None:
    """Make a job's process its own: generators that a fork would share become fresh, and the resource tracker.

    Args:
        renew: See `generators.fresh`. Where one fails, the job does without it.
    """
    for call in renew:
        with contextlib.suppress(Exception):
            call()
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    if tracker is not None:
        own = vars(tracker)["ResourceTracker"]()
        vars(tracker)["_resource_tracker"] = own
        for name in ("ensure_running", "register", "unregister", "getfd"):
            setattr(tracker, name, getattr(own, name))


def start(
    modules: Sequence[str], env: dict[str, str], leave_starter: Callable[[], None], payload: bytes = b""
) -> tuple[int, socket.socket]:
    """Fork a template from this process. Returns its process id, and the way to it."""
    ours, theirs = socket.socketpair()
    starter = os.getpid()
    pid = os.fork()
    if pid == 0:
        leave_starter()
        ours.close()
        serve(theirs, modules, env, starter, payload)
    theirs.close()
    return pid, ours
