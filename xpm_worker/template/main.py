"""A template: a process that imports what jobs import, and from which the processes of jobs are then forked.

Most of the time that a short job takes is the time of its imports. A template imports the *installed* packages that the
jobs of a task were seen to import. Files of the project are imported in each job, so that a job sees the same code as
without templates. For the first job of a task, only the imports at the top of its module are known (first_imports.py).
A template imports these and forks that job, too, so the same imports are not needed once more for the next jobs.

Owns: what may be imported in advance, the process of a template, and what a job must not share with the other jobs that
are forked from the same template.
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

from xpm_core.project.moved_code import UNMOVED, MovedCode
from xpm_core.tracebacks.user_frames import is_user_file
from xpm_worker.job import leaving, user_code
from xpm_worker.job.standby import stand_by
from xpm_worker.protocol.codec import LARGEST_REPORT, encode
from xpm_worker.protocol.messages import TemplateReady
from xpm_worker.system import kernel, signals
from xpm_worker.template import pages, rehearsal, sibling

if TYPE_CHECKING:
    from xpm_worker.template.generators import Call

TEMPLATE_NAME = "xpm-template"
EMPTY_NAME = "xpm-fork"
"""Process name of a template that imports nothing."""


def start(
    modules: Sequence[str],
    env: dict[str, str],
    close_inherited: Callable[[], None],
    payload: bytes = b"",
    moved: MovedCode = UNMOVED,
) -> tuple[int, socket.socket]:
    """Fork a template from this process, the starter.

    Args:
        modules: See `serve`.
        env: See `serve`.
        close_inherited: Called in the template; closes the descriptors that belong to the starter.
        payload: See `serve`.
        moved: See `serve`.

    Returns:
        The template's process id, and the way to it. Each request (`_requests`) makes it fork a standby.

    Raises:
        OSError: No process can be started.
    """
    ours, theirs = socket.socketpair()
    starter = os.getpid()
    pid = os.fork()
    if pid == 0:
        close_inherited()
        ours.close()
        serve(theirs, modules, env, starter, payload, moved)
    theirs.close()
    return pid, ours


def serve(
    sock: socket.socket,
    modules: Sequence[str],
    env: dict[str, str],
    starter: int,
    payload: bytes = b"",
    moved: MovedCode = UNMOVED,
) -> NoReturn:
    """Be a template: import, send `TemplateReady`, then fork a standby for each request.

    If a template that was started for a task's first job turns out to be unfit, it runs that job itself.

    Args:
        sock: The way to the starter. When the starter closes it, the template ends.
        modules: What to import.
        env: Variables that the jobs have in addition to the starter's; packages may read them when they are imported.
        starter: Process id of the starter.
        payload: The payload of a task's first job, if the template must import what this job imports first.
        moved: Where the code of that job lies. Its modules are read there, and none of them is imported: the template
            serves jobs with other code, too.
    """
    code = 1
    try:
        kernel.die_with_parent(starter)
        signals.reset_signals()
        os.environ.update(env)
        _silence()
        if modules or payload:  # not in an empty template: they import `random`, which reseeds at every fork
            from xpm_worker.template import first_imports, generators
        last, known = next(reversed(sys.modules)), sibling.libraries()
        gc.disable()  # it would search all imported objects again and again, and find hardly anything to free
        given = first_imports.of_payload(payload, moved) if payload else contextlib.nullcontext(modules)
        with given as names, generators.noting_seeds() if names else contextlib.nullcontext() as notes:
            kernel.set_name(TEMPLATE_NAME if names else EMPTY_NAME)
            for name in names:
                first_imports.import_name(name)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        found = user_code.imported_since(last)
        installed = user_code.installed(found)
        problem = _why_unsafe() or _why_different(found, None if payload else modules)
        problem = problem or ("" if installed or not payload else "there is nothing to import")
        sock.sendall(encode(TemplateReady(problem, installed if payload else []), LARGEST_REPORT))
        renew = generators.fresh(notes) if notes and not problem else []
        leaving.bequeath(installed)
        gc.freeze()
        gc.enable()
        if not problem:
            _fork_standbys(sock, starter, renew, at_once=sibling.libraries() == known)
        elif payload:
            _run_first_job(sock, starter)
        code = 0
    except BaseException as error:  # the edge of the process: whatever a package raises, jobs run without a template
        with contextlib.suppress(Exception):
            sock.sendall(encode(TemplateReady(f"{type(error).__name__}: {error}"[:500], [])))
    finally:
        os._exit(code)


def _run_first_job(sock: socket.socket, starter: int) -> NoReturn:
    """Be the process of the first job. Nothing can be forked from here, but this job's imports are done here."""
    theirs = next(_requests(sock))
    sock.close()
    stand_by(theirs, starter, announce=True)


def _silence() -> None:
    """Send the streams to /dev/null, because text that packages print during the import belongs to no job."""
    null = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1, 2):
        os.dup2(null, target)
    os.close(null)


def _why_unsafe() -> str:
    """Why nothing can be forked from this process; empty if it can. OpenBLAS's threads are safe: it handles forks."""
    if len(threading.enumerate()) > 1:
        return "threads were started: " + ", ".join(thread.name for thread in threading.enumerate()[1:])
    if kernel.LINUX:
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                    return f"a device was opened: {target}"
    return ""


def _why_different(found: Mapping[str, str], wanted: Sequence[str] | None) -> str:
    """Why the modules imported here are not those that jobs import; empty if they are.

    An installed package may import a module whose name a file of the project has, too. In a job the project's file is
    found first, in a template it is not.

    Args:
        found: The modules that were imported here, with their files.
        wanted: The modules that a job imported; None if this process imported with the import path of the job.
    """
    own = [name for name, file in found.items() if file and is_user_file(file)]
    if own:
        return f"a package imports {own[0]}, which belongs to no package"
    if wanted is not None:
        packages = {name.partition(".")[0] for name in wanted}
        other = [name for name in user_code.installed(found) if name.partition(".")[0] not in packages]
        if other:
            return f"it imports {other[0]}, which no job imports"
    return ""


def _fork_standbys(sock: socket.socket, starter: int, renew: Sequence[Call], *, at_once: bool) -> None:
    """Fork a standby for each request.

    A job may already wait for the first one. So the first one is forked before the rehearsal, which only the later ones
    gain from.

    Args:
        sock: The way to the starter.
        starter: Process id of the starter.
        renew: Gives generators fresh seeds, in each standby.
        at_once: Whether it is safe to fork in one step (`sibling.fork`).
    """
    written: pages.Pages = []

    def prepare() -> None:
        freshen(renew)
        pages.copy(written)

    for number, theirs in enumerate(_requests(sock)):
        with theirs:
            if sibling.fork(starter, at_once=at_once):
                sock.close()
                stand_by(theirs, starter, prepare, announce=True)
        if number == 0:
            with contextlib.suppress(OSError), rehearsal.prepared() as job:
                written = pages.written(lambda: rehearsal.rehearse(job))


def _requests(sock: socket.socket) -> Iterator[socket.socket]:
    """The requests of the starter: each is one byte, and with it the socket over which the standby gets its job."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
        if not data:
            return
        yield from (socket.socket(fileno=descriptor) for descriptor in descriptors)


def freshen(renew: Sequence[Call]) -> None:
    """Replace what a process must not share with others after a fork: random seeds, and the resource tracker.

    Args:
        renew: See `generators.fresh`. If one of them fails, the job runs without it.
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
